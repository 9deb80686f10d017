"""Tokens of one call: what the server reports, kept within what the call can have used.

A meter is a stranger's word. Where it says nothing of use, tokens are estimated by the text; where it says more than
the request and its bound allow, the bound counts. So a cost lies between zero and what was held for the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.llm.completion import CHARS_PER_TOKEN
from integrations.llm.prices import tokens_upper_bound

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata


@dataclass(frozen=True, slots=True)
class Tokens:
    """Number of tokens of one call, some of them read from or written to the provider's cache."""

    input: int
    output: int
    cached: int = 0  #: part of ``input``, read from the cache
    written: int = 0  #: part of ``input``, written to the cache


def used_tokens(reported: UsageMetadata | None, texts: list[str], max_tokens: int, said_chars: int) -> Tokens:
    """Return the tokens of a call that sent ``texts`` and was answered with ``said_chars`` characters.

    ``reported`` holds believable figures (:mod:`integrations.llm.completion`), and 0 where the server gave none.
    """
    sent, said = (reported["input_tokens"], reported["output_tokens"]) if reported else (0, 0)
    sent = sent or sum(map(len, texts)) // CHARS_PER_TOKEN + 1
    said = said or said_chars // CHARS_PER_TOKEN + 1
    details: Mapping[str, object] = reported.get("input_token_details", {}) if reported else {}
    cached, written = details.get("cache_read"), details.get("cache_creation")
    return Tokens(
        input=min(sent, tokens_upper_bound(texts)),
        output=min(said, max_tokens),
        cached=cached if isinstance(cached, int) else 0,
        written=written if isinstance(written, int) else 0,
    )
