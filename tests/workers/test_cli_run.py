"""``campaigns run`` and ``campaigns up`` as processes: a whole campaign, stop signals, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import checkout
import psutil
import pytest
from settled_home import Settle

WaitUntil = Callable[..., Any]
EXAMPLE = checkout.ROOT / "examples" / "saas_launch.yaml"
ROUTE = ["lead_generation", "content_creation", "ad_management", "analytics"]
_numbers = count()


def left_in(home: Path) -> list[str]:
    """Processes, other than ours, that work for this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("MARKETING_HOME") == str(home):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


class Campaigns:
    """The command in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {**os.environ, "MARKETING_HOME": str(home)}
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from workers.cli import main; main()", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )
        self.running.append(process)
        return process

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)
        return process.returncode, out, err


@pytest.fixture
def campaigns(run_folder: Path, settle: Settle) -> Iterator[Campaigns]:
    made = Campaigns(run_folder / f"cli{next(_numbers)}")
    settle(made.home)
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_example_runs_to_its_end_and_leaves_nothing(campaigns: Campaigns) -> None:
    code, out, err = campaigns("run", str(EXAMPLE), "--embedded", "--json")
    assert code == 0, err
    assert left_in(campaigns.home) == []
    shown = json.loads(out)
    state = shown["state"]
    assert (shown["status"], shown["reason"]) == ("completed", None)
    assert shown["route"][:4] == ROUTE
    assert 0 < len(state["qualified_leads"]) < len(state["leads"])
    assert all(lead["score"] >= 0.7 for lead in state["qualified_leads"])
    assert len(state["generated_content"]) == 3
    assert {ad["platform"] for ad in state["ad_creatives"]} == {"facebook_ads", "linkedin_ads"}
    assert 0 <= state["campaign_performance"]["overall_score"] <= 1
    assert state["optimization_attempts"] <= 3
    assert state["errors"] == []  # the sites that the example names are there
    # Progress went where people look, one line per change.
    assert "Lead generation: discover" in err
    assert "Status: completed" in err
    assert "\x1b" not in err

    # Everything is stopped, and the campaign can still be looked at.
    code, out, err = campaigns("show", shown["campaign_id"])
    assert code == 0, err
    assert "✓ SaaS launch: completed" in out
    assert "Made in the sandbox" in out
    assert left_in(campaigns.home) == []


@pytest.mark.parametrize(
    ("number", "line", "code"),
    [
        (signal.SIGINT, "Lead generation: discover", 130),  # the campaign is at work
        (signal.SIGTERM, "Starting Postgres", 143),  # nothing is up yet
    ],
)
def test_a_stop_signal_leaves_nothing(number: signal.Signals, line: str, code: int, campaigns: Campaigns) -> None:
    process = campaigns.start("run", str(EXAMPLE), "--embedded")
    assert process.stderr is not None
    while line not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == ""
    assert err.splitlines()[-1].startswith("Stopped: ")
    assert "Traceback" not in err
    assert left_in(campaigns.home) == []


def test_up_is_used_by_other_commands_and_repairs_itself(campaigns: Campaigns, wait_until: WaitUntil) -> None:
    up = campaigns.start("up", "--json", "--workers", "1", "--no-flower")
    assert up.stdout is not None
    ready = json.loads(up.stdout.readline())
    assert ready["event"] == "ready"
    assert {"database_url", "redis_url", "sandbox_url", "flower_url", "pids"} <= set(ready)
    assert [name for name in ready["pids"] if "worker" in name] == ["worker-1"]

    code, _, err = campaigns("up", "--json")  # the home is taken
    assert (code, "is in use" in err) == (4, True)

    os.kill(ready["pids"]["worker-1"], signal.SIGKILL)
    again = json.loads(up.stdout.readline())
    assert again["event"] == "restarted"
    assert again["pids"]["worker-1"] != ready["pids"]["worker-1"]

    small = ("--set", "ad_platforms=[]", "--set", "lead_sources={type: search, limit: 3}")
    code, out, err = campaigns("submit", str(EXAMPLE), "--json", *small)
    assert code == 0, err
    campaign_id = json.loads(out)["campaign_id"]
    code, out, err = campaigns("watch", campaign_id)
    assert code == 0, err
    assert "no platform was asked for" in out
    code, out, err = campaigns(
        "run", str(EXAMPLE), "--json", "--set", "lead_sources={type: web, url: 'http://127.0.0.1:9/'}"
    )
    assert code == 1, err
    assert json.loads(out)["status"] == "failed"
    code, out, _ = campaigns("doctor", "--json")
    found = {one["check"]: one for one in json.loads(out)["checks"]}
    assert (code, found["Workers"]["state"]) == (0, "ok")

    up.send_signal(signal.SIGTERM)
    up.communicate(timeout=60)
    assert up.returncode == 0
    wait_until(lambda: left_in(campaigns.home) == [])
