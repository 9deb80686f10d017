"""Requests to switch a paused campaign's ads off, and on again, or to change them, with the units that do it.

A request is a row, and its units stand in the ledger at step ``-number``, below all hops, so the campaign itself stays
exactly where it is. Invariants: the newest request of a campaign's present line of work counts, and no other; its units
are written when nothing else of the campaign is at work; each call may be repeated by any process at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.action_log import Order
from agents.stopping import OFF, ON, ORDERED, SWITCHING_OFF, Requested
from agents.unit import Stage, UnitResult, UnitStatus
from orchestration.ledger.changes import RUNNING_UNITS, LockedRow, StatusChange, change_status, lock, note, write_state
from orchestration.ledger.database import Transaction, encode
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import UNIT_COLUMNS, CampaignRow, Claimed, claimed_unit, unit_result, units_json

AGAIN = "again"  #: a settled request is followed by the same one: an effect began after all
_WAITING = "status IN ('pending', 'unknown')"
_OPEN = "SELECT count(*) FROM marketing.ad_switches WHERE campaign_id = %s AND settled_at IS NULL"
_GOES_ON = "SELECT go_on FROM marketing.ad_switches WHERE campaign_id = %s AND number = %s"
_NEWEST = "SELECT coalesce(max(number), 0) FROM marketing.ad_switches WHERE campaign_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdSwitch:
    """Newest request about a campaign's ads."""

    number: int
    wanted: Requested
    go_on: bool  #: the campaign goes on once that is done
    actor: str
    agent: str  #: whose queue carries it out
    epoch: int  #: of the line of work that it belongs to
    planned: bool
    settled: bool
    unreached: Sequence[str]  #: of a settled one: what refused
    orders: Sequence[Mapping[str, object]] = ()  #: of a change

    @property
    def off(self) -> bool:
        """Whether the ads are off, or about to be."""
        return self.wanted == OFF

    @property
    def resuming(self) -> bool:
        """Whether the campaign goes on as soon as its ads are on."""
        return self.wanted == ON and self.go_on and not self.settled

    @property
    def changes(self) -> tuple[Order, ...]:
        """What people have ordered."""
        return tuple(Order.model_validate(one) for one in self.orders)

    @property
    def ads_restored(self) -> bool:
        """Whether the ads are on again, as far as it depends on us."""
        return self.wanted == ON and self.settled


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchUnit:
    """One part of a request, and what has become of it."""

    number: int  #: of the request
    wanted: Requested
    ours: bool  #: it saw the ad running and paused it
    result: UnitResult  #: its unit, status, output and last error

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.result.status in (UnitStatus.SUCCEEDED, UnitStatus.FAILED, UnitStatus.SKIPPED)

    @property
    def message(self) -> str:
        """Text of the last error."""
        return str((self.result.error or {}).get("message", ""))


