"""People's verbs race faults, dying workers and lost replies: at last each campaign is final, and the books agree.

VERBS and VERB_CAMPAIGNS make it larger than `make test-slow` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import faults
import pytest
import stack
from chaos import Chaos, chaotic_fleet
from cheap_campaigns import PLATFORMS, cheap
from ledger_snapshot import seen
from liveness import assert_alive, assert_drained

from agents.unit import effect_key

COUNT = int(os.environ.get("VERBS", "300"))
CAMPAIGNS = int(os.environ.get("VERB_CAMPAIGNS", "12"))
ACTORS = 3
SECONDS = max(25.0, COUNT / 15)  #: in which the verbs are said
KILL_EVERY_S = 8.0
#: What a verb may be answered with; anything else is a defect, or an outage that outlasted the client's patience.
REFUSALS = {"ok", "VerbRefusedError", "NoSuchStepError", "DatabaseUnavailableError"}
ACTIVE = {"active", "enabled"}


def actors(chaos: Chaos, ids: list[str]) -> list[subprocess.Popen[str]]:
    """Processes that say verbs."""
    program = str(Path(stack.__file__).with_name("verb_actor.py"))
    told = [str(COUNT // ACTORS), str(SECONDS), *ids]
    return [
        subprocess.Popen([sys.executable, program, str(seed), *told], env=chaos.env, stdout=subprocess.PIPE, text=True)
        for seed in range(1, ACTORS + 1)
    ]


def end_all(chaos: Chaos, ids: list[str], timeout: float) -> None:
    """Give the answers that campaigns wait for until all have ended, and ads that were to be switched are."""

    def ended() -> bool:
        chaos.fleet.poll(0.2)
        sql = "SELECT campaign_id, status, reason FROM marketing.campaigns WHERE campaign_id = ANY(%s)"
        left = [row for row in chaos.rows(sql, ids) if row[1] not in ("completed", "failed", "cancelled")]
        for campaign_id, status, reason in left:
            handle = chaos.campaigns.get(campaign_id)
            try:
                if status == "paused" and "goes on when" not in (reason or ""):
                    handle.resume(actor="end")
                elif status == "awaiting_approval":
                    handle.approve(actor="end")
            except ValueError:  # it has moved meanwhile
                continue
        switching = "SELECT 1 FROM marketing.units WHERE step < 0 AND status IN ('pending', 'running', 'unknown')"
        return not left and not chaos.rows(switching)

    handles = [chaos.campaigns.get(one) for one in ids]
    stack.wait_until(ended, timeout=timeout, message=lambda: f"the end of all:\n{chaos.describe(handles)}", interval=1)


def assert_books_agree(chaos: Chaos, ids: list[str]) -> None:
    """Counters and units, spend and totals, ads on the platform and in the ledger."""
    now = seen(chaos.campaigns.database, ids)
    now.check()
    assert [unit for unit in now.units.values() if unit.open] == []
    held = chaos.rows("SELECT campaign_id, unit, held FROM marketing.spend WHERE kind = 'llm' AND held > 0")
    assert held == []
    ads = chaos.sandbox.get("/_sandbox/state")["ad_campaigns"]
    assert [key for key, number in Counter(ad["effect_key"] for ad in ads).items() if number > 1] == []
    owner = {effect_key(one, platform): one for one in ids for platform in PLATFORMS}
    for ad in ads:
        campaign = now.campaigns[owner[ad["effect_key"]]]
        if ad["status"].lower() in ACTIVE:
            assert campaign.status != "cancelled", f"runs on after its end: {ad}, {campaign}"
            daily = chaos.rows("SELECT daily FROM marketing.spend WHERE kind = 'ads' AND unit = %s", ad["effect_key"])
            assert [Decimal(str(ad["daily_budget"]))] == [row[0] for row in daily], f"{ad} {daily}"


@pytest.mark.slow
@pytest.mark.timeout(300 + COUNT)
def test_whatever_people_say_amid_faults_each_campaign_ends_and_the_books_agree(run_folder: Path) -> None:
    folder, random = run_folder / "verbs-faults", Random(3)
    folder.mkdir()
    plan = folder / "plan.json"
    env = {
        "PYTHONPATH": str(Path(stack.__file__).parent),
        faults.VARIABLE: str(plan),
        "BREAKER_RECOVERY_TIMEOUT": "2",
    }
    with (
        stack.running_sandbox(folder, "--latency-ms", "50") as sandbox,
        chaotic_fleet(folder / "home", sandbox, workers=3, app="faulty_app", env=env) as chaos,
    ):
        for provider in PLATFORMS:
            sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "lost_reply", "rate": 0.2})
        sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "slow", "rate": 0.5, "delay": 1})
        faults.FaultPlan(seed=7, rates={"*": 0.03}).write(plan)
        limits = {"llm": 100, "ads": 2000}
        configs: list[Any] = [cheap(folder, limits=limits), cheap(folder, limits=limits, approval={"gate": "ads"})]
        ids = [chaos.campaigns.submit(configs[n % 2]).campaign_id for n in range(CAMPAIGNS)]
        saying = actors(chaos, ids)
        kills = [(at * KILL_EVERY_S, lambda: chaos.kill_worker(random)) for at in range(1, int(SECONDS / KILL_EVERY_S))]
        chaos.run([], [*kills, (SECONDS, lambda: None)], timeout=SECONDS + 60)
        said: list[dict[str, Any]] = []
        for process in saying:
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0
            said.append(json.loads(out))
            chaos.fleet.poll(0.1)
        plan.unlink()
        for provider in (*PLATFORMS, "openai"):
            sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "ok"})
        told = [tuple(one) for actor in said for one in actor["told"]]
        ids += [fork for actor in said for fork in actor["forks"]]
        outcomes = Counter(outcome for _, outcome, _ in told)
        print(f"\n{len(told)} verbs {dict(outcomes)}, {len(ids)} campaigns, {len(chaos.log)} kills")
        print(Counter((verb, outcome) for verb, outcome, _ in told).most_common(40))
        assert [one for one in told if one[1] not in REFUSALS] == []
        assert_alive(chaos, [chaos.campaigns.get(one) for one in ids], within=60)
        end_all(chaos, ids, timeout=180)
        assert_drained(chaos, within=60)
        print(chaos.statuses([chaos.campaigns.get(one) for one in ids]), faults.injected(plan).total(), "faults")
        assert_books_agree(chaos, ids)
