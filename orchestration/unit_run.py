"""Running one claimed unit: its body, and what its outcome means for the ledger.

The order of a unit's work is DESIGN's: claimed already, then the call with its deadline, then the result;
errors are decided by one pure function. Invariant: nothing escapes. An error of a provider becomes a
retry, a look, a question to a person or a failed result; a defect in our own code becomes a failed result
that says so.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import to_jsonable_python

from agents.base import BaseAgent
from agents.effects import unsettled
from agents.unit import UnitResult, UnitStatus
from integrations.errors import IntegrationError
from integrations.retry import MAX_DELAY_S, Action, Decision, decide
from orchestration.context import LedgerContext, Resources
from orchestration.database import DatabaseUnavailableError
from orchestration.holds import NEEDS_ATTENTION
from orchestration.ledger import Ledger
from orchestration.rows import Claimed, claim_id

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The unit went back to the ledger; try again in ``delay_s`` seconds."""

    claimed: Claimed
    delay_s: float


def run_claimed(
    agents: Mapping[str, BaseAgent], claimed: Claimed, campaign_id: str, ledger: Ledger, resources: Resources
) -> UnitResult | GivenBack:
    """Run one claimed unit once. A final result is NOT recorded yet; a give-back is.

    Raises DatabaseUnavailableError when Postgres stays away: the claim ends with the task then.
    """
    with ledger.holdings.at_work(claim_id(campaign_id, claimed)) as ours:
        if not ours:
            return GivenBack(claimed, 0.0)
        return _run(agents, claimed, campaign_id, ledger, resources)


def _run(
    agents: Mapping[str, BaseAgent], claimed: Claimed, campaign_id: str, ledger: Ledger, resources: Resources
) -> UnitResult | GivenBack:
    unit = claimed.unit
    context = LedgerContext(campaign_id, claimed, ledger, resources, dict(claimed.journal))
    try:
        output = agents[claimed.agent].run(unit, context)
        return UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output=to_jsonable_python(output))
    except IntegrationError as error:
        open_ends = unsettled(context.entries) if unit.effect else []
        decision = decide(
            error,
            claimed.attempts + 1,
            unit.policy,
            jitter=random.random(),
            effect=unit.effect,
            unsettled=bool(open_ends),
        )
        if decision.action is Action.FAIL:
            return UnitResult(unit=unit, status=UnitStatus.FAILED, error=error.to_dict())
        if decision.action is Action.ATTEND:
            return _ask_for_attention(campaign_id, claimed, ledger, error, open_ends)
        return _give_back(campaign_id, claimed, ledger, decision, error)
    except DatabaseUnavailableError:
        raise
    except Exception as error:  # a defect of ours must not take the worker's slot down with it
        log.exception("unit %s of %s failed by a defect", unit.key, campaign_id)
        return UnitResult(unit=unit, status=UnitStatus.FAILED, error=internal_error(error))


def internal_error(error: BaseException) -> dict[str, object]:
    """The error record of a defect: its class only, because its text may hold anything."""
    return {
        "code": "internal",
        "provider": "local",
        "message": f"{type(error).__name__} in our own code (see the worker's log)",
    }


def _give_back(
    campaign_id: str, claimed: Claimed, ledger: Ledger, decision: Decision, error: IntegrationError
) -> GivenBack:
    ledger.give_back(
        campaign_id,
        claimed,
        status="unknown" if decision.action is Action.PROBE else "pending",
        delay_s=decision.delay_s,
        error=error.to_dict(),
        attempt=decision.action is Action.RETRY,
    )
    return GivenBack(claimed, decision.delay_s)


def _ask_for_attention(
    campaign_id: str, claimed: Claimed, ledger: Ledger, error: IntegrationError, open_ends: Sequence[str]
) -> GivenBack:
    """An effect that probes can't settle is kept as unknown, and its campaign waits for a person."""
    back = _give_back(campaign_id, claimed, ledger, Decision(Action.PROBE, MAX_DELAY_S), error)
    ledger.set_status(
        campaign_id,
        ("running",),
        "waiting",
        event=NEEDS_ATTENTION,
        actor="system",
        reason=f"{NEEDS_ATTENTION}: {claimed.unit.key}: {error}",
        data={"unit": claimed.unit.key, "provider": error.provider, "message": error.message, "steps": list(open_ends)},
    )
    return back
