"""The spend ledger in a test's hands: claims, bounds and answers to feed it, totals and sums to check it by.

Invariant: :func:`checked` looks in one snapshot, so it may run while others write.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orchestrator_harness import Harness

from agents.unit import Unit
from integrations.llm.prices import CostBound
from integrations.settings import Settings
from integrations.usage import Usage
from orchestration.control.verbs import Verbs
from orchestration.ledger.database import Database, encode
from orchestration.ledger.rows import Claimed, journal_arguments
from orchestration.spend.models import SpendLedger

MODEL = "sandbox-1"
TODAY = "(clock_timestamp() AT TIME ZONE 'UTC')::date"


def ledger(bench: Harness, **keys: Any) -> SpendLedger:
    """The ledger under the default settings with some of them changed."""
    return SpendLedger(bench.database, Settings.from_env({}).model_copy(update=keys))


def verbs(bench: Harness) -> Verbs:
    """What a person can tell the bench's campaigns."""
    return Verbs(
        ledger=bench.ledger, agents=bench.agents, wakeups=bench.broker, clock=bench.orchestrator.resources.clock
    )


def claim(key: str = "u0", claims: int = 1, campaign: str = "c1") -> Claimed:
    """A claimed unit of step 0, stage 0."""
    unit = Unit(key=key, kind="toy", provider="openai")
    return Claimed(
        campaign_id=campaign,
        unit=unit,
        ordinal=0,
        step=0,
        stage=0,
        agent="lead_generation",
        epoch=0,
        claims=claims,
        journal={},
    )


def bound(amount: str | None, entry: str = "answer", model: str = MODEL) -> CostBound:
    """The most that a call of the unit costs, in USD; None: nobody knows."""
    return CostBound(entry=entry, model=model, amount=None if amount is None else Decimal(amount))


def usage(cost: str | None, tokens: int = 10, model: str = MODEL) -> Usage:
    """What a call has cost, in USD; None: nobody knows."""
    known = None if cost is None else Decimal(cost)
    return Usage(provider="openai", model=model, input_tokens=tokens, output_tokens=tokens, cost=known)


def journal(bench: Harness, claimed: Claimed, entry: str, value: Any, used: Usage | None, campaign: str = "c1") -> None:
    """Commit an answer and its cost, as a unit's context does."""
    bench.database.rows(
        "SELECT marketing.journal(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        campaign, claimed.step, claimed.stage, claimed.unit.key, claimed.claims, entry, encode({entry: value}),
        *journal_arguments(used),
    )  # fmt: skip


def total(bench: Harness, scope: str = "campaign:c1") -> tuple[Decimal, Decimal]:
    """(held, settled)."""
    rows = bench.database.rows("SELECT held, settled FROM marketing.spend_totals WHERE scope = %s", scope)
    return (rows[0][0], rows[0][1]) if rows else (Decimal(0), Decimal(0))


def today(bench: Harness) -> tuple[Decimal, Decimal]:
    """(held, settled) of all campaigns, from the rows."""
    held, settled = bench.database.rows(
        "SELECT coalesce(sum(held), 0), coalesce(sum(settled), 0) FROM marketing.spend "
        f"WHERE kind = 'llm' AND day = {TODAY}"
    )[0]
    return held, settled


#: Totals beside the sums of the rows that they stand for, in one snapshot.
SUMS = f"""
    SELECT coalesce(sum(t.held), 0), coalesce(sum(t.settled), 0), s.held, s.settled, d.held, d.settled, e.held,
           e.settled
    FROM (SELECT coalesce(sum(held), 0) AS held, coalesce(sum(settled), 0) AS settled
          FROM marketing.spend WHERE kind = 'llm' AND campaign_id = 'c1') s
    CROSS JOIN (SELECT coalesce(sum(held), 0) AS held, coalesce(sum(settled), 0) AS settled
                FROM marketing.spend WHERE kind = 'llm' AND day = {TODAY}) e
    CROSS JOIN (SELECT sum(held) AS held, sum(settled) AS settled
                FROM marketing.spend_totals WHERE scope = 'day:sandbox:' || {TODAY}) d
    LEFT JOIN marketing.spend_totals t ON t.scope = 'campaign:c1'
    GROUP BY s.held, s.settled, d.held, d.settled, e.held, e.settled
"""


def checked(database: Database) -> Decimal:
    """What the campaign has taken; AssertionError when a total is not the sum of its rows."""
    held, settled, *sums = database.rows(SUMS)[0]
    assert [held, settled] == sums[:2], (held, settled, sums)
    assert sums[2:4] in ([None, None], sums[4:6]), sums  # a day nobody has capped has no total
    return Decimal(held) + Decimal(settled)


def a_day_passes(bench: Harness) -> None:
    """What was done today was done yesterday."""
    bench.database.run(
        "UPDATE marketing.spend SET day = day - 1;"
        "DELETE FROM marketing.spend_totals WHERE scope LIKE 'day:%%';"
        "INSERT INTO marketing.spend_totals SELECT 'day:sandbox:' || day, currency, sum(held), sum(settled) "
        "FROM marketing.spend WHERE kind = 'llm' GROUP BY 1, 2"
    )
