"""Reports of campaigns for people and programs: the contract's JSON, history and spend.

Invariants: read-only, for a process of any mode, and the mode that is told is the row's; currencies are never summed.
Money whose price is unknown is shown as tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from integrations.settings import Mode
from orchestration.ledger.database import Database
from orchestration.ledger.rows import CAMPAIGN_COLUMNS, CampaignRow, campaign_row
from orchestration.stores.retention import Kept, Retention

TERMINAL = frozenset({"completed", "failed", "cancelled"})


class CampaignNotFoundError(LookupError):
    """Raised when no campaign has the id that was asked for."""

    def __init__(self, campaign_id: str) -> None:
        super().__init__(f"there is no campaign {campaign_id!r}")
        self.campaign_id = campaign_id

    def __reduce__(self) -> tuple[type[CampaignNotFoundError], tuple[str]]:
        return (CampaignNotFoundError, (self.campaign_id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignEvent:
    """Entry of a campaign's history."""

    id: int
    at: datetime
    kind: str
    actor: str
    step: int | None
    agent: str | None
    data: Mapping[str, Any]  #: as the kind of event has it


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSummary:
    """Campaign in a line of a list."""

    campaign_id: str
    mode: Mode  #: its world
    name: str
    status: str
    reason: str | None
    agent: str | None
    step: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """Progress of one stage."""

    step: int
    stage: int
    agent: str
    name: str
    units: Mapping[str, int]  #: status -> count


class Approval(TypedDict):
    """Question that waits for a person."""

    approval_id: str
    kind: str
    request: Mapping[str, JsonValue]  #: exactly what will be published and spent
    asked_at: datetime
    expires_at: datetime | None


class Schedule(TypedDict):
    """Campaign that is optimised again and again."""

    campaign_id: str
    mode: str  #: its world: sandbox | live
    name: str
    status: str  #: waiting | paused | running
    optimize_every: str  #: ISO 8601
    next_run_at: datetime | None  #: None while it is at work
    ends_at: datetime


class Tokens(TypedDict):
    """Numbers of tokens: sent, received, and of models without a known price."""

    input: int
    output: int
    unpriced: int


class Spend(TypedDict):
    """Spend of a campaign by currency, in text, so that no reader makes floats of amounts."""

    llm: dict[str, str]
    tokens: Tokens
    ads: dict[str, str]


