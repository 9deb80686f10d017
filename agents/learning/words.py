"""Traits of leads in words for people."""

from __future__ import annotations

from collections.abc import Mapping

_KINDS: Mapping[str, str] = {
    "seniority": "seniority {}",
    "function": "work in {}",
    "occupation": "occupation {}",
    "word": 'title with "{}"',
    "industry": "industry {}",
    "country": "country {}",
    "region": "region {}",
    "source": "found by {}",
    "mailbox": "{} mailbox",
    "address": "address {}",
    "known": "{} known",
    "size": "company size {}",
    "asked": "{}",
}


def kind(trait: str) -> str:
    """Return what a trait is of, such as "seniority"."""
    return trait.partition("=")[0].partition(">")[0]


def in_words(trait: str) -> str:
    """Return a trait for people, such as "company size above 50"."""
    name, above, bound = trait.partition(">")
    if above:
        return f"{_KINDS[name].format(f'above {int(bound):,}')} employees"
    name, _, value = trait.partition("=")
    return _KINDS.get(name, name + " {}").format(value.replace("_", " ").replace(":", " "))
