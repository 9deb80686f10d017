"""A fifth agent in a package of its own, on a fleet: its queue, its question, its effects, and what stops them.

Everything is done by programs that have the package; this process has not, so nothing here can help it along.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkout
import pytest
import stack
from command_server import CommandServer, command_server
from fleet_fixture import RunningFleet, running_fleet
from plugin_package import install, python_path

EXAMPLE = checkout.ROOT / "examples/plugins/marketing-sms"
PEOPLE = 6
#: A breaker that lost replies don't open for long.
PATIENT = {"BREAKER_FAILURE_THRESHOLD": "20", "BREAKER_RECOVERY_TIMEOUT": "1"}
LEADS = "name,email,company,job_title,company_size,industry,phone\n" + "".join(
    f"Person {n},p{n}@firm{n}.example,Firm {n},CTO,500,saas,+49 30 12345{n}\n" for n in range(PEOPLE)
)


@dataclass(frozen=True)
class World:
    """A fleet whose processes have the package, and its command."""

    fleet: RunningFleet
    folder: Path
    command: CommandServer

    def run(self, *arguments: str) -> Any:
        """Run the ``campaigns`` command with ``--json`` in a process that has the package."""
        answer = self.command.run(*arguments, "--json")
        assert answer.code in (0, 1), answer.err
        return answer.json

    def text(self, *arguments: str) -> str:
        """Run the command as a person would, and return what it shows."""
        answer = self.command.run(*arguments, COLUMNS="120")
        assert answer.code == 0, answer.err
        return answer.out

    def submit(self, name: str, **keys: Any) -> str:
        """Enqueue a campaign with text messages and return its id."""
        leads = self.folder / "leads.csv"
        leads.write_text(LEADS, encoding="utf-8")
        campaign = {
            "name": name,
            "target_audience": {"industry": "saas"},
            "lead_sources": [{"type": "file", "path": str(leads)}],
            "enrichment": {"find_emails": False, "verify": "none"},
            "content_requirements": [{"content_type": "email"}],
            "agents": {"sms": {"text": "Hello {name} of {company}", "after": "1h"}},
            **keys,
        }
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(campaign), encoding="utf-8")
        return str(self.run("submit", str(file))["campaign_id"])

    def until(self, campaign_id: str, status: str) -> dict[str, Any]:
        """Wait for a status, and return the contract's JSON."""

        def shown() -> dict[str, Any] | None:
            self.fleet.look_after()
            rows = self.fleet.campaigns.database.rows(
                "SELECT status, reason FROM marketing.campaigns WHERE campaign_id = %s", campaign_id
            )
            assert rows[0][0] in (status, "queued", "running", "cancelling"), rows
            return self.run("show", campaign_id) if rows[0][0] == status else None

        found = stack.wait_until(
            shown,
            timeout=60,
            message=lambda: f"{campaign_id} to be {status}: {self.text('history', campaign_id)[-2000:]}",
            interval=0.1,
        )
        assert found is not None
        return found

    def asked(self, campaign_id: str) -> list[str]:
        """Return the kinds of the campaign's open questions; no process is started for it."""
        sql = "SELECT kind FROM marketing.approvals WHERE campaign_id = %s AND status = 'open'"
        return [kind for (kind,) in self.fleet.campaigns.database.rows(sql, campaign_id)]

    def messages(self, campaign_id: str) -> list[dict[str, str]]:
        """Return what the gateway was given for a campaign."""
        request = urllib.request.Request(
            f"{self.fleet.sandbox.url}/sms_gateway/v1/messages?batch={campaign_id}",
            headers={"Authorization": "Bearer test"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: list[dict[str, str]] = json.loads(answer.read())["messages"]
        return found


@pytest.fixture(scope="module")
def world(run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases) -> Iterator[World]:
    folder = run_folder / "sms"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", python_path(install(EXAMPLE, folder / "site")))
        url = databases.create()
        with (
            stack.running_sandbox(folder) as sandbox,
            running_fleet(folder, url, redis_databases.next(), sandbox, flower=True, env=PATIENT) as fleet,
            command_server({**os.environ, **fleet.env}) as command,
        ):
            yield World(fleet, folder, command)
        databases.drop(url)


@pytest.mark.timeout(180)
def test_gate_all_asks_before_its_effects_and_each_message_is_scheduled_once(world: World) -> None:
    campaign = world.submit("asked", approval={"gate": "all"})
    assert world.until(campaign, "awaiting_approval")["approval"]["kind"] == "content"
    world.run("approve", campaign)
    stack.wait_until(
        lambda: world.fleet.look_after() or world.asked(campaign) == ["sms"], timeout=60, message="the agent's question"
    )
    approval = world.run("show", campaign)["approval"]
    assert approval["kind"] == "sms"
    assert approval["request"]["messages"] == {"text": "Hello {name} of {company}", "recipients": PEOPLE}
    assert world.messages(campaign) == []
    world.fleet.sandbox.post("/_sandbox/faults", {"provider": "sms_gateway", "mode": "lost_reply", "rate": 0.3})
    try:
        world.run("approve", campaign)
        shown = world.until(campaign, "completed")
    finally:
        world.fleet.sandbox.post("/_sandbox/faults", {"provider": "sms_gateway", "mode": "ok"})
    assert shown["route"] == ["lead_generation", "content_creation", "sms", "ad_management", "analytics"]
    sent = world.messages(campaign)
    assert sorted(message["text"] for message in sent) == [f"Hello Person {n} of Firm {n}" for n in range(PEOPLE)]
    assert len({message["reference"] for message in sent}) == PEOPLE
    report = next(
        m["payload"] for m in shown["state"]["agent_messages"] if m["sender"] == "sms" and "failed" in m["payload"]
    )
    assert report == {"scheduled": PEOPLE, "failed": 0}


@pytest.mark.timeout(180)
def test_cancel_stops_what_it_placed(world: World) -> None:
    # Ads wait to be measured, so that the campaign is alive with its messages scheduled.
    campaign = world.submit("cancelled", ad_platforms=["facebook"], budget=100, measure_after="1d")
    assert world.until(campaign, "waiting")["reason"].startswith("measuring")
    assert {message["status"] for message in world.messages(campaign)} == {"scheduled"}
    world.run("pause", campaign, "--ads")
    stack.wait_until(
        lambda: {message["status"] for message in world.messages(campaign)} == {"held"},
        timeout=30, message="the messages to be held", interval=0.1,
    )  # fmt: skip
    stack.wait_until(
        lambda: "ads are being paused" not in str(world.fleet.campaigns.reports.status(campaign)[1]), timeout=30
    )
    world.run("resume", campaign)
    stack.wait_until(
        lambda: {message["status"] for message in world.messages(campaign)} == {"scheduled"},
        timeout=30, message="the messages to be released", interval=0.1,
    )  # fmt: skip
    stack.wait_until(lambda: world.fleet.campaigns.reports.status(campaign)[0] != "paused", timeout=30)  # the ads too
    assert world.until(campaign, "waiting")["reason"].startswith("measuring")
    world.run("cancel", campaign, "--yes")
    shown = world.until(campaign, "cancelled")
    assert {message["status"] for message in world.messages(campaign)} == {"cancelled"}
    assert [ad["status"] for ad in shown["state"]["ad_creatives"]] == ["paused"]


@pytest.mark.timeout(180)
def test_it_has_a_queue_tasks_in_flower_and_a_part_of_the_summary(world: World) -> None:
    campaign = world.submit("seen")
    world.until(campaign, "completed")
    shown_tasks = [f'task="sms.{kind}",type="task-succeeded"' for kind in ("hop", "unit")]

    def shown_all() -> bool:
        figures = world.fleet.flower("/metrics")
        return all(task in figures for task in shown_tasks)

    stack.wait_until(shown_all, timeout=30, message="the agent in Flower", interval=0.3)
    shown = " ".join(world.text("show", campaign).split())
    assert f"Text messages Failed 0 Scheduled {PEOPLE}" in shown  # the row orders keys by their length


def test_its_keys_are_checked_at_submit(world: World) -> None:
    for given, said in (
        ({"sms": {"txt": "x"}}, "agents: sms.text: Field required; sms.txt: Extra inputs are not permitted"),
        ({"post": {}}, "'post' is no agent with keys of its own; there are: sms"),
    ):
        with pytest.raises(AssertionError) as refused:
            world.submit("refused", agents=given)
        assert said in str(refused.value)
