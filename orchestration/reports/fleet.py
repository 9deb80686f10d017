"""State of the fleet: the few figures that an operator asks for first.

Invariant: read-only and cheap; it enters through the partial index on unfinished campaigns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestration.ledger.database import Database
from orchestration.ledger.lease import LEASE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStatus:
    """Workers and unfinished work as the database sees them."""

    workers: int  #: processes with a heartbeat within LEASE_S
    campaigns: Mapping[str, int] = field(default_factory=dict)  #: status -> count, unfinished ones only
    pending: Mapping[str, int] = field(default_factory=dict)  #: agent -> units that no worker has begun
    running: Mapping[str, int] = field(default_factory=dict)  #: agent -> units in a worker's hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Counter of one worker process, since that process began."""

    worker: str
    counter: str
    labels: Mapping[str, str]
    value: int


def counted(database: Database) -> list[Counted]:
    """Return the counters of living processes: retries, deferrals, fallbacks, whether their admission works."""
    rows = database.rows(
        "SELECT worker, metrics FROM marketing.workers "
        "WHERE beat_at > clock_timestamp() - make_interval(secs => %s) AND jsonb_typeof(metrics) = 'array' "
        "ORDER BY worker",
        LEASE_S,
    )
    return [
        Counted(worker=str(worker), counter=str(one["counter"]), labels=one["labels"], value=int(one["value"]))
        for worker, found in rows
        for one in found
    ]


def has_schema(database: Database) -> bool:
    """Return whether the database has ever been migrated."""
    return bool(database.value("SELECT to_regclass('marketing.campaigns') IS NOT NULL"))


def live_workers(database: Database) -> int:
    """Return how many worker processes are alive."""
    sql = "SELECT count(*) FROM marketing.workers WHERE beat_at > clock_timestamp() - make_interval(secs => %s)"
    return int(database.value(sql, LEASE_S))


def fleet_status(database: Database) -> FleetStatus:
    """Return the figures of the fleet."""
    campaigns = database.rows(
        "SELECT status, count(*) FROM marketing.campaigns "
        "WHERE status NOT IN ('completed', 'failed', 'cancelled') GROUP BY status ORDER BY status"
    )
    units = database.rows(
        "SELECT u.agent, u.status, count(*) FROM marketing.campaigns c "
        "JOIN marketing.units u ON u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage "
        "WHERE c.status IN ('queued', 'running') AND u.status IN ('pending', 'running') "
        "GROUP BY u.agent, u.status ORDER BY u.agent, u.status"
    )
    return FleetStatus(
        workers=live_workers(database),
        campaigns={status: int(number) for status, number in campaigns},
        pending={agent: int(number) for agent, status, number in units if status == "pending"},
        running={agent: int(number) for agent, status, number in units if status == "running"},
    )
