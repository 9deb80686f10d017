"""Is anybody at work, and how much is left: the few figures an operator asks for first.

Invariant: read-only and cheap; it enters through the partial index on unfinished campaigns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestration.ledger.database import Database
from orchestration.ledger.lease import LEASE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStatus:
    """The fleet as the database sees it."""

    workers: int  #: processes with a heartbeat within LEASE_S
    campaigns: Mapping[str, int] = field(default_factory=dict)  #: status -> count, unfinished ones only
    pending: Mapping[str, int] = field(default_factory=dict)  #: agent -> units nobody has begun
    running: Mapping[str, int] = field(default_factory=dict)  #: agent -> units in a worker's hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One counter of one worker process, since that process began."""

    worker: str
    counter: str
    labels: Mapping[str, str]
    value: int


def counted(database: Database) -> list[Counted]:
    """What the processes that beat have counted: retries, deferrals, fallbacks, whether their admission works."""
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
    """Whether the database has ever been migrated."""
    return bool(database.rows("SELECT to_regclass('marketing.campaigns') IS NOT NULL")[0][0])


def live_workers(database: Database) -> int:
    """How many worker processes beat."""
    return int(
        database.rows(
            "SELECT count(*) FROM marketing.workers WHERE beat_at > clock_timestamp() - make_interval(secs => %s)",
            LEASE_S,
        )[0][0]
    )


def fleet_status(database: Database) -> FleetStatus:
    """All of it."""
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
