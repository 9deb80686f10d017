"""Changes to a campaign's row that a person, or the orchestrator for them, asks for, in one transaction each.

They happen at a person's speed, so they are written where their rules are, over the row's lock, instead of in SQL.
Invariants: a change is made only from the statuses, and with the revision, that it was decided from; going elsewhere
commits its transition through the same function as every advance; a campaign of another world than its database's is
never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from agents.erasure import Erasing
from agents.versions import FLOW_VERSION, SCHEMA_VERSION
from integrations.settings import Mode
from orchestration.flow.holds import Hold
from orchestration.flow.transition import Transition
from orchestration.ledger.commits import FINISH, Finish, approval_json, hold_json
from orchestration.ledger.database import Database, Transaction, encode
from orchestration.ledger.erasure import erased, without_erased
from orchestration.ledger.rows import BIG_LISTS, CampaignRow, Position
from orchestration.ledger.world import mismatch

ADVANCED = -2  #: the transition was committed
ERASED = -3  #: what was to be committed holds someone who is suppressed

PAUSED_FROM = "<paused_from>"  #: as a status: the one that a pause interrupted
_HELD = ("paused", "waiting", "awaiting_approval")  #: statuses in which a moment that has been set stays set

#: Units of a campaign that a worker holds: of the stage at work (step, stage), or of a request for its ads.
RUNNING_UNITS = (
    "SELECT count(*) FROM marketing.units WHERE campaign_id = %s AND status = 'running' "
    "AND ((step = %s AND stage = %s) OR step < 0)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """New status of a campaign that stays where it is, and what its history tells about it."""

    status: str  #: :data:`PAUSED_FROM` returns to what a pause interrupted
    event: str
    actor: str
    reason: str | None = None
    patch: Mapping[str, object] | None = None  #: keys of the state that change too
    data: Mapping[str, object] | None = None  #: of the event


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedRow:
    """Row of a campaign as a change sees it while it holds the row's lock."""

    campaign_id: str
    status: str
    reason: str | None
    agent: str | None
    step: int
    stage: int
    epoch: int
    revision: int
    base_step: int
    paused_from: str | None
    paused_reason: str | None


def lock(tx: Transaction, campaign_id: str, origin: Sequence[str], revision: int | None = None) -> LockedRow | None:
    """Lock and return a campaign's row, or None when it is not in a status of ``origin`` or has another revision.

    So it is when the campaign is of another world than the database.
    """
    names = [field.name for field in fields(LockedRow)]
    columns = ", ".join(names)
    rows = tx.rows(
        f"SELECT {columns} FROM marketing.campaigns WHERE campaign_id = %s "
        "AND mode = (SELECT w.mode FROM marketing.world w) FOR UPDATE",
        campaign_id,
    )
    row = LockedRow(**dict(zip(names, rows[0], strict=True))) if rows else None
    return row if row is not None and row.status in origin and revision in (None, row.revision) else None


def change_status(tx: Transaction, row: LockedRow, change: StatusChange) -> str:
    """Give a locked row another status without moving it, and return that status."""
    returns = change.status == PAUSED_FROM
    new = (row.paused_from or "running") if returns else change.status
    interrupted = (row.paused_from, row.paused_reason) if row.status == "paused" else (row.status, row.reason)
    paused_from, paused_reason = interrupted if new == "paused" else (None, None)
    tx.run(
        "UPDATE marketing.campaigns SET status = %s, revision = revision + 1, updated_at = now(), publishes = 0, "
        "due_at = CASE WHEN %s THEN due_at END, hold = CASE WHEN %s THEN NULL ELSE hold END, reason = %s, "
        "paused_from = %s, paused_reason = %s, "
        "progress_at = CASE WHEN %s THEN clock_timestamp() ELSE progress_at END WHERE campaign_id = %s",
        new, new in _HELD, new == "running",
        row.paused_reason if returns else change.reason, paused_from, paused_reason, new == "running", row.campaign_id,
    )  # fmt: skip
    if change.patch:
        write_state(tx, row, change.patch)
    note(tx, row, change.event, change.data or {}, actor=change.actor)
    return new


def write_state(tx: Transaction, row: LockedRow, patch: Mapping[str, object]) -> None:
    """Replace keys of the state of a locked row, in the columns where they are kept."""
    lists = [name for name in BIG_LISTS if name in patch]
    small = {name: value for name, value in patch.items() if name not in BIG_LISTS}
    columns = ", ".join(("state = state || %s::jsonb", *(f"{name} = %s" for name in lists)))
    tx.run(
        f"UPDATE marketing.campaigns SET {columns} WHERE campaign_id = %s",
        encode(small), *(encode(patch[name]) for name in lists), row.campaign_id,
    )  # fmt: skip


def note(tx: Transaction, row: LockedRow, kind: str, data: Mapping[str, object], *, actor: str) -> None:
    """Append one event to the campaign's history, at the place where its row is."""
    tx.run(
        "INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data) VALUES (%s, %s, %s, %s, %s, %s)",
        row.campaign_id, kind, actor, row.step, row.agent, encode(data),
    )  # fmt: skip


