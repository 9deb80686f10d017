"""The machine's clock, as agents and verbs are given it.

A class of its own so that a replay or a test gives another.
"""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)
