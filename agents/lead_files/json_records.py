"""People of JSON and JSON lines, as the interfaces and exports of address books and CRMs nest them.

An object becomes a row whose headers are its keys, those of objects inside joined by dots (``company.name``,
``emails.value``). The list of people is the whole document, or the list inside it that holds the most objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agents.config_problems import ConfigError
from agents.lead_files.encoding import Text
from agents.lead_files.table import Records, Table
from integrations.values import clean_json, parse_json

MAX_DEPTH = 6  #: of objects inside a record that are read
_MAX_KEYS = 300  #: of one record
_SEVERAL = " ::: "  #: between the values of one cell, as Google's contacts write it
_FIRST = re.compile(r"primary|work|preferred|office|business|direct", re.I)
_WRAPPERS = frozenset(
    {"properties", "attributes", "fields", "node", "_source", "record", "person", "contact", "item", "data"}
)


def table(text: Text, shown: str, *, lines: bool) -> Table:
    """Return the table of a JSON file's people, an object a row.

    ``lines`` tells that it is named as JSON lines. Raises ConfigError when it is neither JSON nor JSON lines.
    """
    if not lines:
        try:
            return _of("JSON", _document(text.whole(), shown), text)
        except (ValueError, RecursionError) as error:
            if isinstance(error, ConfigError):
                raise
    return _of("JSON lines", _lines(text, shown), text)


def _of(kind: str, items: Iterable[object], text: Text) -> Table:
    records, strange = Records(), []
    for number, item in enumerate(items, start=1):
        if isinstance(item, Mapping):
            records.add(number, _flat(item))
        else:
            strange.append(number)
    return records.table(kind, encoding=text.encoding, not_objects=tuple(strange))


def _document(whole: str, shown: str) -> Iterable[object]:
    """Return the records of a document, those of a list one after the other: not all are held before they are rows.

    Raises ValueError, then or later, when it is not JSON.
    """
    if whole.lstrip().startswith("["):
        return _elements(whole)
    found: object = parse_json(whole)
    if isinstance(found, Mapping):
        found = _longest_list(found) or [found]
    if not isinstance(found, list):
        raise ConfigError([f"{shown}: is JSON of type {type(found).__name__}; give a list of objects"])
    return found


def _elements(whole: str) -> Iterator[object]:
    """Yield the elements of a list.

    Raises ValueError when the text is no list.
    """
    at = _SPACE.match(whole, whole.index("[") + 1).end()  # type: ignore[union-attr]  # matches nothing, too
    if whole[at : at + 1] == "]" and not whole[at + 1 :].strip():
        return
    while True:
        item, at = _DECODER.raw_decode(whole, at)
        yield clean_json(item)
        at = _SPACE.match(whole, at).end()  # type: ignore[union-attr]
        if whole[at : at + 1] != ",":
            break
        at = _SPACE.match(whole, at + 1).end()  # type: ignore[union-attr]
    if whole[at : at + 1] != "]" or whole[at + 1 :].strip():
        raise ValueError("no list")


def _lines(text: Text, shown: str) -> Iterator[object]:
    for number, line in enumerate(text.lines(), start=1):
        if not line.strip():
            continue
        try:
            item = _DECODER.decode(line)
        except (ValueError, RecursionError):
            raise ConfigError([f"{shown}: line {number} is not JSON; give a JSON list of objects"]) from None
        yield clean_json(item)


def _integer(digits: str) -> int | str:
    """Keep a number that is too long for one, such as an id, as text."""
    return int(digits) if len(digits) < 19 else digits[:100]


_DECODER = json.JSONDecoder(parse_int=_integer)
_SPACE = re.compile(r"\s*")


def _longest_list(found: Mapping[str, Any], depth: int = 4) -> list[object] | None:
    """Return the list inside that holds the most objects, or None when there is none."""
    best: list[object] | None = None
    for value in found.values():
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            inner = value
        elif isinstance(value, Mapping) and depth:
            inner = _longest_list(value, depth - 1) or []
        else:
            continue
        if inner and (best is None or len(inner) > len(best)):
            best = inner
    return best if best and not _is_person(found) else None


def _is_person(found: Mapping[str, Any]) -> bool:
    """Tell whether an object is one person, whose lists are the person's: e-mail addresses, positions."""
    keys = {re.sub(r"[\W_]", "", key.lower()) for key in found}
    return bool(
        keys & {"email", "emails", "emailaddresses", "firstname", "lastname", "fullname", "givenname", "familyname"}
    )


def _flat(item: Mapping[str, Any], path: str = "", depth: int = MAX_DEPTH) -> Iterator[tuple[str, str]]:
    for number, (key, value) in enumerate(item.items()):
        if number >= _MAX_KEYS:
            return
        wrapped = isinstance(value, Mapping) and key.lower() in _WRAPPERS
        name = path if wrapped and not path else f"{path}.{key}".strip(".")
        if isinstance(value, Mapping):
            if depth:
                yield from _flat(value, name, depth - 1)
        elif isinstance(value, list):
            yield from _several(value, name, depth)
        elif value is not None:
            yield name, ("true" if value else "false") if isinstance(value, bool) else str(value)


def _several(values: Sequence[object], name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield a list as one cell, or as one a key of its objects, what is for work or preferred first."""
    plain = [str(value) for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
    if plain:
        yield name, _SEVERAL.join(plain)
    objects = [value for value in values if isinstance(value, Mapping)][:20]
    if not objects or not depth:
        return
    cells: dict[str, list[str]] = {}
    for one in sorted(objects, key=lambda item: not _comes_first(item)):
        for key, value in _flat(one, name, depth - 1):
            cells.setdefault(key, []).append(value)
    for key, found in cells.items():
        yield key, _SEVERAL.join(found)


def _comes_first(item: Mapping[str, object]) -> bool:
    return any(
        (value is True and _FIRST.search(key))
        or (isinstance(value, str) and key.lower() in ("type", "label", "kind") and _FIRST.search(value))
        for key, value in item.items()
    )
