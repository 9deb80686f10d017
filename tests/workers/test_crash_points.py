"""A process dies at each named point, once; another goes on, and the end is what it would have been.

Each point has a fleet, a database and a sandbox of its own; several of them run side by side, because most of
the time is spent waiting for the dead worker's lease.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import stack
from chaos import CONFIG, Chaos, NoMessage, audited_fleet
from comparable import comparable

from agents.config import CampaignConfig
from agents.registry import agents
from agents.state import MarketingAgentState
from integrations.settings import Settings, SettingsError
from orchestration.client import Campaigns
from orchestration.crash_points import ACTIONS, POINTS, check, marker
from orchestration.execution.context import Resources
from orchestration.execution.inprocess import MemoryExecution, run_campaign
from orchestration.ledger.database import Database

#: Reached only when a stage is spread.
SPREAD = {"publish_chord", "publish_slot"}
#: Reached only when something goes wrong: a unit has to be tried again, or a wake-up got lost.
TRIED_AGAIN = {"give_back"}
LOST_WAKE_UP = {"publish_hop", "claim_wakeups"}
SIDE_BY_SIDE = 7  #: the run's Redis has 8 pairs of logical databases


@pytest.fixture(scope="module")
def undisturbed(run_folder: Path, databases: stack.Databases) -> Iterator[Any]:
    """How the campaign ends in one process, without ledger and broker."""
    url = databases.create()
    database = Database(url)
    with stack.running_sandbox(run_folder) as sandbox:
        settings = Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""})
        state = MarketingAgentState.initial(CampaignConfig.parse(CONFIG), campaign_id="same")
        ended = run_campaign(state, agents(), MemoryExecution(Resources.of(settings, database)))
    yield told_apart(ended)
    database.close()
    databases.drop(url)


def told_apart(state: Any) -> Any:
    """What must be equal: each sandbox has a port of its own, and the addresses of web pages show it."""
    return json.loads(re.sub(r"(\.example):\d+", r"\1", json.dumps(comparable(state))))


def crash(point: str, folder: Path, database_url: str, redis_url: str) -> tuple[str, Any]:
    """Run one campaign whose worker dies at ``point``: what went wrong ("" for nothing), and its end."""
    action = point.partition(".")[0]
    folder.mkdir()
    env = {"CRASH_AT": point, "STAGE_PLACEMENT": "chord" if action in SPREAD else "local"}
    with (
        stack.running_sandbox(folder) as sandbox,
        audited_fleet(folder / "home", database_url, redis_url, sandbox, workers=2, env=env) as chaos,
    ):
        if action in TRIED_AGAIN:
            sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "rate_limited"})
        handle = _submit(chaos, silently=action in LOST_WAKE_UP)
        if action in TRIED_AGAIN:
            stack.wait_until(
                lambda: chaos.fleet.poll(0.05) or sandbox.get("/_sandbox/calls?provider=openai"),
                timeout=60,
                message="a call that was refused",
            )
            sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "ok"})
        chaos.run([handle], [], timeout=100)
        try:
            assert marker(chaos.home, point).exists(), "was not reached"
            chaos.assert_all_completed([handle])
            chaos.assert_one_ad_each([handle])
            chaos.in_flight = 1
            chaos.assert_nothing_paid_twice()
        except AssertionError as error:
            return f"{point}: {error}", None
        return "", told_apart(handle.state)


def _submit(chaos: Chaos, *, silently: bool) -> Any:
    config = CampaignConfig.parse(CONFIG)
    if not silently:
        return chaos.campaigns.submit(config, campaign_id="same")
    quiet = Campaigns(chaos.campaigns.settings, wakeups=NoMessage(), database=chaos.campaigns.database)
    return quiet.submit(config, campaign_id="same")


def assert_survives(
    points: Sequence[str],
    folder: Path,
    databases: stack.Databases,
    redis_databases: stack.RedisDatabases,
    undisturbed: Any,
) -> None:
    urls = [databases.create() for _ in points]
    with ThreadPoolExecutor(len(points)) as pool:
        ends = list(
            pool.map(
                crash, points, [folder / f"at-{p}" for p in points], urls, [redis_databases.next() for _ in points]
            )
        )
    for url in urls:
        databases.drop(url)
    assert [problem for problem, _ in ends if problem] == []
    for point, (_, end) in zip(points, ends, strict=True):
        assert end == undisturbed, f"{point}: {differences(undisturbed, end)}"


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [text for key in keys for text in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for at, (left, right) in pairs for text in differences(left, right, f"{path}[{at}]")]
    return [] if one == other else [f"{path}: {one!r} != {other!r}"]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, len(POINTS), SIDE_BY_SIDE))
def test_a_death_at_each_point(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, undisturbed: Any, first: int
) -> None:
    folder = run_folder / f"points-{first}"
    folder.mkdir()
    assert_survives(POINTS[first : first + SIDE_BY_SIDE], folder, databases, redis_databases, undisturbed)


def test_points_are_named_in_pairs() -> None:
    assert len(POINTS) == len(set(POINTS)) == 2 * len(ACTIONS)
    assert {*SPREAD, *TRIED_AGAIN, *LOST_WAKE_UP} <= set(ACTIONS)


def test_an_unknown_point_is_refused() -> None:
    check({})
    check({"CRASH_AT": ""})
    check({"CRASH_AT": POINTS[0]})
    with pytest.raises(SettingsError, match=r"CRASH_AT='takes\.before' is not one of take\.before, take\.after"):
        check({"CRASH_AT": "takes.before"})


def test_it_dies_once_per_home_and_only_at_its_point(tmp_path: Path) -> None:
    def reach(point: str, armed: str | None) -> int:
        env = {**os.environ, "MARKETING_HOME": str(tmp_path), **({"CRASH_AT": armed} if armed else {})}
        code = f"from orchestration.crash_points import reach; reach({point!r})"
        return subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode

    assert reach("take.after", None) == 0
    assert reach("take.after", "take.before") == 0
    assert reach("take.after", "take.after") == -9
    assert marker(tmp_path, "take.after").exists()
    assert reach("take.after", "take.after") == 0
