"""What beat sends is what workers know, and each duty but one can be switched off."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import checkout
import pytest

import celeryconfig
from integrations.settings import SettingsError
from workers import orchestrator_tasks
from workers.app import app

DUTIES = ["reconcile", "optimizations", "sweep", "retention", "removals", "recalibration"]


def test_every_task_of_the_schedule_is_registered_and_has_a_queue() -> None:
    assert orchestrator_tasks.retention_tick.name in app.tasks
    assert list(celeryconfig.beat_schedule) == DUTIES
    for name, entry in celeryconfig.beat_schedule.items():
        assert entry["task"] == f"orchestration.execution.{name}"
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] == "orchestration"


def schedule(monkeypatch: pytest.MonkeyPatch, off: str) -> Mapping[str, Any]:
    """Beat's entries with BEAT_OFF."""
    monkeypatch.setenv("BEAT_OFF", off)
    found: Mapping[str, Any] = runpy.run_path(str(checkout.ROOT / "celeryconfig.py"))["beat_schedule"]
    return found


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ("", DUTIES),
        (" , ", DUTIES),
        ("optimizations,sweep", ["reconcile", "retention", "removals", "recalibration"]),
        (" sweep, sweep ,", [name for name in DUTIES if name != "sweep"]),
        ("optimizations,sweep,retention,removals,recalibration", ["reconcile"]),
    ],
)
def test_duties_that_are_switched_off_are_not_sent(monkeypatch: pytest.MonkeyPatch, off: str, left: list[str]) -> None:
    assert list(schedule(monkeypatch, off)) == left


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (
            "optimisations",
            r"BEAT_OFF='optimisations' names optimisations: what can be switched off is optimizations, sw",
        ),
        ("sweep,Sweep", "names Sweep: what"),
        ("sweep;removals", "names sweep;removals: what"),
        ("reconcile,sweep", "names reconcile: reconcile can't be switched off; what can be switched off is optimiz"),
    ],
)
def test_what_can_not_be_switched_off_is_refused(monkeypatch: pytest.MonkeyPatch, off: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        schedule(monkeypatch, off)


@pytest.mark.parametrize(
    "command", ["from workers.cli import main; main(['up'])", "import workers.app; workers.app.app.conf.beat_schedule"]
)
def test_neither_the_fleet_nor_beat_starts_with_an_unknown_name(command: str, tmp_path: Path) -> None:
    env = {**os.environ, "BEAT_OFF": "sweeps", "MARKETING_HOME": str(tmp_path / "home")}
    env.pop("DATABASE_URL", None)
    ended = subprocess.run(
        [sys.executable, "-c", command], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "BEAT_OFF='sweeps' names sweeps: what can be switched off is" in ended.stderr
    assert not (tmp_path / "home").exists(), "something was started"
