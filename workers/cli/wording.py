"""How agents, states, money, times and events are called when people read them.

Pure functions, shared by the live view, the history and the summary, so that one thing has one name.
Invariant: money of unknown price is never shown as 0, and currencies are never summed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from workers.cli.output import clean

if TYPE_CHECKING:
    from orchestration.reports.campaigns import CampaignEvent

STATUSES = (
    "queued", "running", "waiting", "awaiting_approval", "paused", "cancelling", "completed", "failed", "cancelled",
)  # fmt: skip
DAY_S = 86_400
LIVE = "live"
#: Said first wherever a live campaign is told of at length.
LIVE_NOTE = "Live: what it publishes is public, and what it spends is real money."
#: Events that a person following a campaign should not miss. (Its own failure is its status.)
TROUBLE = frozenset({"unit_retry", "unit_deferred", "unit_lost"})


def agent_title(agent: str | None) -> str:
    """Return an agent's title, or the name in words of one that is not installed."""
    from agents.registry import title

    return clean(title(agent or "?"))


def platform_title(platform: str) -> str:
    """``facebook_ads`` -> ``Facebook``."""
    from integrations.ads.registry import platforms

    spec = platforms().get(platform)
    return clean(spec.title) if spec else words(platform).capitalize()


def words(name: str) -> str:
    """Write a name from the code as words."""
    return clean(name).replace("_", " ")


def state(status: str, mode: str = "") -> str:
    """Write a campaign's status, and of a live campaign that it is one: ``running, live``."""
    return words(status) + (", live" if mode == LIVE else "")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 lead``, ``2 leads``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def span(seconds: float) -> str:
    """``47:59:50``, ``3 days``: long ones without their seconds."""
    return duration(seconds) if seconds < 2 * DAY_S else count(round(seconds / DAY_S), "day")


def moment(at: datetime) -> str:
    """``2026-03-01 09:30:12``, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def money(amount: Decimal | str, currency: str) -> str:
    """Write an amount: ``1,250.00 USD``.

    Below one it has as many digits as it takes to see it: ``0.0094 USD``, ``0.000041 USD``.
    """
    value = Decimal(amount)
    if 0 < abs(value) < 1:
        fine = value.quantize(Decimal(1).scaleb(min(-2, value.adjusted() - 1)))
        return f"{fine:f} {clean(currency)}"
    return f"{value:,.2f} {clean(currency)}"


def amounts(by_currency: Mapping[str, Decimal | str]) -> str:
    """Write amounts side by side, one per currency, and ``none`` for nothing."""
    return " + ".join(money(amount, currency) for currency, amount in sorted(by_currency.items())) or "none"


def model_spend(spend: Mapping[str, Any]) -> str:
    """Write what the language model has cost, in tokens where the price is unknown."""
    tokens = spend["tokens"]
    used = tokens["input"] + tokens["output"]
    if not used:
        return amounts(spend["llm"])
    priced = amounts(spend["llm"]) if spend["llm"] else None
    if not tokens["unpriced"]:
        return f"{priced or 'free of charge'} ({used:,} tokens)"
    if priced is None:
        return f"price unknown ({used:,} tokens)"
    return f"{priced}, and {tokens['unpriced']:,} of {used:,} tokens at an unknown price"


def event_text(event: CampaignEvent) -> str:
    """Write one event as a sentence without its time."""
    data = event.data
    where = agent_title(event.agent)
    match event.kind:
        case "submitted":
            return (
                f"Submitted: {clean(data.get('name', ''))} ({count(int(data.get('units', 0)), 'unit')} to start with)"
            )
        case "started":
            return f"{where} began"
        case "hop_started":
            return f"{where} began (step {event.step})"
        case "stage_planned":
            return f"{where}: {words(str(data.get('stage', '')))}, {count(int(data.get('units', 0)), 'unit')}"
        case "hop_finished":
            figures = facts(data)
            return f"{where} finished" + (f": {figures}" if figures else "")
        case "completed":
            reason = data.get("reason")
            return "Completed" + (f": {clean(reason)}" if reason else "")
        case "failed":
            return f"Failed in {where.lower()}: {clean(data.get('reason', ''))}"
        case "unit_retry":
            return f"Retry of {_unit(data)} in {_seconds(data)}: {_why(data)}"
        case "unit_deferred":
            return f"{_unit(data).capitalize()} waits {_seconds(data)}: {_why(data)}"
        case "unit_lost":
            return f"A worker died in {_unit(data)}; it is done again"
        case _:
            figures = facts(data)
            return words(event.kind).capitalize() + (f": {figures}" if figures else "")


def facts(data: Mapping[str, object]) -> str:
    """Write the figures of an event in words, without nested values: ``leads 40, qualified 12``."""
    shown = [
        f"{words(key)} {_figure(value)}"
        for key, value in data.items()
        if isinstance(value, str | int | float) and value != "" and not isinstance(value, bool)
    ]
    return ", ".join(shown)


def _figure(value: str | int | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else clean(value, 80)


def _unit(data: Mapping[str, object]) -> str:
    provider = data.get("provider")
    return clean(f"{data.get('unit', 'a unit')}" + (f" ({provider})" if provider else ""), 60)


def _seconds(data: Mapping[str, object]) -> str:
    return f"{float(str(data.get('delay_s') or 0)):.1f} s"


def _why(data: Mapping[str, object]) -> str:
    return clean(data.get("message") or words(str(data.get("code") or "no reason given")), 160)
