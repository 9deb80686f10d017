"""TikTok as an ad platform: names, limits, benchmarks, settings, client and sandbox half."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.ads.benchmark import Benchmark
from integrations.ads.change_kind import ChangeKind
from integrations.ads.curve import Curve
from integrations.ads.limits import PlatformLimits
from integrations.ads.spec import PlatformSpec
from integrations.provider_specs import ProviderSpec

if TYPE_CHECKING:
    from integrations.settings import Settings
    from marketing_tiktok_ads.client import TikTokAds
    from marketing_tiktok_ads.sandbox import TikTokSandbox


def _client(settings: Settings) -> TikTokAds:
    from marketing_tiktok_ads.client import TikTokAds  # imported by the first campaign that needs it

    return TikTokAds(settings)


def _sandbox() -> TikTokSandbox:
    from marketing_tiktok_ads.sandbox import TikTokSandbox

    return TikTokSandbox()


SPEC = PlatformSpec(
    name="tiktok_ads",
    title="TikTok",
    aliases=("tiktok",),
    limits=PlatformLimits(
        min_headlines=1,
        max_headlines=3,
        headline_width=40,
        min_descriptions=1,
        max_descriptions=3,
        description_width=100,
        wide=2,
    ),
    benchmark=Benchmark(ctr=0.0084, cvr=0.0046),  # without a usual price per conversion
    changes=frozenset({ChangeKind.DAILY_BUDGET, ChangeKind.AD_SWITCH, ChangeKind.AUDIENCE, ChangeKind.HOURS}),
    unchanging={
        ChangeKind.NEGATIVE_KEYWORDS: "its ads are not shown for searches, so it has no negative keywords",
        ChangeKind.FREQUENCY: "it caps frequency only where ads are optimised for reach, and ours are not",
    },
    provider=ProviderSpec(
        name="tiktok_ads",
        live_url="https://business-api.tiktok.com/open_api/v1.3",
        sandbox_path="/tiktok_ads",
        base_url_variable="TIKTOK_ADS_BASE_URL",
        credentials={"access_token": "TIKTOK_ADS_ACCESS_TOKEN", "advertiser_id": "TIKTOK_ADS_ADVERTISER_ID"},
        sandbox_credentials={"advertiser_id": "5000"},
    ),
    client=_client,
    sandbox=_sandbox,
    curve=Curve(ctr=0.0084, cvr=0.0046, cpm=9.0, half_spend=500.0),
    published_limit="600/min",
)
