"""Recalibration: new weights from outcomes, whenever enough new ones have come, as a new version and an event.

Invariant: it may run any number of times in parallel: the same outcomes give the same weights, and of two processes
with the same version one stores it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from agents.learning.enough import LEAST_OUTCOMES, MOST_OUTCOMES, missing
from agents.learning.outcomes import Outcome
from orchestration.ledger.database import Database
from orchestration.stores.lead_weights import LeadWeights, Version
from orchestration.stores.outcomes import Outcomes, Scope

LEAST_NEW, SHARE_NEW = 10, 0.1  #: reports since the last version: so many, or this share of those before
BATCH = 10  #: audiences of one look


def recalibrate_due(database: Database, limit: int = BATCH) -> list[Version]:
    """Learn again for audiences and accounts that have enough new outcomes, and return the new versions.

    numpy is loaded by the first that has enough.
    """
    outcomes, weights = Outcomes(database), LeadWeights(database)
    before = weights.seen()
    made: list[Version] = []
    for scope in outcomes.scopes():
        last, seen = before.get((scope.mode, scope.account, scope.audience), (0, 0))
        if len(made) < limit and _due(scope.reports, seen):
            version = _learned(outcomes, scope, last + 1)
            if version is not None and weights.add(version):
                made.append(version)
    return made


def _due(reports: int, seen: int) -> bool:
    return reports >= seen + max(LEAST_NEW, seen * SHARE_NEW)


def _learned(outcomes: Outcomes, scope: Scope, number: int) -> Version | None:
    if scope.reports < LEAST_OUTCOMES:
        return None
    told = outcomes.told(scope, MOST_OUTCOMES)
    answers = [Outcome(one.outcome).yes is True for one in told]
    if missing(len(told), sum(answers)):
        return None
    from agents.learning.fitting import Example
    from agents.learning.recalibration import recalibrate

    found = recalibrate(
        [
            Example(rule=one.rule, traits=tuple(one.traits), yes=yes, audience="" if scope.audience else one.audience)
            for one, yes in zip(told, answers, strict=True)
        ],
        audience=scope.audience,
    )
    return Version(
        mode=scope.mode,
        account=scope.account,
        audience=scope.audience,
        version=number,
        weights=found.weights,
        seen=scope.reports,
        used=found.used,
        reason=found.reason,
        auc=found.auc,
        rule_auc=found.rule_auc,
        calibration_error=found.calibration_error,
        at=datetime.now(UTC),
    )
