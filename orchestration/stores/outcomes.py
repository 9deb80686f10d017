"""Outcomes of leads: who reported what of which lead, with the lead's traits as they are when it is told.

Invariants: a row holds no personal data but the lead's id in its campaign, which an erasure and the end of retention
replace by a random one; a report that comes again changes nothing. A lead's newest report that is no bounce counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from agents.learning.outcomes import Outcome
from orchestration.ledger.database import Database, Transaction, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One outcome of one lead."""

    campaign_id: str
    lead_id: str
    outcome: Outcome
    at: datetime | None  #: None: now, unless it is the newest that is known of the lead
    mode: str
    account: str
    audience: str
    rule: float
    traits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLead:
    """A lead with what its campaign asked for."""

    campaign_id: str
    mode: str
    config: Mapping[str, JsonValue]  #: of the campaign
    lead: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """An audience of an account, or with the audience "" all of it, with its reports."""

    mode: str
    account: str
    audience: str
    reports: int  #: but for bounces


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What counts of one lead."""

    audience: str
    outcome: str
    rule: float
    traits: Sequence[str]


def leads_of(
    tx: Transaction, ids: Sequence[str], emails: Sequence[str], campaign_ids: Sequence[str]
) -> list[FoundLead]:
    """Return the leads with these ids or addresses, of these campaigns or of all where none is named.

    The campaigns' rows are kept as they are to the end of the transaction, so that an erasure that comes meanwhile sees
    what is stored for their leads. Campaigns whose retention is over have no leads any more.
    """
    wanted = (list(ids), list(emails), list(emails))
    among, of = ("AND c.campaign_id = ANY(%s)", (list(campaign_ids),)) if campaign_ids else ("", ())
    holding = [str(row[0]) for row in tx.rows(_HOLDING.format(among=among), *wanted, *of)]
    if not holding:
        return []
    tx.rows("SELECT FROM marketing.campaigns WHERE campaign_id = ANY(%s) ORDER BY campaign_id FOR SHARE", holding)
    return [
        FoundLead(campaign_id=str(campaign_id), mode=str(mode), config=config, lead=lead)
        for campaign_id, mode, config, lead in tx.rows(_LEADS, *wanted, holding)
    ]


_LEAD = "(l ->> 'lead_id' = ANY(%s) OR lower(l ->> 'email') = ANY(%s) OR l -> 'other_emails' ?| %s)"
_KEPT = "NOT EXISTS (SELECT FROM marketing.retentions r WHERE r.campaign_id = c.campaign_id AND r.swept_at IS NOT NULL)"
_HOLDING = (
    f"SELECT c.campaign_id FROM marketing.campaigns c WHERE EXISTS (SELECT FROM jsonb_array_elements(c.leads) l "
    f"WHERE {_LEAD}) AND {_KEPT} {{among}}"
)
_LEADS = (
    "SELECT c.campaign_id, c.mode, c.state -> 'campaign_config', l FROM marketing.campaigns c, "
    f"jsonb_array_elements(c.leads) l WHERE {_LEAD} AND c.campaign_id = ANY(%s) AND {_KEPT} ORDER BY c.created_at, 1"
)


def record(tx: Transaction, reports: Sequence[Report], *, actor: str) -> int:
    """Store reports, note them in their campaigns' histories, and return how many are new."""
    stored = tx.rows(_RECORD, encode(reports), actor)
    counts: dict[str, dict[str, int]] = {}
    for campaign_id, outcome in stored:
        of = counts.setdefault(str(campaign_id), {})
        of[str(outcome)] = of.get(str(outcome), 0) + 1
    for campaign_id, of in sorted(counts.items()):
        tx.run(
            "INSERT INTO marketing.events (campaign_id, kind, actor, data) VALUES (%s, 'outcomes_recorded', %s, %s)",
            campaign_id, actor, encode(of),
        )  # fmt: skip
    return len(stored)


