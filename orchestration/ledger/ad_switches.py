"""The store of wishes for a paused campaign's ads: off, and on again; and of the units that carry them out.

A wish is a row, and its units stand in the ledger at step ``-number``, below all hops, so the campaign itself stays
exactly where it is. Invariants: the newest wish of a campaign's present line of work counts, and no other; a wish's
units are written when nothing else of the campaign is at work; each call may be repeated by anyone at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.ad_management.stopping import OFF, ON, SWITCHING_OFF
from agents.state import AdCreative
from agents.unit import Stage, UnitResult
from orchestration.ledger.database import encode
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import (
    UNIT_COLUMNS,
    CampaignRow,
    Claimed,
    claimed_unit,
    result_json,
    units_json,
)

AGAIN = "again"  #: a settled wish is followed by the same one: an effect began after all


@dataclass(frozen=True, slots=True, kw_only=True)
class AdSwitch:
    """The newest wish for a campaign's ads."""

    number: int
    wanted: str  #: off | on
    go_on: bool  #: the campaign goes on once its ads are on
    actor: str
    planned: bool
    settled: bool
    unreached: tuple[str, ...]  #: of a settled one: platforms that refused

    @property
    def off(self) -> bool:
        """Are the ads off, or about to be?"""
        return self.wanted == OFF

    @property
    def resuming(self) -> bool:
        """Does the campaign go on as soon as its ads are on?"""
        return self.wanted == ON and self.go_on and not self.settled

    @property
    def over(self) -> bool:
        """Are the ads on again, as far as it depends on us?"""
        return self.wanted == ON and self.settled


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchUnit:
    """One platform's part of a wish, and what has become of it."""

    number: int  #: of the wish
    platform: str
    wanted: str  #: off | on
    status: str
    ours: bool  #: it saw the ad active and paused it
    output: Mapping[str, Any]
    message: str  #: the last error, in words

    @property
    def finished(self) -> bool:
        """Is there nothing left to do?"""
        return self.status in ("succeeded", "failed", "skipped")


class AdSwitches:
    """Wishes of the campaigns of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    def newest(self, row: CampaignRow) -> AdSwitch | None:
        """The wish that counts for the campaign's present line of work; None without one."""
        rows = self._database.rows(
            "SELECT number, wanted, go_on, actor, planned_at IS NOT NULL, settled_at IS NOT NULL, unreached, epoch "
            "FROM marketing.ad_switches WHERE campaign_id = %s ORDER BY number DESC LIMIT 1",
            row.campaign_id,
        )
        if not rows or rows[0][7] != row.epoch:
            return None
        names = ("number", "wanted", "go_on", "actor", "planned", "settled", "unreached")
        return AdSwitch(**{**dict(zip(names, rows[0][:7], strict=True)), "unreached": tuple(rows[0][6])})

    def ask(
        self,
        row: CampaignRow,
        origin: Sequence[str],
        wanted: str,
        *,
        go_on: bool,
        reason: str,
        event: str,
        actor: str,
        data: Mapping[str, Any],
    ) -> bool:
        """Write down a wish and pause the campaign, if it is in one of ``origin``; False when it or the newest wish
        has changed since."""
        newest = self._database.rows(
            "SELECT coalesce(max(number), 0) FROM marketing.ad_switches WHERE campaign_id = %s", row.campaign_id
        )[0][0]
        rows = self._database.rows(
            "SELECT marketing.ask_ads(%s, %s::text[], %s, %s, %s, %s, %s, %s, %s)",
            row.campaign_id, list(origin), newest, wanted, go_on, reason, event, actor, encode(data),
        )  # fmt: skip
        return bool(rows[0][0])

    def plan(self, row: CampaignRow, switch: AdSwitch, stage: Stage | None) -> bool:
        """Write the wish's units; False while something else of the campaign is at work."""
        rows = self._database.rows(
            "SELECT marketing.plan_ads(%s, %s, %s)", row.campaign_id, switch.number, encode(units_json(stage))
        )
        return bool(rows[0][0])

    def take(self, row: CampaignRow, switch: AdSwitch) -> list[Claimed]:
        """Claim the due units of the wish."""
        rows = self._database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.take_ads(%s, %s, %s) ORDER BY ordinal",
            row.campaign_id, switch.number, self._ledger.worker,
        )  # fmt: skip
        units = [claimed_unit(row.campaign_id, found) for found in rows]
        self._ledger.claims.note(unit.id for unit in units)
        return units

    def finish(self, row: CampaignRow, switch: AdSwitch, result: UnitResult) -> None:
        """Record the result of one unit."""
        self._database.rows(
            "SELECT marketing.finish_ads(%s, %s, %s, %s)",
            row.campaign_id, switch.number, self._ledger.worker, encode(result_json(result)),
        )  # fmt: skip

    def units(self, campaign_id: str) -> list[SwitchUnit]:
        """Units of all wishes that the campaign has had, in their order."""
        rows = self._database.rows(
            "SELECT -step, input ->> 'platform', input ->> 'wanted', status, journal ? %s, coalesce(result, '{}'), "
            "coalesce(error ->> 'message', '') FROM marketing.units WHERE campaign_id = %s AND step < 0 "
            "ORDER BY step DESC, ordinal",
            SWITCHING_OFF, campaign_id,
        )  # fmt: skip
        names = ("number", "platform", "wanted", "status", "ours", "output", "message")
        return [SwitchUnit(**dict(zip(names, row, strict=True))) for row in rows]

    def say(self, row: CampaignRow, switch: AdSwitch, reason: str) -> None:
        """Tell why a wish is not carried out yet."""
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
        creatives: Sequence[AdCreative],
        *,
        unreached: Sequence[str],
        reason: str,
        event: str,
        data: Mapping[str, Any],
    ) -> str | None:
        """The end of a wish: its campaign's status, :data:`AGAIN`, or None when the wish or the row has changed."""
        rows = self._database.rows(
            "SELECT marketing.settle_ads(%s, %s, %s, %s, %s::text[], %s, %s, %s)",
            row.campaign_id, switch.number, row.revision,
            encode([creative.model_dump(mode="json") for creative in creatives]), list(unreached), reason, event,
            encode(data),
        )  # fmt: skip
        return None if rows[0][0] is None else str(rows[0][0])
