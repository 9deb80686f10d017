"""Answers of language models as they came, before validation.

Apart from the client, so that code which only reads answers (journals, tests, agents) needs no client library.
Invariant: a :class:`RawAnswer` survives JSON unchanged, because it is committed to the ledger before it is validated,
so that an answer that was paid for is never requested again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.llm.errors import PROVIDER
from integrations.usage import Usage

UNREADABLE = "unreadable"  #: finish reason of an answer that came, was paid for, and can't be read


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """Chat completion as the server sent it."""

    text: str  #: content, or the arguments of the tool call that carried the object
    finish_reason: str  #: stop | length | content_filter | tool_calls | unreadable | "" when the server gave none
    model: str  #: the model that the server says has answered
    usage: Usage
    refusal: str | None = None  #: the model's own words when it refused
    system_fingerprint: str | None = None

    @staticmethod
    def unreadable(usage: Usage) -> RawAnswer:
        """Return what stands for an answer that can't be read, at the cost in ``usage``."""
        return RawAnswer(text="", finish_reason=UNREADABLE, model=usage.model or "", usage=usage)

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form without the usage, which the ledger keeps beside it."""
        return {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "model": self.model,
            "refusal": self.refusal,
            "system_fingerprint": self.system_fingerprint,
            "output_tokens": self.usage.output_tokens,
        }

    @staticmethod
    def from_dict(data: Mapping[str, object]) -> RawAnswer:
        """Rebuild the answer that :meth:`to_dict` wrote, without its cost, which the ledger has."""
        model, tokens = str(data.get("model", "")), data.get("output_tokens")
        refusal, fingerprint = data.get("refusal"), data.get("system_fingerprint")
        return RawAnswer(
            text=str(data.get("text", "")),
            finish_reason=str(data.get("finish_reason", "")),
            model=model,
            usage=Usage(provider=PROVIDER, model=model, output_tokens=tokens if isinstance(tokens, int) else 0),
            refusal=refusal if isinstance(refusal, str) else None,
            system_fingerprint=fingerprint if isinstance(fingerprint, str) else None,
        )
