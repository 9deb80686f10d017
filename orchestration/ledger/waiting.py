"""Deferred units, the campaigns that wait with them, and the kill switch of a provider.

A unit that admission refuses goes back to the ledger with its moment. When its campaign has nothing else to do, the
campaign is parked: it waits, says why, and holds no slot. Invariants: each call may be repeated by any process at any
time; a switch is a row in Postgres, so that no flush of Redis turns a provider on again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from integrations.settings import Mode
from orchestration.ledger.database import Database, encode
from orchestration.ledger.lease import HEARTBEAT_S

PROVIDER, BUDGET = "provider", "budget"  #: what a unit can wait for
#: Tells the fleet's history of a switch that was thrown.
_NOTE = (
    "INSERT INTO marketing.fleet_events (kind, actor, data) "
    "SELECT %s, %s, jsonb_build_object('provider', provider, 'reason', %s::text) FROM changed RETURNING true"
)
HEARD_S = 2 * HEARTBEAT_S  #: by then every worker has learned of a changed switch, with its heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Provider that a person has switched off."""

    provider: str
    reason: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetEvent:
    """Entry of the history of the whole fleet."""

    at: datetime
    kind: str
    actor: str
    data: Mapping[str, JsonValue]


class Deferrals:
    """Deferred units, parked campaigns and kill switches of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tick(self, limit: int = 500) -> int:
        """Park campaigns whose only units are deferred, resume parked ones that are due, and return how many."""
        self._database.rows("SELECT marketing.park(NULL, %s)", limit)
        return int(self._database.value("SELECT marketing.resume_due(%s)", limit))

    def end_optimization_waits(self, mode: Mode, limit: int = 500) -> int:
        """Let campaigns whose next optimisation is due go on, for the next reconciling tick, and return how many."""
        return int(self._database.value("SELECT marketing.end_waits(%s, true, %s)", mode, limit))

    def waiting_for(self, kind: str) -> list[str]:
        """Return the campaigns that wait for a provider, or for a budget (``kind``)."""
        rows = self._database.rows(
            "SELECT campaign_id FROM marketing.campaigns WHERE status = 'waiting' AND hold ->> 'kind' = %s", kind
        )
        return [str(row[0]) for row in rows]

    def wake(
        self, kind: str, *, provider: str | None = None, campaign_id: str | None = None, delay_s: float = 0.0
    ) -> int:
        """Make what waits for a provider, or a budget, due in ``delay_s`` seconds, and return how many campaigns."""
        sql = "SELECT marketing.wake_waiting(%s, %s, %s, %s)"
        return int(self._database.value(sql, kind, provider, campaign_id, delay_s))

    def switch_off(self, provider: str, *, actor: str, reason: str | None = None) -> bool:
        """Stop all calls of the provider within about a second, and return False when they were stopped already."""
        rows = self._database.rows(
            "WITH changed AS (INSERT INTO marketing.kill_switches (provider, reason, by) VALUES (%s, %s, %s) "
            f"ON CONFLICT (provider) DO NOTHING RETURNING provider) {_NOTE}",
            provider, reason, actor, "provider_switched_off", actor, reason,
        )  # fmt: skip
        return bool(rows)

    def switch_on(self, provider: str, *, actor: str, reason: str | None = None) -> bool:
        """Let the provider be called again, wake what waited for it, and return False when it was not off."""
        rows = self._database.rows(
            "WITH changed AS (DELETE FROM marketing.kill_switches WHERE provider = %s RETURNING provider) " + _NOTE,
            provider, "provider_switched_on", actor, reason,
        )  # fmt: skip
        self.wake(PROVIDER, provider=provider, delay_s=HEARD_S)
        return bool(rows)

    def switches(self) -> list[Switch]:
        """Return the providers that are switched off, the newest first."""
        return self._database.records(
            Switch, "SELECT provider, reason, by, at FROM marketing.kill_switches ORDER BY at DESC"
        )

    def note(self, kind: str, data: Mapping[str, object], *, actor: str = "system") -> None:
        """Append one event to the fleet's history."""
        self._database.run(
            "INSERT INTO marketing.fleet_events (kind, actor, data) VALUES (%s, %s, %s)", kind, actor, encode(data)
        )

    def history(self, limit: int = 50) -> list[FleetEvent]:
        """Return the newest events of the fleet, newest first."""
        return self._database.records(
            FleetEvent, "SELECT at, kind, actor, data FROM marketing.fleet_events ORDER BY id DESC LIMIT %s", limit
        )
