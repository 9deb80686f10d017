"""People who are excluded by hand from what a campaign still does.

They stay leads of the campaign, and are left out wherever people are about to be used. The rows stand beside the state,
so that no hop that writes it can undo them, and are asked where the suppression list is asked. Invariant: a row holds
no address; it holds hashes, by which a person stays out also where a repeated search, or a fork, gives them another id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from agents.erasure import person_hashes
from orchestration.ledger.database import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One person who is kept out."""

    lead_id: str
    reason: str  #: "" for none
    by: str
    at: datetime
    hashes: frozenset[str]  #: :func:`agents.erasure.person_hashes`


class CampaignExclusions:
    """Exclusions of one campaign, as :class:`agents.ports.Exclusions` has them."""

    def __init__(self, database: Database, campaign_id: str) -> None:
        self._database = database
        self._campaign_id = campaign_id

    def excluded(self, identities: Collection[str]) -> frozenset[str]:
        """Return those of the hashes that name an excluded person."""
        if not identities:
            return frozenset()
        rows = self._database.rows(
            "SELECT DISTINCT h FROM marketing.exclusions, unnest(hashes) AS h WHERE campaign_id = %s AND h = ANY(%s)",
            self._campaign_id, sorted(identities),
        )  # fmt: skip
        return frozenset(str(row[0]) for row in rows)

    def listed(self) -> list[Exclusion]:
        """Return all exclusions, the oldest first."""
        rows = self._database.rows(
            "SELECT lead_id, reason, by, at, hashes FROM marketing.exclusions WHERE campaign_id = %s "
            "ORDER BY at, lead_id",
            self._campaign_id,
        )  # fmt: skip
        return [
            Exclusion(lead_id=lead_id, reason=reason, by=by, at=at, hashes=frozenset(hashes))
            for lead_id, reason, by, at, hashes in rows
        ]


def write_exclusion(tx: Transaction, campaign_id: str, lead: Mapping[str, JsonValue], *, reason: str, by: str) -> bool:
    """Keep a lead out, and return False when it was out already: the first reason stays."""
    return bool(tx.rows(
        "INSERT INTO marketing.exclusions (campaign_id, lead_id, hashes, reason, by) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING RETURNING true",
        campaign_id, lead["lead_id"], sorted(person_hashes(lead)), reason, by,
    ))  # fmt: skip


def remove_exclusions(tx: Transaction, campaign_id: str, lead_ids: Iterable[str]) -> bool:
    """Take exclusions back, and return whether there were any."""
    sql = "DELETE FROM marketing.exclusions WHERE campaign_id = %s AND lead_id = ANY(%s) RETURNING true"
    return bool(tx.rows(sql, campaign_id, sorted(lead_ids)))


def forget_exclusions(tx: Transaction, campaign_id: str, hashes: Collection[str]) -> None:
    """Delete what is kept of people who are erased from a campaign."""
    sql = "DELETE FROM marketing.exclusions WHERE campaign_id = %s AND hashes && %s::text[]"
    tx.run(sql, campaign_id, sorted(hashes))
