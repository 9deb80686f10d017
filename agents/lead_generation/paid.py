"""Paid questions, each of which is asked once in the life of a unit.

Invariant: an answer is journalled before it is used, so that a retry, and the fallback that takes over from another
provider, pay only for what is still missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from agents.ports import UnitContext

A = TypeVar("A")

ASKS = 3  #: times that a running look-up is asked for in one go
MAX_ROUNDS = 3  #: units' tries to see it finished, before it counts as unknown
PENDING_S = 5.0  #: Hunter's own advice for a verification that is still running


def paid_once(
    ctx: UnitContext,
    provider: str,
    entry: str,
    answer: TypeAdapter[A],
    send: Callable[[float], A],
    *,
    final: Callable[[A], bool] = lambda _found: True,
) -> A:
    """Return a paid answer: from the journal, else from ``provider``, and journalled when it is ``final``."""
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return answer.validate_python(journaled)
    found = ctx.call(provider, send)
    if final(found):
        ctx.journal(entry, answer.dump_python(found, mode="json"))
    return found


def more_rounds(ctx: UnitContext) -> bool:
    """Count one more round of waiting, and return whether the unit may wait for another."""
    rounds = int(ctx.journaled("rounds") or 0) + 1
    if rounds > MAX_ROUNDS:
        return False
    ctx.journal("rounds", rounds)
    return True
