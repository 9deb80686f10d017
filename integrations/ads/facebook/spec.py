"""Facebook (Meta) as an ad platform: names, limits, benchmarks, settings, client and sandbox half."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from integrations.address_hash import address_hash
from integrations.ads.audience import AudienceSpec
from integrations.ads.benchmark import Benchmark
from integrations.ads.change_kind import ChangeKind
from integrations.ads.curve import Curve
from integrations.ads.goal import Goal
from integrations.ads.limits import PlatformLimits
from integrations.ads.spec import PlatformSpec
from integrations.provider_specs import ProviderOption, ProviderSpec

if TYPE_CHECKING:
    from integrations.ads.facebook.audience import FacebookAudiences
    from integrations.ads.facebook.client import FacebookAds
    from integrations.ads.facebook.sandbox import FacebookSandbox
    from integrations.online import OnlineCheck
    from integrations.settings import Settings


LIST_BATCH = 10_000  #: members of a customer list in one call


def _client(settings: Settings) -> FacebookAds:
    from integrations.ads.facebook.client import FacebookAds

    return FacebookAds(settings)


def _audiences(settings: Settings) -> FacebookAudiences:
    from integrations.ads.facebook.audience import FacebookAudiences

    return FacebookAudiences(settings)


def _sandbox() -> FacebookSandbox:
    from integrations.ads.facebook.sandbox import FacebookSandbox

    return FacebookSandbox()


def _online(settings: Settings, timeout: float) -> OnlineCheck:
    from integrations.ads.facebook.online import check

    return check(settings, timeout)


SPEC = PlatformSpec(
    name="facebook_ads",
    title="Facebook",
    aliases=("facebook", "meta"),
    # Headline 40 and primary text 125 shown before "See more" (Meta Ads Guide, image ads in the feed). Three ads per
    # campaign are our own choice: enough to compare, few enough that a small budget still gives each of them data
    # (Facebook takes 50 per ad set).
    limits=PlatformLimits(
        min_headlines=1,
        max_headlines=3,
        headline_width=40,
        min_descriptions=1,
        max_descriptions=3,
        description_width=125,
    ),
    # CTR of traffic campaigns, CVR and cost per lead of lead campaigns (all industries, US accounts; WordStream by
    # LocaliQ, Facebook Ads Benchmarks 2025).
    benchmark=Benchmark(ctr=0.0171, cvr=0.0772, cpa=27.66),
    # Ad sets that are billed for impressions, as ours are, take no less than 1 USD a day (Meta Business Help, "About
    # minimum budgets"); an account may ask for more (``min_daily_budget``), as may rare events (5 USD and up).
    min_daily={"USD": Decimal(1)},
    goals={Goal.TRAFFIC: (), Goal.LEADS: ("lead_form_id", "pixel_id"), Goal.SALES: ("pixel_id",)},
    # "Ad Set" of the Marketing API: writes to frequency_control_specs "are only available in ad sets where REACH and
    # THRUPLAY are the performance goal"; "Pacing and Scheduling": ad scheduling is for lifetime budgets.
    changes=frozenset(
        {ChangeKind.DAILY_BUDGET, ChangeKind.AD_SWITCH, ChangeKind.AUDIENCE, ChangeKind.BID, ChangeKind.END}
    ),
    unchanging={
        ChangeKind.NEGATIVE_KEYWORDS: "its ads are not shown for searches, so it has no negative keywords",
        ChangeKind.HOURS: "it schedules ads by the hour for lifetime budgets only, and ours are daily",
        ChangeKind.FREQUENCY: "it caps frequency only where ads are optimised for reach, and ours are not",
    },
    provider=ProviderSpec(
        name="facebook_ads",
        live_url="https://graph.facebook.com",
        sandbox_path="/facebook",
        base_url_variable="FACEBOOK_BASE_URL",
        credentials={
            "access_token": "FACEBOOK_ACCESS_TOKEN",
            "app_secret": "FACEBOOK_APP_SECRET",
            "app_id": "FACEBOOK_APP_ID",
            "ad_account_id": "FACEBOOK_AD_ACCOUNT_ID",
            "page_id": "FACEBOOK_PAGE_ID",
        },
        sandbox_credentials={"ad_account_id": "1000", "app_id": "1", "page_id": "2000"},
        options={
            "pixel_id": ProviderOption(variable="FACEBOOK_PIXEL_ID", sandbox="5000"),
            "lead_form_id": ProviderOption(variable="FACEBOOK_LEAD_FORM_ID", sandbox="6000"),
        },
        online=_online,
    ),
    client=_client,
    # "Customer File Custom Audiences", "Custom Audience" and "Lookalike Audiences" of the Marketing API (v26.0).
    audiences=AudienceSpec(member=address_hash, batch=LIST_BATCH, least=100, lookalike_least=100, client=_audiences),
    sandbox=_sandbox,
    curve=Curve(ctr=0.0171, cvr=0.0772, cpm=18.0, half_spend=400.0),  # around the benchmarks
    # developers.facebook.com, Marketing API rate limiting, standard tier: 9,000 points, decaying over 300 s; a write
    # is 3 points. (Development tier: 60 points, LIMIT_FACEBOOK_ADS=20/5min.) As of November 2026.
    published_limit="3000/5min",
)
