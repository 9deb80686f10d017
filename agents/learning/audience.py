"""Under which names outcomes are kept together: those of one seller, and of one audience of theirs.

Pure. Invariant: the order, case and spelling of what a campaign asks for makes no other audience; a word more or less
does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.fit.text import folded
from agents.unit import short_hash

if TYPE_CHECKING:
    from agents.config import Brand, TargetAudience

MAX_KEY = 200  #: characters; a longer one ends with a hash of the whole
_ASKED = ("job_titles", "company_size", "locations", "industries", "keywords", "interests")


def account_key(brand: Brand) -> str:
    """Return the name of who sells: the brand's, or "" where a campaign has none."""
    return _bounded(" ".join(folded(brand.name or "").split()))


def audience_key(audience: TargetAudience) -> str:
    """Return what is asked for, in words, such as ``industries: finance, saas``."""
    parts = []
    for name in _ASKED:
        asked = getattr(audience, name)
        values = asked if isinstance(asked, tuple) else (asked,) if asked is not None else ()
        if values:
            parts.append(f"{name}: {', '.join(sorted({' '.join(folded(str(one)).split()) for one in values}))}")
    if not parts:  # consumers, told by a description alone
        parts = [f"description {short_hash(folded(audience.description or ''))}"]
    return _bounded("; ".join(parts))


def _bounded(key: str) -> str:
    return key if len(key) <= MAX_KEY else f"{key[: MAX_KEY - 13]} {short_hash(key)}"
