"""Wish of a provider for fewer calls, in an answer that refuses nothing: told by its client, heard by admission.

Some providers say with every answer how much of their limit is used. A client reads that and calls :func:`slow_down`;
whoever makes the call hears it with :func:`heard`, without the client knowing who that is. Invariant: a wish is heard
by the call that it came with alone, and is lost where nothing listens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Wish:
    """Longest time for which one call's answer has asked for no new work."""

    seconds: float = 0.0


_listening: ContextVar[Wish | None] = ContextVar("slowing", default=None)


def slow_down(seconds: float) -> None:
    """Say that the provider wants no new work for ``seconds``, while its call is under way."""
    wish = _listening.get()
    if wish is not None:
        wish.seconds = max(wish.seconds, seconds)


@contextmanager
def heard() -> Iterator[Wish]:
    """Yield the wish of the call that is made inside the ``with`` block."""
    wish = Wish()
    token = _listening.set(wish)
    try:
        yield wish
    finally:
        _listening.reset(token)