class AdSwitches:
    """Requests of the campaigns of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    def newest(self, row: CampaignRow) -> AdSwitch | None:
        """Return the request to switch ads that counts for the campaign's present line of work, or None."""
        return self._newest(row, "wanted <> 'ordered'")

    def open(self, row: CampaignRow) -> AdSwitch | None:
        """Return the request that has yet to be carried out, or None."""
        return self._newest(row, "settled_at IS NULL")

    def _newest(self, row: CampaignRow, where: str) -> AdSwitch | None:
        found = self._database.records(
            AdSwitch,
            "SELECT number, wanted, go_on, actor, agent, epoch, planned_at IS NOT NULL AS planned, "
            "settled_at IS NOT NULL AS settled, unreached, orders FROM marketing.ad_switches WHERE campaign_id = %s "
            f"AND {where} ORDER BY number DESC LIMIT 1",
            row.campaign_id,
        )
        return found[0] if found and found[0].epoch == row.epoch else None

    def ask(
        self, row: CampaignRow, origin: Sequence[str], wanted: str, *, agent: str, go_on: bool, pause: StatusChange
    ) -> bool:
        """Write down a request and pause the campaign, if it is in one of ``origin``.

        Returns False when the campaign or its newest request has changed since.
        """
        newest = int(self._database.value(_NEWEST, row.campaign_id))

        def write(tx: Transaction) -> bool:
            found = lock(tx, row.campaign_id, origin)
            if found is None or newest != tx.value(_NEWEST, row.campaign_id):
                return False
            tx.run(
                "UPDATE marketing.ad_switches SET settled_at = clock_timestamp() "
                "WHERE campaign_id = %s AND settled_at IS NULL", row.campaign_id,
            )  # fmt: skip
            _insert(tx, found, newest + 1, wanted, go_on=go_on, actor=pause.actor, agent=agent)
            change_status(tx, found, pause)
            _progress(tx, row.campaign_id)
            return True

        return self._database.transaction(write)

    def order(
        self, row: CampaignRow, origin: Sequence[str], orders: Sequence[Order], *, agent: str, pause: StatusChange
    ) -> bool:
        """Write down what a person has ordered and pause the campaign for it, unless it is paused already.

        ``pause`` may change the state, so the campaign has to be as ``row`` is. Returns False when it has changed, or
        when another request has yet to be carried out.
        """

        def write(tx: Transaction) -> bool:
            found = lock(tx, row.campaign_id, origin, row.revision)
            if found is None or tx.value(_OPEN, row.campaign_id):
                return False
            number, go_on = int(tx.value(_NEWEST, row.campaign_id)) + 1, found.status != "paused"
            _insert(tx, found, number, ORDERED, go_on=go_on, actor=pause.actor, agent=agent, orders=orders)
            if go_on:
                change_status(tx, found, pause)
            else:
                if pause.patch:
                    write_state(tx, found, pause.patch)
                tx.run("UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = %s", row.campaign_id)
                note(tx, found, pause.event, pause.data or {}, actor=pause.actor)
            _progress(tx, row.campaign_id)
            return True

        return self._database.transaction(write)

    def stay_paused(self, row: CampaignRow, *, go_on: bool) -> None:
        """Let a campaign whose ads are being changed be paused after it, or go on."""
        self._database.run(
            "UPDATE marketing.ad_switches SET go_on = %s WHERE campaign_id = %s AND wanted = 'ordered' "
            "AND settled_at IS NULL", go_on, row.campaign_id,
        )  # fmt: skip

    def plan(self, row: CampaignRow, switch: AdSwitch, stage: Stage | None) -> bool:
        """Write the request's units and return True, or False while something else of the campaign is at work."""

        def write(tx: Transaction) -> bool:
            found = lock(tx, row.campaign_id, ("paused",))
            if found is None or tx.value(RUNNING_UNITS, row.campaign_id, found.step, found.stage):
                return False
            ours = tx.rows(
                "UPDATE marketing.ad_switches SET planned_at = clock_timestamp() WHERE campaign_id = %s "
                "AND number = %s AND epoch = %s AND planned_at IS NULL AND settled_at IS NULL RETURNING true",
                row.campaign_id, switch.number, found.epoch,
            )  # fmt: skip
            if ours:
                # Earlier requests count no more; the journals of their units say what they did.
                tx.run(
                    "UPDATE marketing.units SET status = 'skipped', finished_at = clock_timestamp() "
                    f"WHERE campaign_id = %s AND step < 0 AND {_WAITING}", row.campaign_id,
                )  # fmt: skip
                tx.run(
                    "INSERT INTO marketing.units (campaign_id, step, stage, key, ordinal, stage_name, agent, kind, "
                    "provider, effect_key, essential, policy, status, input, epoch) SELECT %s, %s, 0, u ->> 'key', "
                    "n - 1, %s, coalesce(u ->> 'agent', %s), u ->> 'kind', u ->> 'provider', u ->> 'effect_key', "
                    "(u -> 'essential')::boolean, u -> 'policy', 'pending', u -> 'input', %s "
                    "FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS units(u, n)",
                    row.campaign_id, -switch.number, stage.name if stage else "", switch.agent, found.epoch,
                    encode(units_json(stage)),
                )  # fmt: skip
            return bool(ours)

        return self._database.transaction(write)

    def take(self, row: CampaignRow, switch: AdSwitch) -> list[Claimed]:
        """Claim the due units of the request, if it counts."""
        rows = self._database.rows(
            "WITH due AS (SELECT u.key FROM marketing.units u "
            "JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id AND c.epoch = u.epoch AND c.status = 'paused' "
            "JOIN marketing.ad_switches s ON s.campaign_id = u.campaign_id AND s.number = -u.step "
            "AND s.settled_at IS NULL WHERE u.campaign_id = %s AND u.step = %s AND u.stage = 0 "
            "AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp()) "
            "ORDER BY u.ordinal FOR UPDATE OF u SKIP LOCKED) "
            "UPDATE marketing.units u SET status = 'running', worker = %s, claims = u.claims + 1, "
            "started_at = clock_timestamp(), due_at = NULL FROM due "
            f"WHERE u.campaign_id = %s AND u.step = %s AND u.stage = 0 AND u.key = due.key RETURNING {UNIT_COLUMNS}",
            row.campaign_id, -switch.number, self._ledger.worker, row.campaign_id, -switch.number,
        )  # fmt: skip
        units = sorted((claimed_unit(row.campaign_id, found) for found in rows), key=lambda unit: unit.ordinal)
        self._ledger.claims.note(unit.id for unit in units)
        return units

    def finish(self, row: CampaignRow, switch: AdSwitch, result: UnitResult) -> None:
        """Record the result of one unit, unless it has one: the first wins, also a replaced request's."""
        failed = result.status is UnitStatus.FAILED

        def record(tx: Transaction) -> None:
            tx.run(
                "UPDATE marketing.units SET status = %s, result = %s, error = coalesce(%s::jsonb, error), worker = %s, "
                "finished_at = clock_timestamp(), due_at = NULL WHERE campaign_id = %s AND step = %s AND stage = 0 "
                "AND key = %s AND status IN ('running', 'pending', 'unknown')",
                str(result.status), None if result.output is None else encode(result.output),
                encode(result.error) if failed else None, self._ledger.worker, row.campaign_id, -switch.number,
                result.unit.key,
            )  # fmt: skip
            _progress(tx, row.campaign_id)

        self._database.transaction(record)

    def units(self, campaign_id: str) -> list[SwitchUnit]:
        """Return the units of all requests that the campaign has had, in their order."""
        rows = self._database.rows(
            f"SELECT s.number, s.wanted, u.journal ? %s, {UNIT_COLUMNS} FROM marketing.ad_switches s "
            "JOIN marketing.units u ON u.campaign_id = s.campaign_id AND u.step = -s.number "
            "WHERE s.campaign_id = %s ORDER BY s.number, u.ordinal",
            SWITCHING_OFF, campaign_id,
        )  # fmt: skip
        return [SwitchUnit(number=r[0], wanted=r[1], ours=r[2], result=unit_result(r[3:])) for r in rows]

    def say(self, row: CampaignRow, switch: AdSwitch, reason: str) -> None:
        """Tell why a request is not carried out yet."""
        self._database.run(
            "UPDATE marketing.campaigns SET reason = %s WHERE campaign_id = %s AND status = 'paused' AND "
            "reason IS DISTINCT FROM %s AND EXISTS (SELECT FROM marketing.ad_switches s WHERE s.campaign_id = "
            "campaigns.campaign_id AND s.number = %s AND s.settled_at IS NULL)",
            reason, row.campaign_id, reason, switch.number,
        )  # fmt: skip

    def settle(
        self,
        row: CampaignRow,
        switch: AdSwitch,
        patch: Mapping[str, object],
        change: StatusChange,
        *,
        unreached: Sequence[str],
        following: Sequence[Order] = (),
    ) -> str | None:
        """End a request that has changed ``patch`` in the state, and give its campaign another status.

        Orders of ``following`` are another request after it. Returns that status, :data:`AGAIN` when another request
        follows (also where an effect that was claimed just before the pause began after all, so that its ad has to be
        looked for once more), or None when the request or the row has changed.
        """

        def end(tx: Transaction) -> str | None:
            found = lock(tx, row.campaign_id, ("paused",), row.revision)
            if found is None:
                return None
            planned = tx.rows(
                "UPDATE marketing.ad_switches s SET settled_at = clock_timestamp(), unreached = %s::text[] "
                "WHERE campaign_id = %s AND number = %s AND epoch = %s AND planned_at IS NOT NULL "
                "AND settled_at IS NULL AND NOT EXISTS (SELECT FROM marketing.units WHERE campaign_id = s.campaign_id "
                "AND step = -s.number AND status IN ('pending', 'running', 'unknown')) RETURNING planned_at",
                list(unreached), row.campaign_id, switch.number, found.epoch,
            )  # fmt: skip
            if not planned:
                return None
            write_state(tx, found, patch)
            _progress(tx, row.campaign_id)
            if switch.off and _began(tx, found, planned[0][0]):
                _insert(tx, found, switch.number + 1, OFF, go_on=False, actor=switch.actor, agent=switch.agent)
                tx.run("UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = %s", row.campaign_id)
                return AGAIN
            if following:
                go_on = bool(tx.value(_GOES_ON, row.campaign_id, switch.number))
                _insert(
                    tx, found, switch.number + 1, ORDERED, go_on=go_on, actor=switch.actor, agent=switch.agent,
                    orders=following,
                )  # fmt: skip
                tx.run("UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = %s", row.campaign_id)
                return AGAIN
            if switch.wanted == ORDERED and not tx.value(_GOES_ON, row.campaign_id, switch.number):
                tx.run("UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = %s", row.campaign_id)
                note(tx, found, change.event, change.data or {}, actor=change.actor)
                return found.status
            return change_status(tx, found, change)

        return self._database.transaction(end)


