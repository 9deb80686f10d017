"""Ad money: an update replaces, what may have reached the platform counts, and currencies never meet."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orchestrator_harness import Harness
from spend_bench import verbs
from toys import toys

from agents.ports import FixedClock
from agents.unit import effect_key
from integrations.ads.platform import AdSpec, DayReport
from integrations.errors import OverBudgetError
from integrations.settings import Settings
from orchestration.control.limits import change_limits
from orchestration.reports.spend import campaign_spend, fleet_spend
from orchestration.spend.ads import AdSpend, ad_hold, check_ad_currency, remaining_days

NOW = datetime.now(UTC)
START, TODAY = NOW - timedelta(minutes=1), NOW.date()


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, toys())
    yield made
    made.close()


def ads(
    bench: Harness,
    cap: str | None = None,
    currency: str = "EUR",
    *,
    campaign: str = "c1",
    platform: str = "facebook_ads",
) -> AdSpend:
    caps = None if cap is None else (Decimal(cap), currency)
    settings = Settings.from_env({}).model_copy(update={"ads_daily_cap": caps})
    return AdSpend(bench.database, settings, campaign, "ad_management", platform, FixedClock(NOW))


def spec(
    daily: str, *, platform: str = "facebook_ads", campaign: str = "c1", currency: str = "EUR", days: int = 30
) -> AdSpec:
    return AdSpec(
        name="Launch",
        effect_key=effect_key(campaign, platform),
        headlines=("h",),
        descriptions=("d",),
        landing_url="https://www.northlight.example/",
        daily_budget=Decimal(daily),
        currency=currency,
        start=START,
        end=START + timedelta(days=days),
    )


def days(amount: str, first: date = TODAY, number: int = 1) -> list[DayReport]:
    return [
        DayReport(
            day=first + timedelta(days=at), impressions=1, clicks=1, conversions=0, spend=Decimal(amount), currency=""
        )
        for at in range(number)
    ]


def place(
    bench: Harness,
    wanted: AdSpec,
    *,
    campaign: str = "c1",
    platform: str = "facebook_ads",
    cap: str | None = None,
) -> None:
    ads(bench, cap, campaign=campaign, platform=platform).reserve(wanted)
    ads(bench, cap, campaign=campaign, platform=platform).placed(wanted)


def row(bench: Harness, campaign: str = "c1", platform: str = "facebook_ads") -> tuple[Decimal, Decimal, Decimal]:
    """(held, settled, daily)."""
    found = bench.database.rows(
        "SELECT held, settled, daily FROM marketing.spend WHERE campaign_id = %s AND unit = %s",
        campaign, effect_key(campaign, platform),
    )  # fmt: skip
    assert len(found) == 1
    return found[0][0], found[0][1], found[0][2]


def test_an_update_replaces_and_never_counts_twice(bench: Harness) -> None:
    bench.submit(budget=600, currency="EUR", limits={"ads": "900", "ads_per_day": "20"})
    place(bench, spec("10"))
    assert row(bench) == (300, 0, 10)
    place(bench, spec("10"))  # a retry, going back, a second delivery
    assert row(bench) == (300, 0, 10)
    place(bench, spec("15"))
    assert row(bench) == (450, 0, 15)
    place(bench, spec("5"))
    assert row(bench) == (150, 0, 5)
    place(bench, spec("15", platform="linkedin_ads"), platform="linkedin_ads")
    for daily, said in (
        ("5.01", "limits.ads_per_day of 20.00 EUR has 5.00 a day left, the ads may cost 5.01 a day: "),
        ("6", "campaigns limits c1 --ads-per-day X"),
    ):
        with pytest.raises(OverBudgetError) as caught:
            ads(bench).reserve(spec(daily))
        assert said in str(caught.value)
        assert caught.value.detail == "limits.ads_per_day"
    assert row(bench) == (150, 0, 5)


def test_what_may_have_reached_the_platform_counts_until_it_is_known(bench: Harness) -> None:
    bench.submit(budget=600, currency="EUR", limits={"ads": "600"})
    place(bench, spec("15"))
    # Lowering: until the platform has taken it, the higher budget may still run.
    ads(bench).reserve(spec("5"))
    assert row(bench) == (450, 0, 15)
    with pytest.raises(OverBudgetError) as caught:
        ads(bench, platform="linkedin_ads").reserve(spec("6", platform="linkedin_ads"))
    assert caught.value.detail == "limits.ads"
    ads(bench).placed(spec("5"))
    assert row(bench) == (150, 0, 5)
    # Raising, and the platform surely took nothing of it: as before.
    undo = ads(bench).reserve(spec("20"))
    assert row(bench) == (600, 0, 20)
    undo()
    assert row(bench) == (150, 0, 5)
    ads(bench).stopped(effect_key("c1", "facebook_ads"))
    assert row(bench) == (0, 0, 0)


def test_what_is_reported_goes_from_held_to_settled(bench: Harness) -> None:
    bench.submit(budget=300, currency="EUR", limits={"ads": "300"})
    place(bench, spec("10"))
    ads(bench).reported("EUR", 1, days("9.50", number=7))
    assert row(bench) == (Decimal("233.50"), Decimal("66.50"), 10)
    ads(bench).reported("EUR", 1, days("9.50", number=7))  # read once more
    assert row(bench) == (Decimal("233.50"), Decimal("66.50"), 10)
    # The next revision has lived the seven days that follow; both have spent.
    ads(bench).reported("EUR", 2, days("10", NOW.date() + timedelta(days=7), 7))
    assert row(bench) == (Decimal("163.50"), Decimal("136.50"), 10)
    place(bench, spec("10"))  # 14 of 30 days are over, so the same budget still fits under the very same limit
    assert row(bench) == (160, Decimal("136.50"), 10)
    # What is not known to have been held is counted all the same.
    ads(bench).reported("EUR", 3, days("500"))
    assert row(bench) == (0, Decimal("636.50"), 10)
    with pytest.raises(OverBudgetError):
        place(bench, spec("11"))


def test_two_currencies_never_mix(bench: Harness) -> None:
    bench.submit(budget=300, currency="EUR", limits={"ads_per_day": "10"})
    place(bench, spec("10"))
    ads(bench).reported("USD", 1, days("99"))  # the ad account counts in dollars
    found = campaign_spend(bench.database, "c1")
    assert found["totals"]["ads"] == {
        "EUR": {"settled": "0.00", "held": "300.00"},
        "USD": {"settled": "99.00", "held": "0.00"},
    }
    assert found["limits"] == [
        {"limit": "limits.ads_per_day", "currency": "EUR", "cap": "10.00", "taken": "10.00", "left": "0.00"}
    ]
    bench.submit("c2", budget=300, currency="USD")
    with pytest.raises(OverBudgetError, match="DAILY_CAP_ADS is in EUR and the campaign's ads are in USD"):
        ads(bench, "500", campaign="c2").reserve(spec("1", campaign="c2", currency="USD"))


def test_the_fleets_cap_counts_what_runs(bench: Harness) -> None:
    for campaign in ("c1", "c2"):
        bench.submit(campaign, budget=3000, currency="EUR")
    place(bench, spec("60"), cap="100")
    other = spec("50", campaign="c2")
    with pytest.raises(OverBudgetError, match=r"DAILY_CAP_ADS of 100\.00 EUR has 40\.00 a day left") as caught:
        ads(bench, "100", campaign="c2").reserve(other)
    assert caught.value.detail == "DAILY_CAP_ADS"
    fleet = fleet_spend(
        bench.database, Settings.from_env({}).model_copy(update={"ads_daily_cap": (Decimal(100), "EUR")})
    )
    assert fleet["today"]["ads_per_day"] == {"EUR": "60.00"}
    assert fleet["caps"][0]["left"] == "40.00"
    ads(bench).stopped(effect_key("c1", "facebook_ads"))
    place(bench, other, campaign="c2", cap="100")
    # An ad whose schedule is over runs no more, whether or not anybody stopped it.
    bench.database.run("UPDATE marketing.spend SET until = now() - interval '1 second'")
    place(bench, spec("100"), cap="100")
    # A cap that is lowered stops nobody from asking for less.
    place(bench, spec("90"), cap="10")
    assert row(bench)[2] == 90


def test_limits_of_ads_below_what_runs_leave_no_room(bench: Harness) -> None:
    bench.submit(budget=300, currency="EUR")
    place(bench, spec("10"))
    told = verbs(bench)
    change_limits(told, "c1", actor="ann", ads_per_day="9.99", ads=300)
    with pytest.raises(OverBudgetError):
        ads(bench, platform="linkedin_ads").reserve(spec("1", platform="linkedin_ads"))


def test_many_at_once_stay_under_the_fleets_cap(bench: Harness) -> None:
    names = [f"c{number}" for number in range(16)]
    for name in names:
        bench.submit(name, budget=3000, currency="EUR")

    def ask(name: str) -> bool:
        with suppress(OverBudgetError):
            place(bench, spec("10", campaign=name), campaign=name, cap="50")
            return True
        return False

    with ThreadPoolExecutor(16) as pool:
        granted = sum(pool.map(ask, names))
    assert granted == 5
    assert bench.database.rows("SELECT sum(daily) FROM marketing.spend") == [(50,)]


def test_remaining_days() -> None:
    end = START + timedelta(days=30)
    assert remaining_days(START, end, START) == 30
    assert remaining_days(START, end, START + timedelta(days=10, hours=1)) == 20
    assert remaining_days(START, end, end) == 0
    assert remaining_days(START, end, end + timedelta(days=5)) == 0
    assert remaining_days(START, None, START) == 365
    assert remaining_days(START, end, START, [START.date() + timedelta(days=at) for at in range(1, 8)]) == 23
    assert remaining_days(START, end, START, [START.date()]) == 30  # today may go on
    assert ad_hold(Decimal("9.99"), START, end, START, []) == Decimal("299.70")


@given(
    elapsed=st.integers(0, 40 * 24),
    schedule=st.integers(1, 30),
    reported=st.lists(st.integers(0, 40), max_size=10),
)
def test_remaining_days_are_never_more_than_the_schedule(elapsed: int, schedule: int, reported: list[int]) -> None:
    now, end = START + timedelta(hours=elapsed), START + timedelta(days=schedule)
    found = remaining_days(START, end, now, [START.date() + timedelta(days=at) for at in reported])
    assert 0 <= found <= remaining_days(START, end, now) <= schedule
    assert timedelta(days=remaining_days(START, end, now)) >= end - now  # never too few for the clock


def test_ads_in_another_currency_than_the_fleets_cap_are_refused_at_submit() -> None:
    settings = Settings.from_env({}).model_copy(update={"ads_daily_cap": (Decimal("500"), "EUR")})
    assert check_ad_currency(("facebook_ads",), "USD", settings) == (
        "currency=USD: DAILY_CAP_ADS is 500.00 EUR, and currencies are never summed; give the budget in EUR"
    )
    assert check_ad_currency(("facebook_ads",), "EUR", settings) is None
    assert check_ad_currency((), "USD", settings) is None
    assert check_ad_currency(("facebook_ads",), "USD", Settings.from_env({})) is None
