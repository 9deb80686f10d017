"""Orchestrator of one worker: take units, run them, join, advance, go on.

Everything it decides is decided by pure functions (placement, transition); everything it changes is one ledger call.
Invariant: it may stop at any line (kill -9) and any worker may run it again: the row and the ledger say where to go on.
After a transition that it committed itself, its picture of the row (:class:`Turn`) is the row's, so it need not be read
again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from agents.base import BaseAgent
from agents.unit import StageResult, UnitResult
from agents.versions import UnknownVersionError
from orchestration.execution.ad_switching import carry_out
from orchestration.execution.context import Resources
from orchestration.execution.executor import Quarantine, UnitSlots
from orchestration.execution.placement import (
    LOCAL_BATCH,
    LOCAL_UNITS,
    THROTTLED_BATCH,
    Pace,
    Placement,
    choose,
    chord_slots,
)
from orchestration.execution.units import GivenBack, record, run_claimed
from orchestration.flow.cancelling import WIND_DOWN, begin_cancel, end_cancel
from orchestration.flow.transition import Transition, failed_by_defect, next_transition, unstorable_state
from orchestration.ledger.ad_ends import ENDED
from orchestration.ledger.changes import ADVANCED
from orchestration.ledger.database import UnstorableError
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import CampaignRow, Claimed, Position
from orchestration.wakeups import MAX_COUNTDOWN_S, Observer, Wakeups

log = logging.getLogger(__name__)

Outcome = tuple[Claimed, UnitResult | GivenBack]

AT_WORK = ("queued", "running")
#: What was stopped may have been resumed before this process heard of it (it asks each second): it looks again.
STOPPED_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """Drives campaigns over the ledger, for every thread of a worker process."""

    ledger: Ledger
    agents: Mapping[str, BaseAgent]
    resources: Resources
    wakeups: Wakeups
    slots: UnitSlots
    quarantine: Quarantine = field(default_factory=Quarantine)
    pace: Pace = field(default_factory=Pace)
    placement: str = "auto"
    observer: Observer = field(default_factory=Observer)
    serves: Callable[[str], bool] = lambda agent: True  #: whether this worker goes on with a hop of that agent, now
    stopped: Callable[[str], bool] = lambda campaign_id: False  #: whether the campaign was paused or cancelled just now

    def run_hop(self, campaign_id: str, agent: str | None = None) -> str:
        """Work on a campaign as far as this worker can, and return why it stopped, for the log.

        ``agent`` is the one the wake-up was for: a late wake-up of an earlier hop does nothing.
        """
        try:
            found = self.ledger.enter(
                campaign_id, agent, limit=self._most(campaign_id), most=self._most_local(campaign_id)
            )
        except UnknownVersionError as error:  # left where it is, never guessed: a newer worker will take it
            log.info("%s", error)
            return "written by a newer program"
        if found is None:
            return "not at work"
        row: CampaignRow | None = found.row
        if found.row.status == "cancelling":
            row = self._cancelling(found.row)
        elif found.row.status in ("paused", *ENDED):
            clock = self.resources.clock
            return carry_out(found.row, self._run, self.ledger, self.agents, self.slots, self.wakeups, clock)
        elif found.row.status not in AT_WORK:
            return "not at work"
        if row is None or row.agent is None:
            return "not at work"
        if agent is not None and row.agent != agent and row.status != "cancelling":
            return "moved on"
        turn = Turn(row, found.done, found.claimed, due=found.left_due if row is found.row else None)
        with ExitStack() as shown:
            while True:
                joined = self._stage(turn)
                if isinstance(joined, str):
                    return joined
                transition = joined.transition
                if transition.stage is None or transition.agent is None or transition.hold is not None:
                    return transition.status
                if transition.step != turn.row.step:
                    shown.close()
                    if not joined.stay:
                        self.wakeups.hop(campaign_id, transition.agent, transition.step)
                        return "handed on"
                    shown.enter_context(self.observer.hop(campaign_id, transition.agent, transition.step))
                turn = follow(turn.row, joined)

    def run_slot(self, campaign_id: str, step: int, stage: int) -> bool:
        """Run one unit of a stage that was spread over the queue, and return False when none is left to take.

        The worker that brings the stage's counter to 0 advances the campaign and wakes the next hop.
        """
        units = self.ledger.take(campaign_id, step, stage, 1)
        if not units:
            return False
        claimed = units[0]
        outcome = self._run(claimed)
        if isinstance(outcome, GivenBack):
            if not outcome.limited:
                self._wake_later(campaign_id, claimed.agent, step, outcome.delay_s)
                return True
            self.pace.throttle(campaign_id)
            if self.pace.wake_needed(campaign_id, outcome.delay_s):
                self._wake_later(campaign_id, claimed.agent, step, outcome.delay_s)
            return False  # what else is due may wait for its own wake-up too
        if record(self.ledger, Position(campaign_id, step, stage, claimed.epoch), [outcome]) == 0:
            self.advance(campaign_id, step, stage)
            return False
        return True

    def advance(self, campaign_id: str, step: int, stage: int) -> bool:
        """Take the join of a finished stage, unless it has been taken, and return whether this call took it."""
        joined = self._join(campaign_id, step, stage, claim=False)
        if joined is None:
            return False
        transition = joined.transition
        if transition.agent is not None and transition.stage is not None and transition.hold is None:
            self.wakeups.hop(campaign_id, transition.agent, transition.step)
        return True

    def _stage(self, turn: Turn) -> Joined | str:
        """Run the stage at work as far as possible, and return the join that we took, or why there is none."""
        row = turn.row
        if not turn.claimed:
            due = self.ledger.due(row.campaign_id, row.step, row.stage) if turn.due is None else turn.due
            spread = choose(self.placement, due, self.slots.free) is Placement.CHORD
            if due and spread and not self.pace.throttled(row.campaign_id):
                self.wakeups.chord(row.campaign_id, row.agent or "", row.step, row.stage, chord_slots(due))
                return "spread"
            turn.claimed = self._take(row) if due else ()
        if not turn.claimed:
            return self._join(row.campaign_id, row.step, row.stage) or "nothing due"
        while turn.claimed:
            joined = self._batch(turn)
            if joined is not None and not isinstance(joined, GivenBack):
                return joined
            if joined is not None:  # rate limited: units claimed now would be given back at once
                break
            if self._told_to_stop(row):  # paused or cancelled: stop claiming
                self._wake_later(row.campaign_id, row.agent or "", row.step, STOPPED_S)
                return "waits for units"
            turn.claimed = self._take(row)
        # The worker that took the last due unit sees to the next one, not a wake-up that finds nothing due.
        delay_s = self.ledger.next_due_s(row.campaign_id, row.step, row.stage)
        throttled = self.pace.throttled(row.campaign_id)
        if delay_s is not None and (not throttled or self.pace.wake_needed(row.campaign_id, delay_s)):
            self._wake_later(row.campaign_id, row.agent or "", row.step, delay_s)
        return "waits for units"

    def _batch(self, turn: Turn) -> Joined | GivenBack | str | None:
        """Run the claimed units side by side and record them as they end.

        Returns the join or why there is none; while the stage is not over None, or a unit that a limit refused.
        """
        row = turn.row
        units, turn.claimed = turn.claimed, ()
        verdict: Joined | GivenBack | str | None = None
        for ended in self._outcomes(row, units):
            results: list[UnitResult] = []
            for claimed, outcome in ended:
                if isinstance(outcome, UnitResult):
                    turn.own[claimed.ordinal] = outcome
                    results.append(outcome)
                elif outcome.limited:
                    self.pace.throttle(row.campaign_id)
                    verdict = verdict or outcome
            if not results:
                continue
            done = [*turn.done, stage_result(turn)] if len(turn.own) == row.stage_size else []
            transition = self._decide(row, done) if done else None
            stay = self._stays(row, transition)
            claims = self._claims(transition) if stay else 0
            try:
                code = self.ledger.finish(row.position, results, transition, claimed=claims)
            except UnstorableError:
                turn.own.clear()  # what the ledger will hold is no longer what we have: the join reads it there
                code = record(self.ledger, row.position, results)
            if code == ADVANCED and transition is not None:
                verdict = Joined(transition=transition, claimed=claims, stay=stay, done=done)
            elif code == 0:
                verdict = self._join(row.campaign_id, row.step, row.stage) or "joined by another"
        return verdict

    def _outcomes(self, row: CampaignRow, units: Sequence[Claimed]) -> Iterator[Sequence[Outcome]]:
        """Run the units on the process' slots, and yield the outcomes that have come since the last ones."""

        def work(claimed: Claimed) -> UnitResult | GivenBack:
            if self._told_to_stop(row):  # it waited for a slot while the campaign was paused or cancelled
                self.ledger.release(claimed)
                return GivenBack(claimed, STOPPED_S)
            with self.observer.unit(row.campaign_id, claimed.agent, claimed.unit.key):
                return self._run(claimed)

        if len(units) == 1:  # no thread for a chain of one
            yield [(units[0], work(units[0]))]
            return
        running = {self.slots.submit(work, claimed): claimed for claimed in units}
        waiting = set(running)
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield [(running[future], future.result()) for future in ended]

    def _run(self, claimed: Claimed) -> UnitResult | GivenBack:
        with self.quarantine.unit(claimed.crashes):
            return run_claimed(self.agents, claimed, self.ledger, self.resources)

    def _told_to_stop(self, row: CampaignRow) -> bool:
        """Return whether the campaign was stopped just now, but for the stage that a cancelled one still has to do."""
        return row.stage_name != WIND_DOWN and self.stopped(row.campaign_id)

    def _join(self, campaign_id: str, step: int, stage: int, *, claim: bool = True) -> Joined | None:
        """Advance from the ledger's own results, and return None when that is not due or another worker did it."""
        row = self.ledger.load(campaign_id)
        if row is None or row.mode is not self.ledger.mode:
            return None
        at_work = row.status == "running" or _is_stopping(row)
        if not at_work or (row.step, row.stage, row.remaining) != (step, stage, 0):
            return None
        done = self.ledger.results(campaign_id, step)
        transition = self._decide(row, done)
        stay = claim and self._stays(row, transition)
        claims = self._claims(transition) if stay else 0
        try:
            code = self.ledger.finish(row.position, [], transition, claimed=claims)
        except UnstorableError as error:
            log.error("what an agent made of the results of %s can't be stored: %s", row.campaign_id, error)
            transition, claims, stay = (
                unstorable_state(row.state, row.stage + 1, error, self.resources.clock.now()),
                0,
                False,
            )
            code = self.ledger.finish(row.position, [], transition)
        return Joined(transition=transition, claimed=claims, stay=stay, done=done) if code == ADVANCED else None

    def _decide(self, row: CampaignRow, done: Sequence[StageResult]) -> Transition:
        """Return the transition, which ends the campaign visibly when an agent's code has a defect."""
        now = self.resources.clock.now()
        if _is_stopping(row):
            transition = end_cancel(row.state, done, self.agents, now)
            # The row's reason tells who cancelled it, and why.
            return transition if transition.reason else replace(transition, reason=row.reason)
        try:
            return next_transition(row.state, done, self.agents, now)
        except Exception as error:  # an agent's code may raise any class: the campaign must not hang on it
            log.exception("advance of %s failed by a defect", row.campaign_id)
            return failed_by_defect(row.state, row.stage + 1, error, now)

    def _cancelling(self, row: CampaignRow) -> CampaignRow | None:
        """Return the row at its winding-down stage, sent there if nothing runs any more, or None while a unit runs."""
        if row.stage_name == WIND_DOWN:
            return row
        if self.ledger.running_units(row):
            return None
        transition = begin_cancel(row.state, row.step + 1, self.agents, self.resources.clock.now())
        transition = replace(transition, reason=row.reason)
        if self.ledger.changes.redirect(row, ("cancelling",), transition) is None:
            return None
        return self.ledger.load(row.campaign_id) if transition.stage is not None else None

    def _stays(self, row: CampaignRow, transition: Transition | None) -> bool:
        """Return whether this worker goes on after ``transition``: in the same hop, or for an agent that it serves."""
        if transition is None or transition.agent is None or transition.stage is None or transition.hold is not None:
            return False
        return transition.step == row.step or self.serves(transition.agent)

    def _claims(self, transition: Transition | None) -> int:
        """Return how many units of the next stage start as ours: all of a small local one, else none."""
        if transition is None or transition.stage is None:
            return 0
        units = len(transition.stage.units)
        local = choose(self.placement, units, self.slots.free) is Placement.LOCAL
        return units if local and units <= LOCAL_BATCH else 0

    def _take(self, row: CampaignRow) -> Sequence[Claimed]:
        return self.ledger.take(row.campaign_id, row.step, row.stage, self._most(row.campaign_id))

    def _most(self, campaign_id: str) -> int:
        """Return how many units are taken at once."""
        return THROTTLED_BATCH if self.pace.throttled(campaign_id) else LOCAL_BATCH

    def _most_local(self, campaign_id: str) -> int:
        """Return the largest number of due units that would run here."""
        if self.pace.throttled(campaign_id):
            return 2**31 - 1
        free = self.slots.free
        spread = (n for n in range(2, LOCAL_UNITS + 2) if choose(self.placement, n, free) is Placement.CHORD)
        return next(spread, 2**31) - 1

    def _wake_later(self, campaign_id: str, agent: str, step: int, delay_s: float) -> None:
        if delay_s <= MAX_COUNTDOWN_S:  # later ones are rows: reconcile sees their due_at
            self.wakeups.hop(campaign_id, agent, step, delay_s=delay_s)


