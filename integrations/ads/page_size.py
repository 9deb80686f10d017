"""How many objects of a listing are asked for at once: halved when the platform finds a page too big.

One value serves one ad account for the life of a process, whose threads may share it: what was too much once is not
asked for again. Invariant: it never grows, and never falls below 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from integrations.errors import TooMuchAskedError, TryAgainError

T = TypeVar("T")

LARGEST_PAGE = 100
MAX_OBJECTS = 50_000  #: a listing that goes on after so many is the platform's failure


class PageSize:
    """Size of the pages of one account's listings."""

    def __init__(self, largest: int = LARGEST_PAGE) -> None:
        self.size = largest

    def asked(self, page: Callable[[int], T]) -> T:
        """Return ``page(size)``, asked with half the size as long as it raises TooMuchAskedError.

        Raises TryAgainError when a page of one object is still too much.
        """
        while True:
            size = self.size
            try:
                return page(size)
            except TooMuchAskedError as error:
                if size <= 1:
                    raise TryAgainError(error.provider, error.message, detail=error.detail) from None
                self.size = min(self.size, size // 2)
