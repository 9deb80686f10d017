"""Orders about live ads on real workers, one of which is killed in the middle of each."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stack
from fleet_fixture import RunningFleet, running_fleet
from ordered_ads import FACEBOOK, GOOGLE, LINKEDIN, action_of, doubled, made, makes, standing
from verbs_on_a_fleet import submit, wait_for

from agents.action_log import ActionRecord, record_of
from integrations.settings import Settings
from orchestration.control.ordering import act, undo

PLATFORMS = (FACEBOOK, GOOGLE, LINKEDIN)
#: Kinds of orders, and whether the worker dies when the platform has carried the change out, or before that.
ORDERS = (
    ("shift_budget", "after"),
    ("pause_ad", "after"),
    ("pause_platform", "after"),
    ("new_variant", "after"),
    ("narrow_audience", "before"),
    ("negative_keyword", "after"),
    ("bid", "before"),
    ("schedule_hours", "after"),
)

pytestmark = pytest.mark.slow


@pytest.fixture
def fleet(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> Iterator[RunningFleet]:
    url = databases.create()
    with (
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(run_folder / "orders", url, redis_databases.next(), sandbox) as running,
    ):
        yield running
    databases.drop(url)


@pytest.mark.timeout(900)
def test_a_worker_is_killed_during_each_order(fleet: RunningFleet) -> None:
    handle = submit(fleet, ad_platforms=["facebook", "google", "linkedin"], measure_after="2h", content_requirements=[])
    wait_for(fleet, [handle], "waiting", timeout=120)
    case = OnFleet(fleet, handle)
    world, money, place = case.world(), case.money(), case.place()
    for kind, moment in ORDERS:
        before = made(fleet.sandbox)
        action_id = case.order_and_kill(kind, moment)
        record = case.record(action_id)
        assert (record.status, case.place()) == ("applied", place), (kind, record.failed)
        changed = case.world()
        assert changed != world, kind
        assert made(fleet.sandbox) - before == makes(kind), kind
        undo(fleet.campaigns.verbs, handle.campaign_id, action_id, actor="bob")
        case.wait_for_the_end(kind)
        assert (case.record(action_id).status, case.place()) == ("undone", place), kind
        after = case.world()
        assert {key: after[key] for key in world} == world, kind
        assert not any(after[key] for key in after.keys() - world.keys()), kind  # the ad that was made is off
        assert case.money() == money, kind
        world = after
    assert doubled(fleet.sandbox) == []
    lost = [e.data["unit"] for e in handle.history() if e.kind == "unit_lost"]
    assert len(lost) >= len(ORDERS)


class OnFleet:
    """A campaign whose ads run, on a fleet of which workers are killed."""

    def __init__(self, fleet: RunningFleet, handle: Any) -> None:
        self.fleet, self.handle = fleet, handle
        self.settings = Settings.from_env(fleet.env)

    def world(self) -> dict[str, object]:
        return standing(self.settings, self.handle.campaign_id, PLATFORMS)

    def money(self) -> list[tuple[object, ...]]:
        sql = "SELECT provider, held, daily FROM marketing.spend WHERE kind = 'ads' ORDER BY 1"
        return [tuple(row) for row in self.fleet.campaigns.database.rows(sql)]

    def place(self) -> tuple[object, ...]:
        shown = self.handle.show()
        return tuple(shown[key] for key in ("status", "reason", "due_at", "step", "route"))

    def record(self, action_id: str) -> ActionRecord:
        found = record_of(self.handle.state.actions, action_id)
        assert found is not None
        return found

    def order_and_kill(self, kind: str, moment: str) -> str:
        """Order something, kill the worker that carries it out, and wait until another one has; the action's id."""
        creatives = self.handle.state.ad_creatives
        daily = {c.platform: c.daily_budget or Decimal(0) for c in creatives if c.platform != GOOGLE}
        action = action_of(kind, daily, datetime.now(UTC))
        moves = action.get("moves", {})
        less = [name for name, move in moves.items() if Decimal(move["after"]) < Decimal(move["before"])]
        platform = str(action.get("platform") or less[0])
        before = len(self._writes(platform))
        self.fleet.sandbox.post("/_sandbox/faults", {"provider": platform, "mode": "slow", "delay": 1.5})
        try:
            action_id = act(self.fleet.campaigns.verbs, self.handle.campaign_id, action, actor="ann")
            worker = stack.wait_until(
                lambda: (
                    self.fleet.look_after()
                    or ((moment == "before" or len(self._writes(platform)) > before) and self._worker())
                ),
                timeout=40,
                message=f"{kind} to be carried out",
            )
            os.kill(int(worker.split(":")[1]), signal.SIGKILL)
            assert (len(self._writes(platform)) > before) == (moment == "after"), kind
        finally:
            self.fleet.sandbox.post("/_sandbox/faults", {"provider": platform, "mode": "ok"})
        self.wait_for_the_end(kind)
        return action_id

    def wait_for_the_end(self, kind: str) -> None:
        """Wait until nothing of an order is left to do."""
        stack.wait_until(
            lambda: self.fleet.look_after() or not self._open(),
            timeout=120,
            message=lambda: f"{kind} to be over: {self.handle.status, self.handle.reason}",
            interval=0.1,
        )

    def _open(self) -> bool:
        sql = "SELECT true FROM marketing.ad_switches WHERE settled_at IS NULL"
        return bool(self.fleet.campaigns.database.rows(sql))

    def _worker(self) -> str | None:
        """The worker that carries out an order, if there is one."""
        sql = "SELECT worker FROM marketing.units WHERE step < 0 AND status = 'running'"
        rows = self.fleet.campaigns.database.rows(sql)
        return str(rows[0][0]) if rows else None

    def _writes(self, platform: str) -> list[str]:
        """Calls of a platform that change something."""
        calls = self.fleet.sandbox.get(f"/_sandbox/calls?provider={platform}")
        names = [call["endpoint"] for call in calls]
        if platform == GOOGLE:
            return [name for name in names if name.endswith("/Mutate")]
        return [name for name in names if not name.startswith("GET")]
