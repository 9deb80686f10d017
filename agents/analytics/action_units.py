"""From an action on one platform to the unit that carries it out, and to the one that takes it back.

Pure. Invariant: what a unit sets is absolute, so doing it twice is doing it once.
"""

from __future__ import annotations

from agents.action_log import ActionRecord
from agents.actions import (
    CapFrequency,
    ChangeBid,
    ChangeSchedule,
    NarrowAudience,
    NegativeKeyword,
    NewVariant,
    OnePlatform,
    PauseAd,
    PausePlatform,
    ResumeAd,
    ResumePlatform,
    WidenAudience,
)
from agents.ad_management.adding import add_unit
from agents.analytics.changing import change_unit
from agents.state import MarketingAgentState
from agents.unit import Unit
from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    AdSwitch,
    AudienceChange,
    BidChange,
    Change,
    EndChange,
    FrequencyCap,
    HoursChange,
    NegativeKeywords,
)
from integrations.ads.platform import Audience

_SWITCHES = (PauseAd, ResumeAd)
_RUNS = (PausePlatform, ResumePlatform)


def unit_of(state: MarketingAgentState, key: str, action: OnePlatform) -> Unit:
    """Plan the unit that carries an action out."""
    if isinstance(action, NewVariant):
        return add_unit(state, key, action.platform, action.headlines, action.descriptions, action.angle)
    if isinstance(action, _RUNS):
        return change_unit(state, key, action.platform, running=isinstance(action, ResumePlatform))
    return change_unit(state, key, action.platform, change_of(state, action))


def taking_back(state: MarketingAgentState, key: str, record: ActionRecord, platform: str) -> Unit | None:
    """Plan the unit that makes one platform as it was before an action, or None where nothing is to be done."""
    action = record.action
    if isinstance(action, NewVariant):
        return change_unit(state, key, platform, AdSwitch(ad=record.added, on=False)) if record.added else None
    if isinstance(action, _SWITCHES):
        return change_unit(state, key, platform, AdSwitch(ad=action.ad, on=isinstance(action, PauseAd)))
    if isinstance(action, _RUNS):
        return change_unit(state, key, platform, running=isinstance(action, PausePlatform))
    before = record.before.get(platform)
    return change_unit(state, key, platform, restore=before) if before is not None else None


def changes_what(action: OnePlatform) -> ChangeKind | None:
    """Return what of a live campaign an action changes, None for one more ad and for whether the platform runs."""
    return _KINDS.get(type(action)) or (_schedule_kind(action) if isinstance(action, ChangeSchedule) else None)


def negative_words(state: MarketingAgentState, platform: str) -> tuple[str, ...]:
    """Return the negative keywords that stand on a platform by the campaign file and by what has been done."""
    given = [word.strip().removeprefix("-") for word in state.target_audience.keywords if word.strip().startswith("-")]
    done = [
        word
        for one in state.actions
        if isinstance(one.action, NegativeKeyword) and one.action.platform == platform and one.stands
        for word in one.action.words
    ]
    return tuple(dict.fromkeys((*given, *done)))


def change_of(state: MarketingAgentState, action: OnePlatform) -> Change:
    """Return the change of a live campaign that an action is."""
    match action:
        case PauseAd() | ResumeAd():
            return AdSwitch(ad=action.ad, on=isinstance(action, ResumeAd))
        case NarrowAudience() | WidenAudience():
            wanted = Audience(
                industries=action.industries,
                titles=action.titles,
                locations=action.locations,
                interests=action.interests,
            )
            return AudienceChange(audience=wanted, keywords=action.keywords)
        case NegativeKeyword():
            return NegativeKeywords(
                words=tuple(dict.fromkeys((*negative_words(state, action.platform), *action.words)))
            )
        case ChangeBid():
            return BidChange(cap=action.cap, currency=action.currency)
        case ChangeSchedule():
            return HoursChange(spans=action.hours) if action.hours is not None else EndChange(at=action.end)
        case CapFrequency():
            return FrequencyCap(impressions=action.impressions, days=action.days)
        case _:
            raise ValueError(f"{action.kind} is no change of a setting")


def _schedule_kind(action: ChangeSchedule) -> ChangeKind:
    return ChangeKind.HOURS if action.hours is not None else ChangeKind.END


_KINDS: dict[type[object], ChangeKind] = {
    PauseAd: ChangeKind.AD_SWITCH,
    ResumeAd: ChangeKind.AD_SWITCH,
    NarrowAudience: ChangeKind.AUDIENCE,
    WidenAudience: ChangeKind.AUDIENCE,
    NegativeKeyword: ChangeKind.NEGATIVE_KEYWORDS,
    ChangeBid: ChangeKind.BID,
    CapFrequency: ChangeKind.FREQUENCY,
}
