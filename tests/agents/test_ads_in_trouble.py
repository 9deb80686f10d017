"""Effects that platforms refuse, for a moment or for good: waited for, taken off, or told of with what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign
from agent_context import Execution, MemoryContext
from deploying import deploy_unit
from memory_ads import MemoryAds

from agents.ad_management import AdManagement
from agents.ad_management.units import Deploy
from agents.analytics import Analytics
from agents.base import HopFailedError, run_unit
from agents.effects import INTENT, MAX_SENDS, REMOTE, SPREAD_S, made, taken_off, unsettled
from agents.ports import FixedClock
from agents.state import AdCreative, ContentPiece, MarketingAgentState
from agents.unit import Unit, effect_key
from integrations.ads.account import AdAccount
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    TransientError,
    TryAgainError,
)

ADS, ANALYTICS = AdManagement(), Analytics()
PLATFORM = "facebook_ads"
LOW = BadRequestError(PLATFORM, "a parameter is refused: The daily budget must be at least $5.00.", detail="code 100")


class World:
    """One platform, one effect, and as many attempts as a test makes."""

    def __init__(self, **given: Any) -> None:
        self.execution = Execution.in_memory(platforms=(PLATFORM,))
        self.execution.clock = FixedClock(START)
        state = campaign(ad_platforms=[PLATFORM])
        unit = deploy_unit(state, PLATFORM)
        self.unit: Unit = unit if not given else Unit(**{**_fields(unit), "input": {**unit.input, **given}})

    @property
    def ads(self) -> MemoryAds:
        found: MemoryAds = self.execution.providers.ads(PLATFORM)
        return found

    def context(self) -> MemoryContext:
        return self.execution.for_unit("c1", 2, 2, self.unit)

    def attempt(self) -> Mapping[str, Any]:
        return ADS.run(self.unit, self.context())

    def refuse(self, call: str, error: IntegrationError) -> None:
        """Answer every ``call`` with ``error``, having done nothing."""
        before = self.ads.call

        def calls(wire: Any, name: str, do: Callable[[], Any]) -> Any:
            def refused() -> Any:
                raise error

            return before(wire, name, refused if name == call else do)

        self.ads.call = calls  # type: ignore[method-assign]


def _fields(unit: Unit) -> dict[str, Any]:
    return {name: getattr(unit, name) for name in ("key", "kind", "provider", "effect_key", "essential", "policy")}


MISSING = NotFoundError(PLATFORM, "answered 404 to POST: Could not find entity")


def test_what_was_made_a_moment_ago_and_is_not_there_is_waited_for() -> None:
    world = World()
    world.refuse("create ad", MISSING)
    for waits in (1.0, 3.0, 9.0, 27.0, 27.0):
        with pytest.raises(TryAgainError, match="Could not find entity") as found:
            world.attempt()
        assert (found.value.retry_after, found.value.outage) == (waits, False)
    assert unsettled(world.context().entries) == [], "a refusal made nothing"
    assert len(world.ads.campaigns) == 1


def test_the_same_answer_later_is_a_refusal() -> None:
    world = World()
    world.refuse("create ad", MISSING)
    with pytest.raises(TryAgainError):
        world.attempt()
    journal = world.context().entries
    sent = journal[INTENT + "campaign"]
    world.context().journal(INTENT + "campaign", {**sent, "at": START.replace(year=2025).isoformat()})
    with pytest.raises(NotFoundError):
        world.attempt()
    assert SPREAD_S < 600


def test_the_same_answer_about_another_object_is_a_refusal() -> None:
    world = World()
    other = NotFoundError(PLATFORM, "the object does not exist: Object with ID '120330000000001' does not exist")
    world.refuse("create ad", other)
    with pytest.raises(NotFoundError):
        world.attempt()


def test_an_older_campaign_that_is_gone_is_a_refusal() -> None:
    world = World(remote_ids={"campaign": "facebook_ads-99"})
    with pytest.raises(NotFoundError):
        world.attempt()


def test_what_a_failed_effect_has_made_is_removed_and_named() -> None:
    world = World()
    world.refuse("create ad", LOW)
    result = run_unit(ADS, world.unit, world.context())
    assert world.ads.campaigns == {}
    assert result.error is not None
    assert (result.error["code"], result.error["detail"]) == ("bad_request", "code 100")
    assert result.error["message"] == (
        "a parameter is refused: The daily budget must be at least $5.00; "
        "what was made before that has been removed: campaign facebook_ads-1"
    )
    # A retry by hand begins anew: the journal no longer knows the removed campaign.
    assert made(world.context().entries) == {}
    assert unsettled(world.context().entries) == []
    del world.ads.call  # type: ignore[attr-defined]
    assert world.attempt()["status"] == "active"
    assert list(world.ads.campaigns) != []


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (BadRequestError(PLATFORM, "has spent money"), NeedsAttentionError),
        (TransientError(PLATFORM, "is down"), TransientError),
        (OutcomeUnknownError(PLATFORM, "no answer"), OutcomeUnknownError),
    ],
)
def test_what_can_not_be_removed_is_told_or_tried_again(
    trouble: IntegrationError, expected: type[IntegrationError]
) -> None:
    world = World()
    world.refuse("create ad", LOW)
    world.refuse("remove", trouble)
    with pytest.raises(BadRequestError) as refused:
        world.attempt()
    with pytest.raises(expected) as found:
        ADS.undo(world.unit, refused.value, world.context())
    assert type(found.value) is expected
    for told in ("at least $5.00", trouble.message):
        assert told in found.value.message
    if expected is NeedsAttentionError:
        assert "still there: campaign facebook_ads-1" in found.value.message
    assert made(world.context().entries) == {"campaign": "facebook_ads-1"}


def test_nothing_made_is_nothing_to_remove() -> None:
    world = World()
    world.refuse("create campaign", LOW)
    result = run_unit(ADS, world.unit, world.context())
    assert result.error == LOW.to_dict()
    assert "remove" not in str(world.context().entries)


def test_an_update_that_fails_leaves_the_campaign_and_names_what_was_added() -> None:
    world = World()
    world.attempt()
    again = World(remote_ids={"campaign": "facebook_ads-1"})
    again.execution.providers = world.execution.providers
    spec = Deploy.model_validate(again.unit.input).spec.model_copy(update={"revision": 2, "headlines": ("A", "B")})
    again.unit = Unit(**{**_fields(again.unit), "input": {**again.unit.input, "spec": spec.model_dump(mode="json")}})
    calls: list[str] = []

    def second_ad_fails(name: str) -> None:
        calls.append(name)
        if calls.count("create ad") == 2:
            raise LOW

    again.ads.after = second_ad_fails
    result = run_unit(ADS, again.unit, again.context())
    assert result.error is not None
    assert "is part of the campaign: ad." in result.error["message"]
    assert list(world.ads.campaigns) == ["facebook_ads-1"]


def test_too_many_unknown_sends_tell_what_was_said_last() -> None:
    world = World()
    world.refuse("create campaign", TransientError(PLATFORM, "answered 500: try again later"))
    for _ in range(MAX_SENDS):
        with pytest.raises(TransientError):
            world.attempt()
        with pytest.raises(OutcomeUnknownError):
            world.attempt()  # the first of two looks
    with pytest.raises(NeedsAttentionError, match=r"it said last: answered 500: try again later"):
        world.attempt()


def test_the_journal_after_a_removal_says_that_nothing_is_there() -> None:
    journal = {f"{INTENT}campaign": {"token": "t"}, f"{REMOTE}campaign": "1", f"{REMOTE}found": "2"}
    assert made(journal) == {"campaign": "1"}
    after = {**journal, **taken_off(journal)}
    assert (made(after), unsettled(after)) == ({}, [])
    assert after[f"{REMOTE}found"] == "2"


def check(state: MarketingAgentState, execution: Execution) -> list[Any]:
    return [run_unit(ADS, unit, execution.for_unit("c1", 0, 0, unit)) for unit in ADS.checks(state)]


def test_an_account_is_looked_at_before_anything_is_paid() -> None:
    execution = Execution.in_memory(platforms=(PLATFORM,))
    state = campaign(ad_platforms=[PLATFORM], budget=900)
    (fine,) = check(state, execution)
    assert fine.output == {"seen": True, "currency": "", "time_zone": ""}
    ads = execution.providers.ads(PLATFORM)
    ads.ad_account = AdAccount(currency="USD", time_zone="Asia/Tokyo")
    (told,) = check(state, execution)
    assert told.output == {"seen": True, "currency": "USD", "time_zone": "Asia/Tokyo"}
    for account, code, words in (
        (AdAccount(trouble="it is disabled"), "needs_attention", "the ad account can't run ads: it is disabled"),
        (AdAccount(currency="EUR"), "bad_request", "counts in EUR, the campaign in USD"),
        (AdAccount(currency="USD", min_daily=Decimal("40.00")), "bad_request", "takes no less than 40.00 USD a day"),
    ):
        ads.ad_account = account
        (found,) = check(state, execution)
        assert found.error["code"] == code
        assert words in found.error["message"]
    ads.down = True
    (unseen,) = check(state, execution)
    assert unseen.output == {"seen": False, "currency": "", "time_zone": ""}, "a platform that is down stops nothing"


def test_refused_ads_are_told_and_not_judged() -> None:
    execution = Execution.in_memory(platforms=(PLATFORM,))
    execution.clock = FixedClock(START)
    shown = ADS.execute(campaign(ad_platforms=[PLATFORM]), execution)
    ads = execution.providers.ads(PLATFORM)
    (kept,) = ads.campaigns.values()
    kept.life.generations[-1].ran = False  # nothing was shown
    ads.refused = ("ad.1",)
    body = {"piece_id": "p1", "content_type": "email", "topic": "t", "title": "T", "body": "…", "seo_score": 0.9}
    before = shown.evolve(step=3, generated_content=(ContentPiece(**body),))
    with pytest.raises(HopFailedError, match=r"refused ad\.1: no\. Change or appeal it there, or go on") as asked:
        ANALYTICS.execute(before, execution)
    assert asked.value.error.code == "needs_attention", "a person is asked first"
    after = ANALYTICS.execute(before, execution)
    (creative,) = after.ad_creatives
    assert creative.error == "the platform's review has refused ad.1: no"
    assert [(e.code, e.provider, e.unit) for e in after.errors] == [("policy_refused", PLATFORM, f"measure:{PLATFORM}")]
    measured = after.campaign_performance
    assert not measured.platforms[0].judged
    assert measured.overall_score == measured.content_score > 0, "a refusal is no low score"
    assert after.agent_messages[-1].payload["refused"] == {PLATFORM: {"ad.1": "no"}}
    again = ANALYTICS.execute(after.evolve(step=6), execution)
    assert len(again.errors) == 1, "told once, and asked once"
    ads.refused = ("ad.1", "ad.2")
    with pytest.raises(HopFailedError, match=r"refused ad\.2: no\."):
        ANALYTICS.execute(again.evolve(step=7), execution)
    ads.refused = ()
    assert ANALYTICS.execute(again.evolve(step=9), execution).ad_creatives[0].error is None


def test_refused_ads_that_are_shown_again_before_the_answer_are_measured_as_ever() -> None:
    execution = Execution.in_memory(platforms=(PLATFORM,))
    execution.clock = FixedClock(START)
    shown = ADS.execute(campaign(ad_platforms=[PLATFORM]), execution).evolve(step=3)
    ads = execution.providers.ads(PLATFORM)
    ads.refused = ("ad.1",)
    with pytest.raises(HopFailedError, match="has refused"):
        ANALYTICS.execute(shown, execution)
    ads.refused = ()
    after = ANALYTICS.execute(shown, execution)
    assert (after.errors, after.ad_creatives[0].error) == ((), None)
    assert after.campaign_performance.platforms[0].judged


def test_figures_of_an_ad_that_is_not_known_everywhere_yet_are_asked_again() -> None:
    execution = Execution.in_memory(platforms=(PLATFORM,))
    ids = {"campaign": "facebook_ads-7", "ad.1": "ad-1"}
    key = effect_key("c1", PLATFORM)
    creative = AdCreative(creative_id="x", platform=PLATFORM, status="active", remote_ids=ids, effect_key=key)
    state = campaign(ad_platforms=[PLATFORM]).evolve(ad_creatives=(creative,), step=3)
    with pytest.raises(HopFailedError) as found:
        ANALYTICS.execute(state, execution)
    assert found.value.error.code == "try_again"
