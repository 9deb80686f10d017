"""The unit ledger: every operation on campaigns in flight, one round trip each.

Only this module and the stores speak SQL. Invariant: each call may be repeated by anyone at any time
without harm; one caller wins and the others learn it from the return value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.unit import Stage, StageResult, UnitResult
from integrations.usage import Usage
from orchestration.database import Database, encode
from orchestration.rows import (
    CAMPAIGN_COLUMNS,
    UNIT_COLUMNS,
    CampaignRow,
    Claimed,
    Position,
    campaign_row,
    claimed_unit,
    result_json,
    stage_results,
    transition_json,
    units_json,
)
from orchestration.transition import Transition

ADVANCED = -2  #: the transition was committed
DUPLICATE = -1  #: none of the results was ours to record

LEASE_S = 15.0  #: a worker that has not beaten for this long is dead
STALE_S = 3.0  #: a campaign without progress for this long gets a wake-up; doubles with each repeat
MAX_CRASHES = 6  #: a unit that was running in so many dying workers fails


class Ledger:
    """Operations on the campaigns of one database, for one worker (``worker`` names its incarnation)."""

    def __init__(self, database: Database, worker: str) -> None:
        self.database = database
        self.worker = worker

    def submit(self, campaign: Mapping[str, Any], stage: Stage) -> tuple[str, str, bool]:
        """Insert a campaign and its first units: (campaign id, config hash, whether it is new)."""
        units = units_json(stage)
        row = self.database.rows("SELECT * FROM marketing.submit_v1(%s, %s)", encode(campaign), encode(units))[0]
        return str(row[0]), str(row[1]), bool(row[2])

    def load(self, campaign_id: str) -> CampaignRow | None:
        """The campaign's row; None when there is none."""
        rows = self.database.rows(
            f"SELECT {CAMPAIGN_COLUMNS} FROM marketing.campaigns WHERE campaign_id = %s", campaign_id
        )
        return campaign_row(rows[0]) if rows else None

    def take(self, campaign_id: str, step: int, stage: int, limit: int) -> list[Claimed]:
        """Claim up to ``limit`` due units of the stage at work, in the order of the plan."""
        rows = self.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.take_v1(%s, %s, %s, %s, %s) ORDER BY ordinal",
            campaign_id, step, stage, self.worker, limit,
        )  # fmt: skip
        return [claimed_unit(row) for row in rows]

    def due(self, campaign_id: str, step: int, stage: int) -> int:
        """How many units of the stage could be claimed now."""
        return int(
            self.database.rows(
                "SELECT count(*) FROM marketing.units WHERE campaign_id = %s AND step = %s AND stage = %s "
                "AND status IN ('pending', 'unknown') AND (due_at IS NULL OR due_at <= clock_timestamp())",
                campaign_id, step, stage,
            )[0][0]
        )  # fmt: skip

    def results(self, campaign_id: str, step: int, *, before_stage: int | None = None) -> list[StageResult]:
        """Results of the hop's stages (those before ``before_stage`` when it is given), in order."""
        rows = self.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.units WHERE campaign_id = %s AND step = %s AND stage < %s "
            "ORDER BY stage, ordinal",
            campaign_id, step, before_stage if before_stage is not None else 2**31 - 1,
        )  # fmt: skip
        return stage_results(rows)

    def finish(
        self,
        at: Position,
        results: Iterable[UnitResult],
        move: Transition | None = None,
        *,
        claimed: int = 0,
    ) -> int:
        """Record results and, with ``move``, commit the transition if these were the stage's last.

        ``at`` is the place that the results belong to; a campaign that has moved on takes none. Returns
        ADVANCED, DUPLICATE, or how many units of the stage remain.
        """
        return int(
            self.database.rows(
                "SELECT marketing.finish_advance_v1(%s, %s, %s, %s, %s, %s, %s, %s)",
                at.campaign_id, at.step, at.stage, at.epoch, at.revision, self.worker,
                encode([result_json(r) for r in results]),
                encode(transition_json(move, claimed=claimed)) if move is not None else None,
            )[0][0]
        )  # fmt: skip

    def give_back(
        self,
        campaign_id: str,
        claimed: Claimed,
        *,
        status: str,
        delay_s: float,
        error: Mapping[str, Any],
        attempt: bool,
    ) -> bool:
        """Return a claimed unit for a later try; False when it is no longer ours."""
        return bool(
            self.database.rows(
                "SELECT marketing.give_back_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                campaign_id, claimed.step, claimed.stage, claimed.unit.key, self.worker, status, delay_s,
                encode(error), attempt,
            )[0][0]
        )  # fmt: skip

    def journal(self, campaign_id: str, claimed: Claimed, entry: Mapping[str, Any], usage: Usage | None) -> None:
        """Commit one entry of a unit's journal and what it cost."""
        priced = usage is None or usage.cost is not None
        self.database.rows(
            "SELECT marketing.journal_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            campaign_id, claimed.step, claimed.stage, claimed.unit.key, encode(entry),
            usage.model if usage else None,
            usage.input_tokens if usage else 0,
            usage.output_tokens if usage else 0,
            (usage.cost if usage else 0) if priced else None,
            usage.currency if usage else None,
        )  # fmt: skip

    def beat(self) -> None:
        """Say that this worker is alive."""
        self.database.rows("SELECT marketing.beat_v1(%s)", self.worker)

    def reconcile(self, limit: int = 500) -> Sequence[tuple[str, str, int]]:
        """Repair what was dropped; (campaign id, agent, step) of every campaign that needs a wake-up."""
        rows = self.database.rows(
            "SELECT * FROM marketing.reconcile_v1(%s, %s, %s, %s, %s)",
            self.worker, LEASE_S, STALE_S, MAX_CRASHES, limit,
        )  # fmt: skip
        return [(str(row[0]), str(row[1]), int(row[2])) for row in rows]

    def event(self, campaign_id: str, kind: str, data: Mapping[str, Any], *, actor: str = "system") -> None:
        """Append one event to the campaign's history."""
        self.database.run(
            "INSERT INTO marketing.events (campaign_id, kind, actor, data) VALUES (%s, %s, %s, %s)",
            campaign_id, kind, actor, encode(data),
        )  # fmt: skip
