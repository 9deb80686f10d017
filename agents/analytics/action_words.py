"""What people are told of an action: what was changed, why, by whom, and what it has done.

Pure.
"""

from __future__ import annotations

from agents.action_log import ActionRecord, Effect
from agents.actions import (
    Action,
    CapFrequency,
    ChangeBid,
    ChangeSchedule,
    NarrowAudience,
    NegativeKeyword,
    NewVariant,
    PauseAd,
    PausePlatform,
    ResumeAd,
    SetBudget,
    ShiftBudget,
    WidenAudience,
)
from agents.overview import Money, Phrase, Platform


def told(record: ActionRecord) -> Phrase:
    """Tell of an action in one line."""
    by = (f", by {record.by}",) if record.by else ()
    return (f"{record.action_id}: ", *_status(record), *_change(record), *by, *_since(record))


def detail(record: ActionRecord) -> Phrase:
    """Tell what an action changes, why, what was refused, and what it has done or is expected to do."""
    return (*_change(record), *_since(record))


def what(action: Action, done: tuple[str, ...] = ()) -> Phrase:
    """Tell what an action changes.

    Of a shift that is on the platforms that were ``done``, () for all.
    """
    if isinstance(action, ShiftBudget):
        return _moves(action, done)
    if isinstance(action, SetBudget):
        return (f"the budget is {action.amount} in all",)
    where: Phrase = (Platform(action.platform), " ")
    match action:
        case PauseAd() | ResumeAd():
            return (*where, f"{action.ad} {'paused' if isinstance(action, PauseAd) else 'shown again'}")
        case NewVariant():
            about = f" ({action.angle})" if action.angle else ""
            return (*where, f'one more ad{about}: "{action.headlines[0]}"')
        case NarrowAudience() | WidenAudience():
            aim = (*action.locations, *action.industries, *action.titles, *action.interests, *action.keywords)
            size = "fewer" if isinstance(action, NarrowAudience) else "more"
            return (*where, f"shown to {size} people: {', '.join(aim)}")
        case NegativeKeyword():
            return (*where, f"not shown for searches with {', '.join(action.words)}")
        case ChangeBid():
            if action.cap is None:
                return (*where, "bids by itself")
            return (*where, "bids at most ", Money(action.cap, action.currency))
        case ChangeSchedule():
            return (*where, _schedule(action))
        case CapFrequency():
            return (*where, f"shown {action.impressions} times in {action.days} days at most")
        case PausePlatform():
            return (*where, "paused")
        case _:
            return (*where, "shown again")


def effect_words(effect: Effect) -> str:
    """Tell an effect, as a difference only where the interval excludes that nothing happened."""
    said = {"improved": "more for the same money", "worsened": "less for the same money", "unclear": "no clear effect"}
    return f"{said[effect.verdict]}: {effect.mean:+.0%}, between {effect.low:+.0%} and {effect.high:+.0%}"


def _change(record: ActionRecord) -> Phrase:
    why = (f" ({record.action.why})",) if record.action.why else ()
    return (*what(record.action, record.done), *why)


def _since(record: ActionRecord) -> Phrase:
    parts = []
    if record.failed:
        parts.append("; not changed: " + "; ".join(f"{name}: {why}" for name, why in record.failed.items()))
    if record.undone_at is not None:
        parts.append(f"; taken back by {record.undone_by}")
    elif record.effect is not None:
        parts.append(f"; since then {effect_words(record.effect)}{_together(record.together)}")
    elif record.expected is not None:
        expected = record.expected
        parts.append(f"; expected {expected.mean:+.0%}, between {expected.low:+.0%} and {expected.high:+.0%}")
    return tuple(parts)


def _status(record: ActionRecord) -> tuple[str, ...]:
    return ("proposed: ",) if record.proposed else ("failed: ",) if record.status == "failed" else ()


def _together(others: int) -> str:
    return f" (together with {others} other change{'s' if others > 1 else ''})" if others else ""


def _moves(action: ShiftBudget, done: tuple[str, ...]) -> Phrase:
    parts: list[Phrase] = [
        (Platform(name), " ", Money(move.before, action.currency), " → ", Money(move.after, action.currency))
        for name, move in action.moves.items()
        if name in done or not done
    ]
    return ("money a day: ", *(word for at, part in enumerate(parts) for word in ((", ", *part) if at else part)))


def _schedule(action: ChangeSchedule) -> str:
    if action.end is not None:
        return f"ends {action.end:%Y-%m-%d %H:%M}"
    return (
        f"shown in {sum(one.until - one.first for one in action.hours or ())} of 168 hours"
        if action.hours
        else ("shown at all hours")
    )
