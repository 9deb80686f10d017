"""What people and programs are told about a campaign: the contract's JSON, history and spend.

Invariant: read-only, and currencies are never summed. Money whose price is unknown is shown as tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from orchestration.ledger.database import Database
from orchestration.ledger.rows import CAMPAIGN_COLUMNS, CampaignRow, campaign_row

TERMINAL = frozenset({"completed", "failed", "cancelled"})


class CampaignNotFoundError(LookupError):
    """No campaign has that id."""

    def __init__(self, campaign_id: str) -> None:
        super().__init__(f"there is no campaign {campaign_id!r}")
        self.campaign_id = campaign_id

    def __reduce__(self) -> tuple[type[CampaignNotFoundError], tuple[str]]:
        return (CampaignNotFoundError, (self.campaign_id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignEvent:
    """One entry of a campaign's history."""

    id: int
    at: datetime
    kind: str
    actor: str
    step: int | None
    agent: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSummary:
    """One line of a list."""

    campaign_id: str
    name: str
    status: str
    reason: str | None
    agent: str | None
    step: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """How far one stage is."""

    step: int
    stage: int
    agent: str
    name: str
    units: Mapping[str, int]  #: status -> count


class Reports:
    """Reading side of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, campaign_id: str) -> CampaignRow:
        """The campaign; CampaignNotFoundError."""
        rows = self._database.rows(
            f"SELECT {CAMPAIGN_COLUMNS} FROM marketing.campaigns WHERE campaign_id = %s", campaign_id
        )
        if not rows:
            raise CampaignNotFoundError(campaign_id)
        return campaign_row(rows[0])

    def status(self, campaign_id: str) -> tuple[str, str | None]:
        """(status, reason); CampaignNotFoundError."""
        rows = self._database.rows("SELECT status, reason FROM marketing.campaigns WHERE campaign_id = %s", campaign_id)
        if not rows:
            raise CampaignNotFoundError(campaign_id)
        return str(rows[0][0]), rows[0][1]

    def show(self, campaign_id: str) -> dict[str, Any]:
        """The contract's JSON: campaign_id, status, reason, step, state, units, spend, route.

        And name, due_at (when a wait or a question ends by itself) and approval (the open question).
        """
        row = self.row(campaign_id)
        due_at = self.due_at(campaign_id)
        asked = self.open_approval(campaign_id) if row.status == "awaiting_approval" else None
        return {
            "campaign_id": row.campaign_id,
            "name": row.name,
            "status": row.status,
            "reason": row.reason,
            "due_at": due_at.isoformat() if due_at else None,
            "approval": {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asked.items()}
            if asked
            else None,
            "step": row.step,
            "state": row.state.model_dump(mode="json"),
            "units": self.units(campaign_id),
            "spend": self.spend(campaign_id, row),
            "route": list(row.route),
        }

    def due_at(self, campaign_id: str) -> datetime | None:
        """When the campaign's wait ends by itself, or its open question expires; None: it does neither."""
        rows = self._database.rows(
            "SELECT due_at FROM marketing.campaigns WHERE campaign_id = %s "
            "AND status IN ('waiting', 'awaiting_approval')",
            campaign_id,
        )
        found: datetime | None = rows[0][0] if rows else None
        return found

    def units(self, campaign_id: str) -> dict[str, int]:
        """Units by status."""
        rows = self._database.rows(
            "SELECT status, count(*) FROM marketing.units WHERE campaign_id = %s GROUP BY status ORDER BY status",
            campaign_id,
        )
        return {str(status): int(count) for status, count in rows}

    def stages(self, campaign_id: str) -> list[StageProgress]:
        """Every stage of a hop so far with its units by status, in order."""
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

    def spend(self, campaign_id: str, row: CampaignRow | None = None) -> dict[str, Any]:
        """{"llm": {currency: amount}, "tokens": {input, output, unpriced}, "ads": {currency: amount}}.

        Amounts are text, so that no reader makes floats of them.
        """
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
        """Events with an id above ``after``, oldest first."""
        return self._database.records(
            CampaignEvent,
            "SELECT id, at, kind, actor, step, agent, data FROM marketing.events "
            "WHERE campaign_id = %s AND id > %s ORDER BY id LIMIT %s",
            campaign_id, after, limit,
        )  # fmt: skip

    def campaigns(self, *, status: str | None = None, limit: int = 10_000) -> list[CampaignSummary]:
        """Campaigns, newest first, of one status or all."""
        return self._database.records(
            CampaignSummary,
            "SELECT campaign_id, name, status, reason, agent, step, created_at, updated_at FROM marketing.campaigns "
            "WHERE (%s::text IS NULL OR status = %s) ORDER BY created_at DESC, campaign_id LIMIT %s",
            status, status, limit,
        )  # fmt: skip

    def open_approval(self, campaign_id: str) -> dict[str, Any] | None:
        """The question that waits for a person; ``request`` is exactly what will be published and spent.

        {approval_id, kind, request, asked_at, expires_at}, or None.
        """
        found = self._database.records(
            dict[str, Any],
            "SELECT approval_id, kind, request, asked_at, expires_at FROM marketing.approvals "
            "WHERE campaign_id = %s AND status = 'open' ORDER BY asked_at DESC LIMIT 1",
            campaign_id,
        )
        return found[0] if found else None

    def schedules(self) -> list[dict[str, Any]]:
        """Campaigns that are optimised again and again, the next to run first; those at work come last.

        {campaign_id, name, status (waiting | paused | running), optimize_every (ISO 8601), next_run_at, ends_at}.
        """
        return self._database.records(
            dict[str, Any],
            "SELECT campaign_id, name, status, optimize_every, next_run_at, ends_at FROM marketing.schedules "
            "ORDER BY next_run_at NULLS LAST, campaign_id",
        )

    def export(self, campaign_id: str) -> dict[str, Any]:
        """Everything that is stored about a campaign: show's JSON, its units, its history, and every question that
        was asked with its answer (``approvals``, oldest first)."""
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
