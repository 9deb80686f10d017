"""Judgement whether a worker is of any use: pure functions over what it sees of itself.

A worker is of no use when nobody sees it alive although others are seen, or when messages wait for it, it has free
slots, and it takes none. Its process had better end, so that its supervisor starts another. Invariants: a verdict needs
the same picture at every look for a long time; long queues before busy slots, a worker that drains, and a process or
machine that slept between two looks are no reason.
"""

from __future__ import annotations

from dataclasses import dataclass

MUTE_S = 60.0  #: a worker without a heartbeat for so long, while others have one, ends
STUCK_S = 60.0  #: a heartbeat takes seconds at most; without any end for so long its thread is gone
IDLE_S = 60.0  #: a worker that takes nothing for so long, although it could, ends; reconnecting takes half of that
OLD_S = 10.0  #: a message that waits for so long should have been taken by whoever is free
SLEPT_S = 15.0  #: looks further apart than this: the process or the machine slept, or is starved


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a worker sees of itself at one moment, with times in seconds."""

    at: float  #: of a clock that goes on while the machine sleeps
    beat_age: float  #: since its last heartbeat
    untried: float  #: since the last attempt at one ended
    others_beat: bool = False  #: whether another worker's heartbeat gets through
    oldest: float | None = None  #: age of the oldest message in its queues; None: none can be seen, or none be taken
    free: int = 0  #: slots that run no task
    taken: int = 0  #: tasks that were given to its slots since it began
    stopping: bool = False  #: it drains


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered from look to look."""

    looked_at: float | None = None
    taken: int = 0
    mute_since: float | None = None
    idle_since: float | None = None


def judge(watch: Watch, look: Look) -> tuple[Watch, str | None]:
    """Return what to remember, and why the worker is of no use, or None."""
    slept = watch.looked_at is None or look.at - watch.looked_at > SLEPT_S
    if slept or look.stopping:
        return Watch(looked_at=look.at, taken=look.taken), None
    mute = look.beat_age > OLD_S and look.others_beat
    could = look.free > 0 and look.oldest is not None and look.oldest >= OLD_S
    idle = could and look.taken == watch.taken
    now = Watch(
        looked_at=look.at,
        taken=look.taken,
        mute_since=_since(watch.mute_since, look.at) if mute else None,
        idle_since=_since(watch.idle_since, look.at) if idle else None,
    )
    return now, _verdict(now, look)


def _since(before: float | None, at: float) -> float:
    return at if before is None else before


def _verdict(watch: Watch, look: Look) -> str | None:
    if look.untried >= STUCK_S:
        return f"its heartbeat has stopped: none was tried for {look.untried:.0f} s"
    if watch.mute_since is not None and look.at - watch.mute_since >= MUTE_S:
        return f"it sent no heartbeat for {look.beat_age:.0f} s, and other workers did"
    if watch.idle_since is not None and look.at - watch.idle_since >= IDLE_S:
        return (
            f"it took no message for {look.at - watch.idle_since:.0f} s, with {look.free} free slots, "
            f"and one waits for {look.oldest or 0.0:.0f} s"
        )
    return None
