"""The circuit breaker, rule by rule, on a real Redis with the clock in the test's hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import redis

from integrations.admission import (
    Admission,
    Breaker,
    BreakerChange,
    BreakerState,
    Circuit,
    CircuitStatus,
    Limit,
    Ticket,
)
from integrations.errors import (
    BadRequestError,
    CircuitOpenError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    NotNowError,
    OutcomeUnknownError,
    OverLimitError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)

CIRCUIT = Circuit.of("openai", "key", model="m")
BREAKER = Breaker(failure_threshold=3, recovery_timeout_s=100, window_s=60)
DOWN = TransientError("openai", "down")
LEASE_S = 30.0


@dataclass
class Desk:
    """One process's admission and the clock that it is asked at."""

    admission: Admission
    changes: list[BreakerChange] = field(default_factory=list)
    now: float = 1_000_000.0
    chance: float = 0.0

    def ask(self, circuit: Circuit = CIRCUIT, holder: str = "h", **options: Breaker) -> Ticket:
        return self.admission.admit(circuit, holder=holder, campaign="c", lease_s=LEASE_S, now=self.now, **options)

    def settle(self, ticket: Ticket, error: BaseException | None = None) -> None:
        self.admission.settle(ticket, error, now=self.now)

    def fail(self, times: int, circuit: Circuit = CIRCUIT) -> None:
        for ticket in [self.ask(circuit) for _ in range(times)]:
            self.settle(ticket, DOWN)

    def refused(self, circuit: Circuit = CIRCUIT) -> float:
        """Seconds until the refused caller may come again."""
        with pytest.raises(CircuitOpenError) as caught:
            self.ask(circuit)
        assert caught.value.retry_after is not None
        return caught.value.retry_after

    def seen(self, circuit: Circuit = CIRCUIT) -> CircuitStatus:
        return next(s for s in self.admission.status(now=self.now) if s.circuit == circuit)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(change.before.value, change.after.value, change.reason) for change in self.changes]


@pytest.fixture
def open_desk(redis_url: str) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def build(limits: dict[str, Limit] | None = None, listener: Callable[[BreakerChange], None] | None = None) -> Desk:
        changes: list[BreakerChange] = []
        admission = Admission(
            redis_url,
            breaker=BREAKER,
            limits=limits or {},
            on_change=listener or changes.append,
            chance=lambda: desks[0].chance,
        )
        desks.append(Desk(admission, changes))
        return desks[-1]

    yield build
    for desk in desks:
        desk.admission.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


def test_opens_at_the_threshold_and_says_when_it_will_be_probed(desk: Desk) -> None:
    desk.fail(2)
    assert desk.seen().state is BreakerState.CLOSED
    assert desk.seen().failures == 2
    desk.now += 5
    desk.fail(1)
    assert desk.told == [("closed", "open", "failures")]
    assert desk.changes[0].circuit == CIRCUIT.key
    assert desk.changes[0].at == desk.now
    opened = desk.now
    desk.now += 40
    assert desk.refused() == 60
    seen = desk.seen()
    assert (seen.state, seen.due_at, seen.probe_held) == (BreakerState.OPEN, opened + 100, False)
    assert (seen.admitted, seen.deferred) == (3, {"open": 1})


