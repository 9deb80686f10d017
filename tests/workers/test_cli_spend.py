"""``campaigns spend`` and ``campaigns limits`` over a real database: what is shown, changed and refused."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from decimal import Decimal

import pytest
from command_line import Command
from orchestrator_harness import Harness
from toys import toys

from agents.unit import Unit
from integrations.llm.prices import CostBound
from integrations.settings import Settings
from integrations.usage import Usage
from orchestration.ledger.rows import Claimed
from orchestration.spend.models import SpendLedger

ME = f"cli:{getpass.getuser()}"


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    """A database in which campaign ``c1`` (limit 1.00) has spent 0.03 and holds 0.40, and ``c2`` has used a model
    without a known price."""
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "120"})
    made = Harness(database_url, toys())
    made.ledger.beat()  # somebody is at work
    made.submit("c1", name="Launch\x1b[31m", limits={"llm": "1.00"}, budget=100, currency="EUR")
    made.submit("c2")
    spend = SpendLedger(made.database, Settings.from_env({}))
    spend.reserve(claim("c1", "u0"), "openai", CostBound(entry="answer", model="gpt-x", amount=Decimal("0.40")))
    spend.settle(claim("c1", "u1"), "answer", used("0.03"))
    spend.settle(claim("c2", "u1"), "answer", used(None))
    made.database.run(
        "INSERT INTO marketing.spend (campaign_id, mode, kind, step, stage, unit, entry, currency, agent, provider, "
        "held, settled, daily, day) VALUES ('c1', 'sandbox', 'ads', -1, -1, 'k', 'ads', 'EUR', 'ad_management', "
        "'facebook_ads', 90, 12.5, 3.33, now()::date)"
    )
    yield made
    made.close()


def claim(campaign_id: str, key: str) -> Claimed:
    unit = Unit(key=key, kind="toy", provider="openai")
    return Claimed(
        campaign_id=campaign_id, unit=unit, ordinal=0, step=0, stage=0, agent="lead_generation", epoch=0, journal={}
    )


def used(cost: str | None) -> Usage:
    known = None if cost is None else Decimal(cost)
    return Usage(provider="openai", model="gpt-x", input_tokens=1500, output_tokens=500, cost=known)


def test_a_campaigns_spend(bench: Harness, campaigns: Command) -> None:
    shown = campaigns("spend", "c1")
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "Launch: queued" in shown.words
    assert "Lead generation openai gpt-x 1 2,000 0.030 USD 0.40 USD" in shown.words
    assert "Facebook 3.33 EUR 12.50 EUR 90.00 EUR" in shown.words
    assert "limits.llm 0.43 USD of 1.00 USD taken, 0.57 USD left" in shown.words
    found = campaigns("spend", "c1", "--json")
    assert found.code == 0
    assert found.json["totals"] == {
        "llm": {"USD": {"settled": "0.03", "held": "0.40"}},
        "ads": {"EUR": {"settled": "12.50", "held": "90.00"}},
    }
    assert found.json["limits"][0]["left"] == "0.57"


def test_an_unknown_price_is_shown_as_tokens(bench: Harness, campaigns: Command) -> None:
    shown = campaigns("spend", "c2")
    assert "2,000 tokens of unknown price" in shown.words
    assert "0.00 USD" not in shown.out
    assert "Ads nothing Limits none are set" in shown.words


def test_the_fleets_spend(bench: Harness, campaigns: Command) -> None:
    os.environ.update({"DAILY_CAP_LLM": "0.50", "DAILY_CAP_ADS": "500 EUR"})
    shown = campaigns("spend")
    assert shown.code == 0
    assert "0.030 USD + 2,000 tokens of unknown price" in shown.words
    assert "DAILY_CAP_LLM 0.43 USD of 0.50 USD taken, 0.070 USD left" in shown.words
    assert "DAILY_CAP_ADS 3.33 EUR of 500.00 EUR taken" in shown.words
    found = campaigns("spend", "--json").json
    assert found["today"]["ads_per_day"] == {"EUR": "3.33"}
    assert found["today"]["tokens"] == {"input": 3000, "output": 1000, "unpriced": 2000}
    assert [one["limit"] for one in found["caps"]] == ["DAILY_CAP_LLM", "DAILY_CAP_ADS"]


def test_limits_are_shown_and_changed(bench: Harness, campaigns: Command) -> None:
    assert "limits.llm 0.43 USD of 1.00 USD taken" in campaigns("limits", "c1").words
    assert campaigns("limits", "c2").words == "no limits are set"
    changed = campaigns("limits", "c1", "--llm", "2.50", "--ads", "300", "--ads-per-day", "10")
    assert changed.code == 0
    assert changed.words.startswith("c1: queued")
    assert "limits.llm 0.43 USD of 2.50 USD taken, 2.07 USD left" in changed.words
    assert "limits.ads 102.50 EUR of 300.00 EUR taken, 197.50 EUR left" in changed.words
    assert "limits.ads_per_day 3.33 EUR of 10.00 EUR taken, 6.67 EUR left" in changed.words
    told = campaigns("limits", "c1", "--llm", "3", "--json")
    assert told.json["state"]["campaign_config"]["limits"] == {"llm": "3", "ads": "300", "ads_per_day": "10"}
    events = campaigns("history", "c1", "--json").json
    assert [(one["actor"], one["data"]["llm"]) for one in events if one["kind"] == "limits_changed"] == [
        (ME, "2.50 (was 1.00)"),
        (ME, "3 (was 2.50)"),
    ]
    assert "Limits changed: llm 3 (was 2.50)" in campaigns("history", "c1").out
    assert campaigns("limits", "c2", "--json").json["limits"] == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("c1", "--llm", "0.42"), 2, "limits.llm can't go below the 0.43 USD that is spent and held already"),
        (("c1", "--llm", "-1"), 2, "limits.llm='-1'"),
        (("c1", "--llm", "much"), 2, "limits.llm='much'"),
        (("nobody", "--llm", "1"), 3, "there is no campaign 'nobody'"),
        (("nobody",), 3, "there is no campaign 'nobody'"),
    ],
)
def test_limits_that_can_not_be(
    bench: Harness, campaigns: Command, options: tuple[str, ...], code: int, said: str
) -> None:
    refused = campaigns("limits", *options)
    assert (refused.code, said in refused.err) == (code, True)
    assert campaigns("limits", *options, "--json").json["problems"]
    assert campaigns("limits", "c1", "--json").json["limits"][0]["cap"] == "1.00"


def test_an_ended_campaign_keeps_its_limits(bench: Harness, campaigns: Command) -> None:
    bench.database.run("UPDATE marketing.campaigns SET status = 'completed' WHERE campaign_id = 'c1'")
    refused = campaigns("limits", "c1", "--llm", "5")
    assert (refused.code, "is completed and has ended" in refused.err) == (2, True)


def test_spend_of_nobody_and_of_nothing(bench: Harness, campaigns: Command) -> None:
    assert campaigns("spend", "nobody").code == 3
    bench.database.run("DELETE FROM marketing.spend; DELETE FROM marketing.spend_totals")
    assert campaigns("spend").words.count("nothing") == 3
