"""Google Ads as an ad platform: names, limits, benchmarks, settings, client and sandbox half."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.ads.audience import AudienceSpec
from integrations.ads.benchmark import Benchmark
from integrations.ads.change_kind import ChangeKind
from integrations.ads.curve import Curve
from integrations.ads.goal import Goal
from integrations.ads.google.customer_match import LEAST, MAX_MEMBERS, member
from integrations.ads.limits import PlatformLimits
from integrations.ads.spec import Package, PlatformSpec
from integrations.provider_specs import ProviderOption, ProviderSpec

if TYPE_CHECKING:
    from integrations.ads.google.audience import GoogleAudiences
    from integrations.ads.google.client import GoogleAds
    from integrations.ads.google.sandbox import GoogleAdsSandbox
    from integrations.online import OnlineCheck
    from integrations.settings import Settings


def _client(settings: Settings) -> GoogleAds:
    from integrations.ads.google.client import GoogleAds

    return GoogleAds(settings)


def _audiences(settings: Settings) -> GoogleAudiences:
    from integrations.ads.google.audience import GoogleAudiences

    return GoogleAudiences(settings)


def _sandbox() -> GoogleAdsSandbox:
    from integrations.ads.google.sandbox import GoogleAdsSandbox

    return GoogleAdsSandbox()


def _online(settings: Settings, timeout: float) -> OnlineCheck:
    from integrations.ads.google.online import check

    return check(settings, timeout)


SPEC = PlatformSpec(
    name="google_ads",
    title="Google",
    aliases=("google",),
    # Responsive search ads: 3-15 headlines of 30, 2-4 descriptions of 90; double-width characters count 2 (Google Ads
    # help, "About responsive search ads" and "text ad length limits").
    limits=PlatformLimits(
        min_headlines=3,
        max_headlines=15,
        headline_width=30,
        min_descriptions=2,
        max_descriptions=4,
        description_width=90,
        wide=2,
        combined_ads=3,  # that are shown of one ad group (the same page)
    ),
    # Search campaigns (all industries, US accounts; WordStream by LocaliQ, Google Ads Benchmarks 2025).
    benchmark=Benchmark(ctr=0.0666, cvr=0.0752, cpa=70.11),
    # Google publishes no least daily budget: an account's own comes with the refusal (BUDGET_BELOW_PER_DAY_MINIMUM).
    goals={Goal.TRAFFIC: (), Goal.LEADS: ("conversion_id",), Goal.SALES: ("conversion_id",)},
    changes=frozenset(ChangeKind) - {ChangeKind.FREQUENCY},
    most_running=3,  # responsive search ads of an ad group ("About responsive search ads")
    # "Frequency capping" of Google Ads help: for Display and Video campaigns.
    unchanging={ChangeKind.FREQUENCY: "a search campaign answers searches, and has no frequency cap"},
    search_terms=True,
    provider=ProviderSpec(
        name="google_ads",
        live_url="https://googleads.googleapis.com",
        sandbox_path="/google_ads",
        base_url_variable="GOOGLE_ADS_BASE_URL",
        credentials={
            "developer_token": "GOOGLE_ADS_DEVELOPER_TOKEN",
            "client_id": "GOOGLE_ADS_CLIENT_ID",
            "client_secret": "GOOGLE_ADS_CLIENT_SECRET",
            "refresh_token": "GOOGLE_ADS_REFRESH_TOKEN",
            "customer_id": "GOOGLE_ADS_CUSTOMER_ID",
        },
        sandbox_credentials={"customer_id": "5000000000"},
        options={
            "login_customer_id": ProviderOption(variable="GOOGLE_ADS_LOGIN_CUSTOMER_ID", default=""),
            "conversion_id": ProviderOption(variable="GOOGLE_ADS_CONVERSION_ACTION_ID", sandbox="7000"),
        },
        online=_online,
    ),
    package=Package(name="google-ads", extra="google"),
    client=_client,
    audiences=AudienceSpec(
        member=member,
        batch=MAX_MEMBERS,
        least=LEAST,
        no_lookalike="has lookalike segments for Demand Gen campaigns only, and none for the search ads made here",
        client=_audiences,
    ),
    sandbox=_sandbox,
    # Around the benchmarks; 1000 impressions cost 66.6 clicks of 5.26 USD (the same source).
    curve=Curve(ctr=0.0666, cvr=0.0752, cpm=350.0, half_spend=600.0),
    # Google publishes operations per 24 hours, of which one request has many: no limit of requests follows from it.
)
