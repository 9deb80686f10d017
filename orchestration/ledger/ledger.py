"""Unit ledger: the operations on campaigns in flight, one round trip each.

Invariant: each call may be repeated by any process at any time without harm. One caller wins, and the others learn it
from the return value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from agents.erasure import Erasing
from agents.unit import Stage, StageResult, UnitResult
from agents.versions import FLOW_VERSION, SCHEMA_VERSION, UnknownVersionError
from integrations.settings import Mode
from integrations.usage import Usage
from integrations.values import clean_json
from orchestration.crash_points import reach
from orchestration.flow.lineage import Checkpoint
from orchestration.flow.transition import Transition
from orchestration.ledger.changes import ADVANCED, ERASED, RUNNING_UNITS, CampaignChanges
from orchestration.ledger.claims import ClaimId, ClaimRegistry
from orchestration.ledger.commits import FINISH, Finish
from orchestration.ledger.database import Database, DatabaseUnavailableError, Row, UnstorableError, encode
from orchestration.ledger.erasure import erased, guarded
from orchestration.ledger.group_commit import GroupCommit
from orchestration.ledger.lease import GAP_S, LEASE_S
from orchestration.ledger.rows import (
    CAMPAIGN_COLUMNS,
    ENTER_COLUMNS,
    UNIT_COLUMNS,
    CampaignRow,
    Claimed,
    Entered,
    Position,
    campaign_row,
    claimed_unit,
    entered,
    entered_units,
    journal_arguments,
    stage_results,
    unit_result,
    units_json,
)
from orchestration.ledger.world import World, mismatch

DUPLICATE = -1  #: none of the results was ours to record

STALE_S = 3.0  #: a campaign without progress for this long gets a wake-up; doubles with each repeat
EARLY_S = 0.005  #: a wake-up comes this much after a unit's moment, never before it
LONG = 32_000  #: a transition with lists of more characters is committed by itself, so that no other waits for it
MAX_CRASHES = 6  #: a unit that was running in so many dying workers fails


class RowSource(Protocol):
    """What runs one statement: the pool, or a connection of a thread's own."""

    def rows(self, sql: str, *args: object) -> list[Row]:
        """Run one statement and fetch all its rows."""
        ...


@dataclass(frozen=True, slots=True)
class Idle:
    """Campaign with something to do and no progress since a moment."""

    campaign_id: str
    agent: str
    step: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignals:
    """Campaigns and providers that a worker must not go on with."""

    campaigns: frozenset[str] = frozenset()  #: paused or cancelled in the last minutes
    providers: frozenset[str] = frozenset()  #: switched off by hand


class Submitted(NamedTuple):
    """Campaign that a submit made or found."""

    campaign_id: str
    config_hash: str
    mode: Mode
    created: bool  #: by this submit; else it has the same idempotency key or id


#: One claim of one unit (campaign, step, stage, key, worker, claims) that has neither been taken over nor abandoned.
STILL_CLAIMED = (
    "u.campaign_id = %s AND u.step = %s AND u.stage = %s AND u.key = %s AND u.status = 'running' AND u.worker = %s "
    "AND u.claims = %s AND c.campaign_id = u.campaign_id AND c.epoch = u.epoch "
    "AND (c.status <> 'cancelling' OR c.stage_name = 'wind_down')"
)


