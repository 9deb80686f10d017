"""A real fleet for tests: worker processes, beat and a sandbox over the run's Postgres and Redis.

Invariant: a fleet has a database and a sandbox of its own, and every process it started is gone after it.
"""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import Sandbox, wait_until


@dataclass(frozen=True, kw_only=True)
class RunningFleet:
    """A fleet that answers, and a client for it."""

    campaigns: Any  #: orchestration.Campaigns
    sandbox: Sandbox
    env: dict[str, str]  #: environment of a program that uses the fleet
    fleet: Any  #: workers.fleet.Fleet

    def finish(self, handles: list[Any], timeout: float = 90.0) -> list[dict[str, Any]]:
        """Wait until all campaigns have ended; the contract's JSON of each."""
        ended = {"completed", "failed", "cancelled"}
        wait_until(
            lambda: self.look_after() or all(h.status in ended for h in handles),
            timeout=timeout,
            message=lambda: f"campaigns to end: {[(h.status, h.reason) for h in handles]}",
            interval=0.2,
        )
        return [h.show() for h in handles]

    def flower(self, path: str) -> str:
        """What Flower answers to a GET of ``path``, with its generated login."""
        info = self.fleet.info
        login = base64.b64encode(Path(info.flower_login).read_bytes().strip()).decode()
        request = urllib.request.Request(info.flower_url + path, headers={"Authorization": f"Basic {login}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())

    def look_after(self) -> None:
        """Restart what died."""
        self.fleet.poll(0.0)


@contextmanager
def running_fleet(
    folder: Path, database_url: str, redis_url: str, sandbox: Sandbox, **options: Any
) -> Iterator[RunningFleet]:
    """Start a fleet in ``folder`` over the given services."""
    import os

    from integrations.settings import Settings
    from orchestration.client import Campaigns
    from workers.fleet import Fleet

    extra = options.pop("env", {})
    env = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SANDBOX_URL": sandbox.url,
        "DNS_RESOLVER": sandbox.dns_resolver or "",
        **extra,
    }
    fleet = Fleet(
        folder,
        database_url=database_url,
        redis_url=redis_url,
        sandbox_url=sandbox.url,
        env=env,
        **{"workers": 2, "concurrency": 8, "flower": False, **options},
    )
    with fleet:
        campaigns = Campaigns(Settings.from_env(env))
        try:
            yield RunningFleet(campaigns=campaigns, sandbox=sandbox, env=env, fleet=fleet)
        finally:
            campaigns.close()
