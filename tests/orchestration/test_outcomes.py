"""Outcomes over a real database: each once, for the right lead, nobody's after an erasure, and what they teach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import address_search
import pytest
from orchestrator_harness import Harness
from preference_worlds import cases

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.learning.quality import auc
from agents.registry import agents
from agents.state import Lead
from integrations.sandbox.preferences import Preferences, facts
from integrations.sandbox.world import World
from integrations.settings import Mode, Settings
from orchestration import Campaigns
from orchestration.control.recalibration import recalibrate_due
from orchestration.execution.context import Resources
from orchestration.ledger.database import encode
from orchestration.ledger.world import WrongWorldError
from orchestration.stores.lead_weights import RECALIBRATED
from orchestration.stores.retention import Retention

JANE, JOAN = "jane.doe@acme.example", "joan@acme.example"
LEADS = [
    {
        "lead_id": "zq-7", "email": JANE, "email_status": "valid", "job_title": "CTO", "company": "Acme",
        "industry": "saas", "company_size": 120, "sources": ["file:a.csv"], "score": 0.71,
    },
    {
        "lead_id": "b8", "email": JOAN, "other_emails": ["j.roe@acme.example"], "job_title": "Owner",
        "sources": ["search"],
    },
]  # fmt: skip


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, agents())
    for campaign_id in ("c1", "c2"):
        made.submit(campaign_id, brand={"name": "Acme"})
        made.database.run(
            "UPDATE marketing.campaigns SET leads = %s WHERE campaign_id = %s",
            encode(LEADS if campaign_id == "c1" else LEADS[1:]), campaign_id,
        )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def client(bench: Harness) -> Campaigns:
    return Campaigns(Settings.from_env({"DATABASE_URL": bench.database.url}), database=bench.database)


def stored(bench: Harness) -> list[tuple[Any, ...]]:
    return bench.database.rows("SELECT campaign_id, lead_id, outcome FROM marketing.outcomes ORDER BY number")


def test_an_outcome_is_stored_once_with_traits_and_without_a_name(bench: Harness, client: Campaigns) -> None:
    assert client.outcome(" Jane.Doe@ACME.example", "Won")
    assert not client.outcome("zq-7", "won")
    assert stored(bench) == [("c1", "zq-7", "won")]
    ((account, audience, mode, rule, traits),) = bench.database.rows(
        "SELECT account, audience, mode, rule, traits FROM marketing.outcomes"
    )
    assert (account, audience, mode, rule) == ("acme", "industries: saas", "sandbox", 1.0)
    assert {"seniority=executive", "industry=saas", "size>50", "source=file", "address=valid"} <= set(traits)
    assert "jane" not in str(bench.database.rows("SELECT o::text FROM marketing.outcomes o")).lower()
    assert [(one.kind, dict(one.data)) for one in client.get("c1").history()][-1] == ("outcomes_recorded", {"won": 1})


def test_what_is_told_again_changes_nothing_and_what_changes_is_kept(bench: Harness, client: Campaigns) -> None:
    day = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert client.outcome("zq-7", "meeting", at="2026-03-01")
    assert not client.outcome("zq-7", "meeting", at=day)
    assert not client.outcome("zq-7", "meeting", at="2026-03-01T13:00:00+01:00")
    assert client.outcome("zq-7", "lost", at=day + timedelta(days=2))
    assert client.outcome("zq-7", "meeting", at=day + timedelta(days=1))  # told late
    assert client.outcome("zq-7", "bounced")
    assert [row[2] for row in stored(bench)] == ["meeting", "lost", "meeting", "bounced"]
    counts = {"meeting": 2, "lost": 1, "bounced": 1}
    assert client.outcome_counts() == [("sandbox", "acme", "industries: saas", counts)]
    recorded = client.outcomes([{"lead": "zq-7", "outcome": "won"}, {"lead": "zq-7", "outcome": "won"}])
    assert (recorded.new, recorded.known) == (2, 0), "of one batch both are new to the database"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lead": "zz", "outcome": "won"}, "lead: no campaign has a lead with the id 'zz'"),
        ({"lead": "who@acme.example", "outcome": "won"}, "lead: no campaign has a lead with this address"),
        ({"lead": JOAN, "outcome": "won"}, "lead: campaigns c1, c2 have a lead with this address; name one of them"),
        (
            {"lead": "zq-7", "outcome": "won", "campaign": "c2"},
            "lead: campaign 'c2' has no lead with the id 'zq-7'",
        ),
        ({"lead": "zq-7", "outcome": "bought"}, "outcome='bought': use won, meeting, lost or bounced"),
        ({"lead": "zq-7"}, "outcome=None: use won"),
        ({"lead": "", "outcome": "won"}, "lead='': write the id of a lead, or the e-mail address of one"),
        ({"lead": 7, "outcome": "won"}, "lead=7: write the id of a lead"),
        ({"lead": "jane@@acme", "outcome": "won"}, "lead: is no e-mail address; write one such as jane@example.com"),
        ({"lead": "zq-7", "outcome": "won", "at": "soon"}, "at='soon': write a time such as 2026-03-31T14:00:00Z"),
        ({"lead": "zq-7", "outcome": "won", "at": "2999-01-01"}, "at='2999-01-01': is in the future"),
        ({"lead": "zq-7", "outcome": "won", "at": "1999-01-01"}, "at='1999-01-01': is before 2000"),
        ({"lead": "zq-7", "outcome": "won", "status": 1}, "'status': unknown; send lead, outcome, at and campaign"),
        ({"lead": "a\0", "outcome": "won"}, "write the id of a lead"),
    ],
    ids=str,
)
def test_what_cant_be_recorded_is_refused_in_words(
    bench: Harness, client: Campaigns, fields: dict[str, object], said: str
) -> None:
    recorded = client.outcomes([fields, {"lead": "zq-7", "outcome": "won"}])
    assert said in recorded.refused[0]
    assert "acme" not in recorded.refused[0].replace("@@acme", "")
    assert (recorded.new, stored(bench)) == (1, [("c1", "zq-7", "won")]), "the others are recorded"


def test_another_address_and_the_campaign_name_a_lead(bench: Harness, client: Campaigns) -> None:
    assert client.outcome("J.Roe@acme.example", "lost", campaign="c2")
    assert client.outcome("b8", "won", campaign="c1")
    assert stored(bench) == [("c2", "b8", "lost"), ("c1", "b8", "won")]


def test_an_outcome_by_task_name_is_taken_or_its_refusal_is_kept(bench: Harness, client: Campaigns) -> None:
    assert client.take_outcome({"lead": "zq-7", "outcome": "won", "at": None, "campaign": None}, task_id="t1")
    assert not client.take_outcome({"lead": "zq-7", "outcome": "bought"}, task_id="t2")
    assert not client.take_outcome({"lead": "zq-7", "outcome": "won"}, task_id="t3", unknown=["price"])
    assert client.refusal("t1") is None
    assert client.refusal("t2") == ["outcome='bought': use won, meeting, lost or bounced"]
    assert client.refusal("t3") == ["'price': unknown; send lead, outcome, at and campaign"]
    env = {"DATABASE_URL": bench.database.url, "MARKETING_MODE": "live"}
    live = Campaigns(Settings.from_env(env), database=bench.database)
    with pytest.raises(WrongWorldError):
        live.outcome("zq-7", "lost")


def test_outcomes_of_somebody_who_is_erased_are_nobodys(bench: Harness, client: Campaigns) -> None:
    client.outcomes([{"lead": "zq-7", "outcome": "meeting", "at": "2026-03-01"}, {"lead": "zq-7", "outcome": "won"}])
    client.outcome("b8", "lost", campaign="c1")
    removed = client.erase(JANE)
    assert removed.rows["outcomes"] == 2
    (first, second, other) = [row[1] for row in stored(bench)]
    assert first == second != "zq-7"
    assert other == "b8"
    assert address_search.in_tables(bench.database, "zq-7") == {}
    with pytest.raises(ConfigError, match="no campaign has a lead with the id 'zq-7'"):
        client.outcome("zq-7", "lost")


def test_outcomes_stay_and_are_nobodys_when_retention_is_over(bench: Harness, client: Campaigns) -> None:
    client.outcome("zq-7", "won")
    run = bench.database.run
    run("INSERT INTO marketing.retentions (campaign_id, keep) VALUES ('c1', '1 day')")
    run("UPDATE marketing.campaigns SET status = 'completed', updated_at = '2026-01-01Z' WHERE campaign_id = 'c1'")
    assert Retention(bench.database).sweep() == 1
    ((_, lead, outcome),) = stored(bench)
    assert (lead.startswith("nobody:"), outcome) == (True, "won")
    with pytest.raises(ConfigError, match="campaign 'c1' has no lead"):
        client.outcome("1", "won", campaign="c1")


def told(bench: Harness, number: int, *, seed: int = 206, audience: str = "industries: saas", first: int = 0) -> None:
    """Outcomes of so many leads of an audience, under one hidden preference."""
    for n, one in enumerate(cases(seed, most=first + number)[first:], start=first):
        bench.database.run(
            "INSERT INTO marketing.outcomes (campaign_id, lead_id, outcome, at, mode, account, audience, rule, traits, "
            "actor) VALUES ('c1', %s, %s, now(), 'sandbox', 'acme', %s, %s, %s, 'test')",
            f"{audience}{n}", "won" if one.yes else "lost", audience, one.rule, encode(list(one.traits)),
        )  # fmt: skip


def test_weights_are_made_of_enough_outcomes_kept_by_version_and_used_by_the_next_campaign(
    bench: Harness, client: Campaigns
) -> None:
    told(bench, 40)
    assert client.recalibrate() == []
    told(bench, 160, first=40)
    (first,) = client.recalibrate()
    assert (first.version, first.used, first.seen, first.weights.outcomes) == (1, True, 200, 200)
    assert first.auc > 0.75 > first.rule_auc
    assert client.recalibrate() == [], "nothing is new"
    told(bench, 20, first=200)
    assert [one.version for one in recalibrate_due(bench.database)] == [2]
    ((kind, data), *_) = bench.database.rows("SELECT kind, data FROM marketing.fleet_events ORDER BY id DESC")
    assert (kind, data["version"], data["used"], data["audience"]) == (RECALIBRATED, 2, True, "industries: saas")
    same = {"target_audience": {"industries": ["SaaS"]}, "brand": {"name": "ACME"}, "content_required": False}
    other = {**same, "brand": {"name": "Other"}}
    wanted = client.submit(CampaignConfig.parse(same)).state.lead_weights
    assert wanted is not None
    assert (wanted.version, wanted.traits) == (2, client.weights.newest()[0].weights.traits)
    assert client.submit(CampaignConfig.parse(other)).state.lead_weights is None
    assert client.get("c1").state.lead_weights is None, "what was submitted before keeps what it had"
    assert client.get("c1").fork(0).state.lead_weights == wanted


def test_an_account_teaches_a_new_audience_what_held_for_others_that_were_new(
    bench: Harness, client: Campaigns
) -> None:
    told(bench, 90)
    told(bench, 90, audience="industries: finance", first=90)
    made = {one.audience: one for one in client.recalibrate()}
    assert set(made) == {"", "industries: saas", "industries: finance"}
    assert made[""].used
    new = CampaignConfig.parse({"target_audience": {"job_titles": ["CTO"]}, "brand": {"name": "acme"}})
    assert client.weights.current(new, Mode.SANDBOX) == made[""].weights.model_copy(update={"version": 1})
    assert client.weights.current(new, Mode.LIVE) is None


def test_weights_that_are_not_better_leave_the_rule(bench: Harness, client: Campaigns) -> None:
    for n, one in enumerate(cases(206, most=80)):
        bench.database.run(
            "INSERT INTO marketing.outcomes (campaign_id, lead_id, outcome, at, mode, account, audience, rule, traits, "
            "actor) VALUES ('c1', %s, %s, now(), 'sandbox', 'acme', 'industries: saas', %s, %s, 'test')",
            str(n), "won" if n % 3 == 0 else "lost", one.rule, encode(list(one.traits)),
        )  # fmt: skip
    (made,) = client.recalibrate()
    assert not made.used
    assert made.reason.startswith("not surely better than the rule: AUC 0.")
    same = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "brand": {"name": "Acme"}})
    assert client.weights.current(same, Mode.SANDBOX) is None


def campaign(people: list[Any], folder: Path, name: str, **more: Any) -> CampaignConfig:
    """A campaign for leaders, whose leads are these people of the sandbox's world in a file."""
    path = folder / f"{name}.json"
    rows = [
        {
            "name": one.name, "email": one.email, "job_title": one.title, "company": company.name,
            "industry": company.industry, "company_size": company.size, "location": company.city,
        }
        for company, one in people
    ]  # fmt: skip
    path.write_text(encode(rows), encoding="utf-8")
    return CampaignConfig.parse(
        {
            "name": name,
            "target_audience": {"company_size": "3-20000"},
            "lead_sources": [{"type": "file", "path": str(path)}],
            "enrichment": {"find_emails": False, "verify": "none"},
            "content_required": False,
            **more,
        }
    )


