"""Campaigns under fire: whatever is killed, frozen, lost or doubled, each completes once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import stack
from chaos import ALL_PLATFORMS, EVERYWHERE, Chaos, chaotic_fleet

from agents.config import CampaignConfig


def submit(chaos: Chaos, number: int) -> list[object]:
    config = CampaignConfig.parse(EVERYWHERE)
    return [chaos.campaigns.submit(config, idempotency_key=f"n{n}") for n in range(number)]


def assert_kept_its_promises(chaos: Chaos, handles: list[object]) -> None:
    chaos.assert_all_completed(handles)
    chaos.assert_one_ad_each(handles, ALL_PLATFORMS)
    chaos.assert_nothing_paid_twice()


@pytest.mark.slow
def test_ten_campaigns_survive_a_kill_and_an_empty_broker(run_folder: Path) -> None:
    """The short form, for the search of a fault."""
    random = Random(3)
    with (
        stack.running_sandbox(run_folder, "--latency-ms", "20") as sandbox,
        chaotic_fleet(run_folder / "chaos", sandbox, workers=2, env={"CHAOS_DUPLICATE_EVERY": "5"}) as chaos,
    ):
        handles = submit(chaos, 10)
        timetable: list[tuple[float, Callable[[], None]]] = [
            (1.5, lambda: chaos.kill_worker(random)),
            (3.0, chaos.flush_redis),
        ]
        chaos.run(handles, timetable, timeout=90)
        assert chaos.log[0].startswith("worker-")
        assert_kept_its_promises(chaos, handles)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("placement", ["local", "chord"])
def test_sixty_campaigns_survive_everything(run_folder: Path, placement: str) -> None:
    random = Random(placement)
    with (
        stack.running_sandbox(run_folder, "--latency-ms", "20") as sandbox,
        chaotic_fleet(
            run_folder / f"chaos-{placement}",
            sandbox,
            workers=3,
            env={"CHAOS_DUPLICATE_EVERY": "10", "STAGE_PLACEMENT": placement},
        ) as chaos,
    ):
        handles = submit(chaos, 60)
        thaw: list[Callable[[], None]] = []
        timetable: list[tuple[float, Callable[[], None]]] = [
            (4.0, chaos.flush_redis),
            (9.0, lambda: thaw.append(chaos.freeze_worker(random))),
            (15.0, chaos.restart_postgres),
            (19.0, lambda: [go_on() for go_on in thaw]),
            (24.0, chaos.kill_redis),
            (26.0, lambda: thaw.append(chaos.freeze_worker(random))),  # for longer than its lease
            (40.0, chaos.flush_redis),
            (46.0, lambda: [go_on() for go_on in thaw]),
        ]
        at = 2.0
        while at < 50.0:
            timetable.append((at, lambda: chaos.kill_worker(random)))
            at += random.uniform(2.0, 6.0)
        chaos.run(handles, timetable, timeout=700)
        assert len(chaos.log) == len(timetable) - 2
        assert_kept_its_promises(chaos, handles)
