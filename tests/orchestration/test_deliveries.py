"""Delivery of leads over the wire and the ledger: each once, whatever is lost; asked about first; nobody suppressed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from delivering import arrived, delivering, run, submit, verbs_of
from orchestrator_harness import Harness

from agents.config import CampaignConfig
from agents.registry import effects_gate
from integrations.settings import Mode
from orchestration.control.excluding import exclude
from orchestration.control.submission import resolve
from orchestration.stores.suppression import SuppressionList

PLACES = ["hubspot", "webhook"]
PEOPLE = [f"p{n}@acme.example" for n in range(230)]


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Harness]:
    with delivering(database_url, sandbox) as made:
        yield made


def everybody(times: int) -> dict[str, dict[str, int]]:
    return {place: dict.fromkeys(PEOPLE, times) for place in PLACES}


def test_every_qualified_lead_arrives_once(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, PEOPLE)
    found = run(bench)
    assert found["status"] == "completed", found["reason"]
    assert arrived(sandbox) == everybody(1)
    assert [one["delivered"] for one in found["state"]["qualified_leads"]] == [["webhook", "hubspot"]] * len(PEOPLE)
    told = bench.database.rows("SELECT kind, data::text FROM marketing.events WHERE agent = 'delivery'")
    assert any('"webhook": 230' in str(data) for kind, data in told if kind == "hop_finished")
    assert not any("@acme" in str(data) for _, data in told)


def test_who_is_on_the_suppression_list_by_then_is_not_sent(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, PEOPLE, approval={"gate": "leads"})
    found = run(bench)
    assert found["status"] == "awaiting_approval"
    assert arrived(sandbox) == {}
    ((request,),) = bench.database.rows("SELECT request FROM marketing.approvals")
    assert (request["deliver"][0]["to"], request["deliver"][0]["leads"]) == ("webhook", 230)
    assert "email" in request["deliver"][0]["fields"]
    assert "@acme" not in str(request)
    SuppressionList(bench.database).erase(PEOPLE[3], "asked")
    (hold,) = bench.database.rows("SELECT status FROM marketing.campaigns")
    assert hold == ("awaiting_approval",), "an erasure answers no question"


def test_who_is_excluded_before_the_answer_is_not_sent(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, PEOPLE[:5], approval={"gate": "leads"})
    run(bench)
    verbs = verbs_of(bench)
    assert exclude(verbs, "c1", PEOPLE[3], actor="me").delivered == ()
    verbs.approve("c1", actor="me")
    found = run(bench)
    assert found["status"] == "completed", found["reason"]
    kept = dict.fromkeys((PEOPLE[n] for n in (0, 1, 2, 4)), 1)
    assert arrived(sandbox) == {"hubspot": kept, "webhook": kept}
    told = bench.database.value("SELECT data FROM marketing.events WHERE kind = 'hop_finished' AND agent = 'delivery'")
    assert told["excluded"] == {"hubspot": 1, "webhook": 1}
    assert exclude(verbs, "c1", PEOPLE[4], actor="me").delivered == ("webhook", "hubspot")


def test_lost_answers_make_nobody_arrive_twice(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, PEOPLE)
    sandbox.post("/_sandbox/faults", {"provider": "webhook", "mode": "lost_reply"})
    assert run(bench)["status"] == "running"
    assert arrived(sandbox) == everybody(1)
    unknown = "SELECT count(*) FROM marketing.units WHERE status = 'unknown' AND due_at > now()"
    assert bench.database.value(unknown) == 3
    sandbox.post("/_sandbox/faults", {"provider": "webhook", "mode": "ok"})
    bench.database.run("UPDATE marketing.units SET due_at = now() WHERE status = 'unknown'")
    found = run(bench)
    assert found["status"] == "completed", found["reason"]
    assert arrived(sandbox) == {**everybody(1), "webhook": dict.fromkeys(PEOPLE, 2)}, "sent twice, kept once"
    assert all(one["delivered"] == ["webhook", "hubspot"] for one in found["state"]["qualified_leads"])


@pytest.mark.parametrize(
    ("more", "gate"),
    [
        ({}, None),
        ({"deliver": ["webhook"]}, "leads"),
        ({"ad_platforms": ["facebook"], "budget": 100}, "ads"),
        ({"deliver": ["webhook"], "ad_platforms": ["facebook"], "budget": 100}, "all"),
    ],
)
def test_live_mode_asks_before_every_effect_of_the_campaign(more: dict[str, Any], gate: str | None) -> None:
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, **more})
    assert resolve(config, Mode.LIVE).approval.gate == gate
    assert resolve(config, Mode.SANDBOX).approval.gate is None
    assert effects_gate(config) == (gate or "ads")
