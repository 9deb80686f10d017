"""Reports of what has been spent and what is held, by agent, provider and model, beside the caps.

Read-only. Invariants: currencies are never summed, and neither is the money of the two worlds; amounts are text, so
that no reader makes floats of them; calls of a model without a known price are shown as tokens, never as an amount
of 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypedDict

from integrations.settings import Mode, Settings
from orchestration.ledger.database import Database
from orchestration.ledger.world import World
from orchestration.reports.campaigns import Reports, Tokens
from orchestration.spend.ads import DAILY_ADS, RUNNING_DAILY
from orchestration.spend.models import CAMPAIGN_LLM, DAILY_LLM, amount_text

_ZERO = Decimal(0)
_TODAY = "(clock_timestamp() AT TIME ZONE 'UTC')::date"


class ModelSpend(TypedDict):
    """Spend on one model of one provider by one agent."""

    agent: str
    provider: str
    model: str | None
    currency: str
    settled: str
    held: str
    calls: int
    input_tokens: int
    output_tokens: int
    unpriced_tokens: int


class Spending(TypedDict):
    """Spend on models and ads, with its totals and its tokens."""

    llm: list[ModelSpend]
    ads: list[dict[str, str]]  #: {provider, currency, settled, held, daily}
    totals: dict[str, dict[str, dict[str, str]]]  #: {"llm" | "ads": {currency: {settled, held}}}
    tokens: Tokens


class CampaignSpending(Spending):
    """Spend of a campaign beside its limits that are set."""

    campaign_id: str
    mode: str  #: its world
    name: str
    status: str
    limits: list[dict[str, str]]  #: {limit, currency, cap, taken, left}


class Today(TypedDict):
    """Spend on models of one UTC day, and the daily budgets of ads that run ({currency: amount})."""

    day: str
    llm: list[ModelSpend]
    totals: dict[str, dict[str, dict[str, str]]]
    tokens: Tokens
    ads_per_day: dict[str, str]


class WorldSpending(TypedDict):
    """Spend of all campaigns of one world."""

    mode: str
    today: Today
    total: Spending


class FleetSpending(WorldSpending):
    """Spend of all campaigns of the database's world, beside the caps that are in force."""

    caps: list[dict[str, str]]  #: {limit, currency, cap, taken, left}
    other_world: WorldSpending | None  #: what campaigns have spent before the database left that world


def campaign_spend(database: Database, campaign_id: str) -> CampaignSpending:
    """Return what a campaign has spent and holds.

    Raises CampaignNotFoundError when there is no such campaign.
    """
    row = Reports(database).row(campaign_id)
    config = row.state.campaign_config
    llm, ads = _llm(database, "campaign_id = %s", campaign_id), _ads(database, "campaign_id = %s", campaign_id)
    found = _document(llm, ads)
    taken = {
        CAMPAIGN_LLM: ("USD", config.limits.llm, _taken(found["totals"]["llm"], "USD")),
        "limits.ads": (config.currency, config.limits.ads, _taken(found["totals"]["ads"], config.currency)),
        "limits.ads_per_day": (
            config.currency,
            config.limits.ads_per_day,
            sum((Decimal(ad["daily"]) for ad in ads if ad["currency"] == config.currency), _ZERO),
        ),
    }
    limits = [_cap(name, *figures) for name, figures in taken.items() if figures[1] is not None]
    return {
        "campaign_id": campaign_id,
        "mode": row.mode,
        "name": row.name,
        "status": row.status,
        **found,
        "limits": limits,
    }


def fleet_spend(database: Database, settings: Settings) -> FleetSpending:
    """Return what all campaigns have spent and hold, each world's by itself."""
    mode = World(database, settings.mode).read().mode
    found = _world_spend(database, mode)
    caps = []
    if settings.llm_daily_cap is not None:
        taken = _taken(found["today"]["totals"]["llm"], "USD")
        caps.append(_cap(DAILY_LLM, "USD", settings.llm_daily_cap, taken))
    if settings.ads_daily_cap is not None:
        amount, currency = settings.ads_daily_cap
        caps.append(_cap(DAILY_ADS, currency, amount, Decimal(found["today"]["ads_per_day"].get(currency, "0"))))
    other = next(one for one in Mode if one is not mode)
    spent_there = database.value("SELECT EXISTS (SELECT FROM marketing.spend WHERE mode = %s)", other)
    return {**found, "caps": caps, "other_world": _world_spend(database, other) if spent_there else None}


