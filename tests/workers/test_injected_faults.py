"""Campaigns on a fleet of which every twentieth operation on Postgres and Redis fails, in all the ways they can.

FAULT_CAMPAIGNS and FAULT_RATE make it larger than `make test-slow` does.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import faults
import pytest
import redis_faults
import stack
from chaos import Chaos, chaotic_fleet
from cheap_campaigns import PLATFORMS, cheap
from liveness import assert_alive, assert_drained
from postgres_faults import KINDS

CAMPAIGNS = int(os.environ.get("FAULT_CAMPAIGNS", "40"))
RATE = float(os.environ.get("FAULT_RATE", "0.05"))
#: What a campaign can't do without: if none of these had failed, nothing would have been shown.
HOT = ("enter", "finish", "journal", "beat", "reconcile", "claim_wakeups")


def assert_nothing_doubled(chaos: Chaos, handles: list[Any]) -> None:
    chaos.assert_all_completed(handles)
    chaos.assert_one_ad_each(handles, PLATFORMS)
    assert chaos.rows("SELECT campaign_id FROM marketing.units WHERE status = 'failed'") == []
    assert chaos.rows("SELECT kind FROM marketing.events WHERE kind = 'needs_attention'") == []


@pytest.mark.slow
@pytest.mark.timeout(300 + 6 * CAMPAIGNS)
def test_campaigns_complete_once_while_one_operation_in_twenty_fails(run_folder: Path) -> None:
    folder = run_folder / "faults"
    folder.mkdir()
    plan = folder / "plan.json"
    env = {"PYTHONPATH": str(Path(stack.__file__).parent), faults.VARIABLE: str(plan)}
    with (
        stack.running_sandbox(folder, "--latency-ms", "20") as sandbox,
        chaotic_fleet(folder / "home", sandbox, workers=2, app="faulty_app", env=env) as chaos,
    ):
        # There is one reconcile tick a second, and hundreds of everything else.
        faults.FaultPlan(seed=5, rates={"postgres.reconcile": 4 * RATE, "*": RATE}).write(plan)
        config = cheap(folder)
        begun = time.monotonic()
        handles = [chaos.campaigns.submit(config) for _ in range(CAMPAIGNS)]
        chaos.run(handles, [], timeout=240 + 5 * CAMPAIGNS)
        took = time.monotonic() - begun
        plan.unlink()
        print(f"\n{CAMPAIGNS} campaigns in {took:.0f} s under {faults.injected(plan).total()} faults")
        assert_alive(chaos, handles, within=60)
        assert_drained(chaos, within=60)
        assert_nothing_doubled(chaos, handles)
        injected = faults.injected(plan)
        seen = {operation for operation, _ in injected}
        assert {f"postgres.{name}" for name in HOT} <= seen
        assert {"redis.BRPOP", "redis.LPUSH", "redis.EVALSHA", "postgres.pool"} <= seen
        assert {*KINDS, *redis_faults.BROKEN, *redis_faults.REFUSED} <= {kind for _, kind in injected}
