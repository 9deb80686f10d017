"""An effect is sent once, or not before it is sure that it was not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ad_platforms import START
from agent_context import Execution, MemoryContext

from agents.effects import ENDED, INTENT, MAX_SENDS, UNSETTLED, EffectSteps, unsettled
from agents.ports import EffectRules, FixedClock
from agents.unit import Unit
from integrations import errors
from integrations.ads.platform import once
from integrations.errors import IntegrationError, NeedsAttentionError, NotNowError, OutcomeUnknownError
from integrations.providers import Providers
from integrations.settings import Settings

RULES = EffectRules(probe_delay_s=60.0, call_timeout_s=20.0, late_s=5.0)
UNIT = Unit(key="deploy:p", kind="deploy", provider="p", effect_key="k")


class DiedError(BaseException):
    """The process died."""


class World:
    """A platform that makes one object per call, and lists it when it wants to."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.listed = True
        self.execution = Execution(Providers(Settings.from_env({})), clock=FixedClock(START), effects=RULES)
        self.ticks = 0.0

    def context(self) -> MemoryContext:
        return self.execution.for_unit("c", 0, 0, UNIT)

    def attempt(self, send: Callable[[float], str] | None = None, *, pause: float = 0.0) -> str:
        """One attempt of a process of its own; ``pause``: how long it sleeps between intent and call."""
        steps = EffectSteps(self.context(), "p", ticks=lambda: self.ticks)
        found = self.made[0] if self.made and self.listed else None

        def make() -> str:
            self.ticks += pause
            return steps.wire(send or self.make)

        return once(steps, "campaign", found, make)

    def make(self, timeout: float) -> str:
        self.made.append(f"id-{len(self.made) + 1}")
        return self.made[-1]

    def lose(self, timeout: float) -> str:
        self.make(timeout)
        raise OutcomeUnknownError("p", "no answer")

    def drop(self, timeout: float) -> str:
        raise OutcomeUnknownError("p", "no answer")

    def die(self, timeout: float) -> str:
        raise DiedError

    def later(self, seconds: float) -> None:
        self.execution.clock.at += timedelta(seconds=seconds)

    @property
    def journal(self) -> dict[str, Any]:
        context = self.context()
        return {name: context.journaled(name) for name in self.execution.journals.get(context.place, {})}


@pytest.fixture
def world() -> World:
    return World()


def wait_of(world: World, send: Callable[[float], str] | None = None) -> float | None:
    with pytest.raises(OutcomeUnknownError, match="campaign may have been made") as found:
        world.attempt(send)
    assert found.value.detail == UNSETTLED
    return found.value.retry_after


def test_the_intent_is_committed_before_the_call(world: World) -> None:
    def send(timeout: float) -> str:
        assert unsettled(world.journal) == ["campaign"]
        return world.make(timeout)

    assert world.attempt(send) == "id-1"
    assert unsettled(world.journal) == []
    assert world.attempt(world.die) == "id-1"  # journalled: nothing is sent


def test_what_a_lost_reply_made_is_adopted(world: World) -> None:
    with pytest.raises(OutcomeUnknownError):
        world.attempt(world.lose)
    assert world.attempt(world.die) == "id-1"
    assert world.made == ["id-1"]


def test_a_lost_call_is_sent_again_after_two_looks_a_while_apart(world: World) -> None:
    with pytest.raises(OutcomeUnknownError):
        world.attempt(world.drop)
    world.later(1)
    assert wait_of(world, world.die) == 60.0
    world.later(59)
    assert wait_of(world, world.die) == 1.0
    world.later(1)
    assert world.attempt() == "id-1"


def test_an_object_that_is_listed_late_is_adopted_at_the_second_look(world: World) -> None:
    world.listed = False
    with pytest.raises(OutcomeUnknownError):
        world.attempt(world.lose)
    assert wait_of(world, world.die) == 60.0
    world.later(60)
    world.listed = True
    assert world.attempt(world.die) == "id-1"


def test_after_a_death_the_longest_call_is_waited_for_too(world: World) -> None:
    world.execution.effects = EffectRules(probe_delay_s=0.0, call_timeout_s=20.0, late_s=5.0)
    with pytest.raises(DiedError):
        world.attempt(world.die)
    world.later(15)  # its lease ran out
    assert wait_of(world, world.die) == 10.0
    world.later(9)
    assert wait_of(world, world.die) == 1.0
    world.later(1)
    assert world.attempt() == "id-1"


