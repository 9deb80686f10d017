"""What an action may do: why one is refused before anything is sent.

Pure. The same limits hold for the loop and for people. Invariant: an action that is let pass leaves at least one ad
shown on each platform that runs, spends no more than the campaign may, and shows nothing to people outside the places
that the campaign is for.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from agents.action_log import ActionRecord
from agents.actions import (
    Action,
    ChangeBid,
    ChangeSchedule,
    NarrowAudience,
    NegativeKeyword,
    NewVariant,
    OnePlatform,
    PauseAd,
    ResumeAd,
    ResumePlatform,
    SetBudget,
    ShiftBudget,
    WidenAudience,
)
from agents.ad_management.cutting import says_any
from agents.ad_management.daily_budgets import least_daily, standing
from agents.ad_management.money_left import money_a_day
from agents.ad_management.running import ad_steps, creative_on, own_remote_ids
from agents.analytics.action_units import changes_what
from agents.contacts import check_texts
from agents.contacts.brief import brief_contacts
from agents.state import AdCreative, MarketingAgentState
from integrations.ads.keywords import keywords
from integrations.ads.registry import platform

MOST_NEGATIVES = 200  #: negative keywords of a campaign


def problem(state: MarketingAgentState, action: Action, now: datetime) -> str | None:
    """Return why an action may not be carried out, with what would be right, or None when it may."""
    if isinstance(action, SetBudget):
        return _money(state)
    if isinstance(action, ShiftBudget):
        return _shift(state, action)
    creative = creative_on(state, action.platform)
    ours = [one.platform for one in state.ad_creatives if own_remote_ids(state, one.platform)]
    if creative is None or action.platform not in ours:
        return f"platform={action.platform}: the campaign has no ads there; it has ads on {', '.join(ours) or 'none'}"
    if (kind := changes_what(action)) is not None and (why := platform(action.platform).unchangeable(kind)):
        return why
    return _one(state, action, creative, now)


def undo_problem(state: MarketingAgentState, record: ActionRecord) -> str | None:
    """Return why an action can't be taken back, with what would be right, or None when it can."""
    if not record.stands:
        return f"action {record.action_id} is {record.status}: there is nothing to take back"
    if isinstance(record.action, SetBudget):
        return f"give the budget that is right instead: campaigns budget {state.campaign_id} AMOUNT"
    ids = [one.action_id for one in state.actions]
    for later in state.actions[ids.index(record.action_id) + 1 :]:
        if later.stands and _same(later, record):
            return f"a later change builds on it: take back {later.action_id} ({later.action.kind}) first"
    return None


def ads_shown(creative: AdCreative) -> tuple[str, ...]:
    """Return the step names of a creative's ads that are not paused, where its ads can be told apart."""
    return tuple(step for step in ad_steps(creative) if step not in creative.paused_ads)


def _one(state: MarketingAgentState, action: OnePlatform, creative: AdCreative, now: datetime) -> str | None:
    match action:
        case PauseAd() | ResumeAd():
            return _switch(action, creative)
        case ResumePlatform():
            return None if creative.status == "paused" else f"{action.platform} is {creative.status}, not paused"
        case NewVariant():
            return _texts(state, action)
        case NarrowAudience() | WidenAudience():
            return _audience(state, action)
        case NegativeKeyword():
            return _negative(action)
        case ChangeBid():
            return _bid(state, action, creative)
        case ChangeSchedule():
            return _schedule(state, action, now)
        case _:
            return None


def _switch(action: PauseAd | ResumeAd, creative: AdCreative) -> str | None:
    shown = ads_shown(creative)
    if isinstance(action, ResumeAd):
        paused = [ad for ad in creative.paused_ads if ad in creative.remote_ids]
        return None if action.ad in paused else f"ad={action.ad} is not paused; paused are: {_words(paused)}"
    if action.ad not in shown:
        return f"ad={action.ad} is not shown; shown are: {_words(shown)}"
    return "it is the only ad that is shown there; use pause_platform" if len(shown) == 1 else None


def _texts(state: MarketingAgentState, action: NewVariant) -> str | None:
    limits = platform(action.platform).limits
    for kind, texts, most in (
        ("headlines", action.headlines, limits.headline_width),
        ("descriptions", action.descriptions, limits.description_width),
    ):
        for text in texts:
            if not text.strip() or limits.width(text) > most:
                return f"{kind}: {text[:60]!r} has {limits.width(text)} characters; 1 to {most} are right"
            if says_any(text, state.campaign_config.brand.banned_words):
                return f"{kind}: {text[:60]!r} has a word that the brand bans"
    try:
        check_texts(
            {"headlines": "\n".join(action.headlines), "descriptions": "\n".join(action.descriptions)},
            brief_contacts(state.campaign_config),
        )
    except ValueError as error:
        return str(error)
    return None


