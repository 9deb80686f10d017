"""Waits that an agent asks for before its hop begins: figures gather, the next optimisation cycle is not due yet.

Invariant: a wait is decided when a stage is planned, so waiting is a row and holds no worker slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a campaign waits, and why."""

    kind: str  #: such as measuring or next_optimization
    reason: str  #: for people; begins with the kind
    due_at: datetime