def test_a_look_counts_for_the_newest_intent_only(world: World) -> None:
    with pytest.raises(OutcomeUnknownError):
        world.attempt(world.drop)
    wait_of(world, world.die)
    world.later(60)
    with pytest.raises(OutcomeUnknownError):
        world.attempt(world.drop)  # sent anew, and lost again
    assert wait_of(world, world.die) == 60.0


@pytest.mark.parametrize(
    ("error", "again_at_once"),
    [
        (errors.BadRequestError("p", "m"), True),
        (errors.PolicyRefusedError("p", "m"), True),
        (errors.NotFoundError("p", "m"), True),
        (errors.CredentialsError("p", "m"), True),
        (errors.QuotaExhaustedError("p", "m"), True),
        (errors.RateLimitedError("p", "m"), True),
        (errors.NotNowError("p", "m"), True),
        (errors.TransientError("p", "a 500: it may have been made"), False),
        (errors.InvalidAnswerError("p", "unreadable: it may have been made"), False),
        (errors.OutcomeUnknownError("p", "m"), False),
    ],
)
def test_a_refusal_made_nothing_and_anything_else_may_have(
    world: World, error: IntegrationError, again_at_once: bool
) -> None:
    def send(timeout: float) -> str:
        raise error

    with pytest.raises(type(error)):
        world.attempt(send)
    assert unsettled(world.journal) == ([] if again_at_once else ["campaign"])
    if again_at_once:
        assert world.attempt() == "id-1"
    else:
        wait_of(world, world.die)


def test_too_many_unknown_sends_are_a_persons_business(world: World) -> None:
    for number in range(MAX_SENDS):
        with pytest.raises(OutcomeUnknownError):
            world.attempt(world.drop)
        wait_of(world, world.die)
        world.later(60)
        assert world.journal[INTENT + "campaign"]["sends"] == number + 1
    with pytest.raises(NeedsAttentionError, match="can't be found: look at the platform") as found:
        world.attempt(world.die)
    assert found.value.detail == UNSETTLED
    assert unsettled(world.journal) == ["campaign"]


def test_refusals_are_not_counted_as_sends(world: World) -> None:
    def refuse(timeout: float) -> str:
        raise errors.RateLimitedError("p", "slower")

    for _ in range(2 * MAX_SENDS):
        with pytest.raises(errors.RateLimitedError):
            world.attempt(refuse)
    assert world.attempt() == "id-1"


def test_a_sender_that_wakes_late_does_not_send(world: World) -> None:
    with pytest.raises(NotNowError, match="woke too late"):
        world.attempt(world.die, pause=RULES.late_s + 0.1)
    assert unsettled(world.journal) == []  # it knows that it sent nothing
    assert world.attempt(pause=RULES.late_s - 0.1) == "id-1"


def test_one_who_wakes_late_leaves_its_successors_intent_alone(world: World) -> None:
    late = EffectSteps(world.context(), "p", ticks=lambda: world.ticks)
    late.intend("campaign")
    world.later(30)
    wait_of(world, world.die)
    world.later(60)
    with pytest.raises(DiedError):
        world.attempt(world.die)  # the successor's, in flight
    newest = world.journal[INTENT + "campaign"]["token"]
    world.ticks += 100
    with pytest.raises(NotNowError):
        late.wire(world.die)
    assert world.journal[INTENT + "campaign"]["token"] == newest
    assert world.journal.get(ENDED + newest) is None
    assert unsettled(world.journal) == ["campaign"]


def test_every_call_of_an_effect_is_one_of_a_holder(world: World) -> None:
    lost: list[str] = []

    class Context(MemoryContext):
        def intend(self, entry: str, value: Any) -> None:
            if lost:
                raise NotNowError("p", "another attempt holds the unit")
            super().intend(entry, value)

    steps = EffectSteps(Context(world.execution, "c", UNIT, ("c", 0, 0, UNIT.key)), "p", ticks=lambda: world.ticks)
    assert steps.wire(lambda timeout: timeout) == world.execution.timeout_s
    lost.append("taken over")
    world.ticks += RULES.late_s
    assert steps.wire(lambda timeout: 1) == 1  # seen to hold it a moment ago
    world.ticks += 0.1
    with pytest.raises(NotNowError):
        steps.wire(world.die)
