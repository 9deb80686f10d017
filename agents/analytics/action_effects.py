"""What actions have done, measured at every look: results for the money after an action against those before it.

Pure. One more ad is compared with the others on the same days; anything else with the same platforms' days before.
Other actions on the same platform in that time are part of what is seen, and are counted. Invariant: nothing is said of
an action before :data:`LEAST_DAYS` days with spend have come after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.action_log import ActionRecord, Effect
from agents.actions import NewVariant, platforms_of
from agents.ad_figures import by_day
from agents.analytics.analysis import told
from agents.evidence.counts import Counts, counts
from agents.evidence.effect import effect
from agents.same_days import on_same_days
from agents.state import AdDay
from agents.wanted import Counted

LEAST_DAYS = 3
BEFORE_DAYS = 28  #: that an action is compared with
AFTER_DAYS = 28  #: after which an action's effect is no longer measured


def with_effects(records: Sequence[ActionRecord], daily: Sequence[AdDay], what: Counted) -> tuple[ActionRecord, ...]:
    """Return the records with what the figures say of each action that stands."""
    return tuple(_measured(one, records, daily, what) for one in records)


def _measured(
    record: ActionRecord, records: Sequence[ActionRecord], daily: Sequence[AdDay], what: Counted
) -> ActionRecord:
    if not record.stands or not record.seen:
        return record
    found = _variant(record, daily, what) if isinstance(record.action, NewVariant) else _over_time(record, daily, what)
    if found is None:
        return record
    return record.model_copy(update={"effect": found, "together": _together(record, records)})


def _variant(record: ActionRecord, daily: Sequence[AdDay], what: Counted) -> Effect | None:
    """Return what an ad that was added brings against the others of its platform, on the same days."""
    platform = record.done[0]
    newest = [one.revision for one in daily if one.platform == platform and one.ad == record.added]
    own = [one for one in daily if one.platform == platform and newest and one.revision == newest[-1]]
    pair = on_same_days(own, lambda day: day.ad == record.added)
    if pair is None or pair[1].days < LEAST_DAYS:
        return None
    return told(effect([pair], what))


def _over_time(record: ActionRecord, daily: Sequence[AdDay], what: Counted) -> Effect | None:
    """Return what the platforms of an action bring since it, against what they brought before.

    They are taken together, so that money that moves from one to another is part of the effect.
    """
    before: list[AdDay] = []
    after: list[AdDay] = []
    for platform in record.done:
        seen = record.seen.get(platform)
        if seen is None:
            continue
        own = [one for one in daily if one.platform == platform]
        before += [one for one in own if seen - timedelta(days=BEFORE_DAYS) < one.day <= seen]
        after += [one for one in own if seen < one.day <= seen + timedelta(days=AFTER_DAYS)]
    earlier, later = _sums(before), _sums(after)
    if earlier.days < 1 or later.days < LEAST_DAYS:
        return None
    return told(effect([(earlier, later)], what))


def _sums(days: Sequence[AdDay]) -> Counts:
    return counts(by_day(days))


def _together(record: ActionRecord, records: Sequence[ActionRecord]) -> int:
    """Return how many other actions on the same platforms were taken in the time that an effect is measured over."""
    own = set(record.done)
    found = 0
    for other in records:
        if other is record or not other.done or other.proposed:
            continue
        shared = own & set(platforms_of(other.action) or other.done)
        found += any(
            abs((other.seen[name] - record.seen[name]).days) < AFTER_DAYS
            for name in shared
            if name in other.seen and name in record.seen
        )
    return found
