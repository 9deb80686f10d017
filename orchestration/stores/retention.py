"""Retention: people leave a campaign that has ended so long ago as its configuration says (``retention``).

What its units were given and have brought is emptied, its leads say no more who they are, and its lead files go when no
other campaign needs them. What it has made, its figures and its money stay. Invariant: a campaign is swept in one
transaction under its row's lock, once, and only while it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from agents.retention import Anonymous
from orchestration.ledger.database import Database, Transaction, encode
from orchestration.stores.customer_lists import ask_deletion
from orchestration.stores.outcomes import unlink

BATCH = 50  #: campaigns of one tick

_DUE = (
    "r.swept_at IS NULL AND c.campaign_id = r.campaign_id AND c.status IN ('completed', 'failed', 'cancelled') "
    "AND c.updated_at + r.keep <= now()"
)
_FILES = "jsonb_path_query(c.state, '$.campaign_config.lead_sources[*].file_id') #>> '{}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long a campaign keeps people."""

    until: datetime | None  #: None while it has not ended
    swept_at: datetime | None


class Retention:
    """Retention of the campaigns of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, campaign_id: str) -> Kept | None:
        """Return how long a campaign keeps people, or None when nothing is said."""
        found = self._database.records(
            Kept,
            "SELECT CASE WHEN c.status IN ('completed', 'failed', 'cancelled') THEN c.updated_at + r.keep END "
            "AS until, r.swept_at FROM marketing.retentions r JOIN marketing.campaigns c USING (campaign_id) "
            "WHERE r.campaign_id = %s",
            campaign_id,
        )
        return found[0] if found else None

    def sweep(self, limit: int = BATCH) -> int:
        """Remove people from up to ``limit`` campaigns whose time is over, and return from how many."""
        sql = f"SELECT r.campaign_id FROM marketing.retentions r, marketing.campaigns c WHERE {_DUE} LIMIT %s"
        due = [str(row[0]) for row in self._database.rows(sql, limit)]
        return sum(self._database.transaction(partial(_sweep, campaign_id=campaign_id)) for campaign_id in due)


def _sweep(tx: Transaction, campaign_id: str) -> bool:
    rows = tx.rows(
        f"SELECT c.leads, c.qualified_leads, c.in_row::text, c.step, c.agent, ARRAY(SELECT {_FILES}) "
        f"FROM marketing.campaigns c, marketing.retentions r WHERE c.campaign_id = %s AND {_DUE} FOR UPDATE OF c",
        campaign_id,
    )
    if not rows:  # another worker has swept it, or it goes on
        return False
    leads, qualified, in_row, step, agent, files = rows[0]
    people = Anonymous()
    # Without in_row, so that no checkpoint gets the lists that are replaced.
    tx.run("UPDATE marketing.campaigns SET in_row = NULL WHERE campaign_id = %s", campaign_id)
    tx.run(
        "UPDATE marketing.campaigns SET leads = %s, qualified_leads = %s, in_row = %s, revision = revision + 1 "
        "WHERE campaign_id = %s",
        encode(people.leads(leads)), encode(people.leads(qualified)), in_row, campaign_id,
    )  # fmt: skip
    for at, patch in tx.rows("SELECT step, patch FROM marketing.checkpoints WHERE campaign_id = %s", campaign_id):
        sql = "UPDATE marketing.checkpoints SET patch = %s WHERE campaign_id = %s AND step = %s"
        tx.run(sql, encode(people.patch(patch)), campaign_id, at)
    tx.run(
        "UPDATE marketing.units SET input = '{}', journal = '{}', "
        "result = CASE WHEN result IS NOT NULL THEN '{}'::jsonb END WHERE campaign_id = %s "
        # A sweep over its ads may be under way, and knows no people.
        "AND NOT EXISTS (SELECT FROM marketing.ad_switches s WHERE s.campaign_id = units.campaign_id "
        "AND s.number = -units.step AND s.settled_at IS NULL)",
        campaign_id,
    )
    ask_deletion(tx, campaign_id)
    tx.run("DELETE FROM marketing.exclusions WHERE campaign_id = %s", campaign_id)
    unlink(tx, campaign_id)
    tx.run("UPDATE marketing.retentions SET swept_at = now() WHERE campaign_id = %s", campaign_id)
    tx.run(
        "DELETE FROM marketing.lead_files f WHERE f.file_id = ANY(%s::text[]) AND NOT EXISTS (SELECT "
        "FROM marketing.campaigns c LEFT JOIN marketing.retentions r USING (campaign_id) "
        f"WHERE r.swept_at IS NULL AND f.file_id IN (SELECT {_FILES}))",
        files,
    )
    tx.run(
        "INSERT INTO marketing.events (campaign_id, kind, step, agent, data) VALUES (%s, 'people_removed', %s, %s, %s)",
        campaign_id, step, agent, encode({"leads": len(leads)}),
    )  # fmt: skip
    return True