def _world_spend(database: Database, mode: Mode) -> WorldSpending:
    day = database.value(f"SELECT {_TODAY}::text")
    today = _document(_llm(database, "mode = %s AND day = %s", mode, day), [])
    running = {
        str(currency): amount_text(daily)
        for currency, daily in database.rows(
            f"SELECT currency, sum({RUNNING_DAILY}) FROM marketing.spend WHERE kind = 'ads' AND mode = %s "
            "GROUP BY 1 ORDER BY 1",
            mode,
        )
        if daily
    }
    return {
        "mode": mode,
        "today": {"day": day, "llm": today["llm"], "totals": {"llm": today["totals"]["llm"]}, "tokens": today["tokens"],
                  "ads_per_day": running},
        "total": _document(_llm(database, "mode = %s", mode), _ads(database, "mode = %s", mode)),
    }  # fmt: skip


def _llm(database: Database, condition: str, *values: object) -> list[ModelSpend]:
    rows = database.rows(
        "SELECT agent, provider, model, currency, sum(settled), sum(held), sum(calls), sum(input_tokens), "
        "sum(output_tokens), sum(unpriced_tokens) FROM marketing.spend "
        f"WHERE kind = 'llm' AND (calls > 0 OR held > 0) AND {condition} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        *values,
    )
    return [
        {
            "agent": agent, "provider": provider, "model": model, "currency": currency,
            "settled": amount_text(settled), "held": amount_text(held), "calls": int(calls),
            "input_tokens": int(tokens_in), "output_tokens": int(tokens_out), "unpriced_tokens": int(unpriced),
        }
        for agent, provider, model, currency, settled, held, calls, tokens_in, tokens_out, unpriced in rows
    ]  # fmt: skip


def _ads(database: Database, condition: str, *values: object) -> list[dict[str, str]]:
    rows = database.rows(
        f"SELECT provider, currency, sum(settled), sum(held), sum({RUNNING_DAILY}) FROM marketing.spend "
        f"WHERE kind = 'ads' AND (held > 0 OR settled > 0) AND {condition} GROUP BY 1, 2 ORDER BY 1, 2",
        *values,
    )
    return [
        {
            "provider": provider, "currency": currency, "settled": amount_text(settled), "held": amount_text(held),
            "daily": amount_text(daily),
        }
        for provider, currency, settled, held, daily in rows
    ]  # fmt: skip


def _document(llm: list[ModelSpend], ads: list[dict[str, str]]) -> Spending:
    return {
        "llm": llm,
        "ads": ads,
        "totals": {"llm": _totals(llm), "ads": _totals(ads)},
        "tokens": {
            "input": sum(one["input_tokens"] for one in llm),
            "output": sum(one["output_tokens"] for one in llm),
            "unpriced": sum(one["unpriced_tokens"] for one in llm),
        },
    }


def _totals(rows: Sequence[ModelSpend] | Sequence[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return {currency: {settled, held}}."""
    found: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        total = found.setdefault(row["currency"], {"settled": _ZERO, "held": _ZERO})
        total["settled"] += Decimal(row["settled"])
        total["held"] += Decimal(row["held"])
    return {
        currency: {name: amount_text(amount) for name, amount in found[currency].items()} for currency in sorted(found)
    }


def _taken(totals: Mapping[str, Mapping[str, str]], currency: str) -> Decimal:
    found = totals.get(currency, {})
    return Decimal(found.get("settled", "0")) + Decimal(found.get("held", "0"))


def _cap(name: str, currency: str, cap: Decimal | None, taken: Decimal) -> dict[str, str]:
    left = amount_text(max(_ZERO, (cap or _ZERO) - taken))
    return {"limit": name, "currency": currency, "cap": amount_text(cap), "taken": amount_text(taken), "left": left}
