"""Addresses that say nothing about a company, or aren't a person's: the lists are data (``mailboxes.json``).

A longer list of throw-away providers belongs in that file; the code doesn't change for it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


def is_webmail(domain: str) -> bool:
    """Tell whether a domain is a public mail provider's, which says nothing about a company."""
    return domain in _lists()["webmail"]


def is_disposable(domain: str) -> bool:
    """Tell whether a domain is a provider of addresses that are thrown away after use."""
    return domain in _lists()["disposable"]


def is_role(email: str) -> bool:
    """Tell whether an address is a function's ("info@") instead of a person's."""
    return email.partition("@")[0] in _lists()["roles"]


@cache
def _lists() -> dict[str, frozenset[str]]:
    text = files(__package__).joinpath("mailboxes.json").read_text(encoding="utf-8")
    return {name: frozenset(listed) for name, listed in json.loads(text).items()}
