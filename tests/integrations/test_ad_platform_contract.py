"""What every ad platform's client must do, whoever wrote it: ours and the example of a plug-in.

The sandbox and this process have the example installed. A platform's own ways are tested in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import stack
from ad_platforms import KEY, START, Steps, Wire, ad_campaigns, deaths, fault, fitting, load_google
from example_platform import PLATFORMS, client, sandbox_with_example
from plugin_package import python_path

from integrations.ads.platform import AdPlatform, RemoteCampaign, per_day
from integrations.ads.registry import available, build, platform
from integrations.errors import (
    CredentialsError,
    IntegrationError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
)
from integrations.settings import Settings

SINCE = START.date() - timedelta(days=1)
#: mode -> class for a reading call, class for a writing call
TROUBLES: dict[str, tuple[type[IntegrationError], type[IntegrationError]]] = {
    "down": (TransientError, TransientError),
    "slow": (TransientError, OutcomeUnknownError),
    "rate_limited": (RateLimitedError, RateLimitedError),
    "lost_reply": (TransientError, OutcomeUnknownError),
    "garbage": (TransientError, OutcomeUnknownError),
}
SHORT_S = 0.1  #: a time-out that a slow answer misses


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example is installed in."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def _sandbox_process(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Sandbox]:
    with sandbox_with_example(site, tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture(params=PLATFORMS)
def ads(request: pytest.FixtureRequest, sandbox: stack.Sandbox) -> AdPlatform:
    return client(request.param, sandbox)


def calls(sandbox: stack.Sandbox, name: str) -> list[str]:
    return [call["endpoint"] for call in sandbox.get(f"/_sandbox/calls?provider={name}")]


def settled(sandbox: stack.Sandbox, ads: AdPlatform, key: str = KEY) -> RemoteCampaign:
    """The one campaign of ``key``, as the platform shows it."""
    assert [row["effect_key"] for row in ad_campaigns(sandbox)].count(key) == 1
    found = ads.find_by_key(key, wire=Wire())
    assert found is not None
    return found


def test_created_paused_then_enabled_then_reported(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    wire, steps = Wire(), Steps()
    assert ads.find_by_key(KEY, wire=wire) is None
    made = ads.create(fitting(ads), wire=wire, steps=steps)
    assert (made.status, made.effect_key, made.ids["campaign"]) == ("paused", KEY, made.id)
    assert dict(made.ids) == steps, "every id is journalled"
    assert per_day(ads.report(made, SINCE, wire=wire)) == []
    ads.enable(made, wire=wire)
    ads.enable(made, wire=wire)
    (row,) = ad_campaigns(sandbox)
    assert (row["provider"], row["status"], row["effect_key"]) == (ads.name, "active", KEY)
    assert row["daily_budget"] == "16.66"
    days = per_day(ads.report(made, SINCE, wire=wire))
    assert (len(days), days[0].day) == (7, START.date())
    assert days == per_day(ads.report(made, SINCE, wire=wire)), "asking changes nothing"
    assert all(0 < day.spend <= Decimal("16.66") for day in days)
    assert per_day(ads.report(made, SINCE, START.date(), wire=wire)) == days[:1]
    assert per_day(ads.report(made, days[2].day, wire=wire)) == days[2:]
    ads.pause(made, wire=wire)
    sandbox.post("/_sandbox/advance", {"days": 3})
    assert per_day(ads.report(made, SINCE, wire=wire)) == days, "what is paused doesn't live"
    assert ads.get(made.id, wire=wire).status == "paused"


def test_search_terms_are_told_where_ads_answer_searches(ads: AdPlatform) -> None:
    made, wire = ads.create(fitting(ads, daily_budget=Decimal(200)), wire=Wire(), steps=Steps()), Wire()
    ads.enable(made, wire=Wire())
    terms = ads.search_terms(made, SINCE, wire=wire)
    if not platform(ads.name).search_terms:
        assert (terms, wire.calls) == ((), 0)
        return
    assert terms[0].clicks > 0
    assert [one.clicks for one in terms] == sorted((one.clicks for one in terms), reverse=True)
    assert len({one.text for one in terms}) == len(terms)
    days = per_day(ads.report(made, SINCE, wire=Wire()))
    for name in ("impressions", "clicks", "conversions", "spend"):
        assert 0 < sum(getattr(one, name) for one in terms) <= sum(getattr(day, name) for day in days)
    assert ads.search_terms(made, days[-1].day + timedelta(days=1), wire=Wire()) == ()
    assert ads.search_terms(made, SINCE, days[0].day - timedelta(days=1), wire=Wire()) == ()


def test_an_update_changes_the_same_campaign(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    wire = Wire()
    made = ads.create(fitting(ads), wire=wire, steps=Steps())
    ads.enable(made, wire=wire)
    before = per_day(ads.report(made, SINCE, wire=wire))
    changed = fitting(ads, revision=2, headlines=("3 ways to price SaaS",), daily_budget=Decimal("20.00"))
    updated = ads.update(settled(sandbox, ads), changed, wire=wire, steps=Steps())
    assert (updated.id, updated.status) == (made.id, "active")
    assert [Decimal(row["daily_budget"]) for row in ad_campaigns(sandbox)] == [Decimal(20)]
    again = settled(sandbox, ads)
    assert not set(again.ids.items()) - set(updated.ids.items())
    ads_of = [sum(step.startswith(("ad.", "creative.")) for step in found.ids) for found in (made, again)]
    assert ads_of[1] < ads_of[0] or ads_of == [1, 1], "only the one ad of the new revision is shown"
    assert not {one for step, one in again.ids.items() if step in {"ad.1", "creative.1"}} & {*made.ids.values()}
    after = per_day(ads.report(again, SINCE, wire=wire))
    assert after[0].day == before[-1].day + timedelta(days=1)


def test_repeating_an_update_changes_nothing(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    made = ads.create(fitting(ads), wire=Wire(), steps=Steps())

    def writes() -> int:
        return sum(endpoint.startswith("POST") for endpoint in calls(sandbox, ads.name))

    first = ads.update(made, fitting(ads, revision=2), wire=Wire(), steps=Steps())
    before = writes()
    again = ads.update(made, fitting(ads, revision=2), wire=Wire(), steps=Steps())
    assert (again.id, again.status) == (first.id, first.status)
    assert not set(again.ids.items()) - set(first.ids.items())
    assert writes() == before


@pytest.mark.parametrize("journalled", [True, False])
def test_death_after_any_call_leaves_no_duplicate(sandbox: stack.Sandbox, ads: AdPlatform, journalled: bool) -> None:
    for wanted, made in deaths(ads, journalled=journalled):
        again = settled(sandbox, ads, wanted.effect_key)
        assert not set(again.ids.items()) - set(made.ids.items())
        ads.enable(again, wire=Wire())
        (day, *_) = per_day(ads.report(again, SINCE, wire=Wire()))
        assert day.spend <= wanted.daily_budget, "two ad groups would spend twice"


@pytest.mark.parametrize("mode", TROUBLES)
@pytest.mark.parametrize("changing", [False, True], ids=["create", "update"])
def test_trouble_at_any_wire_call_of_an_effect(
    sandbox: stack.Sandbox, ads: AdPlatform, changing: bool, mode: str
) -> None:
    """A reading call that fails is only transient; a writing one may have been carried out."""
    changed = fitting(ads, revision=2, headlines=("New",), daily_budget=Decimal("20.00"))

    def run(wire: Wire) -> object:
        sandbox.reset()
        if not changing:
            return ads.create(fitting(ads), wire=wire, steps=Steps())
        made = ads.create(fitting(ads), wire=Wire(), steps=Steps())
        before.extend(calls(sandbox, ads.name))
        return ads.update(made, changed, wire=wire, steps=Steps())

    before: list[str] = []
    whole = Wire()
    run(whole)
    kinds = [endpoint.partition(" ")[0] for endpoint in calls(sandbox, ads.name)[len(before) :]]
    assert len(kinds) == whole.calls, "one wire call is one request"
    assert "POST" in kinds
    for number, kind in enumerate(kinds, start=1):
        before.clear()
        wire = Wire()

        def trouble(at: int, number: int = number, wire: Wire = wire) -> None:
            if at == number:
                sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": mode})
                wire.timeout = SHORT_S if mode == "slow" else wire.timeout

        wire.before = trouble
        with pytest.raises(IntegrationError) as caught:
            run(wire)
        assert type(caught.value) is TROUBLES[mode][kind != "GET"], f"call {number}, a {kind}"
        assert (caught.value.provider, caught.value.__cause__) == (ads.name, None)
        stack.wait_until(lambda number=number: len(calls(sandbox, ads.name)) >= len(before) + number)  # type: ignore[misc] # mypy can't infer a lambda with a default
        assert len(calls(sandbox, ads.name)) == len(before) + number


def test_a_lost_reply_of_any_creation_is_adopted(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    whole = Wire()
    ads.create(fitting(ads, effect_key="000000000000"), wire=whole, steps=Steps())
    kinds = [endpoint.partition(" ")[0] for endpoint in calls(sandbox, ads.name)]
    writing = [number for number, kind in enumerate(kinds, start=1) if kind == "POST"]
    assert writing
    for lost in writing:
        key, wire, steps = f"{lost:012x}", Wire(), Steps()

        def lose(at: int, lost: int = lost) -> None:
            sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": "lost_reply" if at == lost else "ok"})

        wire.before = lose
        with pytest.raises(OutcomeUnknownError):
            ads.create(fitting(ads, effect_key=key), wire=wire, steps=steps)
        sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": "ok"})
        found = ads.find_by_key(key, wire=Wire())
        if found is None:
            made = ads.create(fitting(ads, effect_key=key), wire=Wire(), steps=steps)
        else:
            made = ads.update(found, fitting(ads, effect_key=key), wire=Wire(), steps=steps)
        assert not set(settled(sandbox, ads, key).ids.items()) - set(made.ids.items())


@pytest.mark.parametrize("mode", ["down", "rate_limited"])
def test_what_a_platform_asks_to_wait_is_what_the_error_says(
    sandbox: stack.Sandbox, ads: AdPlatform, mode: str
) -> None:
    with fault(sandbox, ads.name, mode, retry_after=7.5), pytest.raises(TROUBLES[mode][0]) as caught:
        ads.find_by_key(KEY, wire=Wire())
    assert caught.value.retry_after == 7.5


def test_a_bad_token_needs_a_person_and_never_shows(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    provider = platform(ads.name).provider
    assert provider is not None
    token = next(
        variable for name, variable in provider.credentials.items() if name in ("access_token", "refresh_token")
    )
    env = {
        token: "invalid",
        provider.base_url_variable: sandbox.url + provider.sandbox_path,
    }
    refused = build(ads.name, Settings.from_env(env))
    with pytest.raises(CredentialsError) as caught:
        refused.find_by_key(KEY, wire=Wire())
    assert "http" not in f"{caught.value!r} {caught.value.to_dict()}"


def test_validate_stores_nothing(sandbox: stack.Sandbox, ads: AdPlatform) -> None:
    assert ads.validate(fitting(ads), wire=Wire()) == []
    long = ads.validate(fitting(ads, headlines=("x" * 200,)), wire=Wire())
    assert any("headline 1 is 200 characters long" in problem for problem in long)
    sandbox.reset(world={"currency": "EUR"})
    (other,) = ads.validate(fitting(ads), wire=Wire())
    assert other == "the ad account counts in EUR, the campaign in USD"
    assert ad_campaigns(sandbox) == []


def test_what_is_gone_is_not_found(ads: AdPlatform) -> None:
    with pytest.raises(NotFoundError):
        ads.get("1", wire=Wire())


def test_nobody_there(ads: AdPlatform) -> None:
    gone = build(ads.name, Settings.from_env({"SANDBOX_URL": "http://127.0.0.1:9"}))
    with pytest.raises(TransientError, match="can't be reached"):
        gone.find_by_key(KEY, wire=Wire())


@pytest.mark.usefixtures("_sandbox_process")  # the example is importable as long as it runs
def test_a_sandbox_that_is_started_again_still_knows_its_ads(site: Path) -> None:
    made, state = {}, ("--state", str(site / "sandbox.json"))
    with stack.running_sandbox(site, *state, env={"PYTHONPATH": python_path(site)}) as first:
        load_google(first.url)
        for name in available():
            built = build(name, Settings.from_env({"SANDBOX_URL": first.url}))
            built.enable(built.create(fitting(built), wire=Wire(), steps=Steps()), wire=Wire())
            made[name] = built.find_by_key(KEY, wire=Wire())
    with stack.running_sandbox(site, *state, env={"PYTHONPATH": python_path(site)}) as second:
        load_google(second.url)
        for name in available():
            built = build(name, Settings.from_env({"SANDBOX_URL": second.url}))
            found = built.find_by_key(KEY, wire=Wire())
            assert found is not None
            assert found == made[name]
            assert len(per_day(built.report(found, SINCE, wire=Wire()))) == 7


def test_the_example_reads_every_page(sandbox: stack.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketing_tiktok_ads.api.PAGE_SIZE", 2)
    ads = build("tiktok_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    made = [ads.create(fitting(ads, effect_key=f"{number:012x}"), wire=Wire(), steps=Steps()) for number in range(5)]
    assert [settled(sandbox, ads, remote.effect_key).id for remote in made] == [remote.id for remote in made]
