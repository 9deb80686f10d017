"""Rates, reservations, concurrent calls and the provider's pauses, rule by rule, the clock in the test's hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from integrations.admission import Admission, Breaker, Circuit, CircuitStatus, Limit, Ticket
from integrations.admission.limit import HEADROOM
from integrations.errors import BadRequestError, OverLimitError, RateLimitedError, TransientError
from integrations.slowing import slow_down

P = Circuit("p")
SPACING_S = 0.1 / HEADROOM  #: of TEN
TEN = Limit(10, 1.0)


@dataclass
class Desk:
    """An admission and the clock that it is asked at."""

    admission: Admission
    now: float = 1_000_000.0
    chance: float = 0.0

    def ask(self, holder: str, campaign: str = "c", circuit: Circuit = P) -> Ticket:
        return self.admission.admit(circuit, holder=holder, campaign=campaign, lease_s=30, now=self.now)

    def refused(self, holder: str, campaign: str = "c", circuit: Circuit = P) -> tuple[str | None, float]:
        """Why, and for how many seconds."""
        with pytest.raises(OverLimitError) as caught:
            self.ask(holder, campaign, circuit)
        assert caught.value.retry_after is not None
        return caught.value.detail, caught.value.retry_after

    def settle(self, ticket: Ticket, error: BaseException | None = None) -> None:
        self.admission.settle(ticket, error, now=self.now)

    @property
    def seen(self) -> CircuitStatus:
        return self.admission.status(now=self.now)[0]


@pytest.fixture
def open_desk(redis_url: str) -> Iterator[Callable[[Limit], Desk]]:
    desks: list[Desk] = []

    def build(limit: Limit) -> Desk:
        admission = Admission(
            redis_url, breaker=Breaker(), limits={"p": limit}, chance=lambda: desks[0].chance if desks else 0.0
        )
        desks.append(Desk(admission))
        return desks[-1]

    yield build
    for desk in desks:
        desk.admission.close()


# --- rate ----------------------------------------------------------------------------------------------


def test_slots_are_evenly_spaced_and_each_caller_has_its_own(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    waits = [desk.refused(f"h{i}", f"c{i}") for i in range(1, 6)]
    assert [reason for reason, _ in waits] == ["rate"] * 5
    assert [wait for _, wait in waits] == pytest.approx([i * SPACING_S for i in range(1, 6)], abs=1e-5)
    began = desk.now
    for i, (_, wait) in enumerate(waits, 1):
        desk.now = began + wait
        desk.ask(f"h{i}", f"c{i}")  # deferred once, no more
    assert (desk.seen.requests, desk.seen.waiting, desk.seen.admitted) == (6, 0, 6)


def test_a_quiet_account_admits_at_once_but_saves_up_nothing(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    desk.now += 3600
    desk.ask("h1")
    assert desk.refused("h2") == ("rate", pytest.approx(SPACING_S, abs=1e-5))


def test_early_comers_are_told_their_slot_again(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    _, first = desk.refused("h1")
    _, second = desk.refused("h2")
    desk.now += 0.1
    assert desk.refused("h2") == ("early", pytest.approx(second - 0.1, abs=1e-5))
    assert desk.refused("h1") == ("early", pytest.approx(first - 0.1, abs=1e-5))
    assert desk.seen.waiting == 2


def test_a_late_holder_goes_at_once_though_others_queue(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    _, wait = desk.refused("late")
    for i in range(10):
        desk.refused(f"q{i}", f"c{i}")
    desk.now += wait + 0.5
    desk.ask("late")


def test_a_late_holder_that_finds_the_window_full_gets_a_near_slot(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(3, 3.0))
    began = desk.now
    desk.ask("h0")
    waits = [desk.refused(f"h{i}", f"c{i}")[1] for i in range(1, 9)]
    desk.now = bunched = began + waits[2]
    for i in (1, 2, 3):
        desk.ask(f"h{i}", f"c{i}")  # two of them late
    desk.now = began + waits[3]
    reason, wait = desk.refused("h4", "c4")
    assert reason == "rate"
    assert desk.now + wait == pytest.approx(bunched + 3, abs=1e-4)  # when the window has room, and before h6
    desk.now += wait
    desk.ask("h4", "c4")
    assert desk.seen.requests == 1


def test_a_forgotten_reservation_is_no_reservation(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    desk.refused("h1")
    desk.now += 500
    desk.ask("h2")
    assert desk.refused("h1")[0] == "rate"


def test_lost_reservations_hold_nobody_up_for_long(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    for campaign in range(30):  # a fleet with a minute's worth of reservations is killed
        for unit in range(19):
            desk.refused(f"dead {campaign} {unit}", f"dead {campaign}")
    assert desk.refused("behind", "behind")[1] == 60.0
    desk.now += 3  # two seconds after the first of them was due
    desk.ask("new 0", "new")
    for i in range(1, 100):
        reason, wait = desk.refused(f"new {i}", "new")
        assert (reason, wait) == ("rate", pytest.approx(SPACING_S, abs=1e-5))
        desk.now += wait
        desk.ask(f"new {i}", "new")
    reason, wait = desk.refused("behind", "behind")  # moves up when it looks in
    assert (reason, wait) == ("rate", pytest.approx(SPACING_S, abs=1e-5))


def test_nobody_is_sent_away_for_longer_than_a_look_in(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(1, 10.0))
    began = desk.now
    desk.ask("h0")
    waits = [desk.refused(f"h{i}", f"c{i}")[1] for i in range(10)]
    assert waits == pytest.approx([min(60.0, 10 / HEADROOM * (i + 1)) for i in range(10)], abs=1e-4)
    for i in range(5):
        desk.now = began + waits[i]
        desk.ask(f"h{i}", f"c{i}")
    desk.now = began + 60
    assert desk.refused("h8", "c8") == ("early", pytest.approx(90 / HEADROOM - 60, abs=1e-4))


# --- share ---------------------------------------------------------------------------------------------


def test_a_campaign_reserves_two_seconds_worth_at_most(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(TEN)
    desk.ask("h0", "big")
    for i in range(TEN.share):
        assert desk.refused(f"h{i + 1}", "big")[0] == "rate"
    assert TEN.share == 19
    desk.chance = 0.5
    reason, wait = desk.refused("one too many", "big")
    assert reason == "share"
    assert wait == pytest.approx((TEN.share // 2 + 1.5) * SPACING_S, abs=1e-5)  # half its share is used then
    assert desk.seen.waiting == 19
    assert desk.refused("s0", "small")[1] == pytest.approx(20 * SPACING_S, abs=1e-4)
    desk.now += SPACING_S + 1e-5  # a slot has come due: room for one more reservation
    assert desk.refused("one too many", "big")[0] == "rate"


def test_a_slow_limit_still_gives_two_reservations(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(1, 60.0))
    desk.ask("h0")
    assert [desk.refused(f"h{i}")[0] for i in range(1, 4)] == ["rate", "rate", "share"]


# --- concurrent calls ----------------------------------------------------------------------------------


def test_a_place_is_free_again_when_its_call_is_settled(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(concurrency=2))
    tickets = [desk.ask("a"), desk.ask("b")]
    assert all(ticket.leased for ticket in tickets)
    assert desk.refused("c")[0] == "concurrency"
    assert desk.seen.in_flight == 2
    desk.settle(tickets[0], ValueError("even so"))
    desk.now += 0.5
    desk.ask("c")


def test_a_killed_calls_place_is_free_after_its_lease(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(concurrency=1))
    desk.ask("killed")
    desk.now += 34.9  # 30 s and a margin
    desk.refused("h")
    desk.now += 0.2
    desk.ask("h")


def test_those_who_wait_for_a_place_are_spread_by_how_long_calls_take(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(concurrency=4))
    for _ in range(30):  # calls of two seconds
        ticket = desk.ask("x")
        desk.now += 2
        desk.settle(ticket)
    held = [desk.ask(f"h{i}") for i in range(4)]
    assert [desk.refused(f"w{i}")[1] for i in range(4)] == pytest.approx([0.2, 0.7, 1.2, 1.7])  # 2 s / 4 calls
    assert [desk.refused(f"w{i}")[0] for i in range(4, 6)] == ["share", "share"]  # two seconds' worth of ends
    assert desk.refused("w1") == ("early", pytest.approx(0.7))
    desk.now += 0.2
    reason, wait = desk.refused("w0")  # its guess was wrong: a new one, and no shorter than 0.2 s
    assert reason == "concurrency"
    assert 0.2 <= wait <= 2.0
    desk.settle(held[0])
    assert desk.refused("newcomer", "other")[0] == "concurrency"  # w1 is about to come for it
    desk.now += 0.5
    desk.ask("w1")


def test_nobody_comes_back_for_a_place_in_less_than_a_fifth_of_a_second(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(concurrency=1))
    ticket = desk.ask("fast")
    desk.now += 0.01
    desk.settle(ticket)
    desk.ask("slow")
    for _ in range(2):  # as a newcomer, and again when the guess was wrong
        assert desk.refused("h") == ("concurrency", pytest.approx(0.2))
        desk.now += 0.2


def test_a_rate_slot_and_a_place_are_had_together_or_not_at_all(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(10, 1.0, concurrency=1))
    first = desk.ask("a")
    desk.now += 10
    assert desk.refused("b")[0] == "concurrency"
    assert desk.seen.requests == 0  # b's slot has not been used up
    desk.settle(first)
    desk.now += 20
    desk.ask("b")
    assert desk.refused("c", "other")[0] in {"rate", "concurrency"}
    assert (desk.seen.requests, desk.seen.in_flight) == (1, 1)


# --- the provider's own word ---------------------------------------------------------------------------


def test_a_retry_after_holds_the_whole_account_back(open_desk: Callable[[Limit], Desk]) -> None:
    desk, elsewhere = open_desk(Limit()), open_desk(Limit())
    model, other_account = Circuit("p", model="m"), Circuit.of("p", "other")
    desk.settle(desk.ask("a"), RateLimitedError("p", "slow down", retry_after=20))
    desk.now += 5
    elsewhere.now = desk.now
    assert elsewhere.refused("b", circuit=model) == ("provider", 15)
    desk.chance = 1.0
    assert elsewhere.refused("b")[1] == pytest.approx(17)  # spread a little
    elsewhere.ask("b", circuit=other_account)
    assert desk.seen.blocked_until == desk.now + 15
    assert desk.seen.deferred == {"provider": 1}
    desk.now += 15
    desk.ask("c")
    assert desk.seen.blocked_until is None


def test_a_shorter_pause_does_not_end_a_longer_one_and_none_is_endless(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit())
    tickets = [desk.ask(str(i)) for i in range(5)]
    desk.settle(tickets[0], RateLimitedError("p", "slow down", retry_after=100_000))
    desk.settle(tickets[1], RateLimitedError("p", "slow down", retry_after=2))
    assert desk.refused("h") == ("provider", 900)


@pytest.mark.parametrize(
    "error",
    [
        RateLimitedError("p", "slow down"),
        RateLimitedError("p", "slow down", retry_after=0),
        TransientError("p", "down", retry_after=30),
        BadRequestError("p", "no", retry_after=30),
    ],
)
def test_only_a_429_with_a_figure_is_a_pause(open_desk: Callable[[Limit], Desk], error: Exception) -> None:
    desk = open_desk(Limit())
    desk.settle(desk.ask("a"), error)
    desk.ask("b")


def test_a_wish_for_less_holds_new_work_back_and_lets_what_was_begun_go_on(open_desk: Callable[[Limit], Desk]) -> None:
    desk, elsewhere = open_desk(Limit()), open_desk(Limit())
    desk.admission.settle(desk.ask("a"), None, slow_s=30, now=desk.now)
    desk.now += 10
    elsewhere.now = desk.now
    assert elsewhere.refused("b") == ("usage", 20)
    desk.chance = 1.0
    assert elsewhere.refused("b")[1] == pytest.approx(22.5)  # spread a little
    ticket = desk.admission.admit(P, holder="a", campaign="c", lease_s=30, continuation=True, now=desk.now)
    desk.admission.settle(ticket, None, slow_s=5, now=desk.now)
    assert desk.seen.slowed_until == desk.now + 20, "a shorter wish ends no longer one"
    elsewhere.ask("b", circuit=Circuit.of("p", "other"))
    desk.now += 20
    desk.ask("c")
    assert desk.seen.slowed_until is None


def test_a_wish_is_heard_from_inside_the_call(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit())
    slow_down(7)  # nothing listens
    with desk.admission.call(P, holder="a", campaign="c", lease_s=30):
        slow_down(100_000)
        slow_down(3)
    with pytest.raises(OverLimitError) as caught:
        desk.admission.admit(P, holder="b", campaign="c", lease_s=30)
    assert caught.value.detail == "usage"
    assert 890 < (caught.value.retry_after or 0) <= 900
    failed = Circuit.of("p", "other")

    def refuse() -> None:
        with desk.admission.call(failed, holder="a", campaign="c", lease_s=30):
            slow_down(9)
            raise BadRequestError("p", "no")

    with pytest.raises(BadRequestError):
        refuse()
    with pytest.raises(OverLimitError, match="much of its own limit is used"):
        desk.admission.admit(failed, holder="b", campaign="c", lease_s=30)


# --- keys ----------------------------------------------------------------------------------------------


def test_every_key_has_our_prefix_and_an_expiry(open_desk: Callable[[Limit], Desk], redis_url: str) -> None:
    desk = open_desk(Limit(10, 1.0, concurrency=2))
    tickets = [desk.ask("a")]
    desk.refused("b")
    desk.now += 1
    tickets.append(desk.ask("b"))
    desk.settle(tickets[0], TransientError("p", "down"))
    desk.settle(tickets[1], RateLimitedError("p", "slow down", retry_after=5))
    desk.now += 10
    desk.ask("c")
    desk.refused("d")
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        ttls = {key: client.ttl(key) for key in client.scan_iter()}
    assert set(ttls) == {
        "adm:circuit:p/-",
        "adm:failures:p/-",
        "adm:account:p/-",
        "adm:log:p/-",
        "adm:slots:p/-",
        "adm:share:p/-:c",
        "adm:leases:p/-",
        "adm:circuits",
    }
    assert all(0 < ttl <= 7 * 86_400 for ttl in ttls.values()), ttls


# --- calls without a slot of their own -------------------------------------------------------------------


def test_a_continuation_needs_room_only_and_the_queue_gets_longer_by_one(
    open_desk: Callable[[Limit], Desk],
) -> None:
    desk = open_desk(TEN)
    desk.ask("h0")
    _, before = desk.refused("h1")
    for _ in range(9):
        desk.admission.admit(P, holder="h0", campaign="c", lease_s=30, continuation=True, now=desk.now)
    _, after = desk.refused("h2", "d")
    assert after == pytest.approx(before + 10 * SPACING_S, abs=1e-5)
    with pytest.raises(OverLimitError) as caught:
        desk.admission.admit(P, holder="h0", campaign="c", lease_s=30, continuation=True, now=desk.now)
    assert caught.value.detail == "rate", "the limit holds for everybody"


def test_a_limit_that_is_hardly_used_delays_nobody(open_desk: Callable[[Limit], Desk]) -> None:
    desk = open_desk(Limit(300, 60.0))
    for n in range(150):
        desk.ask(f"h{n}", f"c{n % 3}")
    reason, wait = desk.refused("h150")
    assert (reason, wait) == ("rate", pytest.approx(0.2 / HEADROOM, abs=1e-4))
    desk.now += 0.1
    assert desk.refused("h151", "d")[0] == "rate", "somebody waits, so nobody passes by"
    desk.now += 60.0
    desk.ask("h150")
    desk.ask("h151", "d")
    for n in range(152, 250):
        desk.ask(f"h{n}")
