"""Any order of what workers, a judge and people do to campaigns, through the ledger's real functions.

Several :class:`Ledger` objects stand for worker processes. One of them falls silent, is declared dead and may go on all
the same: what it still holds stays in the test's hands, and is finished, given back or journalled late. Each rule says
beforehand what the ledger must answer; :mod:`ledger_snapshot` says what must hold after each.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_people import PAST, end, say
from ledger_snapshot import Money, Place, SeenCampaign, SeenUnit, Snapshot, seen
from orchestrator_harness import Harness
from spend_bench import bound, usage

from agents.ports import SystemClock
from agents.unit import StageResult, UnitResult, UnitStatus
from integrations.errors import PermanentError, TransientError
from integrations.settings import Mode, Settings
from orchestration.flow.transition import Transition, next_transition
from orchestration.ledger.claims import ClaimId
from orchestration.ledger.ledger import ADVANCED, DUPLICATE, MAX_CRASHES, Ledger
from orchestration.ledger.rows import CampaignRow, Claimed, Position
from orchestration.ledger.waiting import Deferrals
from orchestration.spend.models import SpendLedger

FAILED = PermanentError("local", "no").to_dict()
LATER = TransientError("local", "busy").to_dict()
ALL = 2**31 - 1
COST = Decimal("0.01")
#: The clock of the test: workers that speak have done so all the time, others not for long, and nothing is new.
_TIME_PASSES = (
    f"UPDATE marketing.workers SET fresh_since = {PAST}, beat_at = CASE WHEN worker = ANY(%s) THEN {PAST} "
    "ELSE clock_timestamp() + interval '1 hour' END; "
    f"UPDATE marketing.units SET started_at = {PAST} WHERE campaign_id = ANY(%s) AND status = 'running'; "
    f"UPDATE marketing.campaigns SET progress_at = {PAST}, publishes = 0 WHERE campaign_id = ANY(%s)"
)
PICK = st.integers(0, 97)


@dataclass(frozen=True)
class Held:
    """A claim that a worker believes to be its own."""

    worker: str
    claimed: Claimed

    @property
    def place(self) -> Place:
        """Key of the unit."""
        return Place(*self.claimed.place)


class LedgerMachine(RuleBasedStateMachine):
    """One campaign and its forks under three workers."""

    bench: ClassVar[Harness]  #: the judge's, which also ends every campaign at last
    numbers: ClassVar[Any] = itertools.count(1)

    @initialize(gate=st.sampled_from(["none", "ads"]))
    def submit(self, gate: str) -> None:
        self.database = self.bench.database
        self.database.run("DELETE FROM marketing.workers")
        number = next(self.numbers)
        self.ids = [self.bench.submit(f"m{number}", approval={"gate": gate}, limits={"llm": "1000"}, budget="100")]
        self.workers = {name: Ledger(self.database, f"{name}-{number}", Mode.SANDBOX) for name in ("a", "b", "c")}
        for ledger in (*self.workers.values(), self.bench.ledger):
            ledger.beat()
        self.spend = SpendLedger(self.database, Settings.from_env({}))
        self.silent: set[str] = set()
        self.wronged: dict[str, list[Place]] = {}
        self.held: list[Held] = []
        self.made: set[tuple[str, ClaimId]] = set()
        self.costs: dict[Place, Decimal] = defaultdict(Decimal)  #: of the answers that were committed
        self.bounds: dict[Place, Decimal] = defaultdict(Decimal)  #: of all calls that were made
        self.crashes: Counter[Place] = Counter()
        self.crashes_begin_anew = False
        self.now = seen(self.database, self.ids)

    # ---- claiming ----

    @rule(name=st.sampled_from("abc"), limit=st.integers(1, 3), pick=PICK, enters=st.booleans())
    def take(self, name: str, limit: int, pick: int, enters: bool) -> None:
        row, ledger = self.campaign(pick), self.workers[name]
        due = [unit for unit in self.now.stage_of(row) if unit.due] if row.at_work else []
        if enters:
            found = ledger.enter(row.campaign_id, None, limit=limit, most=ALL)
            assert found is not None
            claimed = found.claimed
        else:
            claimed = ledger.take(row.campaign_id, row.step, row.stage, limit)
        assert [Place(*one.place) for one in claimed] == [unit.place for unit in due[:limit]]
        for one in claimed:
            assert one.claims == self.now.units[Place(*one.place)].claims + 1
        self.hold(name, claimed)

    def hold(self, name: str, claimed: Sequence[Claimed]) -> None:
        """These claims were won by this worker and, for all time, by no other."""
        for one in claimed:
            assert (one.campaign_id, one.id) not in self.made, f"won twice: {one.id}"
            self.made.add((one.campaign_id, one.id))
            self.held.append(Held(name, one))

    @rule(name=st.sampled_from("abc"), pick=PICK, stages=st.sampled_from([1, 1, 2, 3, 6]), ahead=st.integers(0, 2))
    def work(self, name: str, pick: int, stages: int, ahead: int) -> None:
        """Some stages from end to end by one worker, as most of them go."""
        for _ in range(stages):
            self.take(name, ALL, pick, enters=True)
            self.look()
            self.finish_and_move(name, pick, ahead, None, ok=True)
            self.look()

    # ---- results ----

    @precondition(lambda self: self.held)
    @rule(pick=PICK, ok=st.sampled_from([True, True, True, False]), again=st.booleans())
    def finish(self, pick: int, ok: bool, again: bool) -> None:
        one = self.one(pick)
        result = self.result(one.claimed, ok)
        self.finishes(one.worker, one.claimed, [result], None, None)
        if again:  # delivered twice, or committed without an answer
            self.look()
            self.finishes(one.worker, one.claimed, [result], None, None)
        elif one in self.held:
            self.held.remove(one)

    @rule(name=st.sampled_from("abc"), pick=PICK, claims=st.integers(0, 2), verb=st.none() | PICK, ok=st.booleans())
    def finish_and_move(self, name: str, pick: int, claims: int, verb: int | None, ok: bool) -> None:
        """Finish all that the worker holds of the stage, and decide what follows; a person may come in between."""
        at = self.campaign(pick)
        mine = {
            one.claimed.unit.key: one
            for one in self.held
            if one.worker == name and one.place[:3] == (at.campaign_id, at.step, at.stage)
        }
        row = self.bench.ledger.load(at.campaign_id)
        assert row is not None
        if row.agent is None or (row.status != "running" and not mine):
            return
        results = [self.result(one.claimed, ok or key != "u0") for key, one in sorted(mine.items())]
        transition = self.decided(row, results)
        if verb is not None:
            self.do(verb, at)
        claims = min(claims, len(transition.stage.units)) if transition and transition.stage else 0
        if transition is not None and transition.hold is not None:
            claims = 0
        epoch = min((one.claimed.epoch for one in mine.values()), default=row.epoch)
        code = self.finishes(name, replace(row, epoch=epoch), results, transition, row, claims=claims)
        self.held = [one for one in self.held if one not in mine.values()]
        if code == ADVANCED and transition is not None and transition.stage is not None:
            units = transition.stage.units[:claims]
            following = (row.campaign_id, transition.step, transition.stage_number)
            self.hold(name, [
                Claimed(campaign_id=following[0], unit=unit, ordinal=number, step=following[1], stage=following[2],
                        agent=unit.agent or transition.agent or "", epoch=row.epoch, journal={})
                for number, unit in enumerate(units)
            ])  # fmt: skip

    def decided(self, row: CampaignRow, results: Sequence[UnitResult]) -> Transition | None:
        """What follows once these results are recorded, if they are the last ones."""
        own = {result.unit.key: result for result in results}
        *earlier, last = self.bench.ledger.results(row.campaign_id, row.step)
        merged = StageResult(name=last.name, results=[own.get(one.unit.key, one) for one in last.results])
        if any(one.status in ("pending", "running", "unknown") for one in merged.results):
            return None
        return next_transition(row.state, [*earlier, merged], self.bench.agents, SystemClock().now())

    def finishes(
        self, name: str, at: Any, results: Sequence[UnitResult], transition: Transition | None,
        known: CampaignRow | None, *, claims: int = 0,
    ) -> int:  # fmt: skip
        """Record results at ``at``, a claim or a row as it was known, and check the answer."""
        place = at.campaign_id, at.step, at.stage
        units = [self.now.units[Place(*place, result.unit.key)] for result in results]
        recorded = sum(unit.open and unit.epoch == at.epoch for unit in units)
        row = self.now.campaigns[at.campaign_id]
        here = (row.step, row.stage, row.epoch) == (at.step, at.stage, at.epoch)
        expected = row.remaining - recorded if here else DUPLICATE
        if recorded == 0 and results:
            expected = DUPLICATE
        elif transition is not None and known is not None and recorded == len(results):
            same = (row.revision, row.base_step) == (known.revision, known.base_step)
            may = row.status == "running" or (row.status == "cancelling" and row.stage_name == "wind_down")
            if here and same and may and row.remaining == recorded:
                expected = ADVANCED
        base = known.base_step if known else -1
        position = Position(*place, at.epoch, known.revision if known else 0, base)
        code = self.workers[name].finish(position, results, transition, claimed=claims)
        assert code == expected, f"{code}, not {expected}: {row} {units}"
        return code

    def result(self, claimed: Claimed, ok: bool) -> UnitResult:
        """A result that no other is equal to."""
        if not ok:
            return UnitResult(unit=claimed.unit, status=UnitStatus.FAILED, error=FAILED)
        return UnitResult(unit=claimed.unit, status=UnitStatus.SUCCEEDED, output={"value": next(self.numbers)})

    @rule(pick=PICK)
    def advance(self, pick: int) -> None:
        row = self.campaign(pick)
        due = row.remaining == 0 and (
            row.status == "running" or (row.status, row.stage_name) == ("cancelling", "wind_down")
        )
        assert self.bench.orchestrator.advance(row.campaign_id, row.step, row.stage) is due

    # ---- in the middle of a unit ----

    @precondition(lambda self: self.held)
    @rule(pick=PICK, delay=st.sampled_from([0.0, 0.0, 3600.0]), wait=st.sampled_from([None, None, "provider"]))
    def give_back(self, pick: int, delay: float, wait: str | None) -> None:
        one = self.one(pick)
        status = "unknown" if one.claimed.unit.effect else "pending"
        error = {**LATER, "wait": wait} if wait else LATER
        ours = self.workers[one.worker].give_back(
            one.claimed, status=status, delay_s=delay, error=error, attempt=wait is None
        )
        assert ours is self.is_claimed(one), f"{one.claimed.id} of {one.worker}: {self.now.units[one.place]}"
        self.held.remove(one)

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        """A unit that is not begun after all; of another claim than this nothing changes."""
        one, unit = self.one(pick), self.now.units[self.one(pick).place]
        self.workers[one.worker].release(one.claimed)
        ours = self.is_claimed(one)
        self.held.remove(one)
        if ours:
            self.made.discard((one.claimed.campaign_id, one.claimed.id))
        else:
            self.look()
            assert self.now.units[one.place] == unit

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def intend(self, pick: int) -> None:
        one = self.one(pick)
        row = self.now.campaigns[one.claimed.campaign_id]
        may = self.is_claimed(one) and row.epoch == one.claimed.epoch
        may = may and (row.status != "cancelling" or row.stage_name == "wind_down")
        assert self.workers[one.worker].intend(one.claimed, {"intent:ad": {"token": str(next(self.numbers))}}) is may

    @precondition(lambda self: self.held)
    @rule(pick=PICK, cents=st.integers(1, 50), answer=st.sampled_from(["once", "twice", "none", "refused"]))
    def pay(self, pick: int, cents: int, answer: str) -> None:
        """A call of a model: its bound is held, then its cost is counted, however often its answer is committed."""
        one, most = self.one(pick), Decimal(cents) / 100
        self.spend.reserve(one.claimed, "openai", bound(str(most)))
        self.look()
        before = self.now.spend[one.place]
        assert (before.held, before.claim) == (most, one.claimed.claims)
        self.bounds[one.place] += most
        if answer in ("once", "twice"):
            entry = {"answer": {"n": next(self.numbers)}}
            for _ in range(1 + (answer == "twice")):
                self.workers[one.worker].journal(one.claimed, entry, usage("0.01"))
            self.look()
            assert self.now.spend[one.place] == (0, before.settled + COST, None)
            self.costs[one.place] += COST
        elif answer == "refused":
            self.refuse(one)

    @precondition(lambda self: self.held and any(money.claim for money in self.now.spend.values()))
    @rule(pick=PICK)
    def late_refusal(self, pick: int) -> None:
        self.refuse(self.one(pick))

    def refuse(self, one: Held) -> None:
        """A call that surely cost nothing gives back what it holds, and no other call's."""
        before = self.now.spend.get(one.place, Money())
        ours = before.claim == one.claimed.claims
        assert self.spend.release(one.claimed, "answer") is ours
        self.look()
        assert self.now.spend.get(one.place, Money()) == ((0, before.settled, None) if ours else before)

    # ---- life and death of workers ----

    @precondition(lambda self: self.silent)
    @rule(name=st.sampled_from("abc"))
    def beat(self, name: str) -> None:
        """A heartbeat, of one that was thought dead too: it has not crashed."""
        self.workers[name].beat()
        self.silent.discard(name)
        for place in self.wronged.pop(name, []):
            if self.crashes[place] > 0 and self.now.units[place].open:
                self.crashes[place] -= 1

    @rule(silent=st.sampled_from(["", "a", "b", "ab", "abc"]))
    def reconcile(self, silent: str) -> None:
        """Some have said nothing for long, and are judged."""
        self.silent |= set(silent)
        self.time_passes()
        dead = {self.workers[name].worker: name for name in self.silent}
        for place, unit in self.now.units.items():
            row = self.now.campaigns[place.campaign]
            if unit.status == "running" and unit.worker in dead and row.status != "paused":
                self.crashes[place] += 1
                self.wronged.setdefault(dead[unit.worker], []).append(place)
        idle = {one.campaign_id for one in self.bench.ledger.reconcile()}
        self.look()
        for row in self.now.campaigns.values():
            units = self.now.stage_of(row)
            if row.status in ("queued", "running") and (row.remaining == 0 or any(unit.due for unit in units)):
                assert row.campaign_id in idle, f"nobody wakes {row}"
            if row.status == "cancelling" and not any(unit.status == "running" for unit in units):
                assert row.campaign_id in idle, f"nobody ends {row}"

    @precondition(lambda self: self.held)
    @rule(name=st.sampled_from("abc"), pick=PICK)
    def freeze(self, name: str, pick: int) -> None:
        """For longer than the lease; then one of its threads takes what was given back, beside the one that has it."""
        self.reconcile(name)
        self.look()
        self.beat(name)
        self.take(name, ALL, pick, enters=True)

    @rule()
    def tick(self) -> None:
        Deferrals(self.database).tick()

    def time_passes(self) -> None:
        silent = [self.workers[name].worker for name in self.silent]
        self.database.run(_TIME_PASSES, silent, self.ids, self.ids)

    # ---- people ----

    @rule(verb=PICK, pick=PICK)
    def person(self, verb: int, pick: int) -> None:
        self.do(verb, self.campaign(pick))

    def do(self, number: int, row: SeenCampaign) -> None:
        """A verb, which may be refused with a reason."""
        verb, fork = say(self.bench, number, row, may_fork=len(self.ids) < 3)
        self.ids += fork
        self.crashes_begin_anew = verb == "retry"
        self.look()

    # ---- what always holds ----

    def campaign(self, pick: int) -> SeenCampaign:
        return self.now.campaigns[self.ids[pick % len(self.ids)]]

    def one(self, pick: int) -> Held:
        return self.held[pick % len(self.held)]

    def is_claimed(self, one: Held) -> bool:
        """Whether this very claim still stands."""
        unit: SeenUnit = self.now.units[one.place]
        mine = self.workers[one.worker].worker
        return (unit.status, unit.worker, unit.claims) == ("running", mine, one.claimed.claims)

    def look(self) -> Snapshot:
        before, self.now = self.now, seen(self.database, self.ids)
        self.now.check()
        self.now.follows(before)
        return self.now

    @invariant()
    def holds_always(self) -> None:
        self.look()
        for place, unit in self.now.units.items():
            if self.crashes_begin_anew and unit.crashes == 0:
                self.crashes[place] = 0
            if self.crashes[place] < MAX_CRASHES:
                assert unit.crashes == self.crashes[place], f"not {self.crashes[place]} crashes: {unit}"
        self.crashes_begin_anew = False
        for place, money in self.now.spend.items():
            assert self.costs[place] <= money.settled <= self.costs[place] + self.bounds[place]

    def teardown(self) -> None:
        """All workers but one are gone for good: it ends everything."""
        if not hasattr(self, "now"):
            return
        try:
            self.silent = set("abc")
            for campaign in self.ids:
                end(self.bench, campaign, self.time_passes)
            self.bench.ledger.reconcile()  # what a dead worker's call has cost is counted, at most
            self.look()
            assert all(not unit.open for unit in self.now.units.values())
            assert all((money.held, money.claim) == (0, None) for money in self.now.spend.values())
        finally:
            for table in ("spend", "campaigns"):
                self.database.run(f"DELETE FROM marketing.{table} WHERE campaign_id = ANY(%s)", self.ids)
            self.database.run("DELETE FROM marketing.spend_totals WHERE scope LIKE 'campaign:%%'")