class Reports:
    """Reading side of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, campaign_id: str) -> CampaignRow:
        """Return the campaign's row.

        Raises CampaignNotFoundError when there is no such campaign.
        """
        rows = self._database.rows(
            f"SELECT {CAMPAIGN_COLUMNS} FROM marketing.campaigns WHERE campaign_id = %s", campaign_id
        )
        if not rows:
            raise CampaignNotFoundError(campaign_id)
        return campaign_row(rows[0])

    def status(self, campaign_id: str) -> tuple[str, str | None]:
        """Return the campaign's status and the reason for it.

        Raises CampaignNotFoundError when there is no such campaign.
        """
        rows = self._database.rows("SELECT status, reason FROM marketing.campaigns WHERE campaign_id = %s", campaign_id)
        if not rows:
            raise CampaignNotFoundError(campaign_id)
        return str(rows[0][0]), rows[0][1]

    def mode(self, campaign_id: str) -> Mode:
        """Return the world that the campaign is of.

        Raises CampaignNotFoundError when there is no such campaign.
        """
        rows = self._database.rows("SELECT mode FROM marketing.campaigns WHERE campaign_id = %s", campaign_id)
        if not rows:
            raise CampaignNotFoundError(campaign_id)
        return Mode(rows[0][0])

    def show(self, campaign_id: str) -> dict[str, object]:
        """Return the contract's JSON: campaign_id, mode, status, reason, step, state, units, spend, route.

        And name, due_at (when a wait or a question ends by itself), approval (the open question) and retention (until
        when people are kept, and when they were removed). Raises CampaignNotFoundError when there is no such campaign.
        """
        row = self.row(campaign_id)
        due_at = self.due_at(campaign_id)
        asked = self.open_approval(campaign_id) if row.status == "awaiting_approval" else None
        return {
            "campaign_id": row.campaign_id,
            "mode": row.mode,
            "name": row.name,
            "status": row.status,
            "reason": row.reason,
            "due_at": due_at.isoformat() if due_at else None,
            "approval": to_jsonable_python(asked),
            "step": row.step,
            "state": row.state.model_dump(mode="json"),
            "units": self.units(campaign_id),
            "spend": self.spend(campaign_id, row),
            "route": list(row.route),
            "retention": to_jsonable_python(self.retention(campaign_id)),
        }

    def due_at(self, campaign_id: str) -> datetime | None:
        """Return when the campaign's wait ends by itself, or its open question expires, or None."""
        rows = self._database.rows(
            "SELECT due_at FROM marketing.campaigns WHERE campaign_id = %s "
            "AND status IN ('waiting', 'awaiting_approval')",
            campaign_id,
        )
        found: datetime | None = rows[0][0] if rows else None
        return found

    def retention(self, campaign_id: str) -> Kept | None:
        """Return how long the campaign keeps people, or None when its configuration does not say."""
        return Retention(self._database).of(campaign_id)

    def units(self, campaign_id: str) -> dict[str, int]:
        """Return the number of the campaign's units by status."""
        rows = self._database.rows(
            "SELECT status, count(*) FROM marketing.units WHERE campaign_id = %s GROUP BY status ORDER BY status",
            campaign_id,
        )
        return {str(status): int(count) for status, count in rows}

    def stages(self, campaign_id: str) -> list[StageProgress]:
        """Return the stages of all hops so far, in order."""
        rows = self._database.rows(
            "SELECT step, stage, min(agent), min(stage_name), status, count(*) FROM marketing.units "
            "WHERE campaign_id = %s AND step >= 0 GROUP BY step, stage, status ORDER BY step, stage, status",
            campaign_id,
        )
        found: dict[tuple[int, int], tuple[str, str, dict[str, int]]] = {}
        for step, stage, agent, name, status, count in rows:
            found.setdefault((step, stage), (agent, name, {}))[2][status] = int(count)
        return [
            StageProgress(step=step, stage=stage, agent=agent, name=name, units=units)
            for (step, stage), (agent, name, units) in found.items()
        ]

    def spend(self, campaign_id: str, row: CampaignRow | None = None) -> Spend:
        """Return what the campaign has spent, on models as counted and on ads as reported."""
        rows = self._database.rows(
            "SELECT currency, sum(cost), sum(input_tokens), sum(output_tokens), sum(unpriced_tokens) "
            "FROM marketing.units WHERE campaign_id = %s GROUP BY currency",
            campaign_id,
        )
        performance = (row or self.row(campaign_id)).state.campaign_performance
        ads: dict[str, Decimal] = {}
        for platform in performance.platforms:
            ads[platform.currency] = ads.get(platform.currency, Decimal(0)) + platform.spend
        return {
            "llm": {str(c): format(cost.normalize(), "f") for c, cost, *_ in rows if cost},
            "tokens": {
                "input": sum(int(r[2]) for r in rows),
                "output": sum(int(r[3]) for r in rows),
                "unpriced": sum(int(r[4]) for r in rows),
            },
            "ads": {currency: str(amount) for currency, amount in ads.items()},
        }

    def events(self, campaign_id: str, *, after: int = 0, limit: int = 10_000) -> list[CampaignEvent]:
        """Return the events with an id above ``after``, oldest first."""
        return self._database.records(
            CampaignEvent,
            "SELECT id, at, kind, actor, step, agent, data FROM marketing.events "
            "WHERE campaign_id = %s AND id > %s ORDER BY id LIMIT %s",
            campaign_id, after, limit,
        )  # fmt: skip

    def campaigns(self, *, status: str | None = None, limit: int = 10_000) -> list[CampaignSummary]:
        """Return campaigns of one status, or all, the newest first."""
        return self._database.records(
            _summary,
            "SELECT campaign_id, mode, name, status, reason, agent, step, created_at, updated_at "
            "FROM marketing.campaigns WHERE (%s::text IS NULL OR status = %s) "
            "ORDER BY created_at DESC, campaign_id LIMIT %s",
            status, status, limit,
        )  # fmt: skip

    def open_approval(self, campaign_id: str) -> Approval | None:
        """Return the campaign's question that waits for a person, or None."""
        found = self._database.records(
            Approval,
            "SELECT approval_id, kind, request, asked_at, expires_at FROM marketing.approvals "
            "WHERE campaign_id = %s AND status = 'open' ORDER BY asked_at DESC LIMIT 1",
            campaign_id,
        )
        return found[0] if found else None

    def schedules(self) -> list[Schedule]:
        """Return the schedules of campaigns, the next to run first and those at work last."""
        return self._database.records(
            Schedule,
            "SELECT campaign_id, mode, name, status, optimize_every, next_run_at, ends_at FROM marketing.schedules "
            "ORDER BY next_run_at NULLS LAST, campaign_id",
        )

    def export(self, campaign_id: str) -> dict[str, object]:
        """Return everything that is stored about a campaign.

        That is show's JSON, its units (``ledger``), its ``history``, and every question that was asked, with its answer
        (``approvals``, oldest first).
        """
        units = self._database.rows(
            "SELECT to_jsonb(u) - 'policy' FROM marketing.units u WHERE campaign_id = %s ORDER BY step, stage, ordinal",
            campaign_id,
        )
        history = [
            {"at": e.at, "kind": e.kind, "actor": e.actor, "step": e.step, "agent": e.agent, "data": dict(e.data)}
            for e in self.events(campaign_id)
        ]
        approvals = self._database.rows(
            "SELECT to_jsonb(a) - 'campaign_id' FROM marketing.approvals a WHERE campaign_id = %s "
            "ORDER BY asked_at, approval_id",
            campaign_id,
        )
        return {
            **self.show(campaign_id),
            "ledger": [u[0] for u in units],
            "history": history,
            "approvals": [a[0] for a in approvals],
        }


def _summary(*, mode: str, **columns: Any) -> CampaignSummary:
    return CampaignSummary(mode=Mode(mode), **columns)
