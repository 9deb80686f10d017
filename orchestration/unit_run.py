"""Running one claimed unit: its body, and what its outcome means for the ledger.

The order of a unit's work is DESIGN's: claimed already, then the call with its deadline, then the result;
errors are decided by one pure function. Invariant: nothing escapes. An error of a provider becomes a
retry or a failed result; a defect in our own code becomes a failed result that says so.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic_core import to_jsonable_python

from agents.base import BaseAgent
from agents.unit import UnitResult, UnitStatus
from integrations.errors import IntegrationError
from integrations.retry import Action, Decision, decide
from orchestration.context import LedgerContext, Resources
from orchestration.ledger import Ledger
from orchestration.rows import Claimed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The unit went back to the ledger; try again in ``delay_s`` seconds."""

    claimed: Claimed
    delay_s: float


def run_claimed(
    agents: Mapping[str, BaseAgent], claimed: Claimed, campaign_id: str, ledger: Ledger, resources: Resources
) -> UnitResult | GivenBack:
    """Run one claimed unit once. A final result is NOT recorded yet; a give-back is."""
    unit = claimed.unit
    context = LedgerContext(campaign_id, claimed, ledger, resources, dict(claimed.journal))
    try:
        output = agents[claimed.agent].run(unit, context)
        return UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output=to_jsonable_python(output))
    except IntegrationError as error:
        decision = decide(error, claimed.attempts + 1, unit.policy, jitter=random.random(), effect=unit.effect)
        if decision.action is Action.FAIL:
            return UnitResult(unit=unit, status=UnitStatus.FAILED, error=error.to_dict())
        return _give_back(campaign_id, claimed, ledger, decision, error)
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
        attempt=decision.action is not Action.DEFER,
    )
    return GivenBack(claimed, decision.delay_s)
