"""Campaigns whose providers answer what no one should: each ends, or waits for a reason; nothing is our own fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hostile_providers import hostile_providers
from orchestrator_harness import Harness

from agents.registry import agents
from integrations.settings import Settings
from orchestration.execution.context import Resources

CAMPAIGNS = 25
ROUNDS = 12  #: each makes what is due later due at once


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_answer_of_a_provider_wedges_a_campaign(database_url: str) -> None:
    one = Harness(database_url, agents(), placement="local")
    with hostile_providers(seed=5) as providers:
        env = {"SERPAPI_BASE_URL": providers.url, "HUNTER_BASE_URL": providers.url, "DNS_RESOLVER": providers.resolver}
        settings = Settings.from_env({**env, "HTTP_TIMEOUT": "0.4"})
        one.orchestrator = replace(one.orchestrator, resources=Resources.of(settings, one.database))
        for number in range(CAMPAIGNS):
            one.submit(
                f"c{number}",
                lead_sources=[
                    {"type": "search", "queries": ["saas companies"], "limit": 5},
                    {"type": "web", "urls": [f"{providers.url}/site-{number}/"], "max_pages": 3},
                ],
                content_required=False,
            )
            for _ in range(ROUNDS):
                one.orchestrator.run_hop(f"c{number}")
                one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status = 'pending'")
                if one.reports.status(f"c{number}")[0] not in ("queued", "running"):
                    break
    rows = one.database.rows("SELECT status, error ->> 'code' FROM marketing.units")
    ended = one.database.rows("SELECT status, reason FROM marketing.campaigns")
    codes = one.database.rows(
        "SELECT e ->> 'code' FROM marketing.campaigns, jsonb_array_elements(state -> 'errors') AS e"
    )
    one.close()
    assert {status for status, _ in rows} <= {"succeeded", "failed", "pending"}
    assert not {"internal", "invalid_result"} & {code for row in (*rows, *codes) for code in row}
    assert {status for status, _ in ended} <= {"completed", "failed", "waiting"}, ended
    assert all(reason for status, reason in ended if status != "completed")
    assert Counter(status for status, _ in ended)["completed"] > CAMPAIGNS / 3
    assert {"search.json", "email-verifier", "robots.txt"} <= providers.asked.keys()