_NEWEST = "ORDER BY o.at DESC, o.number DESC"
_RECORD = f"""
WITH told AS (
    SELECT * FROM ROWS FROM (jsonb_to_recordset(%s) AS (campaign_id text, lead_id text, outcome text, at timestamptz,
        mode text, account text, audience text, rule double precision, traits jsonb)) WITH ORDINALITY
)
INSERT INTO marketing.outcomes (campaign_id, lead_id, outcome, at, mode, account, audience, rule, traits, actor)
SELECT t.campaign_id, t.lead_id, t.outcome, coalesce(t.at, now() + t.ordinality * interval '1 microsecond'),
       t.mode, t.account, t.audience, t.rule, t.traits, %s
FROM told t
WHERE t.at IS NOT NULL OR t.outcome IS DISTINCT FROM (
    SELECT o.outcome FROM marketing.outcomes o
    WHERE o.campaign_id = t.campaign_id AND o.lead_id = t.lead_id {_NEWEST} LIMIT 1)
ORDER BY t.ordinality
ON CONFLICT DO NOTHING RETURNING campaign_id, outcome
"""


def unlink(tx: Transaction, campaign_id: str, lead_ids: Sequence[str] | None = None) -> int:
    """Cut the outcomes of a campaign from their leads, of these or of all, and return how many there were.

    What is known of one lead stays together, under an id that nothing leads back from.
    """
    among, of = ("", ()) if lead_ids is None else ("AND lead_id = ANY(%s)", (list(lead_ids),))
    rows = tx.rows(
        "WITH salt AS MATERIALIZED (SELECT gen_random_uuid()::text AS value) UPDATE marketing.outcomes "
        "SET lead_id = 'nobody:' || md5(salt.value || lead_id) FROM salt "
        f"WHERE campaign_id = %s AND lead_id NOT LIKE 'nobody:%%' {among} RETURNING true",
        campaign_id, *of,
    )  # fmt: skip
    return len(rows)


class Outcomes:
    """Outcomes of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def scopes(self) -> list[Scope]:
        """Return what may be learned of: each audience, and each account that has several."""
        return self._database.records(
            Scope,
            "WITH told AS (SELECT mode, account, audience, count(*)::integer AS reports FROM marketing.outcomes "
            "WHERE outcome <> 'bounced' GROUP BY mode, account, audience) SELECT * FROM told UNION ALL "
            "SELECT mode, account, '', sum(reports)::integer FROM told GROUP BY mode, account HAVING count(*) > 1 "
            "ORDER BY mode, account, audience",
        )

    def told(self, scope: Scope, limit: int) -> list[Told]:
        """Return what counts of each lead of a scope, of the ``limit`` newest, the oldest first."""
        found = self._database.records(
            Told,
            "SELECT audience, outcome, rule, traits FROM (SELECT DISTINCT ON (o.campaign_id, o.lead_id) o.* "
            "FROM marketing.outcomes o WHERE o.mode = %s AND o.account = %s AND (%s = '' OR o.audience = %s) "
            f"AND o.outcome <> 'bounced' ORDER BY o.campaign_id, o.lead_id, {_NEWEST.removeprefix('ORDER BY ')}) AS n "
            "ORDER BY at DESC, number DESC LIMIT %s",
            scope.mode, scope.account, scope.audience, scope.audience, limit,
        )  # fmt: skip
        return found[::-1]

    def counts(self) -> list[tuple[str, str, str, Mapping[str, int]]]:
        """Return how many reports there are, as (mode, account, audience, number by outcome)."""
        rows = self._database.rows(
            "SELECT mode, account, audience, jsonb_object_agg(outcome, n) FROM (SELECT mode, account, audience, "
            "outcome, count(*) AS n FROM marketing.outcomes GROUP BY 1, 2, 3, 4) AS c GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return [(str(mode), str(account), str(audience), counts) for mode, account, audience, counts in rows]