class Ledger:
    """Operations on the campaigns of one database, for one worker (``worker`` names its incarnation) of one mode.

    Nothing is claimed, woken or beaten in a database, or for a campaign, of another mode.
    """

    def __init__(self, database: Database, worker: str, mode: Mode) -> None:
        self.database = database
        self.worker = worker
        self.mode = mode
        self.world = World(database, mode)
        self.claims = ClaimRegistry()
        self.changes = CampaignChanges(database)
        self._finishing = GroupCommit(self._finish, self._finish_several, fatal=DatabaseUnavailableError)

    def submit(self, campaign: Mapping[str, object], stage: Stage) -> Submitted:
        """Insert a campaign of this process's mode and its first units.

        Raises WrongWorldError when the database is of another mode.
        """
        sql = "SELECT * FROM marketing.submit(%s, %s)"
        found = self.database.rows(sql, encode({**campaign, "mode": self.mode}), encode(units_json(stage)))
        if not found:
            raise mismatch(self.world.read().mode, self.mode)
        campaign_id, config_hash, mode, new = found[0]
        return Submitted(str(campaign_id), str(config_hash), Mode(mode), bool(new))

    def load(self, campaign_id: str) -> CampaignRow | None:
        """Return the campaign's row, or None when there is no such campaign."""
        rows = self.database.rows(
            f"SELECT {CAMPAIGN_COLUMNS} FROM marketing.campaigns WHERE campaign_id = %s", campaign_id
        )
        return campaign_row(rows[0]) if rows else None

    def enter(self, campaign_id: str, agent: str | None, *, limit: int, most: int) -> Entered | None:
        """Load a campaign and claim up to ``limit`` due units of its current stage.

        Returns None if it does not exist in this worker's world. Claims nothing if more than ``most`` units are due, if
        it is another agent's turn than ``agent``, and if the campaign is not at work. Raises UnknownVersionError when
        its state can't be read; then nothing stays claimed.
        """
        reach("take.before")
        rows = self.database.rows(
            f"SELECT {ENTER_COLUMNS} FROM marketing.enter(%s, %s, %s, %s, %s, %s, %s, %s) AS e",
            campaign_id, self.mode, agent, self.worker, limit, most, SCHEMA_VERSION, FLOW_VERSION,
        )  # fmt: skip
        reach("take.after")
        if not rows:
            return None
        try:
            found = entered(rows)
        except UnknownVersionError:  # an old one that has no way up
            for unit in entered_units(rows)[1]:
                self.release(unit)
            raise
        self.claims.note(unit.id for unit in found.claimed)
        return found

    def take(self, campaign_id: str, step: int, stage: int, limit: int) -> list[Claimed]:
        """Claim up to ``limit`` due units of the stage at work, in the order of the plan."""
        reach("take.before")
        rows = self.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.take(%s, %s, %s, %s, %s, %s) AS u ORDER BY u.ordinal",
            campaign_id, self.mode, step, stage, self.worker, limit,
        )  # fmt: skip
        reach("take.after")
        units = [claimed_unit(campaign_id, row) for row in rows]
        self.claims.note(unit.id for unit in units)
        return units

    def due(self, campaign_id: str, step: int, stage: int) -> int:
        """Return how many units of the stage could be claimed now."""
        return int(self.database.value(
            "SELECT count(*) FROM marketing.units WHERE campaign_id = %s AND step = %s AND stage = %s "
            "AND status IN ('pending', 'unknown') AND (due_at IS NULL OR due_at <= clock_timestamp())",
            campaign_id, step, stage,
        ))  # fmt: skip

    def next_due_s(self, campaign_id: str, step: int, stage: int) -> float | None:
        """Return the seconds until the next unit of the stage comes due, rather late than early, or None."""
        seconds = self.database.value(
            "SELECT extract(epoch FROM min(u.due_at) - clock_timestamp())::float8 FROM marketing.units u "
            "JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id AND c.step = u.step AND c.stage = u.stage "
            "WHERE u.campaign_id = %s AND u.step = %s AND u.stage = %s AND u.status IN ('pending', 'unknown') "
            "AND c.status IN ('queued', 'running', 'cancelling')",
            campaign_id, step, stage,
        )  # fmt: skip
        return None if seconds is None else max(0.0, float(seconds)) + EARLY_S

    def results(self, campaign_id: str, step: int) -> list[StageResult]:
        """Return the results of the hop's stages, in order."""
        return stage_results(self.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.units u WHERE u.campaign_id = %s AND u.step = %s "
            "ORDER BY u.stage, u.ordinal",
            campaign_id, step,
        ))  # fmt: skip

    def planned(self, row: CampaignRow) -> Stage:
        """Return the stage at work as it was planned."""
        rows = self.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.units u WHERE u.campaign_id = %s AND u.step = %s AND u.stage = %s "
            "ORDER BY u.ordinal",
            row.campaign_id, row.step, row.stage,
        )  # fmt: skip
        return Stage(name=row.stage_name, units=[unit_result(found).unit for found in rows])

    def finish(
        self, at: Position, results: Iterable[UnitResult], transition: Transition | None = None, *, claimed: int = 0
    ) -> int:
        """Record results and, with ``transition``, commit the transition if these were the stage's last.

        ``at`` is the place that the results belong to. A campaign that has moved on takes none. Returns ADVANCED,
        DUPLICATE, or how many units of the stage remain. Raises UnstorableError when a result or the transition can't
        be stored; then nothing was. Who is suppressed is not stored: results are recorded without them, and no
        transition with these results; a transition without results is committed and not ADVANCED, for its worker has
        to read the row again.
        """
        reach("finish.before" if transition is None else "advance.before")
        call = Finish.of(at, results, transition, claimed)
        code = self._finish(call) if len(call.lists or "") > LONG else self._finishing(call)
        if code == ERASED:
            code = self._finish_without_erased(call)
        reach("advance.after" if code == ADVANCED else "finish.after")
        if code == ADVANCED and transition is not None and transition.stage is not None:
            place = at.campaign_id, transition.step, transition.stage_number
            self.claims.note(ClaimId(*place, unit.key, 1) for unit in transition.stage.units[:claimed])
        return code

    def _finish(self, call: Finish) -> int:
        return int(self.database.value(FINISH, *call.arguments(self.worker)))

    def _finish_without_erased(self, call: Finish) -> int:
        code = ERASED
        while code == ERASED:  # someone else may be suppressed meanwhile
            call = call.without(erased(self.database, call.addresses or []))
            code = self._finish(call)
        return DUPLICATE if code == ADVANCED else code

    def _finish_several(self, calls: Sequence[Finish]) -> Sequence[int]:
        order = sorted(range(len(calls)), key=lambda n: calls[n].at.campaign_id)
        several = "[" + ",".join(calls[n].as_json() for n in order) + "]"
        codes = self.database.value("SELECT marketing.finish_several(%s, %s)", self.worker, several)
        by_call = dict(zip(order, codes, strict=True))
        return [int(by_call[n]) for n in range(len(calls))]

    def give_back(
        self, claimed: Claimed, *, status: str, delay_s: float, error: Mapping[str, object], attempt: bool
    ) -> bool:
        """Give a claimed unit back for a later try, and return whether it was still ours."""
        reach("give_back.before")
        rows = guarded(self.database, clean_json(error), Erasing.state, lambda to, text: to.rows(
            "SELECT marketing.give_back(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *claimed.place, self.worker, claimed.claims, status, delay_s, text, attempt,
        ))  # fmt: skip
        reach("give_back.after")
        return bool(rows[0][0])

    def journal(self, claimed: Claimed, entry: Mapping[str, JsonValue], usage: Usage | None) -> None:
        """Commit one entry of a unit's journal and what it cost.

        An entry that can't be stored is committed as null, with its cost, before UnstorableError is raised.
        """
        try:
            self._journal(claimed, entry, usage)
        except UnstorableError:
            lost = next(iter(entry))
            # The claim tells this call from one that is made later, whose cost counts again.
            self._journal(claimed, {lost: None, f"{lost}.unstorable": claimed.claims}, usage)
            raise

    def _journal(self, claimed: Claimed, entry: Mapping[str, JsonValue], usage: Usage | None) -> None:
        reach("journal.before")
        removal = Erasing.journal if usage is None else Erasing.state  # what was paid for keeps its entry
        guarded(self.database, entry, removal, lambda to, text: to.rows(
            "SELECT marketing.journal(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *claimed.place, claimed.claims, next(iter(entry)), text, *journal_arguments(usage),
        ))  # fmt: skip
        reach("journal.after")

    def intend(self, claimed: Claimed, entry: Mapping[str, JsonValue]) -> bool:
        """Commit one entry of a unit's journal if it is :meth:`still_claimed`, and return whether it is.

        What follows may change the outside world.
        """
        reach("intend.before")
        rows = guarded(self.database, entry, Erasing.state, lambda to, text: to.rows(
            f"UPDATE marketing.units u SET journal = u.journal || %s FROM marketing.campaigns c WHERE {STILL_CLAIMED} "
            "RETURNING true",
            text, *claimed.place, self.worker, claimed.claims,
        ))  # fmt: skip
        reach("intend.after")
        return bool(rows)

    def still_claimed(self, claimed: Claimed) -> bool:
        """Return whether this very claim still holds, in the campaign's present line of work."""
        sql = f"SELECT true FROM marketing.units u, marketing.campaigns c WHERE {STILL_CLAIMED}"
        return bool(self.database.rows(sql, *claimed.place, self.worker, claimed.claims))

    def running_here(self) -> list[ClaimId]:
        """Return the claims that the ledger ascribes to this worker, in stages that are at work."""
        rows = self.database.rows(
            "SELECT u.campaign_id, u.step, u.stage, u.key, u.claims FROM marketing.campaigns c JOIN marketing.units u "
            "ON u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage "
            "WHERE c.status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'paused', 'cancelling') "
            "AND c.remaining > 0 AND u.status = 'running' AND u.worker = %s",
            self.worker,
        )
        return [ClaimId(*row) for row in rows]

    def give_up(self, claims: Iterable[ClaimId]) -> int:
        """Make claimed units due again for any worker and their campaigns due for a wake-up, and return how many."""
        given_up = 0
        for claim in claims:
            rows = self.database.rows(
                "WITH back AS (UPDATE marketing.units SET worker = NULL, "
                "status = CASE WHEN effect_key IS NULL THEN 'pending' ELSE 'unknown' END "
                "WHERE campaign_id = %s AND step = %s AND stage = %s AND key = %s AND claims = %s AND worker = %s "
                "AND status = 'running' RETURNING campaign_id, step, agent, key), "
                "noted AS (INSERT INTO marketing.events (campaign_id, kind, step, agent, data) "
                "SELECT campaign_id, 'unit_given_up', step, agent, jsonb_build_object('unit', key) FROM back) "
                "UPDATE marketing.campaigns c SET publishes = 0, progress_at = clock_timestamp() - interval '1 day' "
                "FROM back WHERE c.campaign_id = back.campaign_id RETURNING true",
                *claim, self.worker,
            )  # fmt: skip
            given_up += len(rows)
        return given_up

    def beat(self, metrics: Sequence[Mapping[str, object]] = (), *, over: RowSource | None = None) -> StopSignals:
        """Tell that this worker is alive and what it has counted, and return what has been stopped.

        ``over``: a connection of the caller's own; None: the pool. Raises WrongWorldError when the database is of
        another mode, where this worker does not live.
        """
        asked = over or self.database
        sql = "SELECT * FROM marketing.beat(%s, %s, %s)"
        rows = asked.rows(sql, self.worker, self.mode, encode(list(metrics)))
        for what, name in rows:
            if what == "world":
                raise mismatch(Mode(name), self.mode)
        return StopSignals(
            campaigns=frozenset(str(name) for what, name in rows if what == "campaign"),
            providers=frozenset(str(name) for what, name in rows if what == "provider"),
        )

    def others_beat(self, *, over: RowSource) -> bool:
        """Return whether another worker has told of itself in the last seconds."""
        sql = (
            "SELECT EXISTS (SELECT FROM marketing.workers WHERE worker <> %s "
            "AND beat_at > clock_timestamp() - make_interval(secs => %s))"
        )
        return bool(over.rows(sql, self.worker, GAP_S)[0][0])

    def release(self, claimed: Claimed, *, delay_s: float | None = None) -> None:
        """Give back a claimed unit that was never begun, due in ``delay_s`` seconds, as if it had not been taken."""
        self.database.run(
            "UPDATE marketing.units SET status = 'pending', worker = NULL, claims = claims - 1, "
            "due_at = clock_timestamp() + make_interval(secs => %s) WHERE campaign_id = %s "
            "AND step = %s AND stage = %s AND key = %s AND status = 'running' AND worker = %s AND claims = %s",
            delay_s, *claimed.place, self.worker, claimed.claims,
        )  # fmt: skip

    def reconcile(self, limit: int = 500) -> list[Idle]:
        """Repair what was dropped, count calls whose attempt is over, and return campaigns that may need a wake-up."""
        sql = "SELECT * FROM marketing.reconcile(%s, %s, %s, %s, %s, %s, %s)"
        rows = self.database.rows(sql, self.worker, self.mode, LEASE_S, GAP_S, STALE_S, MAX_CRASHES, limit)
        for _ in range(limit):
            if not self.database.value("SELECT marketing.spend_count_lost()"):
                break
        return [Idle(str(row[0]), str(row[1]), int(row[2]), row[3]) for row in rows]

    def claim_wakeups(self, idle: Sequence[Idle]) -> list[tuple[str, int]]:
        """Return (campaign id, step) of those of ``idle`` whose wake-up is ours to publish.

        A campaign that another process wakes, or that has made progress meanwhile, is left out.
        """
        reach("claim_wakeups.before")
        sql = "SELECT * FROM marketing.claim_wakeups(%s::text[], %s::timestamptz[])"
        rows = self.database.rows(sql, [one.campaign_id for one in idle], [one.since for one in idle])
        reach("claim_wakeups.after")
        return [(str(row[0]), int(row[1])) for row in rows]

    def unclaim_wakeups(self, campaign_ids: Sequence[str]) -> None:
        """Count wake-ups that were claimed as not repeated, because the broker did not take them."""
        sql = "UPDATE marketing.campaigns SET publishes = publishes - 1 WHERE campaign_id = ANY(%s) AND publishes > 0"
        self.database.run(sql, list(campaign_ids))

    def running_units(self, row: CampaignRow) -> int:
        """Return how many units of the stage at work, or of a request for the campaign's ads, are running."""
        return int(self.database.value(RUNNING_UNITS, row.campaign_id, row.step, row.stage))

    def checkpoints(self, campaign_id: str) -> dict[int, Checkpoint]:
        """Return all checkpoints of a campaign by step."""
        sql = "SELECT of_step, of_agent, whole, of_parent FROM marketing.checkpoints(%s)"
        rows = self.database.rows(sql, campaign_id)
        return {int(r[0]): Checkpoint(int(r[0]), str(r[1]), r[2], r[3]) for r in rows}
