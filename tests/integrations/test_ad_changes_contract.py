"""What every ad platform does with changes to a live campaign, and with single ads: ours and the example's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import stack
from ad_platforms import KEY, START, DiedError, Steps, Wire, fitting
from example_platform import PLATFORMS, client, sandbox_with_example
from pydantic import TypeAdapter

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    AdSwitch,
    AudienceChange,
    BidChange,
    Change,
    ChangePlan,
    DailyBudget,
    EndChange,
    FrequencyCap,
    HoursChange,
    NegativeKeywords,
    NewAd,
    Span,
)
from integrations.ads.platform import AdPlatform, AdSpec, Audience, DayReport, RemoteCampaign, per_ad, per_day
from integrations.ads.registry import platform
from integrations.errors import BadRequestError, NotFoundError, OutcomeUnknownError, TransientError

SINCE = START.date() - timedelta(days=1)
OFFICE = tuple(Span(day=day, first=first, until=until) for day in range(5) for first, until in ((8, 12), (13, 18)))
FRENCH = Audience(industries=("fintech",), titles=("CTO",), locations=("France",))
WANTED: dict[ChangeKind, Change] = {
    ChangeKind.DAILY_BUDGET: DailyBudget(amount=Decimal("21.377"), currency="USD"),
    ChangeKind.AUDIENCE: AudienceChange(audience=FRENCH, keywords=("invoicing",)),
    ChangeKind.NEGATIVE_KEYWORDS: NegativeKeywords(words=("free", "-[pricing jobs]")),
    ChangeKind.BID: BidChange(cap=Decimal("2.509"), currency="USD"),
    ChangeKind.HOURS: HoursChange(spans=OFFICE),
    ChangeKind.END: EndChange(at=START + timedelta(days=20)),
    ChangeKind.FREQUENCY: FrequencyCap(impressions=3),
}


@pytest.fixture(scope="module")
def _sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Sandbox]:
    with sandbox_with_example(tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture(params=PLATFORMS)
def ads(request: pytest.FixtureRequest, sandbox: stack.Sandbox) -> AdPlatform:
    return client(request.param, sandbox)


@pytest.fixture
def live(ads: AdPlatform) -> RemoteCampaign:
    """A campaign that has run for seven days."""
    made = ads.create(fitting(ads), wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    return made


def first_ad(remote: RemoteCampaign) -> str:
    return "ad.1" if "ad.1" in remote.ids else "creative.1"


def wanted(kind: ChangeKind, remote: RemoteCampaign) -> Change:
    return AdSwitch(ad=first_ad(remote), on=False) if kind is ChangeKind.AD_SWITCH else WANTED[kind]


def writes(sandbox: stack.Sandbox, ads: AdPlatform) -> int:
    calls = sandbox.get(f"/_sandbox/calls?provider={ads.name}")
    return sum(call["endpoint"].startswith("POST") for call in calls)


def plan(ads: AdPlatform, live: RemoteCampaign, change: Change) -> ChangePlan:
    """The plan, as it comes back from where its caller has written it down."""
    made = ads.changes.plan(live, change, wire=Wire())
    return ChangePlan.model_validate_json(made.model_dump_json())


def supported(ads: AdPlatform) -> list[ChangeKind]:
    return sorted(platform(ads.name).changes)


def test_a_change_survives_being_written_down() -> None:
    adapter: TypeAdapter[Change] = TypeAdapter(Change)
    for change in (*WANTED.values(), AdSwitch(ad="ad.1", on=True), EndChange(at=None)):
        assert adapter.validate_json(adapter.dump_json(change)) == change


@pytest.mark.parametrize("kind", ChangeKind)
def test_a_change_is_applied_read_repeated_and_undone(
    sandbox: stack.Sandbox, ads: AdPlatform, live: RemoteCampaign, kind: ChangeKind
) -> None:
    change = wanted(kind, live)
    if kind not in supported(ads):
        wire = Wire()
        with pytest.raises(BadRequestError) as refused:
            ads.changes.plan(live, change, wire=wire)
        assert refused.value.message.startswith(f"{platform(ads.name).title} can't change {kind.words}: ")
        assert wire.calls == 0
        return
    before = writes(sandbox, ads)
    made = plan(ads, live, change)
    assert not made.idle
    assert writes(sandbox, ads) == before, "a plan changes nothing"
    ads.changes.apply(live, made.after, wire=Wire())
    assert ads.changes.setting(live, kind, ad=made.after.ad, wire=Wire()) == made.after
    assert plan(ads, live, change).idle
    changed = writes(sandbox, ads)
    assert changed == before + 1
    ads.changes.apply(live, made.after, wire=Wire())
    assert writes(sandbox, ads) == changed, "what stands is not written again"
    ads.changes.apply(live, made.before, wire=Wire())
    assert ads.changes.setting(live, kind, ad=made.after.ad, wire=Wire()) == made.before
    assert ads.changes.plan(live, change, wire=Wire()) == made


def test_one_change_leaves_the_others_as_they_were(ads: AdPlatform, live: RemoteCampaign) -> None:
    kinds = supported(ads)
    made = {kind: plan(ads, live, wanted(kind, live)) for kind in kinds}
    for at, kind in enumerate(kinds, start=1):
        ads.changes.apply(live, made[kind].after, wire=Wire())
        for other in kinds:
            expected = made[other].after if other in kinds[:at] else made[other].before
            assert ads.changes.setting(live, other, ad=expected.ad, wire=Wire()) == expected, (kind, other)


def test_after_a_lost_reply_the_setting_tells_the_truth(
    sandbox: stack.Sandbox, ads: AdPlatform, live: RemoteCampaign
) -> None:
    for kind in supported(ads):
        made, whole = plan(ads, live, wanted(kind, live)), Wire()
        ads.changes.apply(live, made.after, wire=whole)
        ads.changes.apply(live, made.before, wire=Wire())
        for mode, error, stands in (
            ("down", TransientError, made.before),
            ("lost_reply", OutcomeUnknownError, made.after),
        ):
            wire = Wire()

            def trouble(at: int, mode: str = mode, last: int = whole.calls) -> None:
                if at == last:
                    sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": mode})

            wire.before = trouble
            with pytest.raises(error):
                ads.changes.apply(live, made.after, wire=wire)
            sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": "ok"})
            assert ads.changes.setting(live, kind, ad=stands.ad, wire=Wire()) == stands, (kind, mode)


def test_a_death_at_any_call_is_made_up_for(ads: AdPlatform, live: RemoteCampaign) -> None:
    for kind in supported(ads):
        made, whole = plan(ads, live, wanted(kind, live)), Wire()
        ads.changes.apply(live, made.after, wire=whole)
        for number in range(1, whole.calls + 1):
            ads.changes.apply(live, made.before, wire=Wire())
            wire = Wire()

            def die(at: int, number: int = number) -> None:
                if at == number:
                    raise DiedError

            wire.after = die
            with pytest.raises(DiedError):
                ads.changes.apply(live, made.after, wire=wire)
            ads.changes.apply(live, made.after, wire=Wire())
            assert ads.changes.setting(live, kind, ad=made.after.ad, wire=Wire()) == made.after


def test_an_ad_that_is_not_the_campaigns_is_named(ads: AdPlatform, live: RemoteCampaign) -> None:
    with pytest.raises(BadRequestError, match=r"ad='ad\.9' is none of the campaign's ads: (ad|creative)\.1"):
        ads.changes.plan(live, AdSwitch(ad="ad.9", on=False), wire=Wire())


def test_what_is_gone_can_not_be_changed(ads: AdPlatform) -> None:
    gone = RemoteCampaign(id="1", ids={"campaign": "1", "ad_set": "2", "adgroup": "2", "budget": "2"})
    with pytest.raises(NotFoundError):
        ads.changes.plan(gone, WANTED[ChangeKind.DAILY_BUDGET], wire=Wire())


# Single ads


def more(spec: AdSpec, variant: int) -> NewAd:
    """One more ad with as many texts as those of ``spec`` have."""
    several = len(spec.descriptions) > 1
    return NewAd(
        variant=variant,
        headlines=spec.headlines[::-1] if several else ("7 questions on SaaS pricing",),
        descriptions=spec.descriptions[::-1] if several else ("Compare 4 plans in a table. Plan yours today.",),
    )


def next_number(ads: AdPlatform, spec: AdSpec) -> int:
    return 2 if ads.name == "google_ads" else len(spec.variants()) + 1


def shown_ads(found: RemoteCampaign) -> dict[str, str]:
    own = ("ad.",) if "ad.1" in found.ids else ("creative.",)
    return {step: one for step, one in found.ids.items() if step.startswith(own)}


def test_one_more_ad_is_made_once_and_found_again(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    spec = fitting(ads)
    made = ads.create(spec, wire=Wire(), steps=Steps())
    ad, whole = more(spec, next_number(ads, spec)), Wire()
    step = f"{first_ad(made).partition('.')[0]}.{ad.variant}"
    sandbox.reset()
    ads.add_ad(ads.create(spec, wire=Wire(), steps=Steps()), spec, ad, wire=whole, steps=Steps())
    for journalled in (True, False):
        for number in range(1, whole.calls + 1):
            key = f"{number:011x}{int(journalled)}"
            own = fitting(ads, effect_key=key)
            made = ads.create(own, wire=Wire(), steps=Steps())
            ads.enable(made, wire=Wire())
            wire, steps = Wire(), Steps()

            def die(at: int, number: int = number) -> None:
                if at == number:
                    raise DiedError

            wire.after = die
            with pytest.raises(DiedError):
                ads.add_ad(made, own, ad, wire=wire, steps=steps)
            again = ads.add_ad(made, own, ad, wire=Wire(), steps=steps if journalled else Steps())
            assert set(made.ids.items()) < set(again.ids.items())
            found = ads.find_by_key(key, wire=Wire())
            assert found is not None
            assert shown_ads(found) == shown_ads(again), "there is one of it, and the others are still there"
            assert step in found.ids


def test_an_added_ad_stays_until_the_texts_change(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    spec = fitting(ads)
    made = ads.create(spec, wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    added = ads.add_ad(made, spec, more(spec, next_number(ads, spec)), wire=Wire(), steps=Steps())
    before = writes(sandbox, ads)
    ads.update(added, spec, wire=Wire(), steps=Steps())
    assert writes(sandbox, ads) == before
    step = next(step for step in added.ids if step not in made.ids and step in shown_ads(added))
    assert ads.changes.setting(added, ChangeKind.AD_SWITCH, ad=step, wire=Wire()).value is True
    changed = fitting(ads, revision=2, headlines=("3 ways to price SaaS",))
    updated = ads.update(added, changed, wire=Wire(), steps=Steps())
    assert ads.changes.setting(added, ChangeKind.AD_SWITCH, ad=step, wire=Wire()).value is False
    assert added.ids[step] not in updated.ids.values()


def test_a_number_that_is_taken_is_refused(ads: AdPlatform) -> None:
    spec = fitting(ads)
    made = ads.create(spec, wire=Wire(), steps=Steps())
    with pytest.raises(BadRequestError, match=r"variant=1 is the number of another ad; use \d or more"):
        ads.add_ad(made, spec, more(spec, 1), wire=Wire(), steps=Steps())


def test_a_lost_reply_of_one_more_ad_is_adopted(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    spec, other = fitting(ads), fitting(ads, effect_key="0123456789ab")
    ad, whole = more(spec, next_number(ads, spec)), Wire()
    ads.add_ad(ads.create(other, wire=Wire(), steps=Steps()), other, ad, wire=whole, steps=Steps())
    made = ads.create(spec, wire=Wire(), steps=Steps())
    steps, wire = Steps(), Wire()

    def lose(at: int) -> None:
        sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": "lost_reply" if at == whole.calls else "ok"})

    wire.before = lose
    with pytest.raises(OutcomeUnknownError):
        ads.add_ad(made, spec, ad, wire=wire, steps=steps)
    sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": "ok"})
    left = ads.find_by_key(KEY, wire=Wire())
    assert left is not None
    added = ads.add_ad(made, spec, ad, wire=Wire(), steps=steps)
    assert shown_ads(left) == shown_ads(added), "what the lost reply left behind is the ad"


# Figures of single ads


def test_the_figures_of_the_ads_add_up_to_the_campaigns(ads: AdPlatform) -> None:
    spec = fitting(ads)
    made = ads.create(spec, wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    live = ads.add_ad(made, spec, more(spec, next_number(ads, spec)), wire=Wire(), steps=Steps())
    every = ads.report(live, SINCE, wire=Wire())
    steps = sorted(shown_ads(live))
    assert sorted({one.ad for one in every}) == steps
    assert len(steps) > 1
    alone: list[DayReport] = []
    for step in steps:
        only = RemoteCampaign(id=live.id, ids={"campaign": live.id, step: live.ids[step]})
        alone += ads.report(only, SINCE, wire=Wire())
    assert per_ad(alone) == every
    for total in per_day(every):
        same = [one for one in every if one.day == total.day]
        assert (total.ad, len(same)) == ("", len(steps))
        assert total.impressions == sum(one.impressions for one in same)
        assert total.clicks == sum(one.clicks for one in same)
        assert total.conversions == sum(one.conversions for one in same)
        assert total.spend == sum(one.spend for one in same) > 0


def test_an_ad_that_is_switched_off_keeps_its_days(ads: AdPlatform) -> None:
    spec = fitting(ads)
    made = ads.create(spec, wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    live = ads.add_ad(made, spec, more(spec, next_number(ads, spec)), wire=Wire(), steps=Steps())
    before = ads.report(live, SINCE, wire=Wire())
    off = ads.changes.plan(live, AdSwitch(ad=first_ad(live), on=False), wire=Wire())
    ads.changes.apply(live, off.after, wire=Wire())
    found = ads.get(live.id, wire=Wire())
    assert shown_ads(found) == shown_ads(live), "an ad that is off is still one of the campaign's"
    assert ads.report(found, SINCE, wire=Wire()) == before
