"""When a worker is of no use: looks in, verdict out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from workers.liveness.usefulness import IDLE_S, MUTE_S, SLEPT_S, Look, Watch, judge

WELL = Look(at=0.0, beat_age=1.0, untried=1.0, free=16)
LOOK_S = 2.0


def verdicts(looks: Iterable[Look]) -> dict[float, str]:
    """The verdicts by their moment."""
    watch, found = Watch(), {}
    for look in looks:
        watch, verdict = judge(watch, look)
        if verdict is not None:
            found[look.at] = verdict
    return found


def series(seconds: float, **facts: Any) -> list[Look]:
    """Looks every two seconds; a fact may be a function of the time."""
    moments = (n * LOOK_S for n in count())
    return [
        replace(WELL, at=at, **{name: fact(at) if callable(fact) else fact for name, fact in facts.items()})
        for at, _ in zip(moments, range(int(seconds / LOOK_S) + 1), strict=False)
    ]


def test_a_worker_that_is_well_or_has_nothing_to_do_stays() -> None:
    assert verdicts(series(600)) == {}
    assert verdicts(series(600, taken=int)) == {}


def test_a_worker_that_takes_nothing_although_it_could_ends() -> None:
    found = verdicts(series(100, oldest=lambda at: at + 20))
    # The first look is remembered only; the second begins to count.
    assert min(found) == LOOK_S + IDLE_S
    assert "16 free slots" in found[min(found)]


def test_a_long_queue_before_busy_slots_is_no_reason() -> None:
    assert verdicts(series(600, free=0, oldest=500.0)) == {}
    # One slot is free for a moment now and then, and what it takes shows.
    assert verdicts(series(600, free=1, oldest=500.0, taken=lambda at: int(at // 20))) == {}


def test_messages_that_come_and_go_are_no_reason() -> None:
    assert verdicts(series(600, oldest=1.0)) == {}
    assert verdicts(series(600, oldest=lambda at: 60.0 if at % 20 else None)) == {}


def test_a_worker_that_drains_is_left_alone() -> None:
    assert verdicts(series(600, oldest=500.0, stopping=True)) == {}
    assert verdicts(series(600, beat_age=500.0, untried=500.0, others_beat=True, stopping=True)) == {}


def test_a_worker_that_others_can_not_see_ends() -> None:
    found = verdicts(series(200, beat_age=lambda at: at, others_beat=True))
    assert 10.0 + MUTE_S <= min(found) <= 14.0 + MUTE_S
    assert "other workers did" in found[min(found)]


def test_a_database_that_is_away_for_all_is_no_reason() -> None:
    away = series(600, beat_age=lambda at: at)
    assert verdicts(away) == {}
    # When it is back, the others may be seen a little earlier.
    back = [replace(look, at=look.at + 602, others_beat=True) for look in series(20, beat_age=602.0)]
    assert verdicts([*away, *back, *[replace(look, at=look.at + 624) for look in series(600)]]) == {}


def test_a_heartbeat_that_is_not_even_tried_ends_the_worker() -> None:
    found = verdicts(series(100, untried=lambda at: at))
    assert min(found) == 60.0
    assert "heartbeat has stopped" in found[60.0]


def test_a_machine_that_slept_begins_anew() -> None:
    slept = [replace(look, at=look.at * 100) for look in series(100, oldest=500.0, untried=500.0)]
    assert slept[1].at - slept[0].at > SLEPT_S
    assert verdicts(slept) == {}
    early = series(IDLE_S - 4, oldest=500.0)
    late = [replace(look, at=look.at + 4000.0) for look in series(IDLE_S - 4, oldest=500.0)]
    assert verdicts([*early, *late]) == {}