def test_the_whole_way_from_a_campaign_over_its_outcomes_to_a_better_one(
    bench: Harness, sandbox: Any, tmp_path: Path
) -> None:
    sandbox.post("/_sandbox/reset", {"seed": 7, "world": {"preferences": 206}})
    env = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}
    settings = Settings.from_env({**env, "DATABASE_URL": bench.database.url})
    bench.orchestrator = replace(bench.orchestrator, resources=Resources.of(settings, bench.database))
    client = Campaigns(settings, wakeups=bench.broker, database=bench.database)
    world = World.build(7)
    people = [(company, one) for company in world.companies for one in company.people if not one.objected]
    people = sorted(people, key=lambda pair: pair[1].handle)
    first = client.submit(campaign(people[:260], tmp_path, "first", deliver=["webhook"]))
    bench.deliver()
    assert first.status == "completed", first.reason
    assert {lead.weights_version for lead in first.state.leads} == {None}
    outcomes = sandbox.get("/_sandbox/outcomes")
    assert len(outcomes) >= 200
    assert client.outcomes(outcomes).new == len(outcomes)
    (made,) = client.recalibrate()
    assert made.used, made.reason
    second = client.submit(campaign(people[260:660], tmp_path, "second"))
    bench.deliver()
    assert second.status == "completed", second.reason
    leads: tuple[Lead, ...] = second.state.qualified_leads
    assert {lead.weights_version for lead in leads} == {1}
    assert all(lead.likelihood is not None and lead.score is not None and lead.score >= 0.7 for lead in leads)
    assert any("said yes" in reason for lead in leads for reason in lead.score_reasons)
    hidden = Preferences(206)
    answers = [hidden.says_yes(facts(*world.by_email[str(lead.email)]), lead.email) for lead in leads]
    assert auc([lead.score or 0.0 for lead in leads], answers) > 0.75
    sandbox.reset(7)
