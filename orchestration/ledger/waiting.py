"""Campaigns that wait for a provider or for money, and the switch that turns a provider off.

A unit that admission refuses goes back to the ledger with its moment; when its campaign has nothing else to do, the
campaign *waits*, says why, and holds no slot. Invariants: each call may be repeated by anyone at any time; a switch
is a row in Postgres, so that no flush of Redis turns a provider on again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    """A provider that a person has turned off."""

    provider: str
    reason: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetEvent:
    """Something that happened to the whole fleet."""

    at: datetime
    kind: str
    actor: str
    data: Mapping[str, Any]


class Deferrals:
    """Over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tick(self, limit: int = 500) -> int:
        """Let campaigns wait that have nothing else to do, and look again whose moment has come; how many look."""
        self._database.rows("SELECT marketing.park(NULL, %s)", limit)
        return int(self._database.rows("SELECT marketing.resume_due(%s)", limit)[0][0])

    def waiting_for(self, kind: str) -> list[str]:
        """Campaigns that wait for a provider, or for a budget."""
        rows = self._database.rows(
            "SELECT campaign_id FROM marketing.campaigns WHERE status = 'waiting' AND hold ->> 'kind' = %s", kind
        )
        return [str(row[0]) for row in rows]

    def wake(
        self, kind: str, *, provider: str | None = None, campaign_id: str | None = None, delay_s: float = 0.0
    ) -> int:
        """Let what waits for a provider, or a budget, look again in ``delay_s`` seconds; how many campaigns."""
        rows = self._database.rows(
            "SELECT marketing.wake_waiting(%s, %s, %s, %s)", kind, provider, campaign_id, delay_s
        )
        return int(rows[0][0])

    def switch_off(self, provider: str, *, actor: str, reason: str | None = None) -> bool:
        """Let nobody call the provider any more (workers see it within about a second); False: it was off already."""
        rows = self._database.rows(
            "WITH changed AS (INSERT INTO marketing.kill_switches (provider, reason, by) VALUES (%s, %s, %s) "
            f"ON CONFLICT (provider) DO NOTHING RETURNING provider) {_NOTE}",
            provider, reason, actor, "provider_switched_off", actor, reason,
        )  # fmt: skip
        return bool(rows)

    def switch_on(self, provider: str, *, actor: str, reason: str | None = None) -> bool:
        """Let the provider be called again, and wake what waited for it; False: it was not off."""
        rows = self._database.rows(
            "WITH changed AS (DELETE FROM marketing.kill_switches WHERE provider = %s RETURNING provider) " + _NOTE,
            provider, "provider_switched_on", actor, reason,
        )  # fmt: skip
        self.wake(PROVIDER, provider=provider, delay_s=HEARD_S)
        return bool(rows)

    def switches(self) -> list[Switch]:
        """What is turned off, the newest first."""
        return self._database.records(
            Switch, "SELECT provider, reason, by, at FROM marketing.kill_switches ORDER BY at DESC"
        )

    def note(self, kind: str, data: Mapping[str, Any], *, actor: str = "system") -> None:
        """Append one event to the fleet's history."""
        self._database.run(
            "INSERT INTO marketing.fleet_events (kind, actor, data) VALUES (%s, %s, %s)", kind, actor, encode(data)
        )

    def history(self, limit: int = 50) -> list[FleetEvent]:
        """The newest events of the fleet, newest first."""
        return self._database.records(
            FleetEvent, "SELECT at, kind, actor, data FROM marketing.fleet_events ORDER BY id DESC LIMIT %s", limit
        )