def _audience(state: MarketingAgentState, action: NarrowAudience | WidenAudience) -> str | None:
    allowed = state.campaign_config.target_audience.locations
    if allowed and not action.locations:
        return f"locations is empty: the campaign is for {_words(allowed)}"
    if strange := [place for place in action.locations if allowed and place not in allowed]:
        return f"locations={strange[0]!r}: the campaign is for {_words(allowed)} only"
    if not any((action.industries, action.titles, action.locations, action.interests, action.keywords)):
        return "the audience is empty; name industries, titles, locations, interests or keywords"
    return None


def _negative(action: NegativeKeyword) -> str | None:
    for word in action.words:
        if not keywords([f"-{word.strip().removeprefix('-')}"]):
            return f"words={word!r} can't be a keyword"
    return f"words has {len(action.words)}; at most {MOST_NEGATIVES}" if len(action.words) > MOST_NEGATIVES else None


def _bid(state: MarketingAgentState, action: ChangeBid, creative: AdCreative) -> str | None:
    if action.currency != state.campaign_config.currency:
        return f"currency={action.currency}: the campaign is in {state.campaign_config.currency}"
    daily = creative.daily_budget
    if action.cap is not None and daily is not None and action.cap > daily:
        return f"cap={action.cap} is above the daily budget of {daily} there"
    return None


def _schedule(state: MarketingAgentState, action: ChangeSchedule, now: datetime) -> str | None:
    if (action.hours is None) == (action.end is None):
        return "give hours or end, one of the two"
    last = state.created_at + timedelta(days=state.campaign_config.schedule.days)
    if action.end is not None and not now < action.end <= last:
        return f"end={action.end.isoformat()} is not between now and the schedule's end, {last.isoformat()}"
    return None


def _money(state: MarketingAgentState) -> str | None:
    """Return why the money that the campaign may spend now can't be spread over its platforms."""
    runs = tuple(standing(state))
    if not runs:
        return "the campaign has no ads that run"
    least, currency = least_daily(state, runs), state.campaign_config.currency
    cheapest, daily = min(runs, key=lambda name: (least[name], name)), money_a_day(state, standing(state))
    if 0 < daily < least[cheapest]:
        return (
            f"{daily} {currency} a day would be left for {platform(cheapest).title}, which takes no less than "
            f"{least[cheapest]}; allow more, or stop the ads: campaigns pause {state.campaign_id} --ads"
        )
    return None


def _shift(state: MarketingAgentState, action: ShiftBudget) -> str | None:
    runs = standing(state)
    if action.currency != state.campaign_config.currency:
        return f"currency={action.currency}: the campaign is in {state.campaign_config.currency}"
    if not action.moves:
        return "moves is empty: name platforms with their daily budgets"
    for name, move in action.moves.items():
        if name not in runs:
            return f"moves.{name}: the campaign has no ads that run there; it has {_words(list(runs))}"
        least = platform(name).least_daily(action.currency)
        if move.after < least or move.after <= 0:
            return f"moves.{name}.after={move.after} is below the least daily budget there, {least} {action.currency}"
    total = sum(runs.values(), Decimal(0))
    after = sum(
        (action.moves[name].after if name in action.moves else daily for name, daily in runs.items()), Decimal(0)
    )
    if after > total:
        return (
            f"the daily budgets come to {after} {action.currency} after it; they are {total} now, and none may be added"
        )
    return None


def _same(later: ActionRecord, earlier: ActionRecord) -> bool:
    """Return whether two actions have changed the same thing."""
    one, other = later.action, earlier.action
    if isinstance(one, ShiftBudget | SetBudget) or isinstance(other, ShiftBudget | SetBudget):
        return isinstance(one, ShiftBudget | SetBudget) and isinstance(other, ShiftBudget | SetBudget)
    if one.platform != other.platform:
        return False
    if isinstance(one, PauseAd | ResumeAd) and isinstance(other, PauseAd | ResumeAd):
        return one.ad == other.ad
    kind = changes_what(one)
    return kind is not None and kind is changes_what(other) and not isinstance(one, PauseAd | ResumeAd)


def _words(found: Collection[str]) -> str:
    return ", ".join(found) or "none"
