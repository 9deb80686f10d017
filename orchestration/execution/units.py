"""Run of one claimed unit: its body, and what its outcome means for the ledger.

The unit is claimed already; then come admission and the call with its deadline, then the result. One pure function
decides on errors. Invariants: an error of a provider becomes a retry, a deferral, a fallback, a probe, a question to a
person or a failed result; a defect in our own code becomes a failed result that says so; a unit whose fallbacks could
only fail waits for its own provider.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from agents.base import BaseAgent
from agents.effects import unsettled
from agents.unit import Unit, UnitResult, UnitStatus
from integrations.errors import MAX_DELAY_S, IntegrationError, InvalidResultError, OverBudgetError, OverLimitError
from integrations.log_context import log_context
from integrations.retry import Decision, Defer, Fail, Fallback, Probe, Retry, WaitForOperator, decide
from orchestration.execution.context import LedgerContext, Resources
from orchestration.flow.holds import NEEDS_ATTENTION
from orchestration.ledger.changes import StatusChange
from orchestration.ledger.database import DatabaseUnavailableError, UnstorableError
from orchestration.ledger.ledger import DUPLICATE, Ledger
from orchestration.ledger.rows import Claimed, Position

log = logging.getLogger(__name__)

WAITING_SINCE = "waiting_since"  #: journal entry of the first deferral by an outage; the ledger writes it


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Outcome of a unit that went back to the ledger for a later try."""

    claimed: Claimed
    delay_s: float  #: from now
    limited: bool = False  #: a limit was the reason


def run_claimed(
    agents: Mapping[str, BaseAgent], claimed: Claimed, ledger: Ledger, resources: Resources
) -> UnitResult | GivenBack:
    """Run one claimed unit once and return its final result, which is not recorded yet, or that it was given back.

    Raises DatabaseUnavailableError when Postgres stays away: the claim ends with the task then.
    """
    about = log_context(campaign=claimed.campaign_id, step=claimed.step, unit=claimed.unit.key, agent=claimed.agent)
    with about, ledger.claims.at_work(claimed.id) as ours:
        if not ours:
            return GivenBack(claimed, 0.0)
        log.debug("unit begins, attempt %d", claimed.attempts + 1)
        return _run(agents, claimed, ledger, resources)


def _run(
    agents: Mapping[str, BaseAgent], claimed: Claimed, ledger: Ledger, resources: Resources
) -> UnitResult | GivenBack:
    unit = claimed.unit
    waited_s = _waited_s(claimed.journal, resources.clock.now())
    choices: tuple[str | None, ...] = (None, *unit.policy.fallbacks_after(waited_s))  # None: its own provider
    context = LedgerContext(claimed, ledger, resources, dict(claimed.journal))
    put_off: tuple[Defer, IntegrationError] | None = None  #: of the choice that may work again soonest
    for number, fallback in enumerate(choices):
        context.fallback = fallback
        try:
            output = _jsonable(agents[claimed.agent].run(unit, context))
            if fallback is not None:
                resources.counts.add("fallbacks", provider=unit.provider, fallback=fallback)
            return UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output=output)
        except IntegrationError as error:
            open_ends = unsettled(context.entries) if unit.effect else []
            decision = decide(
                error,
                claimed.attempts + 1,
                unit.policy,
                jitter=random.random(),
                effect=unit.effect,
                unsettled=bool(open_ends),
                probing=context.probing,
                waited_s=waited_s,
                more_fallbacks=number + 1 < len(choices),
            )
            if isinstance(decision, Fallback):
                if put_off is None or decision.delay_s < put_off[0].delay_s:
                    put_off = Defer(decision.delay_s, outage=True), error
                continue
            gives_up = isinstance(decision, Fail | WaitForOperator)
            if put_off is not None and gives_up and waited_s < unit.policy.max_wait_s:
                decision, error = put_off
            if isinstance(decision, Fail) and unit.effect:
                decision, error = _undone(agents[claimed.agent], decision.error, context, waited_s)
            return _carry_out(decision, error, open_ends, claimed, ledger, resources)
        except DatabaseUnavailableError:
            raise
        except UnstorableError as error:
            return unstorable(unit, error)
        except Exception as error:  # a defect of ours must not take the worker's slot down with it
            log.exception("unit %s of %s failed by a defect", unit.key, claimed.campaign_id)
            # Its class only, because its text may hold personal data or secrets.
            message = f"{type(error).__name__} in our own code (see the worker's log)"
            defect = {"code": "internal", "provider": "local", "message": message}
            return UnitResult(unit=unit, status=UnitStatus.FAILED, error=defect)
    raise AssertionError("the last choice of a unit never falls back")


