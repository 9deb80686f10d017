"""A worker of an earlier release, as far as the ledger can tell: it calls that release's functions in its words.

During a rolling deploy such workers go on, on the schema of today. What they said is kept here, because the code that
said it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator_bench import Bench

from agents.unit import Stage, UnitResult
from orchestration.commits import transition_json
from orchestration.database import Database, encode
from orchestration.holdings import ClaimId
from orchestration.ledger import ADVANCED, Ledger
from orchestration.rows import UNIT_COLUMNS, Claimed, Entered, Position, claim_id, claimed_unit, result_json, units_json
from orchestration.transition import Transition


class OldLedger(Ledger):
    """The hot operations by the functions of ``version`` (v1 or v2)."""

    def __init__(self, database: Database, worker: str, version: str) -> None:
        super().__init__(database, worker)
        self.version = version

    def submit(self, campaign: Mapping[str, Any], stage: Stage) -> tuple[str, str, bool]:
        rows = self.database.rows(
            "SELECT * FROM marketing.submit_v1(%s, %s)", encode(campaign), encode(units_json(stage))
        )
        return str(rows[0][0]), str(rows[0][1]), bool(rows[0][2])

    def enter(self, campaign_id: str, agent: str | None, *, limit: int, most: int) -> Entered | None:
        row = self.load(campaign_id)
        if row is None:
            return None
        if row.status not in ("queued", "running") or (agent is not None and agent != row.agent):
            return Entered(row=row, done=[], claimed=[], left_due=0)
        done = self.results(campaign_id, row.step, before_stage=row.stage)
        due = self.due(campaign_id, row.step, row.stage)
        if due > most:
            return Entered(row=row, done=done, claimed=[], left_due=due)
        return Entered(row=row, done=done, claimed=self.take(campaign_id, row.step, row.stage, limit), left_due=0)

    def take(self, campaign_id: str, step: int, stage: int, limit: int) -> list[Claimed]:
        rows = self.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.take_{self.version}(%s, %s, %s, %s, %s) ORDER BY ordinal",
            campaign_id, step, stage, self.worker, limit,
        )  # fmt: skip
        units = [claimed_unit(row) for row in rows]
        self.holdings.note(claim_id(campaign_id, unit) for unit in units)
        return units

    def finish(
        self, at: Position, results: Iterable[UnitResult], move: Transition | None = None, *, claimed: int = 0
    ) -> int:
        code = int(
            self.database.rows(
                f"SELECT marketing.finish_advance_{self.version}(%s, %s, %s, %s, %s, %s, %s, %s)",
                at.campaign_id, at.step, at.stage, at.epoch, at.revision, self.worker,
                encode([result_json(result) for result in results]),
                encode(transition_json(move, claimed=claimed)) if move is not None else None,
            )[0][0]
        )  # fmt: skip
        if code == ADVANCED and move is not None and move.stage is not None:
            place = at.campaign_id, move.step, move.stage_number
            self.holdings.note(ClaimId(*place, unit.key, 1) for unit in move.stage.units[:claimed])
        return code


def make_old(bench: Bench, version: str) -> Bench:
    """Turn a worker into one of an earlier release."""
    bench.ledger = OldLedger(bench.database, bench.ledger.worker, version)
    bench.orchestrator = replace(bench.orchestrator, ledger=bench.ledger)
    return bench
