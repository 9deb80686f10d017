"""Errors that servers send with status 200, as the status that they mean.

Gateways answer 200 before they know how the call ends, and say so in the body: ``error`` at the top or in a choice, as
an object, a text or a list, or the error itself as the body. What it means is read off its code when that is an HTTP
status, else off its code or type by name, else off its words; an error without any of them is the server's own (500).
Invariant: a whole answer is never taken for an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from integrations.llm.body import JsonObject
from integrations.llm.completion import ERROR, finish_reason, first_choice
from integrations.values import clean_text

_NUMBERS = ("code", "status", "status_code", "statusCode", "http_status", "http_code", "error_code")
_NAMED = ("code", "type", "status", "error_type", "error_code", "name")
_TEXTS = ("message", "detail", "msg", "error_msg", "error_message", "error", "title")
#: Names of errors -> the HTTP status that means the same. Lower case, without separators.
_STATUS_OF_NAME: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "insufficientquota", "insufficientcredits", "insufficientbalance", "insufficientuserquota",
                "insufficientfunds", "quotaexceeded", "quotaexhausted", "exceededcurrentquotaerror",
                "billinghardlimitreached", "billingnotactive", "billingerror", "paymentrequired",
                "paymentrequirederror", "arrearage",
            ),
            402,
        ),
        **dict.fromkeys(
            (
                "ratelimitexceeded", "ratelimiterror", "ratelimited", "ratelimitreachederror", "toomanyrequests",
                "resourceexhausted", "throttling", "throttlingexception", "requests", "tokens",
            ),
            429,
        ),
        **dict.fromkeys(
            ("invalidapikey", "authenticationerror", "unauthenticated", "unauthorized", "invalidauthentication"), 401
        ),
        **dict.fromkeys(("permissiondenied", "permissionerror", "permissiondeniederror", "forbidden"), 403),
        **dict.fromkeys(("modelnotfound", "notfound", "notfounderror"), 404),
        **dict.fromkeys(("invalidrequesterror", "invalidargument", "badrequest", "badrequesterror"), 400),
        **dict.fromkeys(
            ("overloaded", "overloadederror", "engineoverloaded", "serviceunavailable", "unavailable"), 503
        ),
        **dict.fromkeys(("timeout", "timeouterror", "deadlineexceeded", "gatewaytimeout"), 504),
    }
)  # fmt: skip
#: Words of errors without a code -> status; the first that is found counts.
_STATUS_OF_WORDS: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (status, re.compile(words, re.IGNORECASE))
    for status, words in (
        (
            402,
            r"insufficient[ _](credit|fund|balance|quota)|payment required|(out of|no|not enough|run out of) credits?\b"
            r"|quota (is )?(exceeded|exhausted|used up)|exceeded your current quota|余额不足|欠费",
        ),
        (429, r"rate.?limit|too many requests|throttl|slow down|requests per (minute|day)|限流|频率"),
        (
            401,
            r"(invalid|incorrect|missing|expired|no)\b.{0,20}\b(api[ _-]?key|credentials|token\b)|unauthori[sz]ed"
            r"|authenticat",
        ),
        (400, r"not supported|unsupported|must alternate|(maximum context|context[ _])(length|size|window)|too long"),
        (404, r"model\b.{0,80}\b(not found|does ?n.t exist|does not exist)|no such model|unknown model"),
    )
)


@dataclass(frozen=True, slots=True)
class MeantError:
    """An error as a server would send it with the status that it means."""

    status: int  #: 4xx or 5xx
    message: str
    code: str | None  #: the server's own short code
    retry_after_s: float | None = None

    def body(self) -> dict[str, object]:
        """Return the body of the answer in the protocol's own form."""
        return {"error": {"message": self.message, "type": None, "param": None, "code": self.code}}


def meant_error(body: JsonObject) -> MeantError | None:
    """Return the error that a body with status 200 means, or None when it isn't one."""
    choice = first_choice(body)
    if choice is not None:
        if not choice.get("error"):
            if not _error_in(body) or _answers(choice):
                return None
            return _meant(_error_in(body), body)
        return _meant(choice["error"], choice)
    found = _error_in(body)
    return _meant(found, body) if found else None


def _answers(choice: JsonObject) -> bool:
    """Return whether a choice holds an answer, so that an error beside it doesn't count."""
    message = choice.get("message")
    said = isinstance(message, Mapping) and (message.get("content") or message.get("tool_calls"))
    return bool(said) and finish_reason(choice) != ERROR


def _error_in(body: JsonObject) -> object:
    """Return what a body calls its error, or None."""
    found = body.get("error")
    if isinstance(found, bool):
        return body if found else None
    if found:
        return found
    listed = body.get("errors")
    if isinstance(listed, list) and listed:
        return listed[0]
    if "choices" in body:
        return None
    is_error = body.get("object") == ERROR or body.get("type") == ERROR or body.get("success") is False
    return body if is_error or any(isinstance(body.get(key), str) for key in ("message", "detail", "msg")) else None


def _meant(error: object, around: JsonObject) -> MeantError:
    if isinstance(error, list) and error:
        error = error[0]
    fields: JsonObject = error if isinstance(error, Mapping) else {}
    text = error if isinstance(error, str) else next(_strings(fields, _TEXTS), "")
    names = [*_strings(fields, _NAMED), *([text] if " " not in text else [])]
    named = next((name for name in names if _plain(name) in _STATUS_OF_NAME), None)
    status = next(_statuses(fields), None) or (_STATUS_OF_NAME[_plain(named)] if named else None)
    status = status or next(_statuses(around), None)
    if status is None:
        status = next((meant for meant, words in _STATUS_OF_WORDS if words.search(text)), 500)
    code = fields.get("code")
    code = named or (code if isinstance(code, str) and not code.isdecimal() else None)
    return MeantError(status, clean_text(text)[:2000], clean_text(code)[:60] if code else None, _retry_after(fields))


def _statuses(fields: JsonObject) -> Iterator[int]:
    for key in _NUMBERS:
        value = fields.get(key)
        if isinstance(value, str) and value.isdecimal() and len(value) == 3:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599:
            yield value


def _strings(fields: JsonObject, keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str) and value:
            yield value


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower()) if len(name) <= 60 else ""


def _retry_after(fields: JsonObject) -> float | None:
    metadata = fields.get("metadata")
    for place in (fields, metadata if isinstance(metadata, Mapping) else {}):
        for key in ("retry_after", "retry_after_seconds"):
            value = place.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
                return float(value)
    return None