def test_successes_do_not_make_up_for_failures_but_time_does(desk: Desk) -> None:
    desk.fail(2)
    for _ in range(10):
        desk.settle(desk.ask())
    desk.now += 60  # the first two are exactly as old as the window: past it
    desk.fail(2)
    assert desk.told == []
    desk.now += 59.999
    desk.fail(1)
    assert desk.told == [("closed", "open", "failures")]


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (TransientError("openai", "x"), True),
        (OutcomeUnknownError("openai", "x"), True),
        (RateLimitedError("openai", "x"), False),
        (BadRequestError("openai", "x"), False),
        (PolicyRefusedError("openai", "x"), False),
        (InvalidAnswerError("openai", "x"), False),
        (NotFoundError("openai", "x"), False),
        (CredentialsError("openai", "x"), False),
        (QuotaExhaustedError("openai", "x"), False),
        (NotNowError("openai", "x"), False),
        (ValueError("a bug of ours"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_which_errors_count(desk: Desk, error: BaseException, counts: bool) -> None:
    for _ in range(3):
        desk.settle(desk.ask(), error)
    assert desk.told == ([("closed", "open", "failures")] if counts else [])


def test_a_failure_counts_once_however_often_it_is_settled(desk: Desk) -> None:
    ticket = desk.ask()
    for _ in range(5):
        desk.settle(ticket, DOWN)
        desk.now += 1
    assert desk.seen().failures == 1


def test_half_open_lets_one_probe_through_and_its_success_closes(desk: Desk) -> None:
    desk.fail(3)
    desk.now += 100
    assert desk.seen().state is BreakerState.HALF_OPEN
    probe = desk.ask()
    assert probe.probe
    assert desk.seen().probe_held
    desk.refused()
    desk.settle(probe)
    assert desk.told[1:] == [("open", "half_open", "probe"), ("half_open", "closed", "probe_succeeded")]
    assert not desk.ask().probe
    assert (desk.seen().state, desk.seen().failures) == (BreakerState.CLOSED, 0)


def test_a_failed_probe_opens_for_another_recovery(desk: Desk) -> None:
    desk.fail(3)
    desk.now += 130
    probe = desk.ask()
    desk.now += 7
    desk.settle(probe, DOWN)
    assert desk.told[2:] == [("half_open", "open", "probe_failed")]
    assert desk.refused() == 100
    desk.now += 100
    assert desk.ask().probe


@pytest.mark.parametrize("error", [BadRequestError("openai", "no"), RateLimitedError("openai", "slow"), None])
def test_a_probe_that_was_answered_closes(desk: Desk, error: IntegrationError | None) -> None:
    desk.fail(3)
    desk.now += 100
    desk.settle(desk.ask(), error)
    assert desk.seen().state is BreakerState.CLOSED


@pytest.mark.parametrize("error", [NotNowError("openai", "no budget"), KeyError("ours")])
def test_a_probe_without_a_verdict_is_given_back(desk: Desk, error: BaseException) -> None:
    desk.fail(3)
    desk.now += 100
    desk.settle(desk.ask(), error)
    assert (desk.seen().state, desk.seen().probe_held) == (BreakerState.HALF_OPEN, False)
    assert desk.ask().probe
    assert desk.told[1:] == [("open", "half_open", "probe")]  # told once, not once a probe


def test_a_killed_prober_frees_the_probe_by_its_lease(desk: Desk) -> None:
    desk.fail(3)
    desk.now += 100
    lost = desk.ask()
    desk.now += LEASE_S
    desk.refused()  # a margin is added for the way there and back
    desk.now += 5
    second = desk.ask()
    assert second.probe
    for error in (DOWN, None):  # only the holder of the current probe decides
        desk.settle(lost, error)
        assert (desk.seen().state, desk.seen().probe_held) == (BreakerState.HALF_OPEN, True)
    desk.settle(second)
    assert desk.seen().state is BreakerState.CLOSED


def test_late_failures_neither_prolong_an_opening_nor_count_after_it(desk: Desk) -> None:
    stragglers = [desk.ask() for _ in range(9)]
    desk.fail(3)
    for ticket in stragglers[:3]:
        desk.now += 10
        desk.settle(ticket, DOWN)
    assert desk.refused() == 70
    desk.now += 70
    probe = desk.ask()
    for ticket in stragglers[3:6]:
        desk.settle(ticket, DOWN)
    desk.settle(stragglers[6])
    assert desk.seen().state is BreakerState.HALF_OPEN
    desk.now += 1
    desk.settle(probe)
    for ticket in stragglers[6:]:
        desk.settle(ticket, DOWN)
    assert (desk.seen().state, desk.seen().failures) == (BreakerState.CLOSED, 0)


def test_the_refused_come_back_spread(desk: Desk) -> None:
    desk.fail(3)
    waits = []
    for desk.chance in (0.0, 0.5, 1.0):
        waits.append(desk.refused())
    assert waits == [100, 105, 110]
    desk.now += 100
    desk.ask()
    waits = []
    for desk.chance in (0.0, 0.5, 1.0):
        waits.append(desk.refused())
    assert waits == pytest.approx([1.0, 5.5, 10.0])


def test_a_short_recovery_spreads_over_half_of_it(desk: Desk) -> None:
    short = Breaker(failure_threshold=1, recovery_timeout_s=2)
    desk.settle(desk.ask(breaker=short), DOWN)
    desk.chance = 1.0
    with pytest.raises(CircuitOpenError) as caught:
        desk.ask(breaker=short)
    assert caught.value.retry_after == 3


def test_a_breaker_of_ones_own_overrules_the_common_one(desk: Desk) -> None:
    desk.settle(desk.ask(breaker=Breaker(failure_threshold=1, recovery_timeout_s=9)), DOWN)
    assert desk.refused() == 9


def test_circuits_are_kept_apart_by_account_and_model(desk: Desk) -> None:
    desk.fail(3)
    others = (Circuit.of("openai", "other key", model="m"), Circuit.of("openai", "key", model="n"), Circuit("serpapi"))
    for circuit in others:
        desk.settle(desk.ask(circuit))
    assert {s.key: s.state.value for s in desk.admission.status(now=desk.now)} == {
        CIRCUIT.key: "open",
        **{circuit.key: "closed" for circuit in others},
    }


def test_every_process_sees_it_and_only_the_cause_tells(open_desk: Callable[..., Desk]) -> None:
    one, other = open_desk(), open_desk()
    one.fail(2)
    other.fail(1)
    assert (one.told, other.told) == ([], [("closed", "open", "failures")])
    assert one.refused() == other.refused() == 100
    one.now = other.now = one.now + 100
    other.settle(one.ask())  # a ticket may be settled elsewhere
    assert one.told == [("open", "half_open", "probe")]
    assert other.told[1:] == [("half_open", "closed", "probe_succeeded")]


def test_reset_closes_all_circuits_of_a_provider_and_forgets(desk: Desk) -> None:
    second, other = Circuit.of("openai", "key", model="n"), Circuit("serpapi")
    begun = desk.ask()
    for circuit in (CIRCUIT, other):
        desk.fail(3, circuit)
    desk.fail(2, second)
    desk.now += 1
    changes = desk.admission.reset("openai", now=desk.now)
    assert [(c.circuit, c.before, c.after, c.reason) for c in changes] == [(CIRCUIT.key, "open", "closed", "reset")]
    assert desk.changes[-1:] == changes
    desk.settle(begun, DOWN)  # from before: nobody counts it
    assert desk.seen(CIRCUIT).failures == desk.seen(second).failures == 0
    desk.ask()
    desk.refused(other)


def test_a_broken_listener_costs_no_call(open_desk: Callable[..., Desk], caplog: pytest.LogCaptureFixture) -> None:
    def listen(change: BreakerChange) -> None:
        raise RuntimeError("no room in the log book")

    desk = open_desk(listener=listen)
    desk.fail(3)
    desk.now += 100
    assert desk.ask().probe
    assert "no room in the log book" in caplog.text


def test_an_open_circuit_consumes_nothing_of_the_limits(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk({"openai": Limit(1, 200.0, concurrency=1)})
    once = Breaker(failure_threshold=1, recovery_timeout_s=300)
    desk.settle(desk.ask(breaker=once), DOWN)
    desk.now += 250
    for _ in range(3):
        assert desk.refused() == 50
    assert (desk.seen().requests, desk.seen().in_flight, desk.seen().waiting) == (0, 0, 0)
    desk.now += 50
    assert desk.ask().probe


def test_a_full_limit_does_not_take_the_probe_and_its_answer_is_given(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk({"openai": Limit(concurrency=1)})
    other = Circuit.of("openai", "key", model="n")  # the same account
    desk.settle(desk.ask(breaker=Breaker(failure_threshold=1, recovery_timeout_s=10)), DOWN)
    held = desk.ask(other)
    for _ in range(2):  # open, then due to be probed
        with pytest.raises(OverLimitError):
            desk.ask(holder=f"h{desk.now}")
        assert not desk.seen().probe_held
        desk.now += 10
    desk.settle(held)
    assert desk.ask().probe


def test_call_settles_by_what_was_raised(redis_url: str) -> None:
    admission = Admission(redis_url, breaker=Breaker(failure_threshold=1), limits={"openai": Limit(concurrency=1)})

    def call(error: BaseException | None) -> None:
        with admission.call(CIRCUIT, holder="h", campaign="c", lease_s=LEASE_S) as ticket:
            assert not ticket.probe
            if error is not None:
                raise error

    call(None)
    for error in (BadRequestError("openai", "no"), ValueError("ours"), NotNowError("openai", "no")):
        with pytest.raises(type(error)):
            call(error)
    (seen,) = admission.status()
    assert (seen.state, seen.admitted, seen.in_flight) == (BreakerState.CLOSED, 4, 0)
    with pytest.raises(TransientError):
        call(DOWN)
    with pytest.raises(CircuitOpenError):
        call(None)
    admission.close()


def test_an_ordinary_success_is_one_round_trip(open_desk: Callable[..., Desk], redis_url: str) -> None:
    desk = open_desk({"serpapi": Limit(1000, 1.0), "hunter": Limit(concurrency=5)})

    def trips(circuit: Circuit) -> int:
        desk.settle(desk.ask(circuit))  # the scripts are known from here on
        with redis.Redis.from_url(redis_url) as client:
            before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
            for _ in range(10):
                desk.now += 1
                desk.settle(desk.ask(circuit))
            return int(client.info("commandstats")["cmdstat_evalsha"]["calls"] - before)

    assert [trips(CIRCUIT), trips(Circuit("serpapi")), trips(Circuit("hunter"))] == [10, 10, 20]
