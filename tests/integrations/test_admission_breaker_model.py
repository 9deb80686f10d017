"""Breaker and probe against a small model in Python: any order of calls, outcomes, waits and resets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from integrations.admission import Admission, Breaker, BreakerChange, Circuit, Ticket
from integrations.errors import BadRequestError, CircuitOpenError, NotNowError, OutcomeUnknownError, TransientError

THRESHOLD, RECOVERY_S, WINDOW_S, LEASE_S, MARGIN_S = 3, 40.0, 20.0, 10.0, 5.0
OUTCOMES = {
    "works": (None, BadRequestError("p", "no")),
    "failed": (TransientError("p", "down"), OutcomeUnknownError("p", "lost")),
    "none": (NotNowError("p", "later"), ValueError("ours"), KeyboardInterrupt()),
}


@dataclass
class Model:
    """What the breaker should do, said in the fewest words."""

    state: str = "closed"
    failures: list[float] = field(default_factory=list)
    due: float = 0.0
    probe: int | None = None
    probe_until: float = 0.0
    changed: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)

    def admit(self, call: int, now: float) -> str:
        if self.state != "closed":
            if now < self.due or (self.probe is not None and now < self.probe_until):
                return "refused"
            self.state, self.probe, self.probe_until = "half_open", call, now + LEASE_S + MARGIN_S
        self.begun[call] = now
        return "probe" if self.state == "half_open" else "admitted"

    def settle(self, call: int, verdict: str, now: float) -> None:
        if self.state == "closed":
            if verdict == "failed" and self.begun[call] >= self.changed:
                self.failures = [at for at in self.failures if at > now - WINDOW_S] + [now]
                if len(self.failures) == THRESHOLD:
                    self.change("open", now)
        elif self.probe == call:
            self.probe = None
            if verdict != "none":
                self.change("closed" if verdict == "works" else "open", now)

    def change(self, state: str, now: float) -> None:
        self.state, self.changed, self.failures, self.probe = state, now, [], None
        self.due = now + RECOVERY_S

    def shown(self, now: float) -> str:
        return "half_open" if self.state == "open" and now >= self.due else self.state


class BreakerMachine(RuleBasedStateMachine):
    """Runs :class:`Model` beside the scripts."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        with redis.Redis.from_url(self.url) as client:
            client.flushdb()
        self.changes: list[BreakerChange] = []
        self.admission = Admission(
            self.url,
            breaker=Breaker(THRESHOLD, RECOVERY_S, WINDOW_S),
            limits={},
            on_change=self.changes.append,
            chance=lambda: 0.0,
        )
        self.model, self.now = Model(), 1_000_000.0
        self.numbers = itertools.count()
        self.calls: dict[int, Ticket] = {}
        self.expected: list[tuple[str, str]] = []
        self.circuit = Circuit("p")

    def teardown(self) -> None:
        self.admission.close()

    @rule(seconds=st.sampled_from([0.000001, 1.0, 9.0, 15.0, 19.999999, 20.0, 39.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 6)

    @rule()
    def admit(self) -> None:
        call, before = next(self.numbers), self.model.state
        expected = self.model.admit(call, self.now)
        got, wait_s = self.outcome(call)
        assert got == expected
        if got == "refused" and self.now < self.model.due:
            assert abs(wait_s - (self.model.due - self.now)) < 1e-6
        self.note(before)

    def outcome(self, call: int) -> tuple[str, float]:
        try:
            ticket = self.admission.admit(self.circuit, holder=str(call), campaign="c", lease_s=LEASE_S, now=self.now)
        except CircuitOpenError as error:
            return "refused", error.retry_after or 0.0
        self.calls[call] = ticket
        return "probe" if ticket.probe else "admitted", 0.0

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), verdict=st.sampled_from(["failed", "failed", "works", "none"]), forget=st.booleans())
    def settle(self, data: st.DataObject, verdict: str, forget: bool) -> None:
        call = data.draw(st.sampled_from(sorted(self.calls)))
        before = self.model.state
        self.model.settle(call, verdict, self.now)
        self.admission.settle(self.calls[call], data.draw(st.sampled_from(OUTCOMES[verdict])), now=self.now)
        if forget or verdict == "failed":  # a failure told twice is one failure; the model gives them no names
            del self.calls[call]
        self.note(before)

    @rule()
    def reset(self) -> None:
        before = self.model.state
        self.model.change("closed", self.now)
        self.admission.reset("p", now=self.now)
        self.note(before)

    def note(self, before: str) -> None:
        if self.model.state != before:
            self.expected.append((before, self.model.state))

    @invariant()
    def agrees(self) -> None:
        assert [(c.before.value, c.after.value) for c in self.changes] == self.expected
        for seen in self.admission.status(now=self.now):
            assert seen.state.value == self.model.shown(self.now)
            assert seen.failures == len([at for at in self.model.failures if at > self.now - WINDOW_S])
            held = self.model.probe is not None and self.now < self.model.probe_until
            assert seen.probe_held == held


@pytest.mark.hypothesis
def test_the_breaker_does_what_the_model_says(redis_url: str) -> None:
    machine = type("Machine", (BreakerMachine,), {"url": redis_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            stateful_step_count=40,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
