"""How an ad campaign of the sandbox is set besides its texts and its budget, relative to the usual.

    size of an aim = Π n / (n + 2)        over its dimensions, each with n alternatives

Who is shown the ads meets one alternative of each dimension (places, job titles, keywords, ...). So one more dimension
narrows, one more alternative widens, and a dimension that goes widens. The measure counts and knows no people: a town
is as large as a country. Invariant: pure, and each relation lies in :data:`LEAST` to :data:`MOST`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

LEAST, MOST = 0.1, 10.0  #: of an audience and a bid, relative to the usual ones
_SCARCITY = 2  #: alternatives of one dimension with which half of all people meet it


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a campaign is set besides its texts and its budget, relative to the usual."""

    audience: float = 1.0  #: size of the audience: 0.5 is an aim at half of the people, 2 at twice as many
    #: what it is aimed at, in words, keywords in Google's notation; None: the ``audience`` of the texts themselves
    words: tuple[str, ...] | None = None
    #: in Google's notation: ``[exact]``, ``"phrase"``, or words in any order
    negative_keywords: tuple[str, ...] = ()
    bid: float = 1.0
    schedule: float = 1.0  #: share of the week's hours in which the ads are shown, the best ones
    frequency_cap: float = 0.0  #: at most so many impressions per person in a week; 0: no cap
    end: date | None = None  #: the first day on which nothing is shown any more

    def __post_init__(self) -> None:
        """Raise ValueError for a value that can't be."""
        for name, value, right in (
            ("audience", self.audience, self.audience > 0),
            ("bid", self.bid, self.bid > 0),
            ("schedule", self.schedule, 0 < self.schedule <= 1),
            ("frequency_cap", self.frequency_cap, self.frequency_cap >= 0),
        ):
            if not right:
                raise ValueError(f"{name}={value!r} is not above 0 (schedule at most 1, frequency_cap 0 for none)")

    def ended(self, day: date) -> bool:
        """Return whether nothing is shown on a day any more."""
        return self.end is not None and day >= self.end

    def excludes(self, search: str) -> bool:
        """Return whether a negative keyword keeps the ads away from a search."""
        said = _words(search)
        return any(_matches(one, said) for one in self.negative_keywords)

    def to_json(self) -> dict[str, Any]:
        """JSON form, for the sandbox's state file."""
        return {**asdict(self), "end": None if self.end is None else self.end.isoformat()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Setting:
        """Read what :meth:`to_json` wrote."""
        words, end = data["words"], data["end"]
        return Setting(
            **{
                **data,
                "words": None if words is None else tuple(words),
                "negative_keywords": tuple(data["negative_keywords"]),
                "end": None if end is None else date.fromisoformat(end),
            }
        )


NEUTRAL = Setting()


def aim_size(dimensions: Iterable[int]) -> float:
    """Return the share of all people that an aim means, by the number of alternatives of each of its dimensions.

    A dimension of 0 alternatives is none. Without any it is 1.
    """
    return math.prod(alternatives / (alternatives + _SCARCITY) for alternatives in dimensions if alternatives > 0)


def relation(value: float, usual: float) -> float:
    """Return ``value`` relative to the usual one, within what is sane."""
    return min(MOST, max(LEAST, value / usual))


def relative_bid(cap: Decimal | None, usual: float) -> float:
    """Return a bid's cap, None for none, relative to the usual price of what is bid for, in the same currency."""
    return 1.0 if cap is None or cap <= 0 else relation(float(cap), usual)


def plain(keyword: str) -> str:
    """Return a keyword's words without the marks of Google's notation."""
    return keyword.strip('[]" ')


def is_exact(keyword: str) -> bool:
    """Return whether a keyword means the very search that it says."""
    return keyword.startswith("[")


def _matches(negative: str, said: list[str]) -> bool:
    wanted = _words(negative)
    if not wanted:
        return False
    if is_exact(negative):
        return said == wanted
    if negative.startswith('"'):
        return any(said[at : at + len(wanted)] == wanted for at in range(len(said)))
    return set(wanted) <= set(said)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
