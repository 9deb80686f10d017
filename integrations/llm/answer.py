"""What a language model said, before anybody judged it.

Kept apart from the client, so that code which only reads answers (journals, tests, agents) needs no
client library. Invariant: a :class:`RawAnswer` survives JSON unchanged, because it is committed to
the ledger before it is validated, and an answer that was paid for is never asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """One completion as the server gave it."""

    text: str  #: content, or the arguments of the tool call that carried the object
    finish_reason: str  #: stop | length | content_filter | tool_calls | "" when the server gave none
    model: str  #: the model that the server says has answered
    usage: Usage
    refusal: str | None = None  #: the model's own words when it declined
    system_fingerprint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form without the usage, which the ledger keeps beside it."""
        return {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "model": self.model,
            "refusal": self.refusal,
            "system_fingerprint": self.system_fingerprint,
            "output_tokens": self.usage.output_tokens,
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RawAnswer:
        """Rebuild what :meth:`to_dict` wrote; its cost is in the ledger already and not repeated here."""
        model = str(data.get("model", ""))
        return RawAnswer(
            text=str(data.get("text", "")),
            finish_reason=str(data.get("finish_reason", "")),
            model=model,
            usage=Usage(provider="openai", model=model, output_tokens=int(data.get("output_tokens", 0))),
            refusal=data.get("refusal"),
            system_fingerprint=data.get("system_fingerprint"),
        )
