"""Spend ledger for language models: reserve the most that a call can cost, make it, count what it has cost.

A cap is checked before the call, at an upper bound, under the lock of one row per campaign and one per UTC day
(``spend_reserve``), so it holds for calls at once. A reservation belongs to the unit, the journal entry of the call and
the attempt, and settling happens in the journal's own statement (``journal``), so that it can't count twice. A call of
which nobody will tell (its worker died, its answer was lost) counts at its bound, once: when its unit is tried again,
or by the reconciling tick. Invariants: held + settled never exceeds a cap by a
grant; with a cap in force a call whose price is not known is refused; without one every call is held all the same,
because only what is held can be counted when a process dies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from integrations.errors import (
    MAX_DELAY_S,
    BadRequestError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    NotNowError,
    OverBudgetError,
    PolicyRefusedError,
    RateLimitedError,
    TransientError,
)
from integrations.llm.errors import MAY_HAVE_COST
from integrations.llm.prices import CostBound, price_of
from integrations.settings import Settings
from integrations.usage import Usage
from orchestration.ledger.database import Database
from orchestration.ledger.rows import Claimed

#: When a call is refused only for those that are under way, it is tried again so soon.
SOON_S = 10.0

UNKNOWN_PRICE = "unknown_price"
CAMPAIGN_LLM, DAILY_LLM = "limits.llm", "DAILY_CAP_LLM"

#: Answers after which nothing has been paid.
_FREE = (NotNowError, NeedsAttentionError, BadRequestError, PolicyRefusedError, NotFoundError, RateLimitedError)


class SpendLedger:
    """Model money of one database under the caps of the settings, for every thread of a process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @contextmanager
    def reserved(self, claimed: Claimed, provider: str, bound: CostBound | None) -> Iterator[None]:
        """Hold the upper bound of a call for as long as the context lasts, or nothing when it costs nothing (None).

        After an answer the journal settles; after an error that surely cost nothing the reservation is given back;
        else it stays, and is counted when the attempt is over. Raises OverBudgetError when a cap has no room.
        """
        if bound is not None:
            self.reserve(claimed, provider, bound)
        try:
            yield
        except IntegrationError as error:
            if bound is not None and not may_have_cost(error):
                self.release(claimed, bound.entry)
            raise

    def reserve(self, claimed: Claimed, provider: str, bound: CostBound) -> None:
        """Hold ``bound`` until the call is settled, given back, or counted because its attempt is over.

        Raises OverBudgetError when a cap has no room.
        """
        granted, refused_by, cap, room, soon = self._database.rows(
            "SELECT * FROM marketing.spend_reserve(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *claimed.place, bound.entry, claimed.claims, claimed.agent, provider, bound.model, bound.amount,
            self._settings.llm_daily_cap,
        )[0]  # fmt: skip
        if not granted:
            raise refusal(claimed.campaign_id, provider, bound, str(refused_by), cap, room, soon=soon)

    def release(self, claimed: Claimed, entry: str) -> bool:
        """Give a reservation back, and return False when it is not this attempt's any more."""
        sql = "SELECT marketing.spend_release(%s, %s, %s, %s, %s, %s)"
        return bool(self._database.value(sql, *claimed.place, entry, claimed.claims))

    def settle(self, claimed: Claimed, entry: str, usage: Usage) -> bool:
        """Count the cost of a call without a journal entry of its own, and return False when it was counted already."""
        return bool(self._database.value(
            "SELECT marketing.spend_settle(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false)",
            *claimed.place, entry, claimed.claims, claimed.agent, usage.provider, usage.model, usage.cost,
            usage.currency, usage.input_tokens, usage.output_tokens,
        ))  # fmt: skip

    def with_room(self, campaign_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the campaigns for which something that a cap refused would fit by now."""
        ads = self._settings.ads_daily_cap or (None, None)
        rows = self._database.rows(
            "SELECT * FROM marketing.spend_refusals(%s::text[], %s, %s, %s)",
            list(campaign_ids), self._settings.llm_daily_cap, *ads,
        )  # fmt: skip
        prices, server = self._settings.llm_prices, self._settings.llm_url
        return frozenset(
            str(campaign_id)
            for campaign_id, refused_by, model, fits in rows
            if fits or (refused_by == UNKNOWN_PRICE and price_of(model or "", prices, base_url=server) is not None)
        )


def may_have_cost(error: IntegrationError) -> bool:
    """Return whether the call that ended so may have been paid for."""
    if isinstance(error, _FREE):
        return False
    return not isinstance(error, TransientError) or error.detail in MAY_HAVE_COST


def refusal(
    campaign_id: str,
    provider: str,
    bound: CostBound,
    refused_by: str,
    cap: Decimal | None,
    room: Decimal | None,
    *,
    soon: bool = False,
) -> OverBudgetError:
    """Return the error for a call that a cap refused, whose text says what would be right.

    ``soon``: it would fit if no other call were under way.
    """
    if refused_by == UNKNOWN_PRICE:
        text = (
            f"the price of {bound.model} is not known, and a spend cap is in force: set its price, for example "
            f"LLM_PRICES={bound.model}=0.10:0.05:0.40 (input:cached:output, USD per million tokens)"
        )
        return OverBudgetError(provider, text, detail=UNKNOWN_PRICE, retry_after=MAX_DELAY_S)
    if refused_by == "no_campaign":
        return OverBudgetError(provider, "its campaign is gone", detail=refused_by, retry_after=MAX_DELAY_S)
    figures = f"{refused_by} of {amount_text(cap)} USD has {amount_text(room)} left, the call may cost " + (
        amount_text(bound.amount)
    )
    if refused_by == DAILY_LLM:
        text, wait = f"{figures}: it goes on tomorrow (UTC)", until_midnight(datetime.now(UTC))
    else:
        text, wait = f"{figures}: raise it with `campaigns limits {campaign_id} --llm X`", MAX_DELAY_S
    return OverBudgetError(provider, text, detail=refused_by, retry_after=SOON_S if soon else wait)


def until_midnight(now: datetime) -> float:
    """Return the seconds until the next UTC day begins."""
    tomorrow = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()


def amount_text(amount: Decimal | None) -> str:
    """Return an amount as text such as ``0.0123``, with two decimals at least and never in exponents."""
    value = (amount or Decimal(0)).normalize()
    exponent = value.as_tuple().exponent
    return format(value if isinstance(exponent, int) and exponent < -2 else value.quantize(Decimal("0.01")), "f")