def _undone(
    agent: BaseAgent, error: IntegrationError, context: LedgerContext, waited_s: float
) -> tuple[Decision, IntegrationError]:
    """Take off what an effect has made before it fails with ``error``.

    What can't be taken off now is tried again later; what is refused to be taken off is a person's business.
    """
    unit, attempt = context.unit, context.claimed.attempts + 1
    try:
        final = agent.undo(unit, error, context)
    except IntegrationError as left:
        jitter = random.random()
        return decide(left, attempt, unit.policy, jitter=jitter, effect=True, unsettled=True, waited_s=waited_s), left
    return Fail(final), final


def record(ledger: Ledger, at: Position, results: Sequence[UnitResult]) -> int:
    """Record results as ``Ledger.finish`` does and return its code, one that can't be stored as a failed one."""
    try:
        return ledger.finish(at, results)
    except UnstorableError:
        if not results:
            raise
    codes = [_record_one(ledger, at, result) for result in results]
    ours = [code for code in codes if code != DUPLICATE]
    return min(ours) if ours else DUPLICATE


def _record_one(ledger: Ledger, at: Position, result: UnitResult) -> int:
    try:
        return ledger.finish(at, [result])
    except UnstorableError as error:
        log.warning("the result of unit %s of %s can't be stored: %s", result.unit.key, at.campaign_id, error)
        return ledger.finish(at, [unstorable(result.unit, error)])


def unstorable(unit: Unit, error: UnstorableError) -> UnitResult:
    """Return the failed result of a unit whose result can't be stored."""
    told = InvalidResultError(unit.provider, f"its result can't be stored: {error}").to_dict()
    return UnitResult(unit=unit, status=UnitStatus.FAILED, error=told)


def _jsonable(output: Mapping[str, object]) -> Any:
    """Return a unit's output as JSON.

    Raises UnstorableError when it is nested too deeply, or holds bytes.
    """
    try:
        return to_jsonable_python(output)
    except PydanticSerializationError:  # of no type that JSON knows: a defect of ours
        raise
    except ValueError:
        raise UnstorableError("nested too deeply, or bytes that are no text") from None


def _carry_out(
    decision: Decision,
    error: IntegrationError,
    open_ends: Sequence[str],
    claimed: Claimed,
    ledger: Ledger,
    resources: Resources,
) -> UnitResult | GivenBack:
    unit, counts = claimed.unit, resources.counts
    match decision:
        case Fail(final):
            return UnitResult(unit=unit, status=UnitStatus.FAILED, error=final.to_dict())
        case WaitForOperator():
            return _ask_for_attention(claimed, ledger, error, open_ends)
        case Retry(delay_s):
            counts.add("retries", provider=error.provider, code=error.code)
            return _give_back(claimed, ledger, error, delay_s, attempt=True)
        case Probe(delay_s):
            return _give_back(claimed, ledger, error, delay_s, status="unknown")
        case Defer(delay_s, False) if error.code == OverLimitError.code and error.detail == "share":
            # It has no slot of its own yet, so it has not begun: nothing to count, nothing to tell.
            ledger.release(claimed, delay_s=delay_s)
            return GivenBack(claimed, delay_s, limited=True)
        case Defer(delay_s, outage):
            counts.add("deferrals", provider=error.provider, code=error.code)
            wait = "provider" if outage else "budget" if isinstance(error, OverBudgetError) else None
            status = "unknown" if open_ends else "pending"
            return _give_back(claimed, ledger, error, delay_s, status=status, wait=wait)
        case Fallback():
            raise AssertionError("carried out by the caller")


def _give_back(
    claimed: Claimed,
    ledger: Ledger,
    error: IntegrationError,
    delay_s: float,
    *,
    status: str = "pending",
    attempt: bool = False,
    wait: str | None = None,
) -> GivenBack:
    told = {**error.to_dict(), "wait": wait} if wait else error.to_dict()
    ledger.give_back(claimed, status=status, delay_s=delay_s, error=told, attempt=attempt)
    return GivenBack(claimed, delay_s, isinstance(error, OverLimitError))


def _ask_for_attention(
    claimed: Claimed, ledger: Ledger, error: IntegrationError, open_ends: Sequence[str]
) -> GivenBack:
    """Give back a unit that a person has to settle, as unknown when something was sent, and let its campaign wait."""
    key = claimed.unit.key
    back = _give_back(claimed, ledger, error, MAX_DELAY_S, status="unknown" if claimed.unit.effect else "pending")
    told = {"unit": key, "provider": error.provider, "message": error.message, "steps": list(open_ends)}
    reason = f"{NEEDS_ATTENTION}: {key}: {error}"
    change = StatusChange(status="waiting", event=NEEDS_ATTENTION, actor="system", reason=reason, data=told)
    ledger.changes.set_status(claimed.campaign_id, ("running",), change)
    return back


def _waited_s(journal: Mapping[str, object], now: datetime) -> float:
    """Return the seconds since an outage first deferred the unit, or 0 when none has."""
    since = journal.get(WAITING_SINCE)
    return max(0.0, (now - datetime.fromisoformat(str(since))).total_seconds()) if since else 0.0
