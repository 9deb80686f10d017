"""Units and stages: the pieces an agent's hop is cut into.

A unit is one retryable piece of work for one provider; a stage is a set of units that may run side
by side. Invariant: planning is deterministic. The same state and results give the same units with
the same keys, because a key is the unit's identity in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

from integrations.retry import RetryPolicy


class UnitStatus(StrEnum):
    """Where a unit is in its life."""

    PENDING = "pending"  #: waits for a worker, or for its ``due_at``
    RUNNING = "running"  #: claimed by a living worker
    SUCCEEDED = "succeeded"
    FAILED = "failed"  #: a result too: the error is kept, the stage goes on
    SKIPPED = "skipped"
    UNKNOWN = "unknown"  #: an effect that was sent without an answer


FINISHED = frozenset({UnitStatus.SUCCEEDED, UnitStatus.FAILED, UnitStatus.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One piece of work, with JSON objects as input and result.

    Personal data goes no further than the ledger.
    """

    key: str  #: unique in its stage, stable over replays, e.g. "write:blog-1"
    kind: str  #: which of the agent's unit bodies runs it
    provider: str  #: the one outside system it may call; "local" for none
    input: Mapping[str, Any] = field(default_factory=dict)
    effect_key: str | None = None  #: set for effects: units that change the outside world
    essential: bool = True  #: a stage whose essential units all fail fails its hop
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    agent: str = ""  #: whose body runs it; "": the agent at work

    @property
    def effect(self) -> bool:
        """Whether it changes the outside world."""
        return self.effect_key is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One fan-out and fan-in inside a hop, never empty."""

    name: str
    units: Sequence[Unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResult:
    """What became of a unit."""

    unit: Unit
    status: UnitStatus
    output: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None  #: IntegrationError.to_dict() of a failed unit

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status is UnitStatus.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """A finished stage: its units' results in the order in which they were planned."""

    name: str
    results: Sequence[UnitResult]

    def outputs(self, kind: str | None = None) -> list[Mapping[str, Any]]:
        """Return the outputs of the units that succeeded (of one kind)."""
        return [r.output or {} for r in self.results if r.ok and (kind is None or r.unit.kind == kind)]

    def failures(self) -> list[UnitResult]:
        """Return the units that failed."""
        return [r for r in self.results if r.status is UnitStatus.FAILED]


def short_hash(*parts: str) -> str:
    """12 hex digits of SHA-256 over the parts: short enough for a label, 48 bits against collisions."""
    return sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def effect_key(campaign_id: str, platform: str, subject: str = "campaign") -> str:
    """Return the identity of one outside object.

    It never depends on step or stage, so that no replay makes a second one.
    """
    return short_hash(campaign_id, platform, subject)
