"""LinkedIn as an ad platform: names, limits, benchmarks, settings, client and sandbox half."""

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
    from integrations.ads.linkedin.audience import LinkedInAudiences
    from integrations.ads.linkedin.client import LinkedInAds
    from integrations.ads.linkedin.sandbox import LinkedInAdsSandbox
    from integrations.online import OnlineCheck
    from integrations.settings import Settings


LIST_BATCH = 5_000  #: members of a customer list in one call


def _client(settings: Settings) -> LinkedInAds:
    from integrations.ads.linkedin.client import LinkedInAds

    return LinkedInAds(settings)


def _audiences(settings: Settings) -> LinkedInAudiences:
    from integrations.ads.linkedin.audience import LinkedInAudiences

    return LinkedInAudiences(settings)


def _sandbox() -> LinkedInAdsSandbox:
    from integrations.ads.linkedin.sandbox import LinkedInAdsSandbox

    return LinkedInAdsSandbox()


def _online(settings: Settings, timeout: float) -> OnlineCheck:
    from integrations.ads.linkedin.online import check

    return check(settings, timeout)


SPEC = PlatformSpec(
    name="linkedin_ads",
    title="LinkedIn",
    aliases=("linkedin",),
    # Headline 70 and introductory text 150 shown before it is cut on most devices (LinkedIn Ads Guide, single image
    # ads; 200 and 600 are accepted). Three ads per campaign are our own choice, as on Facebook (LinkedIn takes 15
    # active ones).
    limits=PlatformLimits(
        min_headlines=1,
        max_headlines=3,
        headline_width=70,
        min_descriptions=1,
        max_descriptions=3,
        description_width=150,
    ),
    # CTR of single image sponsored content (The B2B House, LinkedIn Ad Benchmarks: 0.56 %, formats from 0.44 to
    # 0.65 %); conversions on a web site have no reliable published average: 4 % is our convention, and the CPA follows
    # from the lower end of the usual click price ($5.50; Stackmatix, LinkedIn Ads Benchmarks 2026).
    benchmark=Benchmark(ctr=0.0056, cvr=0.04, cpa=137.5),
    # 10 USD a day, or as much in the account's currency (LinkedIn Marketing Solutions Help, "Minimum budgets").
    min_daily={"USD": Decimal(10)},
    goals={Goal.TRAFFIC: (), Goal.LEADS: ("lead_form_id", "conversion_id"), Goal.SALES: ("conversion_id",)},
    # "Create and manage campaigns" (Marketing API): a campaign has a runSchedule and no hours; optimizationPreference
    # caps frequency for brand awareness.
    changes=frozenset(
        {ChangeKind.DAILY_BUDGET, ChangeKind.AD_SWITCH, ChangeKind.AUDIENCE, ChangeKind.BID, ChangeKind.END}
    ),
    unchanging={
        ChangeKind.NEGATIVE_KEYWORDS: "its ads are not shown for searches, so it has no negative keywords",
        ChangeKind.HOURS: "its campaigns have a start and an end, and no hours",
        ChangeKind.FREQUENCY: "it caps frequency only for brand awareness, and our campaigns have other goals",
    },
    provider=ProviderSpec(
        name="linkedin_ads",
        live_url="https://api.linkedin.com",
        sandbox_path="/linkedin_ads",
        base_url_variable="LINKEDIN_ADS_BASE_URL",
        credentials={
            "access_token": "LINKEDIN_ADS_ACCESS_TOKEN",
            "ad_account_id": "LINKEDIN_ADS_ACCOUNT_ID",
            "organization_id": "LINKEDIN_ADS_ORGANIZATION_ID",
        },
        sandbox_credentials={"ad_account_id": "3000", "organization_id": "4000"},
        options={
            "version": ProviderOption(variable="LINKEDIN_VERSION", default="202610"),
            "conversion_id": ProviderOption(variable="LINKEDIN_CONVERSION_ID", sandbox="7000"),
            "lead_form_id": ProviderOption(variable="LINKEDIN_LEAD_FORM_ID", sandbox="8000"),
            "source_platform": ProviderOption(variable="LINKEDIN_SOURCE_PLATFORM", sandbox="SANDBOX"),
        },
        online=_online,
    ),
    client=_client,
    # "DMP Segments" and "DMP Segment Users" of the Marketing API: whoever is sent within 5 s after the creation of a
    # segment may be lost; a campaign needs 300 matched members.
    audiences=AudienceSpec(
        member=address_hash,
        batch=LIST_BATCH,
        least=300,
        settle_s=5.0,
        no_lookalike="has made no lookalike audiences since February 2024",
        needs=("source_platform",),
        client=_audiences,
    ),
    sandbox=_sandbox,
    curve=Curve(ctr=0.0056, cvr=0.04, cpm=30.0, half_spend=600.0),  # around the benchmarks
    # LinkedIn publishes no rate limit; what holds is per member and application and day.
)
