"""Google Ads as an ad platform without a client: names, limits and benchmarks."""

from __future__ import annotations

from integrations.ads.benchmark import Benchmark
from integrations.ads.limits import PlatformLimits
from integrations.ads.spec import PlatformSpec

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
    ),
    # Search campaigns (all industries, US accounts; WordStream by LocaliQ, Google Ads Benchmarks 2025).
    benchmark=Benchmark(ctr=0.0666, cvr=0.0752, cpa=70.11),
    # Google publishes operations per 24 hours, of which one request has many: no limit of requests follows from it.
)
