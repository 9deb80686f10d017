"""One fleet through every outage of Postgres and Redis, one after the other, with work in flight each time.

OUTAGES=full takes the times and the number of campaigns that are asked for, in place of those that `make test-slow`
has room for.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import outages
import pytest
import stack
from chaos import Chaos, chaotic_fleet
from cheap_campaigns import PLATFORMS, cheap
from liveness import assert_alive, assert_drained
from outages import Outage
from silent_proxy import SilentProxy

FULL = os.environ.get("OUTAGES") == "full"
CAMPAIGNS = 60 if FULL else 26
CALL_S = 3.0  #: of a provider
ALIVE_S = 60.0  #: after which at the latest everything moves again


def schedule(proxy: SilentProxy) -> list[Outage]:
    """The outages, in order."""

    def lasting(full: float, short: float) -> float:
        return full if FULL else short

    no_memory = Outage("redis out of memory", lasting(20, 4), outages.out_of_memory)
    pause_s = lasting(10, 5)
    return [
        Outage("postgres read only", lasting(10, 5), outages.read_only),
        Outage("postgres hung", lasting(45, 18), outages.hung),
        Outage("postgres without connections", lasting(10, 5), outages.used_up),
        Outage("postgres restarted", 1, outages.restarted),
        Outage("postgres cut off", lasting(45, 12), outages.cut_off(proxy)),
        *(no_memory for _ in range(10 if FULL else 2)),
        Outage("redis read only", lasting(10, 4), outages.replica),
        Outage("redis paused", pause_s, outages.paused(pause_s)),
        Outage("redis flushed", 0, outages.flushed),
        Outage("redis killed", 1, outages.killed),
    ]


def in_flight(chaos: Chaos) -> int:
    """How many units are in their calls."""
    chaos.fleet.poll(0.1)
    found: int = chaos.rows("SELECT count(*) FROM marketing.units WHERE status = 'running'")[0][0]
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800 if FULL else 420)
def test_sixty_campaigns_complete_once_through_every_outage(run_folder: Path) -> None:
    folder = run_folder / "outages"
    (folder / "way").mkdir(parents=True)
    env = {"PYTHONPATH": str(Path(stack.__file__).parent), "POSTGRES_SOCKET": str(folder / "way")}
    proxy = SilentProxy(folder / "way", folder / "home" / "run" / ".s.PGSQL.5432")
    with (
        stack.running_sandbox(folder) as sandbox,
        # More slots than campaigns: a worker with none free takes no message, and is well.
        chaotic_fleet(folder / "home", sandbox, workers=3, concurrency=32, app="faulty_app", env=env) as chaos,
    ):
        for provider in ("openai", *PLATFORMS):
            sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "slow", "delay": CALL_S})
        pids, config, handles = dict(chaos.workers), cheap(folder), list[Any]()
        troubles = schedule(proxy)
        share, over = divmod(CAMPAIGNS, len(troubles))
        for number, outage in enumerate(troubles):
            handles += [chaos.campaigns.submit(config) for _ in range(share + (number < over))]
            stack.wait_until(lambda: in_flight(chaos), timeout=30, message="a call")
            outage.strike(chaos)
            begun = time.monotonic()
            took = assert_alive(chaos, handles, within=ALIVE_S)
            print(f"{outage.name}: {time.monotonic() - begun:.1f} s later all is well: {took}")
        chaos.run(handles, [], timeout=240)
        assert_drained(chaos, within=60)
        chaos.assert_all_completed(handles)
        chaos.assert_one_ad_each(handles, PLATFORMS)
        assert chaos.rows("SELECT key, error FROM marketing.units WHERE status = 'failed'") == []
        assert chaos.rows("SELECT kind FROM marketing.events WHERE kind = 'needs_attention'") == []
        # Nobody died, so nobody was declared dead.
        assert chaos.workers == pids, chaos.log
        assert chaos.rows("SELECT max(crashes) FROM marketing.units") == [(0,)]
    proxy.close()
