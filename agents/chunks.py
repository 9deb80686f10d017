"""Long lists of work cut into units of a bounded size, numbered for their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[tuple[int, tuple[T, ...]]]:
    """Yield (number from 0, up to ``size`` items), in order."""
    for start in range(0, len(items), size):
        yield start // size, tuple(items[start : start + size])
