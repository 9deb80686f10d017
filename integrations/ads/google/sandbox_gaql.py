"""Google Ads Query Language in the sandbox: parsed strictly, answered from rows in JSON form.

The grammar is the documentation's ("Query grammar") without PARAMETERS and DURING. Fields are looked up in the messages
of the package, and only those of the resource and of what Google joins to it. Invariant: what Google would refuse (an
unknown field or resource, an enumeration's unknown name, a field of another resource, days without a finite span of
dates) is refused with the code that Google has for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.ads.google.sandbox_failures import refused

Row = dict[str, Any]
_SHARED = ("campaign", "customer")
_WITH_METRICS = ("metrics", "segments")
#: resource -> what may be selected from it
JOINED: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer",),
    "campaign": ("campaign", "campaign_budget", "customer"),
    "campaign_budget": ("campaign_budget", "customer"),
    "campaign_criterion": ("campaign_criterion", *_SHARED),
    "ad_group": ("ad_group", *_SHARED),
    "ad_group_criterion": ("ad_group_criterion", "ad_group", *_SHARED),
    "ad_group_ad": ("ad_group_ad", "ad_group", *_SHARED, *_WITH_METRICS),
    "search_term_view": ("search_term_view", "ad_group", *_SHARED, *_WITH_METRICS),
    "geo_target_constant": ("geo_target_constant",),
    "conversion_action": ("conversion_action", "customer"),
    "customer_conversion_goal": ("customer_conversion_goal", "customer"),
    "campaign_conversion_goal": ("campaign_conversion_goal", *_SHARED),
    "custom_conversion_goal": ("custom_conversion_goal", "customer"),
    "conversion_goal_campaign_config": ("conversion_goal_campaign_config", "custom_conversion_goal", *_SHARED),
}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<word>[A-Za-z_][\w.]*)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<sign>!=|<=|>=|[=<>(),]))"
)
_WORD_OPERATORS = frozenset({"IN", "LIKE", "BETWEEN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of WHERE."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query, whose fields exist."""

    fields: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...] = ()
    order_by: str = ""
    descending: bool = False
    limit: int | None = None

    @property
    def with_metrics(self) -> bool:
        """Return whether it asks for metrics."""
        return any(name.startswith("metrics.") for name in self.fields)

    def asked(self, name: str) -> tuple[str, ...]:
        """Return the values that conditions compare ``name`` with."""
        return tuple(value for one in self.conditions if one.field == name for value in one.values)


def parse(text: str) -> Query:
    """Parse a query.

    Raises Refused with a QueryError.
    """
    return _Parser(_tokens(text)).query()


def camel(path: str) -> list[str]:
    """Return the keys of a field in JSON, such as ["adGroupAd", "ad", "id"]."""
    return [re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), part) for part in path.split(".")]


