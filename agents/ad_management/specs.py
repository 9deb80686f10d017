"""From texts and budget to what each platform shall run.

Pure. Invariants: the daily budgets of all platforms, over all days of the schedule, never exceed the
campaign's budget nor its caps; the effect key depends on campaign and platform only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from hashlib import sha256

from agents.ad_management.creative import Texts, changed
from agents.budget import CENT, allocate_budget, at_least, daily_budget
from agents.state import AdCreative, MarketingAgentState
from agents.unit import effect_key
from integrations.ads.platform import AdSpec, Audience, DayReport
from integrations.ads.registry import platform
from integrations.ads.utm import campaign_link
from integrations.currencies import smallest

#: Where ads lead in the sandbox when the brand has no web site; in live such a campaign is refused at submit.
SANDBOX_LANDING_URL = "https://example.com/"


def budgets(state: MarketingAgentState, platforms: Sequence[str]) -> dict[str, Decimal]:
    """Daily budget per platform, in the campaign's currency.

    Sums of rounds overlap, so the days are what counts, each as the newest round reports it. A platform that runs gets
    the least that it takes.
    """
    history: dict[str, dict[date, DayReport]] = {name: {} for name in platforms}
    for one in state.campaign_performance.rounds:
        for metrics in one.platforms:
            if metrics.platform in history:
                history[metrics.platform].update({report.day: report for report in metrics.daily})
    past = {name: [days[day] for day in sorted(days)] for name, days in history.items()}
    config = state.campaign_config
    days = config.schedule.days
    shares = allocate_budget(past, _total(state), seed=config.models.seed, days=days)
    daily = {name: daily_budget(share, days) for name, share in shares.items()}
    smallest_amount = max(smallest(config.currency), CENT)
    return at_least(
        daily, {name: max(platform(name).least_daily(config.currency), smallest_amount) for name in platforms}
    )


def standing(state: MarketingAgentState) -> dict[str, Decimal]:
    """Daily budgets that run now, whether or not this hop touches them."""
    return {
        c.platform: c.daily_budget or Decimal(0)
        for c in state.ad_creatives
        if c.status in ("active", "paused") and own_remote_ids(state, c.platform)
    }


def targets(state: MarketingAgentState, valid: Sequence[str]) -> dict[str, Decimal]:
    """Return the daily budgets that the valid platforms shall have.

    Platforms that only go on running keep their part.
    """
    found = budgets(state, tuple(dict.fromkeys((*valid, *standing(state)))))
    return {name: found[name] for name in valid}


def lowered(state: MarketingAgentState, wanted: Mapping[str, Decimal]) -> list[str]:
    """Return the platforms that give budget away, which go first, so that only what is free is given to others."""
    runs = standing(state)
    return [name for name, daily in wanted.items() if name in runs and daily <= runs[name]]


def within_budget(
    state: MarketingAgentState, wanted: Mapping[str, Decimal], settled: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """``wanted`` (platforms that want more), cut so that all that runs stays within the campaign's budget.

    ``settled``: daily budgets that were changed earlier in this hop. Platforms that could not be changed
    still spend what they did, so their money is not free.
    """
    runs = {**standing(state), **settled}
    others = sum((daily for name, daily in runs.items() if name not in wanted), Decimal(0))
    own = {name: min(runs.get(name, Decimal(0)), daily) for name, daily in wanted.items()}
    free = daily_budget(_total(state), state.campaign_config.schedule.days) - others - sum(own.values(), Decimal(0))
    more = sum(wanted.values(), Decimal(0)) - sum(own.values(), Decimal(0))
    if more <= free:
        return dict(wanted)
    part = max(Decimal(0), free) / more
    return {
        name: (own[name] + (daily - own[name]) * part).quantize(CENT, rounding=ROUND_DOWN)
        for name, daily in wanted.items()
    }


def _total(state: MarketingAgentState) -> Decimal:
    """Return what may be spent over the schedule: the budget within the caps."""
    config = state.campaign_config
    caps = [config.budget or Decimal(0)]
    if config.limits.ads is not None:
        caps.append(config.limits.ads)
    if config.limits.ads_per_day is not None:
        caps.append(config.limits.ads_per_day * config.schedule.days)
    return min(caps)


def spec(state: MarketingAgentState, platform: str, texts: Texts, daily: Decimal) -> AdSpec:
    """Return what one platform shall run.

    Its start is the campaign's creation; deploying moves a past start to now.
    """
    config, audience = state.campaign_config, state.target_audience
    page = config.brand.website or SANDBOX_LANDING_URL
    landing = campaign_link(page, platform=platform, name=config.name, campaign_id=state.campaign_id)
    previous = creative_on(state, platform)
    revision = previous.revision if previous else 1
    if previous is not None and changed(texts, landing, previous):
        revision += 1
    keywords = [*audience.keywords, *(word for piece in state.generated_content for word in piece.keywords)]
    return AdSpec(
        name=config.name,
        effect_key=effect_key(state.campaign_id, platform),
        revision=revision,
        headlines=texts.headlines,
        descriptions=texts.descriptions,
        call_to_action=texts.call_to_action,
        landing_url=landing,
        keywords=tuple(dict.fromkeys(keywords))[:20],
        audience=Audience(
            industries=audience.industries,
            titles=audience.job_titles,
            locations=audience.locations,
            interests=audience.interests,
        ),
        daily_budget=daily,
        currency=config.currency,
        start=state.created_at,
        end=state.created_at + timedelta(days=config.schedule.days),
        advertiser=config.brand.name or "",
        language=state.content_requirements[0].language if state.content_requirements else "en",
        goal=config.goal,
    )


def creative_on(state: MarketingAgentState, platform: str) -> AdCreative | None:
    """Return the campaign's creative on one platform."""
    return next((c for c in state.ad_creatives if c.platform == platform), None)


def own_remote_ids(state: MarketingAgentState, platform: str) -> Mapping[str, str]:
    """Return the remote ids that this campaign made itself, not the parent's, which a fork has inherited."""
    found = creative_on(state, platform)
    if found is None or found.effect_key != effect_key(state.campaign_id, platform):
        return {}
    return found.remote_ids


def content_hash(wanted: AdSpec) -> str:
    """Hash of what people see and what it may cost per day."""
    shown = [
        wanted.headlines,
        wanted.descriptions,
        wanted.call_to_action,
        wanted.landing_url,
        wanted.daily_budget,
        wanted.currency,
    ]
    return sha256(repr(shown).encode()).hexdigest()[:16]