def _is_stopping(row: CampaignRow) -> bool:
    return row.status == "cancelling" and row.stage_name == WIND_DOWN


@dataclass(slots=True)
class Turn:
    """Campaign in this worker's hands: the row as we know it and what we hold of the hop."""

    row: CampaignRow
    done: Sequence[StageResult]  #: the hop's earlier stages
    claimed: Sequence[Claimed] = ()  #: units of the stage that are already ours
    due: int | None = None  #: how many more of its units are due; None: not known
    own: dict[int, UnitResult] = field(default_factory=dict)  #: results that we recorded, by ordinal


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Join of a stage that this worker took, with the transition that it committed."""

    transition: Transition
    claimed: int  #: so many of the next stage's units began as ours
    stay: bool  #: this worker goes on with the next hop itself
    done: Sequence[StageResult]  #: the stages that the transition was decided from


def stage_result(turn: Turn) -> StageResult:
    """Return the stage's result from our own units' results, in the order of the plan."""
    return StageResult(name=turn.row.stage_name, results=[turn.own[n] for n in sorted(turn.own)])


def follow(row: CampaignRow, joined: Joined) -> Turn:
    """Return our picture of the row after a transition that we committed, without reading it again."""
    transition = joined.transition
    if transition.stage is None:
        raise ValueError("an ended campaign can't be followed")
    following = replace(
        row,
        agent=transition.agent,
        step=transition.step,
        stage=transition.stage_number,
        stage_name=transition.stage.name,
        stage_size=len(transition.stage.units),
        remaining=len(transition.stage.units),
        base_step=transition.hops[-1].step if transition.hops else row.base_step,
        state=transition.state,
    )
    claimed = [
        Claimed(
            campaign_id=row.campaign_id, unit=unit, ordinal=n, step=transition.step, stage=transition.stage_number,
            agent=unit.agent or transition.agent or "", epoch=row.epoch, journal={},
        )
        for n, unit in enumerate(transition.stage.units[: joined.claimed])
    ]  # fmt: skip
    due = len(transition.stage.units) - joined.claimed
    return Turn(following, joined.done if transition.step == row.step else (), claimed, due=due)
