"""Limits below what live ads may spend: the platforms are told at once, and never less is allowed than is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from orchestrator_harness import Harness
from paused_ads import benches, reason, settings_of, shown, status, verbs, with_ads

from orchestration.control.limits import change_limits
from orchestration.control.ordering import set_budget
from orchestration.control.verbs import VerbRefusedError

SPEND = "UPDATE marketing.spend SET settled = 400, held = 600 WHERE kind = 'ads' AND provider = 'facebook_ads'"


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings_of(sandbox)) as make:
        yield make


def daily(one: Harness) -> Decimal:
    """What runs a day by the ledger, which has what the platforms took."""
    return Decimal(one.database.value("SELECT sum(daily) FROM marketing.spend WHERE kind = 'ads'"))


def held(one: Harness) -> Decimal:
    return Decimal(one.database.value("SELECT sum(held + settled) FROM marketing.spend WHERE kind = 'ads'"))


def test_a_limit_below_the_budget_lowers_it_and_what_runs(bench: Callable[..., Harness]) -> None:
    one = bench()
    with_ads(one)
    assert daily(one) > 33
    assert change_limits(verbs(one), "c1", actor="ann", ads=600) == "paused"
    assert "set budget, ordered by ann" in reason(one)
    config = one.reports.row("c1").state.campaign_config
    assert (config.limits.ads, config.budget) == (600, 600)
    one.deliver()
    assert (status(one), daily(one) <= 20, held(one) <= 600) == ("waiting", True, True)
    changed = next(event for event in one.reports.events("c1") if event.kind == "limits_changed")
    assert (changed.data["ads"], changed.data["budget"]) == ("600 (was none)", "600 (was 1000)")
    with pytest.raises(Exception, match=r"budget 700 is above limits\.ads 600"):
        set_budget(verbs(one), "c1", 700, actor="ann")


def test_a_limit_a_day_below_what_runs_spreads_the_same_budget(bench: Callable[..., Harness]) -> None:
    one = bench()
    with_ads(one)
    assert change_limits(verbs(one), "c1", actor="ann", ads_per_day=24) == "paused"
    one.deliver()
    assert (status(one), 20 < daily(one) <= 24) == ("waiting", True)
    assert one.reports.row("c1").state.campaign_config.budget == 1000
    assert change_limits(verbs(one), "c1", actor="ann", ads_per_day=24) == "waiting"  # nothing is left to do


def test_a_command_that_was_cut_off_is_finished_by_the_same_command(bench: Callable[..., Harness]) -> None:
    one = bench()
    with_ads(one)
    one.database.run(
        "UPDATE marketing.campaigns SET state = jsonb_set(state, '{campaign_config,limits}', '"
        '{"llm": null, "ads": null, "ads_per_day": "24"}\'), revision = revision + 1'
    )
    assert change_limits(verbs(one), "c1", actor="ann", ads_per_day=24) == "paused"
    one.deliver()
    assert daily(one) <= 24


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"ads": 399}, r"limits\.ads can't go below the 400\.00 USD that is spent already"),
        ({"ads_per_day": "0.5"}, r"which takes no less than .*; allow more, or stop the ads: campaigns pause c1 --ads"),
    ],
)
def test_what_can_not_be_is_refused_and_changes_nothing(
    bench: Callable[..., Harness], limit: dict[str, Any], said: str
) -> None:
    one = bench()
    with_ads(one)
    one.database.run(SPEND)
    before = one.reports.show("c1")
    with pytest.raises(VerbRefusedError, match=said):
        change_limits(verbs(one), "c1", actor="ann", **limit)
    assert one.reports.show("c1") == before


def test_a_limit_while_ads_are_changed_is_in_force_and_says_what_is_left(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    set_budget(verbs(one), "c1", 900, actor="ann")
    with pytest.raises(VerbRefusedError, match=r"the limit is in force, but .* give the command again"):
        change_limits(verbs(one), "c1", actor="ann", ads=600)
    assert one.reports.row("c1").state.campaign_config.limits.ads == 600
    one.deliver()
    change_limits(verbs(one), "c1", actor="ann", ads=600)
    one.deliver()
    assert (held(one) <= 600, shown(sandbox)) == (True, ["facebook_ads", "linkedin_ads"])
