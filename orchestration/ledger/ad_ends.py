"""Campaigns that have ended and whose schedule is over, with ads that may still run or money that is still held.

Each is looked after once a day, until that went well a day or more after the schedule's end, when platforms have told
all that was spent. Invariant: what has been asked for is a row, so looking any number of times asks for nothing twice.
"""

from __future__ import annotations

from integrations.settings import Mode
from orchestration.ledger.database import Database, Transaction

ENDED = ("completed", "failed", "cancelled")
MOST = 30  #: days on which it is tried to switch off what a platform refuses to

#: When it was asked for once, the campaign is left alone for a day; when it went well late enough, for good.
_DUE = f"""
FROM marketing.campaigns c
CROSS JOIN LATERAL (SELECT c.created_at + make_interval(
    days => (c.state #>> '{{campaign_config,schedule,days}}')::integer) AS at) AS over
WHERE c.status IN {ENDED} AND over.at <= clock_timestamp()
  AND EXISTS (SELECT FROM marketing.spend s WHERE s.campaign_id = c.campaign_id AND s.kind = 'ads')
  AND NOT EXISTS (
      SELECT FROM marketing.ad_switches a
      WHERE a.campaign_id = c.campaign_id AND a.wanted = 'end' AND a.epoch = c.epoch
        AND (a.settled_at IS NULL OR a.asked_at > clock_timestamp() - interval '1 day'
             OR (a.unreached = '{{}}' AND a.asked_at >= over.at + interval '1 day')))
  AND (SELECT count(*) FROM marketing.ad_switches a
       WHERE a.campaign_id = c.campaign_id AND a.wanted = 'end' AND a.epoch = c.epoch) < {MOST}
"""


def over(database: Database, mode: Mode, limit: int) -> list[str]:
    """Return up to ``limit`` campaigns of a world that are due, those first whose schedule has been over longest."""
    rows = database.rows(f"SELECT c.campaign_id {_DUE} AND c.mode = %s ORDER BY over.at LIMIT %s", mode, limit)
    return [str(row[0]) for row in rows]


def is_over(tx: Transaction, campaign_id: str) -> bool:
    """Return whether a campaign, whose row is locked, is due."""
    return bool(tx.value(f"SELECT EXISTS (SELECT {_DUE} AND c.campaign_id = %s)", campaign_id))
