"""Keywords of a campaign in Google's notation: ``[exact]``, ``"phrase"``, ``-negative``, or a plain word.

Pure. Search ads take each as it is meant (:func:`keywords`), all others take the words (:func:`unmarked`). A plain word
is a phrase keyword, our own choice: broad match spends a small budget on searches that only resemble it. Limits: 80
characters and 10 words, of letters, digits and a few signs (Google Ads help, "Keyword: definition"; CriterionError).
Invariant: no two keywords are the same, and none is sent that Google refuses by its form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_CHARACTERS, MAX_WORDS = 80, 10
#: Characters that Google refuses in a keyword (KEYWORD_HAS_INVALID_CHARS).
_INVALID = re.compile(r"[^\w\s&'.+/:$#\-]|_", re.UNICODE)


@dataclass(frozen=True, slots=True, order=True)
class Keyword:
    """One keyword."""

    text: str
    match: str  #: EXACT | PHRASE
    negative: bool = False


def unmarked(written: Iterable[str]) -> tuple[str, ...]:
    """Return the words of keywords that are not negative, without the marks of the notation."""
    plain = (one.strip() for one in written)
    return tuple(one.strip('[]" ') for one in plain if one.strip('[]" ') and not one.startswith("-"))


def keywords(written: Iterable[str]) -> list[Keyword]:
    """Return what can be used of keywords as people wrote them, in their order."""
    found: dict[Keyword, None] = {}
    for one in written:
        plain = one.strip()
        negative = plain.startswith("-")
        plain = plain.removeprefix("-").strip()
        exact = plain.startswith("[") and plain.endswith("]")
        text = " ".join(_INVALID.sub(" ", plain).lower().split())
        if text and len(text) <= MAX_CHARACTERS and len(text.split()) <= MAX_WORDS:
            found[Keyword(text, "EXACT" if exact else "PHRASE", negative)] = None
    wanted = {one.text for one in found if not one.negative}
    return [one for one in found if not (one.negative and one.text in wanted)]
