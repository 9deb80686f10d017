"""Trouble on purpose: processes killed and frozen, Redis and Postgres taken away, on a seeded timetable.

Invariant: only pids that the fleet under test started are ever signalled. An audit in the test's own database
watches every unit's row, so that what the code under test forgets is seen all the same.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import redis
from fleet_fixture import running_fleet
from stack import Sandbox

ENDED = frozenset({"completed", "failed", "cancelled"})
PLATFORMS = ("facebook_ads", "linkedin_ads")
ALL_PLATFORMS = ("facebook_ads", "google_ads", "linkedin_ads")

#: Small on purpose: what matters is the number of commits, messages and calls, not the number of sites that are read
#: nor the length of the texts.
CONFIG: dict[str, Any] = {
    "name": "Chaos",
    "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
    "lead_sources": [{"type": "search", "limit": 6}],
    "ad_platforms": ["facebook", "linkedin"],
    "budget": 3000,
    "content_requirements": [
        {"content_type": "blog_post", "topic": "Faster releases", "target_length": 120},
        {"content_type": "email", "topic": "A look inside", "target_length": 60},
    ],
}
#: The same on all platforms: what loads Google's package is slow to start, so not every test has it.
EVERYWHERE: dict[str, Any] = {**CONFIG, "ad_platforms": list(ALL_PLATFORMS)}

_AUDIT = """
CREATE TABLE audit (campaign_id text, step integer, stage integer, key text, before text, after text,
                    at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION audit_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit VALUES (NEW.campaign_id, NEW.step, NEW.stage, NEW.key, OLD.status, NEW.status);
    RETURN NULL;
END $$;
-- An erasure changes what is finished too; it does not finish it again.
CREATE TRIGGER audit_unit AFTER UPDATE ON marketing.units FOR EACH ROW
    WHEN (NEW.status IN ('succeeded', 'failed', 'skipped')
          AND (OLD.status, OLD.finished_at) IS DISTINCT FROM (NEW.status, NEW.finished_at))
    EXECUTE FUNCTION audit_unit();
"""


@dataclass
class Chaos:
    """A fleet with services of its own, and the means to hurt it. Drive it from one thread."""

    fleet: Any  #: workers.fleet.Fleet
    campaigns: Any  #: orchestration.Campaigns
    sandbox: Sandbox
    home: Path
    env: dict[str, str]
    in_flight: int = 0  #: model calls that were running in workers when they were killed or frozen
    log: list[str] = field(default_factory=list)

    @property
    def workers(self) -> dict[str, int]:
        """Pids of the worker processes that run now."""
        return {name: pid for name, pid in self.fleet.pids.items() if "worker" in name}

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Ask the database."""
        found: list[tuple[Any, ...]] = self.campaigns.database.rows(sql, *args)
        return found

    # ---- trouble ----

    def kill_worker(self, random: Random) -> None:
        """SIGKILL, after counting the model calls that it takes along."""
        self._stop_and_count(random, lambda pid: os.kill(pid, signal.SIGKILL), "killed")

    def freeze_worker(self, random: Random) -> Callable[[], None]:
        """SIGSTOP; call what is returned to let it go on."""
        pids: list[int] = []
        self._stop_and_count(random, pids.append, "frozen")

        def thaw() -> None:
            for pid in pids:
                if pid in self.workers.values():
                    os.kill(pid, signal.SIGCONT)

        return thaw

    def flush_redis(self) -> None:
        """FLUSHALL: queues, results and chords are gone."""
        self.log.append("redis flushed")
        with redis.Redis.from_url(self.env["REDIS_URL"]) as client:
            client.flushall()

    def kill_redis(self) -> None:
        """SIGKILL, and its files are gone too."""
        self.log.append("redis killed without its data")
        os.kill(self.fleet.pids["redis"], signal.SIGKILL)
        shutil.rmtree(self.fleet.home.redis)

    def restart_postgres(self) -> None:
        """An immediate shutdown (SIGQUIT), as by a power cut: it comes back through crash recovery."""
        self.log.append("postgres restarted")
        pid = self.fleet.pids["postgres"]
        os.kill(pid, signal.SIGQUIT)
        # Whoever waits for Postgres from here on waits for this thread, which is the one that starts it again.
        while self.fleet.pids.get("postgres") in (pid, None):
            self.fleet.poll(0.05)

    def _stop_and_count(self, random: Random, then: Callable[[int], None], verb: str) -> None:
        alive = sorted(self.workers.items())
        if not alive:
            return
        name, pid = random.choice(alive)
        os.kill(pid, signal.SIGSTOP)  # first, so that nothing begins between the count and the end
        calls = self.rows(
            "SELECT count(*) FROM marketing.units WHERE status = 'running' AND provider = 'openai' AND worker LIKE %s",
            f"%:{pid}:%",
        )[0][0]
        self.in_flight += calls
        self.log.append(f"{name} {verb} with {calls} model calls")
        then(pid)

    # ---- watching ----

    def run(
        self, handles: Sequence[Any], timetable: Sequence[tuple[float, Callable[[], None]]], timeout: float
    ) -> None:
        """Look after the fleet and carry out the timetable (seconds from now) until all campaigns have ended."""
        begun, left = time.monotonic(), sorted(timetable, key=lambda entry: entry[0])
        looked = begun
        while True:
            self.fleet.poll(0.1)
            now = time.monotonic()
            while left and left[0][0] <= now - begun:
                left.pop(0)[1]()
            if now - looked > 0.5 and not left:
                looked = now
                if self.statuses(handles).keys() <= ENDED:
                    return
            if now - begun > timeout:
                raise AssertionError(f"not over after {timeout:g} s:\n{self.describe(handles)}")

    def statuses(self, handles: Sequence[Any]) -> dict[str, int]:
        """How many of the campaigns are in which status."""
        ids = [handle.campaign_id for handle in handles]
        sql = "SELECT status, count(*) FROM marketing.campaigns WHERE campaign_id = ANY(%s) GROUP BY status"
        return dict(self.rows(sql, ids))

    def describe(self, handles: Sequence[Any]) -> str:
        """Where the campaigns stand, for a failure's message."""
        stuck = self.rows(
            "SELECT c.campaign_id, c.status, c.reason, c.agent, c.step, c.stage_name, c.remaining, c.publishes, "
            "now() - c.progress_at, (SELECT json_agg(json_build_array(u.key, u.status, u.worker, u.due_at, u.error)) "
            "FROM marketing.units u WHERE (u.campaign_id, u.step, u.stage) = (c.campaign_id, c.step, c.stage) "
            "AND u.status NOT IN ('succeeded', 'failed')) "
            "FROM marketing.campaigns c WHERE c.status <> 'completed' "
            "ORDER BY c.status IN ('failed', 'cancelled', 'awaiting_approval', 'paused') LIMIT 5"
        )
        lines = [str(self.statuses(handles)), *self.log, *(str(row) for row in stuck), str(self.fleet.pids)]
        return "\n".join(lines)

    # ---- the account ----

    def assert_all_completed(self, handles: Sequence[Any]) -> None:
        """Every campaign has completed, and every unit has exactly one result."""
        assert self.statuses(handles) == {"completed": len(handles)}, self.describe(handles)
        unfinished = self.rows(
            "SELECT campaign_id, key, status FROM marketing.units "
            "WHERE status NOT IN ('succeeded', 'failed', 'skipped')"
        )
        assert unfinished == []
        twice = self.rows(
            "SELECT campaign_id, step, stage, key, array_agg(before || ' -> ' || after ORDER BY at) FROM audit "
            "GROUP BY campaign_id, step, stage, key HAVING count(*) > 1"
        )
        assert twice == [], (twice, self.log)
        hops = self.rows(
            "SELECT campaign_id, step, count(*) FROM marketing.events WHERE kind = 'hop_finished' "
            "GROUP BY campaign_id, step HAVING count(*) > 1"
        )
        assert hops == []

    def assert_one_ad_each(self, handles: Sequence[Any], platforms: Sequence[str] = PLATFORMS) -> None:
        """The sandbox counts one ad campaign per (campaign, platform) and no other, and all run but those that rest."""
        from agents.unit import effect_key

        ads = self.sandbox.get("/_sandbox/state")["ad_campaigns"]
        made = sorted((ad["provider"], ad["effect_key"]) for ad in ads)
        wanted = sorted((name, effect_key(handle.campaign_id, name)) for handle in handles for name in platforms)
        assert made == wanted, self.log
        off = {ad["effect_key"] for ad in ads if ad["status"] != "active"}
        assert off == {one.effect_key for handle in handles for one in handle.state.ad_creatives if one.resting}

    def assert_nothing_paid_twice(self) -> None:
        """The model answered no more often than answers were committed, but for calls that died with a worker."""
        paid = self.sandbox.get("/_sandbox/state")["llm"]["calls"]
        kept = self.rows(
            "SELECT count(*) FROM marketing.units u, jsonb_each(u.journal) AS entry "
            "WHERE entry.value ? 'finish_reason' AND entry.value ? 'output_tokens'"
        )[0][0]
        assert kept > 0
        assert kept <= paid <= kept + self.in_flight, (kept, paid, self.in_flight, self.log)


class NoMessage:
    """Wake-ups that get lost."""

    def hop(self, campaign_id: str, agent: str, step: int, *, delay_s: float = 0.0) -> bool:
        """Taken, and lost."""
        return True

    def chord(self, campaign_id: str, agent: str, step: int, stage: int, slots: int) -> None:
        """Lost."""


@contextmanager
def audited_fleet(folder: Path, database_url: str, redis_url: str, sandbox: Sandbox, **options: Any) -> Iterator[Chaos]:
    """A fleet over services of the run, whose units are watched."""
    with running_fleet(folder, database_url, redis_url, sandbox, drain_timeout=5.0, **options) as running:
        running.campaigns.database.run(_AUDIT)
        yield Chaos(fleet=running.fleet, campaigns=running.campaigns, sandbox=sandbox, home=folder, env=running.env)


@contextmanager
def chaotic_fleet(
    folder: Path, sandbox: Sandbox, *, env: dict[str, str] | None = None, **options: Any
) -> Iterator[Chaos]:
    """A fleet with its own Postgres and Redis in ``folder``."""
    from integrations.settings import Mode, Settings
    from orchestration.client import Campaigns
    from orchestration.ledger.schema import migrate
    from workers.fleet import Fleet

    base = {**os.environ, "SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or "", **(env or {})}
    fleet = Fleet(
        folder,
        migrate=lambda url: migrate(url, Mode.SANDBOX),
        sandbox_url=sandbox.url,
        env=base,
        **{"workers": 3, "concurrency": 8, "flower": False, "drain_timeout": 5.0, **options},
    )
    with fleet:
        info = fleet.info
        env = {**base, "DATABASE_URL": info.database_url, "REDIS_URL": info.redis_url}
        campaigns = Campaigns(Settings.from_env(env))
        try:
            campaigns.database.run(_AUDIT)
            yield Chaos(fleet=fleet, campaigns=campaigns, sandbox=sandbox, home=folder, env=env)
        finally:
            campaigns.close()
