"""Body of a model server's answer, read as one JSON object.

A body is read where its meaning is beyond doubt: behind a byte order mark or keep-alive lines, with something after it,
encoded twice, alone in a list, or as the events of a stream that nobody asked for. All else (the page of a gateway, an
empty or cut body, another type of JSON) is unreadable. Invariant: an answer that came was paid for, so that
"unreadable" is never taken for "not sent".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

JsonObject = Mapping[str, object]

#: What a server may write before the body to keep the connection alive, and marks of an encoding.
_LEADING = "\ufeff \t\r\n\x00"
_COMMENTS = re.compile(r"(?:[ \t]*:[^\n]*(?:\n|\Z)|\s+)+")
_STREAM = re.compile(r"(?:data|event|id|retry):")
#: Digits beyond any figure of use; Python refuses to convert very long ones.
_LONGEST_INTEGER = 20


class UnreadableBodyError(Exception):
    """Raised for a body that is no chat completion and no error in words that we know."""


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("inf")


#: Reads JSON as lenient as it is safe: raw line breaks in strings, numbers of any length, NaN as a number.
DECODER = json.JSONDecoder(strict=False, parse_int=_integer)


def read_body(data: bytes) -> JsonObject:
    """Return the JSON object that a body holds.

    Raises UnreadableBodyError when there is none.
    """
    text = data.decode(json.detect_encoding(data), "replace").lstrip(_LEADING)
    if text.startswith(":"):
        text = _COMMENTS.sub("", text, count=1)
    if _STREAM.match(text):
        return _joined(text)
    found = _decoded(text)
    if isinstance(found, str) and found.lstrip().startswith("{"):  # encoded twice
        found = _decoded(found.lstrip())
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, Mapping):
        raise UnreadableBodyError(f"the body is no JSON object but {type(found).__name__}")
    return found


def _decoded(text: str) -> object:
    try:
        return DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        raise UnreadableBodyError("the body is no JSON") from None


def _joined(text: str) -> JsonObject:
    """Return the completion that the events of a stream make up, or the error that one of them is."""
    found: dict[str, object] = {}
    content, arguments, finish, said = "", "", None, False
    for line in text.split("\n"):
        if not line.startswith("data:"):
            continue
        try:
            event = DECODER.decode(line.removeprefix("data:").strip())
        except (ValueError, RecursionError):
            continue  # [DONE], or an event that was cut
        if not isinstance(event, Mapping):
            continue
        if event.get("error"):
            return event
        found |= {key: value for key, value in event.items() if key != "choices" and value is not None}
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            continue
        if choice.get("error"):
            return event
        said, finish = True, choice.get("finish_reason") or finish
        part = choice.get("delta") or choice.get("message")
        if isinstance(part, Mapping):
            content += _string(part.get("content"))
            arguments += _arguments(part)
    if not said:
        raise UnreadableBodyError("the stream holds no completion")
    message: dict[str, object] = {"role": "assistant", "content": content}
    if arguments:
        message["tool_calls"] = [{"function": {"arguments": arguments}}]
    return {**found, "choices": [{"message": message, "finish_reason": finish}]}


def _arguments(part: JsonObject) -> str:
    calls = part.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and calls else None
    function = call.get("function") if isinstance(call, Mapping) else None
    return _string(function.get("arguments")) if isinstance(function, Mapping) else ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
