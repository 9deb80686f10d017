"""What the ledger holds at one moment, as tests of its protocol look at it, and what must hold at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from orchestration.ledger.database import Database

OPEN = frozenset({"pending", "running", "unknown"})
FINAL = frozenset({"succeeded", "failed", "skipped"})
ENDED = frozenset({"completed", "failed", "cancelled"})


class Place(NamedTuple):
    """Key of a unit."""

    campaign: str
    step: int
    stage: int
    key: str


@dataclass(frozen=True, kw_only=True)
class SeenCampaign:
    """A campaign's row, as far as the protocol goes."""

    campaign_id: str
    status: str
    step: int
    stage: int
    stage_name: str
    epoch: int
    revision: int
    base_step: int
    remaining: int
    agent: str | None
    reason: str | None

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ENDED

    @property
    def at_work(self) -> bool:
        """Whether units may be claimed, once it has been entered."""
        winding_down = self.status == "cancelling" and self.stage_name == "wind_down"
        return self.status in ("queued", "running") or winding_down


@dataclass(frozen=True, kw_only=True)
class SeenUnit:
    """A unit's row, as far as the protocol goes."""

    place: Place
    status: str
    worker: str | None
    claims: int
    crashes: int
    epoch: int
    result: Any
    effect: bool
    due: bool  #: it waits, and for nothing

    @property
    def open(self) -> bool:
        """Whether it has no result yet."""
        return self.status in OPEN


class Money(NamedTuple):
    """What the calls of a unit hold and have cost."""

    held: Decimal = Decimal(0)
    settled: Decimal = Decimal(0)
    claim: int | None = None  #: of the call that is under way


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Some campaigns with all their units and their model money."""

    campaigns: dict[str, SeenCampaign]
    units: dict[Place, SeenUnit]
    spend: dict[Place, Money]
    totals: dict[str, tuple[Decimal, Decimal]]

    def stage_of(self, campaign: SeenCampaign) -> list[SeenUnit]:
        """The units of the stage at work."""
        at = campaign.campaign_id, campaign.step, campaign.stage
        return [unit for unit in self.units.values() if unit.place[:3] == at]

    def check(self) -> None:
        """AssertionError when something is not as it must be at every moment."""
        for campaign in self.campaigns.values():
            left = sum(unit.open for unit in self.stage_of(campaign))
            assert campaign.remaining == left, f"the counter says {campaign.remaining}, {left} are open: {campaign}"
        for unit in self.units.values():
            campaign = self.campaigns[unit.place.campaign]
            if unit.open and unit.place.step >= 0:
                assert (unit.place.step, unit.place.stage) == (campaign.step, campaign.stage), f"lost: {unit}"
                assert unit.epoch == campaign.epoch, f"of an abandoned line of work: {unit}, {campaign}"
                assert not campaign.ended, f"open after the end: {unit}, {campaign}"
            assert (unit.status == "running") <= (unit.worker is not None), unit
        for campaign_id in self.campaigns:
            rows = [money for place, money in self.spend.items() if place.campaign == campaign_id]
            sums = sum((one.held for one in rows), Decimal(0)), sum((one.settled for one in rows), Decimal(0))
            assert self.totals.get(campaign_id, (0, 0)) == sums, f"totals of {campaign_id}"

    def follows(self, before: Snapshot) -> None:
        """AssertionError when this can't come after ``before``, whatever was done in between."""
        for campaign_id, was in before.campaigns.items():
            now = self.campaigns[campaign_id]
            assert (now.epoch, now.step, now.stage) >= (was.epoch, was.step, was.stage), (was, now)
            assert now.step >= was.step, (was, now)
            assert now.revision >= was.revision, (was, now)
            if was.status in ("completed", "cancelled") and now.status == "running":
                assert now.epoch > was.epoch, (was, now)
        for place, unit in before.units.items():
            after = self.units[place]
            assert after.claims >= unit.claims or after.status == "pending", (unit, after)
            if unit.status in ("succeeded", "skipped"):
                assert (after.status, after.result) == (unit.status, unit.result), f"recorded twice: {unit} {after}"


_SEEN = (
    "SELECT c.campaign_id, c.status, c.step, c.stage, c.stage_name, c.epoch, c.revision, c.base_step, c.remaining, "
    "c.agent, c.reason, u.step, u.stage, u.key, u.status, u.worker, u.claims, u.crashes, u.epoch, u.result, "
    "u.effect_key IS NOT NULL, u.status IN ('pending', 'unknown') AND (u.due_at IS NULL "
    "OR u.due_at <= clock_timestamp()) FROM marketing.campaigns c JOIN marketing.units u USING (campaign_id) "
    "WHERE c.campaign_id = ANY(%s) ORDER BY c.campaign_id, u.step, u.stage, u.ordinal"
)
_MONEY = (
    "SELECT campaign_id, step, stage, unit, sum(held), sum(settled), max(claim) FROM marketing.spend "
    "WHERE kind = 'llm' AND campaign_id = ANY(%s) GROUP BY campaign_id, step, stage, unit "
    "UNION ALL SELECT scope, NULL, NULL, NULL, held, settled, NULL FROM marketing.spend_totals WHERE scope = ANY(%s)"
)
_CAMPAIGN = (
    "campaign_id", "status", "step", "stage", "stage_name", "epoch", "revision", "base_step", "remaining", "agent",
    "reason",
)  # fmt: skip
_UNIT = ("status", "worker", "claims", "crashes", "epoch", "result", "effect", "due")


def seen(database: Database, campaigns: Sequence[str]) -> Snapshot:
    """Look at these campaigns."""
    ids = list(campaigns)
    found: dict[str, SeenCampaign] = {}
    units: dict[Place, SeenUnit] = {}
    for row in database.rows(_SEEN, ids):
        of_campaign, of_unit = row[: len(_CAMPAIGN)], row[len(_CAMPAIGN) :]
        found[row[0]] = SeenCampaign(**dict(zip(_CAMPAIGN, of_campaign, strict=True)))
        place = Place(row[0], *of_unit[:3])
        units[place] = SeenUnit(place=place, **dict(zip(_UNIT, of_unit[3:], strict=True)))
    spend: dict[Place, Money] = {}
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for name, step, stage, key, held, settled, claim in database.rows(_MONEY, ids, [f"campaign:{one}" for one in ids]):
        if key is None:
            totals[name.removeprefix("campaign:")] = held, settled
        else:
            spend[Place(name, step, stage, key)] = Money(held, settled, claim)
    return Snapshot(campaigns=found, units=units, spend=spend, totals=totals)
