"""Kinds of content, each judged by norms of its own: an e-mail has a subject, no meta description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

_KINDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        # In this order: a "facebook ad" is an ad, a "blog post" no social post.
        "email": ("email", "mail", "newsletter"),
        "page": ("blog", "article", "landing", "page", "guide", "study", "paper", "whitepaper", "ebook"),
        "ad": ("ad", "ads", "advert", "banner"),
        "social": ("social", "tweet", "post", "linkedin", "facebook", "instagram", "thread"),
    }
)


def kind_of(content_type: str, target_length: int = 0) -> str:
    """Return the norms that a content type is judged by: page, email, social or ad."""
    name = re.sub(r"[\s\-]+", "_", content_type.strip().lower())
    for kind, marks in _KINDS.items():
        if any(mark in name.split("_") for mark in marks):
            return kind
    return "page" if target_length == 0 or target_length >= 200 else "social"