def select(query: Query, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that fulfil all conditions, with the selected fields only and metrics summed up."""
    tests = [_test(condition) for condition in query.conditions]
    kept = [row for row in rows if all(test(row) for test in tests)]
    if query.order_by:
        kept.sort(key=lambda row: _comparable(query.order_by, _value(row, query.order_by)), reverse=query.descending)
    main = f"{query.resource}.resource_name"  # Google always answers it
    dimensions = [name for name in dict.fromkeys((main, *query.fields)) if not name.startswith("metrics.")]
    shown: list[Row] = []
    merged: dict[str, Row] = {}
    for row in kept:
        projected: Row = {}
        for name in dimensions:
            _put(projected, name, _value(row, name))
        if query.with_metrics:
            projected = merged.setdefault(repr(projected), projected)
            for name in query.fields:
                if name.startswith("metrics."):
                    before = _value(projected, name) or 0
                    _put(projected, name, before + (_value(row, name) or 0))
        if projected not in shown or not query.with_metrics:
            shown.append(projected)
    return shown if query.limit is None else shown[: query.limit]


class _Parser:
    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        """Parse all tokens."""
        self._keyword("SELECT", "EXPECTED_SELECT")
        fields = [self._word()]
        while self._sign(","):
            fields.append(self._word())
        self._keyword("FROM", "EXPECTED_FROM")
        resource = self._word()
        if resource not in JOINED:
            raise refused("queryError", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"Unrecognized resource: '{resource}'.")
        conditions: list[Condition] = []
        if self._is("WHERE"):
            conditions.append(self._condition(resource))
            while self._is("AND"):
                conditions.append(self._condition(resource))
        order_by, descending = "", False
        if self._is("ORDER"):
            self._keyword("BY", "EXPECTED_BY")
            order_by = self._word()
            descending = self._is("DESC")
            if not descending:
                self._is("ASC")
        limit = int(self._next("number", "BAD_LIMIT_VALUE")) if self._is("LIMIT") else None
        if self._at != len(self._tokens):
            raise refused("queryError", "UNEXPECTED_INPUT", f"Unexpected input: '{self._tokens[self._at][1]}'.")
        for name in (*fields, *([order_by] if order_by else [])):
            _checked_field(name, resource)
        found = Query(
            fields=tuple(fields),
            resource=resource,
            conditions=tuple(conditions),
            order_by=order_by,
            descending=descending,
            limit=limit,
        )
        if "segments.date" in fields and not any(one.field == "segments.date" for one in conditions):
            raise refused("queryError", "EXPECTED_FILTERS_ON_DATE_RANGE", "A finite date range is needed.")
        return found

    def _condition(self, resource: str) -> Condition:
        name = self._word()
        _checked_field(name, resource)
        kind, operator = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if not (kind == "sign" and operator not in "(),") and operator.upper() not in _WORD_OPERATORS:
            raise refused("queryError", "BAD_OPERATOR", f"Unknown operator: '{operator}'.")
        self._at += 1
        operator = operator.upper()
        if operator == "IN":
            values = self._list()
        elif operator == "BETWEEN":
            first = self._literal()
            self._keyword("AND", "EXPECTED_AND")
            values = (first, self._literal())
        else:
            values = (self._literal(),)
        for value in values:
            _checked_value(name, value)
        return Condition(field=name, operator=operator, values=values)

    def _list(self) -> tuple[str, ...]:
        if not self._sign("("):
            raise refused("queryError", "EXPECTED_LIST", "A list in parentheses is needed.")
        values = [self._literal()]
        while self._sign(","):
            values.append(self._literal())
        if not self._sign(")"):
            raise refused("queryError", "UNEXPECTED_END_OF_QUERY", "The list does not end.")
        return tuple(values)

    def _literal(self) -> str:
        kind, value = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind not in ("text", "number", "word"):
            raise refused("queryError", "EXPECTED_SINGLE_VALUE", "A value is needed.")
        self._at += 1
        return value

    def _word(self) -> str:
        return self._next("word", "BAD_FIELD_NAME")

    def _next(self, kind: str, code: str) -> str:
        if self._at >= len(self._tokens):
            raise refused("queryError", "UNEXPECTED_END_OF_QUERY", "The query ends too early.")
        found, value = self._tokens[self._at]
        if found != kind:
            raise refused("queryError", code, f"Unexpected input: '{value}'.")
        self._at += 1
        return value

    def _is(self, keyword: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at][0] == "word"
        if found and self._tokens[self._at][1].upper() == keyword:
            self._at += 1
            return True
        return False

    def _keyword(self, keyword: str, code: str) -> None:
        if not self._is(keyword):
            raise refused("queryError", code, f"{keyword} is needed.")

    def _sign(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            code = "STRING_NOT_TERMINATED" if text[at:].lstrip()[:1] in "'\"" else "BAD_SYMBOL"
            raise refused("queryError", code, "The query can't be read.")
        kind = str(token.lastgroup)
        value = token[kind]
        found.append((kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "text" else value))
        at = token.end()
    return found


def _leaf(name: str) -> Any:
    """Return the descriptor of a field of GoogleAdsRow, None when there is none."""
    from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow

    message, found = GoogleAdsRow.pb().DESCRIPTOR, None
    for part in name.split("."):
        if message is None:
            return None
        found = message.fields_by_name.get(part) or message.fields_by_name.get(f"{part}_")
        if found is None:
            return None
        message = found.message_type
    return found if found is not None and (message is None or found.is_repeated) else None


def _checked_field(name: str, resource: str) -> None:
    if "." not in name or _leaf(name) is None:
        raise refused("queryError", "UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
    if name.partition(".")[0] not in JOINED[resource]:
        raise refused(
            "queryError",
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
            f"The field '{name}' can't be selected from '{resource}'.",
        )


def _checked_value(name: str, value: str) -> None:
    leaf = _leaf(name)
    if leaf.enum_type is not None and value not in leaf.enum_type.values_by_name:
        raise refused("queryError", "BAD_ENUM_CONSTANT", f"'{value}' is no value of '{name}'.")
    if name == "segments.date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise refused("queryError", "INVALID_DATE_FORMAT", f"'{value}' is no date.")


def _test(condition: Condition) -> Callable[[Row], bool]:
    name, operator = condition.field, condition.operator
    wanted = [_comparable(name, value) for value in condition.values]
    like = _pattern(condition.values[0]) if operator == "LIKE" else None

    def holds(row: Row) -> bool:
        raw = _value(row, name)
        found = _comparable(name, raw)
        if like is not None:
            return isinstance(raw, str) and like.fullmatch(raw) is not None
        results: dict[str, bool] = {
            "=": found == wanted[0],
            "!=": found != wanted[0],
            "IN": found in wanted,
        }
        if operator in results:
            return results[operator]
        if operator == "BETWEEN":
            return bool(wanted[0] <= found <= wanted[1])
        return bool({"<": found < wanted[0], ">": found > wanted[0]}.get(operator[0])) or (
            operator.endswith("=") and found == wanted[0]
        )

    return holds


def _pattern(like: str) -> re.Pattern[str]:
    parts = re.findall(r"\[(.)\]|(%)|(_)|([^\[\]%_])", like)
    return re.compile(
        "".join(".*" if two else "." if three else re.escape(one or four) for one, two, three, four in parts)
    )


def _comparable(name: str, value: Any) -> Any:
    leaf = _leaf(name)
    if leaf.cpp_type in (leaf.CPPTYPE_INT32, leaf.CPPTYPE_INT64, leaf.CPPTYPE_UINT32, leaf.CPPTYPE_UINT64):
        return int(value or 0)
    if leaf.cpp_type == leaf.CPPTYPE_BOOL:
        return str(value).upper() == "TRUE"
    if isinstance(value, str) and leaf.enum_type is None:
        return value.lower()  # texts are compared without case
    return value if value is not None else ""


def _value(row: Mapping[str, Any], name: str) -> Any:
    found: Any = row
    for key in camel(name):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _put(row: Row, name: str, value: Any) -> None:
    if value is None:
        return
    *path, last = camel(name)
    for key in path:
        row = row.setdefault(key, {})
    row[last] = value
