"""A campaign that delivers the people of a file, over the wire to the sandbox and over the ledger."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator_harness import Harness

from agents.config import CampaignConfig
from agents.ports import SystemClock
from agents.registry import agents
from integrations.settings import Settings
from orchestration.control.lead_paths import read_files
from orchestration.control.verbs import Verbs
from orchestration.execution.context import Resources
from orchestration.stores.lead_files import LeadFileStore


@contextmanager
def delivering(database_url: str, sandbox: Any) -> Iterator[Harness]:
    """An orchestrator of the built-in agents whose providers are the sandbox, of seed 7."""
    made = Harness(database_url, agents())
    resources = Resources.of(Settings.from_env(environment(sandbox)), made.database)
    made.orchestrator = replace(made.orchestrator, resources=resources)
    sandbox.reset(7)
    yield made
    made.close()


def environment(sandbox: Any) -> dict[str, str]:
    """The settings of a client of the sandbox."""
    return {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}


def submit(bench: Harness, folder: Path, people: list[str], **more: Any) -> None:
    path = folder / "leads.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Name", "Email", "Title", "Company", "Industry", "Employees"])
        for address in people:
            local = address.partition("@")[0]
            rows.writerow([f"Pat {local.title()}", address, "CTO", "Acme", "SaaS", "120"])
    config = {
        "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
        "lead_sources": [{"type": "file", "path": str(path)}],
        "enrichment": {"find_emails": False, "verify": "none"},
        "content_required": False,
        "deliver": ["webhook", "hubspot"],
        **more,
    }
    parsed, files = read_files(CampaignConfig.parse(config))
    for one in files:
        LeadFileStore(bench.database).add(one)
    bench.submit("c1", **parsed.model_dump(mode="json"))


def verbs_of(bench: Harness) -> Verbs:
    return Verbs(ledger=bench.ledger, agents=bench.agents, wakeups=bench.broker, clock=SystemClock())


def run(bench: Harness) -> dict[str, Any]:
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    return shown(bench)


def shown(bench: Harness) -> dict[str, Any]:
    found: dict[str, Any] = bench.reports.show("c1")
    return found


def arrived(sandbox: Any) -> dict[str, dict[str, int]]:
    """Place -> address -> how often it was sent."""
    found = sandbox.get("/_sandbox/state")["deliveries"]
    assert len({(one["provider"], one["email"]) for one in found}) == len(found), "one of each"
    places = sorted({one["provider"] for one in found})
    return {place: {one["email"]: one["times"] for one in found if one["provider"] == place} for place in places}
