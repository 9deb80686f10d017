"""Part of the protocol that a server takes, as its refusals teach it.

Servers refuse what they don't know: a parameter, a way of asking for JSON, a system role. Then the same call asks again
without it, or in the other way. Invariant: the tokens of an answer are always bounded, by one name or the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from integrations.llm.errors import CODES, OVERFLOW, error_code

Message = Mapping[str, str]  #: {"role", "content"}

STRUCTURED, SYSTEM, LIMIT = "structured", "system", "limit"
#: The next mode when a server doesn't support one. The schema is in the prompt in any case.
_SIMPLER: Mapping[str, str] = MappingProxyType(
    {"json_schema": "json_mode", "function_calling": "json_mode", "json_mode": "plain"}
)
#: Parts of a request that a server may not take, and the words by which its refusals name them.
PARTS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(words, re.IGNORECASE)
        for name, words in {
            STRUCTURED: r"response_format|json_schema|json_object|structured output|\btools?\b|tool_choice"
            r"|function.?call|guided|grammar|schema",
            "temperature": r"temperature",
            "seed": r"\bseed\b",
            LIMIT: r"max_(completion_|output_)?tokens",
            SYSTEM: r"system.{0,20}(role|message|prompt|instruction)|(role|message|prompt|instruction)\W.{0,40}system\b"
            r"|developer.{0,10}(role|message|instruction)|roles? must alternate|only user and assistant"
            r"|['\"]user['\"] (or|and) ['\"]assistant['\"]"
            r"|(unsupported|unknown|unexpected|invalid|supported).{0,20}\broles?\b|jinja|chat.?template|template.?error|raise_exception",
        }.items()
    }
)
#: A template that fails is the server's own failure to some.
_TEMPLATE = re.compile(r"jinja|template|roles?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """Part of the protocol that a server was found to support."""

    mode: str  #: json_schema | function_calling | json_mode | plain
    without: frozenset[str] = frozenset()  #: parts it refuses: temperature, seed, system
    limit: str = "max_completion_tokens"  #: the name it knows the bound of an answer by

    def simpler(self, blamed: frozenset[str], sent: frozenset[str]) -> Dialect | None:
        """Return the next dialect after a refusal that names ``blamed`` parts, or None when nothing is left to change.

        ``sent`` are the parts that the refused request had.
        """
        found = replace(self, without=self.without | ((blamed & sent) - {STRUCTURED, LIMIT}))
        if LIMIT in blamed:
            found = replace(found, limit=_other(self.limit))
        if found == self and self.mode in _SIMPLER and STRUCTURED in sent and (not blamed or STRUCTURED in blamed):
            found = replace(self, mode=_SIMPLER[self.mode])
        return None if found == self else found

    def messages(self, asked: Sequence[Message]) -> list[dict[str, str]]:
        """Return messages as the server takes them.

        Without a system role the instructions stand at the top of the user's message, and roles alternate.
        """
        if SYSTEM not in self.without:
            return [dict(message) for message in asked]
        found: list[dict[str, str]] = []
        for message in asked:
            role = "user" if message["role"] == SYSTEM else message["role"]
            if found and found[-1]["role"] == role:
                found[-1]["content"] += "\n\n" + message["content"]
            else:
                found.append({"role": role, "content": message["content"]})
        return found


def _other(limit: str) -> str:
    return "max_tokens" if limit == "max_completion_tokens" else "max_completion_tokens"


def unsupported(error: Exception) -> frozenset[str] | None:
    """Return the parts of a request that a server may not support, as its error tells: names of :data:`PARTS`.

    None means that the error is not about the request's form; an empty set, that the server refused the request without
    a reason, which is most often the form of the answer.
    """
    import openai

    if not isinstance(error, openai.APIStatusError):
        return None
    said = f"{error.message} {error.body}"
    if error_code(error) in CODES or OVERFLOW.search(said):
        return None
    if error.status_code == 500:
        return frozenset({SYSTEM}) if _TEMPLATE.search(said) and PARTS[SYSTEM].search(said) else None
    if error.status_code not in (400, 422, 501):
        return None
    return frozenset(name for name, words in PARTS.items() if words.search(said))
