"""A chat completion of any server, made over to the plain form that the client library reads.

The library believes what it is sent: it takes a meter's 10**20 tokens for a figure, a list without text for an answer,
and loses the usage of what it can't parse. Here the text is found wherever a server puts it (content, parts, the
arguments of a tool call), the reasoning beside or inside of it is left out, and every value is cleaned. Invariant: what
leaves can be stored, is bounded in size, and holds no figure that nobody could believe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeGuard

from integrations.llm.body import JsonObject, UnreadableBodyError
from integrations.llm.reasoning import cut_reasoning
from integrations.values import clean_text

MAX_TEXT_CHARS = 200_000  #: of an answer; a longer one is cut, and can't be used then
MAX_NAME_CHARS = 200  #: of a model, a fingerprint, a reason
MAX_REFUSAL_CHARS = 2_000
CHARS_PER_TOKEN = 4  #: rule of thumb for servers that report no usage
MOST_TOKENS = 10_000_000  #: of one call; a figure above it is a broken meter's

ERROR = "error"  #: finish reason of an answer that the server gave up
#: Other servers' words for the finish reasons of the protocol.
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("max_tokens", "max_output_tokens", "max_length", "model_length", "token_limit"), "length"),
        **dict.fromkeys(
            ("safety", "recitation", "blocklist", "prohibited_content", "spii", "sensitive", "content_filtered"),
            "content_filter",
        ),
        **dict.fromkeys(("abort", "aborted", "failed", "network_error", "internal_error"), ERROR),
    }
)


def plain_completion(body: JsonObject) -> dict[str, object]:
    """Return the completion in a body as the protocol's own form, with one choice and its text as the content.

    Raises UnreadableBodyError when it holds none.
    """
    choice = first_choice(body)
    if choice is None:
        raise UnreadableBodyError("it lacks the field choices")
    message = choice.get("message")
    if not isinstance(message, Mapping):
        message = {"content": message if isinstance(message, str) else choice.get("text")}
        if not isinstance(message["content"], str):
            raise UnreadableBodyError("it lacks the field choices[0].message")
    reason = finish_reason(choice)
    if reason == ERROR:
        raise UnreadableBodyError("the server gave the answer up")
    text = _text_of(message)
    refusal = _name(message.get("refusal"), MAX_REFUSAL_CHARS)
    return {
        "id": _name(body.get("id")),
        "object": "chat.completion",
        "created": 0,
        "model": _name(body.get("model")),
        "system_fingerprint": _name(body.get("system_fingerprint")) or None,
        "choices": [
            {
                "index": 0,
                "finish_reason": reason,
                "message": {
                    "role": "assistant",
                    "content": text,
                    "refusal": refusal or None,
                },
            }
        ],
        "usage": _usage(body.get("usage"), _chars(message)),
    }


def first_choice(body: JsonObject) -> JsonObject | None:
    """Return the first choice of a body, or None."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, Mapping) else None


def finish_reason(choice: JsonObject) -> str:
    """Return why an answer ended, in the protocol's words where a server has its own."""
    reason = _name(choice.get("finish_reason"))
    return _REASONS.get(reason.lower(), reason)


def _text_of(message: JsonObject) -> str:
    """Return the answer's text: the arguments of a tool call, else the content, without reasoning."""
    called = _called(message)
    text = cut_reasoning(_content(message.get("content"))) if called is None else called
    return clean_text(text[:MAX_TEXT_CHARS])


def _called(message: JsonObject) -> str | None:
    calls = message.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and calls else None
    function = call.get("function") if isinstance(call, Mapping) else message.get("function_call")
    arguments = function.get("arguments") if isinstance(function, Mapping) else None
    if isinstance(arguments, Mapping):  # some servers send the object itself
        return json.dumps(arguments, ensure_ascii=False)
    return arguments if isinstance(arguments, str) and arguments.strip() else None


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_part(part) for part in content)
    if isinstance(content, Mapping):  # the object that was asked for, not as text
        return json.dumps(content, ensure_ascii=False)
    return ""


def _part(part: object) -> str:
    """Return the text of one part of the content, which is empty for thinking, images and the like."""
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("type", "text") not in ("text", "output_text"):
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""


def _chars(message: JsonObject) -> int:
    """Return how many characters the model has written, with the reasoning, which is paid for as well."""
    kinds = ("content", "refusal", "reasoning_content", "reasoning", "tool_calls", "function_call")
    return sum(len(one if isinstance(one, str) else str(one)) for kind in kinds if (one := message.get(kind)))


def _believable(tokens: object) -> TypeGuard[int]:
    return isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens <= MOST_TOKENS


def _usage(reported: object, said_chars: int) -> dict[str, object]:
    """Return the reported tokens, with 0 for input that has to be estimated and an estimate for such output.

    A meter with one figure that can't be is not believed in the others.
    """
    usage = reported if isinstance(reported, Mapping) else {}
    sent, said = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (_believable(sent) and _believable(said)):
        usage, sent, said = {}, 0, 0
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
    written = details.get("cache_write_tokens") if isinstance(details, Mapping) else 0
    output = said or said_chars // CHARS_PER_TOKEN + 1
    return {
        "prompt_tokens": sent,
        "completion_tokens": output,
        "total_tokens": sent + output,
        "prompt_tokens_details": {
            "cached_tokens": cached if _believable(cached) else 0,
            "cache_write_tokens": written if _believable(written) else 0,
        },
    }


def _name(value: object, longest: int = MAX_NAME_CHARS) -> str:
    return clean_text(value)[:longest] if isinstance(value, str) else ""
