"""Versions of the weights that were learned from outcomes, by account and audience.

Invariant: the newest version of an audience decides, then the newest of its account: it is applied where it is better
than the rule, and where neither is, the rule is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.config import CampaignConfig
from agents.learning.audience import account_key, audience_key
from agents.learning.weights import Weights
from integrations.settings import Mode
from orchestration.ledger.database import Database, Transaction, encode

RECALIBRATED = "lead_weights_recalibrated"  #: kind of the event in the fleet's history


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version with how good it was on outcomes that it had not seen."""

    mode: str
    account: str
    audience: str
    version: int
    weights: Weights
    seen: int  #: reports that it was made after
    used: bool
    reason: str
    auc: float
    rule_auc: float
    calibration_error: float
    at: datetime


class LeadWeights:
    """Learned weights of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, config: CampaignConfig, mode: Mode) -> Weights | None:
        """Return what was learned for the leads of such a campaign, or None."""
        rows = self._database.rows(
            "SELECT DISTINCT ON (audience) used, weights, version FROM marketing.lead_weights "
            "WHERE mode = %s AND account = %s AND audience = ANY(%s) ORDER BY audience DESC, version DESC",
            mode.value, account_key(config.brand), ["", audience_key(config.target_audience)],
        )  # fmt: skip
        return next((_weights(weights, int(version)) for used, weights, version in rows if used), None)

    def newest(self) -> list[Version]:
        """Return the newest version of each account and audience."""
        rows = self._database.rows(
            "SELECT DISTINCT ON (mode, account, audience) mode, account, audience, version, weights, seen, used, "
            "reason, auc, rule_auc, calibration_error, at FROM marketing.lead_weights "
            "ORDER BY mode, account, audience, version DESC"
        )
        return [
            Version(
                mode=row[0], account=row[1], audience=row[2], version=row[3], weights=_weights(row[4], row[3]),
                seen=row[5], used=row[6], reason=row[7], auc=row[8], rule_auc=row[9], calibration_error=row[10],
                at=row[11],
            )
            for row in rows
        ]  # fmt: skip

    def seen(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Return (mode, account, audience) -> (newest version, number of reports that it was made after)."""
        rows = self._database.rows(
            "SELECT DISTINCT ON (mode, account, audience) mode, account, audience, version, seen "
            "FROM marketing.lead_weights ORDER BY mode, account, audience, version DESC"
        )
        return {(mode, account, audience): (version, seen) for mode, account, audience, version, seen in rows}

    def add(self, version: Version) -> bool:
        """Store a version with its event, and return False where another process has stored that version already."""

        def work(tx: Transaction) -> bool:
            new = tx.rows(
                "INSERT INTO marketing.lead_weights (mode, account, audience, version, weights, seen, used, reason, "
                "auc, rule_auc, calibration_error, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
                "ON CONFLICT DO NOTHING RETURNING true",
                version.mode, version.account, version.audience, version.version, encode(version.weights),
                version.seen, version.used, version.reason, version.auc, version.rule_auc, version.calibration_error,
                version.at,
            )  # fmt: skip
            if new:
                told = {
                    "mode": version.mode, "account": version.account, "audience": version.audience,
                    "version": version.version, "outcomes": version.weights.outcomes, "used": version.used,
                    "reason": version.reason, "auc": round(version.auc, 4), "rule_auc": round(version.rule_auc, 4),
                    "calibration_error": round(version.calibration_error, 4),
                }  # fmt: skip
                tx.run("INSERT INTO marketing.fleet_events (kind, data) VALUES (%s, %s)", RECALIBRATED, encode(told))
            return bool(new)

        return self._database.transaction(work)


def _weights(stored: object, version: int) -> Weights:
    return Weights.model_validate(stored).model_copy(update={"version": version})