def _insert(
    tx: Transaction,
    row: LockedRow,
    number: int,
    wanted: str,
    *,
    go_on: bool,
    actor: str,
    agent: str,
    orders: Sequence[Order] = (),
) -> None:
    tx.run(
        "INSERT INTO marketing.ad_switches (campaign_id, number, wanted, go_on, actor, agent, epoch, orders) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        row.campaign_id, number, wanted, go_on, actor, agent, row.epoch,
        encode([one.model_dump(mode="json") for one in orders]),
    )  # fmt: skip


def _began(tx: Transaction, row: LockedRow, planned_at: object) -> bool:
    """Return whether an effect of the stage at work has begun or ended since the request was planned."""
    return bool(tx.value(
        "SELECT count(*) FROM marketing.units WHERE campaign_id = %s AND step = %s AND stage = %s "
        "AND effect_key IS NOT NULL AND (status = 'running' OR started_at > %s OR finished_at > %s)",
        row.campaign_id, row.step, row.stage, planned_at, planned_at,
    ))  # fmt: skip


def _progress(tx: Transaction, campaign_id: str) -> None:
    tx.run(
        "UPDATE marketing.campaigns SET progress_at = clock_timestamp(), publishes = 0 WHERE campaign_id = %s",
        campaign_id,
    )
