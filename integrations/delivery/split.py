"""Halving of a batch that a CRM refuses whole because of some of its leads, until those are found.

Invariants: a refusal of one lead is its own, and any other error goes through; a refusal that is not about leads but
about all that is sent (a property that doesn't exist) fails the batch after a few calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from integrations.delivery.target import Item, Outcome
from integrations.errors import BadRequestError

REFUSED = "REFUSED"  #: code of a refusal without a code of its own
MAX_IN_A_ROW = 5  #: after so many leads that were refused by themselves, with none taken, nothing more is tried


def halved(items: Sequence[Item], deliver: Callable[[Sequence[Item]], Outcome]) -> Outcome:
    """Return what became of a batch, whose halves are delivered by themselves when it is refused whole.

    Raises what ``deliver`` raises, but BadRequestError only when it seems to be about every lead.
    """
    placed: dict[str, str] = {}
    refused: dict[str, str] = {}
    left = [items]
    while left:
        some = left.pop()
        try:
            found = deliver(some)
        except BadRequestError as error:
            if len(some) > 1:
                middle = len(some) // 2
                left += [some[middle:], some[:middle]]
                continue
            refused[some[0].key] = error.detail or REFUSED
            if len(items) > MAX_IN_A_ROW and not placed and len(refused) >= MAX_IN_A_ROW:
                raise
        else:
            placed |= found.placed
            refused |= found.refused
    return Outcome(placed=placed, refused=refused)