class CampaignChanges:
    """Changes to the campaigns of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_status(
        self, campaign_id: str, origin: Sequence[str], change: StatusChange, *, revision: int | None = None
    ) -> str | None:
        """Change the status of a campaign that is in one of ``origin``, and return the new one, or None when it is not.

        A patch of the state needs the ``revision`` that it was made from.
        """

        def write(tx: Transaction) -> str | None:
            row = lock(tx, campaign_id, origin, revision)
            return change_status(tx, row, change) if row is not None else None

        return self._database.transaction(write)

    def ask_next(
        self, row: CampaignRow, hold: Hold, *, actor: str, kind: str, patch: Mapping[str, object]
    ) -> str | None:
        """Close the open question as approved and hold the same stage for another one, or for a time.

        Returns the new status, or None when the row has changed since it was read.
        """

        def ask(tx: Transaction) -> str | None:
            found = lock(tx, row.campaign_id, ("awaiting_approval",), row.revision)
            if found is None:
                return None
            _close_question(tx, row.campaign_id, "approved", actor)
            tx.run(
                "UPDATE marketing.campaigns SET status = %s, reason = %s, due_at = %s, hold = %s, "
                "revision = revision + 1, updated_at = now(), publishes = 0 WHERE campaign_id = %s",
                hold.status, hold.reason, hold.due_at, encode(hold_json(hold)), row.campaign_id,
            )  # fmt: skip
            write_state(tx, found, patch)
            note(tx, found, "approved", {"kind": kind}, actor=actor)
            note(tx, found, hold.status, {"reason": hold.reason, "kind": hold.kind}, actor="system")
            if hold.approval:
                asked = approval_json(row.campaign_id, row.step, hold)
                tx.run(
                    "INSERT INTO marketing.approvals (approval_id, campaign_id, step, kind, request, expires_at) "
                    "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (approval_id) DO UPDATE SET status = 'open', "
                    "asked_at = now(), expires_at = excluded.expires_at, reason = NULL, decided_by = NULL, "
                    "decided_at = NULL",
                    asked["approval_id"], row.campaign_id, row.step, hold.kind, encode(hold.request), hold.due_at,
                )  # fmt: skip
            return hold.status

        return self._database.transaction(ask)

    def redirect(
        self,
        row: CampaignRow,
        origin: Sequence[str],
        transition: Transition,
        *,
        base: int | None = None,
        keep_effects: bool = False,
    ) -> list[str] | None:
        """Commit ``transition`` under a new epoch, which fences the units that still run, and skip the others.

        The campaign's whole state becomes the transition's. ``base`` is the checkpoint that it builds on. A request to
        switch the campaign's ads ends with the line of work that it belongs to. Returns [] when that was done, None
        when the row has changed since it was read. With ``keep_effects`` nothing is done while an effect of the stage
        at work runs or is of unknown outcome, for skipping it could lose an ad that nothing knows of: the keys of such
        effects are returned.
        """

        def send(tx: Transaction) -> list[str] | None:
            found = lock(tx, row.campaign_id, origin, row.revision)
            if found is None:
                return None
            place = found.campaign_id, found.step, found.stage
            # An effect that is claimed after this look finds another epoch, and sends nothing.
            in_the_way = [] if not keep_effects else [str(key) for (key,) in tx.rows(
                "SELECT key FROM marketing.units WHERE campaign_id = %s AND step = %s AND stage = %s "
                "AND effect_key IS NOT NULL AND status IN ('running', 'unknown') ORDER BY ordinal", *place,
            )]  # fmt: skip
            if in_the_way:
                return in_the_way
            tx.run(
                "UPDATE marketing.units SET status = 'skipped', finished_at = clock_timestamp() WHERE campaign_id = %s "
                "AND ((step = %s AND stage = %s) OR step < 0) AND status IN ('pending', 'running', 'unknown')", *place,
            )  # fmt: skip
            tx.run(
                "UPDATE marketing.ad_switches SET settled_at = clock_timestamp() "
                "WHERE campaign_id = %s AND settled_at IS NULL", found.campaign_id,
            )  # fmt: skip
            _close_question(tx, found.campaign_id, "withdrawn", None)
            builds_on = found.base_step if base is None else base
            # Committed as any advance is, from a stage that is over, in a new epoch.
            tx.run(
                "UPDATE marketing.campaigns SET status = 'running', remaining = 0, epoch = epoch + 1, "
                "revision = revision + 1, base_step = %s WHERE campaign_id = %s", builds_on, found.campaign_id,
            )  # fmt: skip
            _commit(tx, Position(*place, found.epoch + 1, found.revision + 1, builds_on), transition)
            return []

        return self._database.transaction(send)

    def fork(
        self,
        campaign_id: str,
        parent: str,
        mode: Mode,
        name: str,
        config_hash: str,
        transition: Transition,
        now: datetime,
    ) -> None:
        """Insert a campaign of ``mode`` that begins at ``transition``, unless it is there already.

        Who is excluded from its ``parent`` is excluded from it too.

        Raises WrongWorldError when the database has become one of another mode.
        """

        def insert(tx: Transaction) -> None:
            made = tx.rows(
                "INSERT INTO marketing.campaigns (campaign_id, mode, name, config_hash, status, step, stage, "
                "stage_name, stage_size, remaining, state, schema_version, flow_version, created_at, updated_at) "
                "SELECT %s, w.mode, %s, %s, 'running', 0, 0, '', 0, 0, '{}', %s, %s, %s, %s FROM marketing.world w "
                "WHERE w.mode = %s ON CONFLICT DO NOTHING RETURNING true",
                campaign_id, name, config_hash, SCHEMA_VERSION, FLOW_VERSION, now, now, mode,
            )  # fmt: skip
            if not made:
                found = Mode(tx.value("SELECT mode FROM marketing.world"))
                if found is not mode:
                    raise mismatch(found, mode)
                return
            state = transition.state.model_dump(mode="json")
            tx.run(
                "INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch) VALUES (%s, -1, 'submit', %s)",
                campaign_id, without_erased(tx, state, Erasing.state),
            )  # fmt: skip
            tx.run(
                "INSERT INTO marketing.exclusions (campaign_id, lead_id, hashes, reason, by, at) "
                "SELECT %s, lead_id, hashes, reason, by, at FROM marketing.exclusions WHERE campaign_id = %s",
                campaign_id, parent,
            )  # fmt: skip
            if (keep := transition.state.campaign_config.retention) is not None:
                sql = "INSERT INTO marketing.retentions (campaign_id, keep) VALUES (%s, %s)"
                tx.run(sql, campaign_id, keep)
            _commit(tx, Position(campaign_id, 0, 0, 0), transition)

        self._database.transaction(insert)

    def retry_failed(self, campaign_id: str, actor: str) -> int:
        """Make the failed units of a failed campaign's stage due again, as if never tried, and return how many."""

        def retry(tx: Transaction) -> int:
            row = lock(tx, campaign_id, ("failed",))
            if row is None or row.agent is None:
                return 0
            again = len(tx.rows(
                "UPDATE marketing.units SET status = 'pending', attempts = 0, crashes = 0, worker = NULL, "
                "due_at = NULL, finished_at = NULL, journal = journal - 'waiting_since' "
                "WHERE campaign_id = %s AND step = %s AND stage = %s AND epoch = %s AND status = 'failed' "
                "RETURNING true",
                campaign_id, row.step, row.stage, row.epoch,
            ))  # fmt: skip
            if again:
                tx.run(
                    "UPDATE marketing.campaigns SET status = 'running', reason = NULL, remaining = %s, "
                    "revision = revision + 1, progress_at = clock_timestamp(), publishes = 0, updated_at = now() "
                    "WHERE campaign_id = %s", again, campaign_id,
                )  # fmt: skip
                note(tx, row, "retried", {"units": again}, actor=actor)
            return again

        return self._database.transaction(retry)

    def make_due(self, row: CampaignRow) -> None:
        """Let the units of the stage at work that wait for their moment be tried at once."""
        self._database.run(
            "UPDATE marketing.units SET due_at = NULL WHERE campaign_id = %s AND step = %s AND stage = %s "
            "AND status IN ('pending', 'unknown')",
            row.campaign_id, row.step, row.stage,
        )  # fmt: skip

    def decide_approvals(self, campaign_id: str, status: str, actor: str, reason: str | None) -> None:
        """Close the campaign's open question."""
        _close_question(self._database, campaign_id, status, actor, reason)

    def expired_approvals(self) -> list[str]:
        """Return the campaigns whose question has not been answered in time."""
        where = "status = 'awaiting_approval' AND due_at <= clock_timestamp()"
        rows = self._database.rows(f"SELECT campaign_id FROM marketing.campaigns WHERE {where}")
        return [str(row[0]) for row in rows]

    def event(self, campaign_id: str, kind: str, data: Mapping[str, object], *, actor: str = "system") -> None:
        """Append one event to the campaign's history."""
        self._database.run(
            "INSERT INTO marketing.events (campaign_id, kind, actor, data) VALUES (%s, %s, %s, %s)",
            campaign_id, kind, actor, encode(data),
        )  # fmt: skip


def _close_question(
    to: Database | Transaction, campaign_id: str, status: str, actor: str | None, reason: str | None = None
) -> None:
    to.run(
        "UPDATE marketing.approvals SET status = %s, decided_by = %s, reason = %s, decided_at = now() "
        "WHERE campaign_id = %s AND status = 'open'",
        status, actor, reason, campaign_id,
    )  # fmt: skip


def _commit(tx: Transaction, at: Position, transition: Transition) -> None:
    call = Finish.of(at, [], transition, 0, whole=True)
    while (code := tx.value(FINISH, *call.arguments(None))) == ERASED:
        call = call.without(erased(tx, call.addresses or []))
    if code != ADVANCED:
        raise RuntimeError(f"campaign {at.campaign_id}: a transition from a locked row was refused ({code})")
