"""What a campaign's agents look at before its first hop, and what becomes of effects that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ad_platforms import ad_campaigns
from bending_proxy import Bend, Call, bending_proxy, graph_error
from orchestrator_harness import Harness

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.ports import SystemClock
from agents.registry import agents
from agents.state import MarketingAgentState
from integrations.settings import Settings
from orchestration.control.submission import check
from orchestration.execution.context import Resources
from orchestration.execution.inprocess import MemoryExecution, run_campaign
from orchestration.flow.transition import start

TOO_LOW = {"error_user_title": "Budget Is Too Low", "error_user_msg": "The daily budget must be at least $5.00."}
LOW = graph_error(100, error_subcode=1885272, **TOO_LOW)
NEEDED: dict[str, Any] = {
    "lead_sources": [{"type": "search", "limit": 3}],
    "content_required": False,
    "ad_platforms": ["facebook"],
    "budget": 900,
}


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, agents())
    yield made
    made.close()


def resources(bench: Harness, sandbox: Any, **env: str) -> Resources:
    found = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or "", **env}
    return Resources.of(Settings.from_env(found), bench.database)


def run(bench: Harness, shared: Resources, **keys: Any) -> dict[str, Any]:
    bench.orchestrator = replace(bench.orchestrator, resources=shared)
    bench.submit("c1", **{**NEEDED, **keys})
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    shown: dict[str, Any] = bench.reports.show("c1")
    return shown


def answer_with(edge: str, answer: tuple[int, Any]) -> Callable[[Call], tuple[int, Any] | None]:
    return lambda call: answer if call.method == "POST" and call.edge == edge else None


@pytest.mark.parametrize(
    ("account", "status", "words"),
    [
        ({"fields": {"account_status": 2}}, "waiting", "needs_attention: account:facebook_ads"),
        ({"min_daily": 40}, "failed", "ad_management: every unit of stage 'check' failed"),
        ({"fields": {"currency": "EUR"}}, "failed", "the ad account counts in EUR, the campaign in USD"),
    ],
)
def test_an_account_that_does_not_fit_ends_it_before_anything_is_paid(
    bench: Harness, sandbox: Any, account: dict[str, Any], status: str, words: str
) -> None:
    sandbox.reset(7, {"currency": "USD", "accounts": {"facebook_ads": account}})
    shown = run(bench, resources(bench, sandbox))
    assert shown["status"] == status
    assert words in shown["reason"]
    state = sandbox.get("/_sandbox/state")
    assert state["calls"] == {"facebook_ads": 1}, "the account, and nobody else"


def test_a_goal_that_the_account_can_not_count_waits_for_a_person_before_anything_is_paid(
    bench: Harness, sandbox: Any
) -> None:
    actions = {"7000": {"category": "SUBMIT_LEAD_FORM", "name": "Demo"}}
    sandbox.reset(7, {"accounts": {"google_ads": {"conversion_actions": actions}}})
    shown = run(bench, resources(bench, sandbox), ad_platforms=["google"], goal="sales")
    assert shown["status"] == "waiting"
    for words in (
        "needs_attention: account:google_ads",
        'GOOGLE_ADS_CONVERSION_ACTION_ID=7000: the conversion action "Demo" counts SUBMIT_LEAD_FORM',
        "goal=sales needs one of PURCHASE",
    ):
        assert words in shown["reason"]
    assert sandbox.get("/_sandbox/state")["calls"] == {"google_ads": 3}, "token, account, action, and nobody else"


def refused(bench: Harness, sandbox: Any, bend: Bend, **keys: Any) -> dict[str, Any]:
    return run(bench, resources(bench, sandbox, FACEBOOK_BASE_URL=f"{bend.url}/facebook"), **keys)


def test_a_refused_effect_takes_off_what_it_made(bench: Harness, sandbox: Any) -> None:
    with bending_proxy(sandbox.url) as bend:
        bend.rule = answer_with("adsets", LOW)
        shown = refused(bench, sandbox, bend)
    assert shown["status"] == "failed"
    assert "at least $5.00; what was made before that has been removed: campaign " in shown["reason"]
    assert ad_campaigns(sandbox) == []


def test_one_platforms_refusal_leaves_the_other(bench: Harness, sandbox: Any) -> None:
    with bending_proxy(sandbox.url) as bend:
        bend.rule = answer_with("adsets", LOW)
        shown = refused(bench, sandbox, bend, ad_platforms=["facebook", "linkedin"])
    facebook, linkedin = shown["state"]["ad_creatives"]
    assert (facebook["status"], linkedin["status"]) == ("failed", "active")
    assert "at least $5.00" in facebook["error"]
    assert [ad["provider"] for ad in ad_campaigns(sandbox)] == ["linkedin_ads"]


def test_what_can_not_be_taken_off_waits_for_a_person_who_learns_what_is_left(bench: Harness, sandbox: Any) -> None:
    with bending_proxy(sandbox.url) as bend:

        def rule(call: Call) -> tuple[int, Any] | None:
            if call.method == "POST" and b"status=DELETED" in call.body:
                return graph_error(100, error_user_msg="It can't be deleted.")
            return answer_with("adsets", LOW)(call)

        bend.rule = rule
        shown = refused(bench, sandbox, bend)
    (left,) = ad_campaigns(sandbox)
    assert shown["status"] == "waiting"
    for words in (
        "needs_attention: deploy:facebook_ads",
        "at least $5.00",
        f"campaign {left['id']}",
        "can't be deleted",
    ):
        assert words in shown["reason"]
    assert left["status"] == "paused"


def test_a_run_in_one_process_looks_first_too(bench: Harness, sandbox: Any) -> None:
    sandbox.reset(7, {"accounts": {"facebook_ads": {"fields": {"account_status": 101}}}})
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, **NEEDED})
    state = MarketingAgentState.initial(config, campaign_id="c1")
    with pytest.raises(Exception, match="the ad account can't run ads: it is closed"):
        run_campaign(state, agents(), MemoryExecution(resources(bench, sandbox)))


def test_without_ads_there_is_nothing_to_look_at() -> None:
    plain = CampaignConfig.parse({"target_audience": {"industry": "saas"}})
    _, stage = start(MarketingAgentState.initial(plain, campaign_id="c1"), agents(), SystemClock().now())
    assert stage.name != "check"
    ads = CampaignConfig.parse({"target_audience": {"industry": "saas"}, **NEEDED})
    _, stage = start(MarketingAgentState.initial(ads, campaign_id="c1"), agents(), SystemClock().now())
    assert [(unit.key, unit.agent) for unit in stage.units] == [("account:facebook_ads", "ad_management")]


@pytest.mark.parametrize("keys", [{"budget": "0.01"}, {"budget": 10**12 - 1}, {"budget": 900, "currency": "ABC"}])
def test_money_that_can_not_work_is_refused_at_submit(keys: dict[str, Any]) -> None:
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "ad_platforms": ["facebook"], **keys})
    with pytest.raises(ConfigError, match=r"budget=|currency="):
        check(config, Settings.from_env({}))
