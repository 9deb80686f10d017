"""What one result of a campaign may cost: the measure of its money.

The user's own target comes first. Without one it is what typical ads cost on the campaign's platforms: the harmonic
mean of their benchmarks, what a typical campaign with equal shares would pay. It is the same however the money is
split, so a split can't make itself look good. Where no benchmark is known in the campaign's currency, it is what its
first figures would have cost with typical rates, and stays that.

Pure. Invariant: once set, it changes only with the user's target.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from agents.config import CampaignConfig
from agents.state import PlatformMetrics, Yardstick
from agents.wanted import Counted, counted, wanted_cost
from integrations.ads.benchmark import Benchmark
from integrations.ads.registry import platforms

#: Of a platform that is not installed any more.
DEFAULT_BENCHMARK = Benchmark(ctr=0.01, cvr=0.05)
_EXACT = Decimal("0.0001")


def benchmark(platform: str) -> Benchmark:
    """Return what a typical campaign reaches on ``platform``."""
    spec = platforms().get(platform)
    return spec.benchmark if spec else DEFAULT_BENCHMARK


DEAREST = 1e12  #: no result costs more: figures that say so are no figures


def yardstick(
    config: CampaignConfig, figures: Sequence[PlatformMetrics], earlier: Yardstick | None
) -> Yardstick | None:
    """Return what one result may cost, or None as long as there is nothing to go by.

    ``figures``: of every platform that has ads; ``earlier``: what the last measurement went by.
    """
    what, target = counted(config), wanted_cost(config)
    if target is not None:
        source = "target_cpa" if config.target_cpa is not None else "target_roas"
        return Yardstick(counts=what, cost=target, currency=config.currency, source=source)
    if earlier is not None and earlier.counts is what and earlier.source in ("benchmark", "first_figures"):
        return earlier
    return usual_yardstick(figures, what)


def usual_yardstick(figures: Sequence[PlatformMetrics], what: Counted) -> Yardstick | None:
    """Return what a result costs usually, by benchmarks or else by the rates of ``figures``."""
    currencies = {metrics.currency for metrics in figures}
    if len(currencies) != 1:
        return None
    currency = next(iter(currencies))
    known = [usual_cost(metrics.platform, currency, what) for metrics in figures]
    if all(known):
        cost = len(known) / sum(1 / one for one in known if one)
        return Yardstick(counts=what, cost=_money(cost), currency=currency, source="benchmark")
    spend = float(sum((metrics.spend for metrics in figures), Decimal(0)))
    typical = sum(metrics.impressions * _per_impression(metrics.platform, what) for metrics in figures)
    if spend <= 0 or typical <= 0 or spend > typical * DEAREST:
        return None
    return Yardstick(counts=what, cost=_money(spend / typical), currency=currency, source="first_figures")


def usual_cost(platform: str, currency: str, what: Counted) -> float | None:
    """Return what a result costs usually on a platform, None where that is not known in ``currency``."""
    usual = benchmark(platform)
    if not usual.cpa or usual.currency != currency:
        return None
    return usual.cpa * usual.cvr if what is Counted.CLICKS else usual.cpa


def _per_impression(platform: str, what: Counted) -> float:
    usual = benchmark(platform)
    return usual.ctr if what is Counted.CLICKS else usual.ctr * usual.cvr


def _money(cost: float) -> Decimal:
    return max(_EXACT, Decimal(cost).quantize(_EXACT))
