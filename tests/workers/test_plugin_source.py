"""A source of leads in a package of its own: named in a campaign file, run by a fleet, simulated by the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import checkout
import pytest
import stack
from fleet_fixture import running_fleet
from plugin_package import install, python_path

EXAMPLE = checkout.ROOT / "examples/plugins/marketing-directory-source"
CAMPAIGNS = [sys.executable, "-c", "from workers.cli import main; main()"]
#: Prints what a program with the package sees of it.
SEEN = """
import json
from agents.config import CampaignConfig, ConfigError
from agents.lead_generation import source_registry
from integrations.settings import Settings, SettingsError
from orchestration.control.submission import check

def refusal(call, *given):
    try:
        call(*given)
    except (ConfigError, SettingsError) as error:
        return str(error)

def campaign(**source):
    audience = {"industry": "finance"}
    return {"target_audience": audience, "lead_sources": source, "enrichment": {"find_emails": False, "verify": "none"}}

config = CampaignConfig.parse(campaign(type="directory", limit=7))
live = {"MARKETING_MODE": "live", "OPENAI_API_KEY": "sk"}
listed = CampaignConfig.model_json_schema()["properties"]["lead_sources"]["items"]
print(json.dumps({
    "names": source_registry.names(),
    "stored": config.model_dump(mode="json")["lead_sources"],
    "again": CampaignConfig.model_validate(config.model_dump(mode="json")) == config,
    "schema": sorted(listed["discriminator"]["mapping"]),
    "bad value": refusal(CampaignConfig.parse, campaign(type="directory", limit=0)),
    "bad key": refusal(CampaignConfig.parse, campaign(type="directory", industrie="x")),
    "bad type": refusal(CampaignConfig.parse, campaign(type="directories")),
    "no key": refusal(check, config, Settings.from_env(live)),
    "with key": refusal(check, config, Settings.from_env({**live, "DIRECTORY_API_KEY": "k"})),
    "address": Settings.from_env({"SANDBOX_URL": "http://127.0.0.1:1"}).provider("directory").base_url,
}))
"""
#: Runs the units of the agent's first hop, again and again while the provider refuses.
HOP = """
import json, sys
from datetime import UTC, datetime
from agent_context import Execution
from agents.base import run_unit
from agents.config import CampaignConfig
from agents.lead_generation import LeadGeneration
from agents.state import MarketingAgentState
from agents.unit import StageResult

url, resolver = sys.argv[1:]
agent, execution, done, failed = LeadGeneration(), Execution.against(url, resolver), [], 0
config = CampaignConfig.parse({
    "target_audience": {"industry": "finance"},
    "lead_sources": {"type": "directory", "limit": 120},
    "enrichment": {"find_emails": False, "verify": "none"},
})
state = MarketingAgentState.initial(config, campaign_id="c-1", now=datetime(2026, 1, 1, tzinfo=UTC))
while (stage := agent.plan(state, done)) is not None:
    results = []
    for unit in stage.units:
        while not (result := run_unit(agent, unit, execution.for_unit("c-1", 0, len(done), unit))).ok:
            failed += 1
            assert result.error["code"] == "transient", result.error
        results.append(result)
    done.append(StageResult(name=stage.name, results=results))
after = agent.finish(state, done, execution.clock.now())
print(json.dumps({
    "failed": failed,
    "leads": [lead.model_dump(mode="json") for lead in after.leads],
    "keys": [result.unit.key for stage in done for result in stage.results],
    "facts": len(done[0].results[0].output["companies"]),
}))
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that this test starts have the package; the test itself does not."""
    monkeypatch.setenv("PYTHONPATH", python_path(install(EXAMPLE, tmp_path / "site"), checkout.ROOT / "tests/support"))


@pytest.fixture
def world(plugin: None, run_folder: Path) -> Iterator[stack.Sandbox]:
    """A sandbox that knows the package's provider."""
    with stack.running_sandbox(run_folder) as sandbox:
        yield sandbox


def printed(script: str, *arguments: str) -> Any:
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_campaign_file_may_name_it(plugin: None) -> None:
    seen = printed(SEEN)
    assert seen["names"] == seen["schema"] == ["directory", "file", "linkedin", "search", "web", "x"]
    assert seen["stored"] == [{"type": "directory", "industries": [], "limit": 7}]
    assert seen["again"] is True
    assert seen["bad value"].startswith("lead_sources.0.limit=0: ")
    assert seen["bad key"] == "lead_sources.0.industrie: unknown key; did you mean 'industries'?"
    assert seen["bad type"] == (
        "lead_sources.0.type='directories': is no source of leads; use directory, file, linkedin, search, web, x"
    )
    assert "directory: DIRECTORY_API_KEY" in seen["no key"]
    assert seen["with key"] is None
    assert seen["address"] == "http://127.0.0.1:1/directory"


def test_its_leads_come_in_pages_that_are_paid_once(world: stack.Sandbox) -> None:
    world.post("/_sandbox/faults", {"provider": "directory", "mode": "down", "rate": 0.5})
    made = printed(HOP, world.url, world.dns_resolver or "")
    assert made["facts"] == 50  # the world's companies of that industry
    assert len(made["leads"]) > 100
    assert {tuple(lead["sources"]) for lead in made["leads"]} == {("directory",)}
    assert all(lead["company_size"] and lead["industry"] == "finance" for lead in made["leads"])
    assert not any("@" in key for key in made["keys"])
    calls = world.get("/_sandbox/calls?provider=directory")
    assert [call["status"] for call in calls if call["status"] != 503] == [200, 200, 200]
    assert len(calls) - 3 == made["failed"] > 0


def test_a_package_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = install(EXAMPLE, tmp_path / "site")
    (site / "marketing_directory" / "source.py").write_text("import a_module_that_is_not_there\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", python_path(site))
    run = subprocess.run([*CAMPAIGNS, "doctor"], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert "'directory' of marketing-directory-source can't be loaded (ModuleNotFoundError" in run.stderr


@pytest.mark.timeout(180)
def test_a_fleet_runs_it(
    world: stack.Sandbox,
    run_folder: Path,
    tmp_path: Path,
    databases: stack.Databases,
    redis_databases: stack.RedisDatabases,
) -> None:
    campaign = {
        "name": "From the directory",
        "target_audience": {"industry": "saas"},
        "lead_sources": [{"type": "directory", "limit": 15}, {"type": "search", "limit": 5}],
        "content_requirements": [{"content_type": "email"}],
    }
    (tmp_path / "campaign.json").write_text(json.dumps(campaign), encoding="utf-8")
    url = databases.create()
    with running_fleet(run_folder / "directory", url, redis_databases.next(), world) as running:
        run = subprocess.run(
            [*CAMPAIGNS, "run", str(tmp_path / "campaign.json"), "--json"],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env={**os.environ, **running.env},
        )
    databases.drop(url)
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert (shown["status"], shown["reason"]) == ("completed", None)
    sources = [lead["sources"] for lead in shown["state"]["leads"]]
    assert sum("directory" in found for found in sources) > 20
    assert any("search" in found for found in sources)
    by_source = next(m["payload"] for m in shown["state"]["agent_messages"] if "leads_by_source" in m["payload"])
    assert by_source["leads_by_source"]["directory"] > 20
    assert any(lead["email_status"] == "valid" for lead in shown["state"]["leads"] if "directory" in lead["sources"])
    assert len(world.get("/_sandbox/calls?provider=directory")) == 1
    assert shown["state"]["generated_content"]
