"""``spend``: what campaigns have spent and hold, by agent, provider and model, beside the caps.

Invariant: this command decides nothing and sums nothing; what nobody knows the price of is shown as tokens, and each
currency and each world stands by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from workers.cli.output import clean, console, json_option, print_json
from workers.cli.wording import LIVE, agent_title, count, money, platform_title, state

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestration.reports.spend import CampaignSpending, FleetSpending, ModelSpend, WorldSpending


@click.command("spend")
@click.argument("campaign_id", metavar="[ID]", required=False)
@json_option
def spend_command(campaign_id: str | None, as_json: bool) -> int:
    """Show what a campaign has spent and holds, and what its limits leave.

    Without ID: all campaigns, today (UTC) and in total.
    """
    from orchestration.reports.spend import campaign_spend, fleet_spend
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        found: CampaignSpending | FleetSpending
        if campaign_id is None:
            found = fleet_spend(client.database, client.settings)
            parts = _fleet(found)
        else:
            found = campaign_spend(client.database, campaign_id)
            parts = _campaign(found)
    if as_json:
        print_json(found)
        return 0
    printer = console()
    for part in parts:
        printer.print(part)
    return 0


def limit_lines(limits: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """List each cap with what it leaves."""
    return [
        (
            str(one["limit"]),
            f"{money(one['taken'], one['currency'])} of {money(one['cap'], one['currency'])} taken, "
            f"{money(one['left'], one['currency'])} left",
        )
        for one in limits
    ]


def _campaign(found: CampaignSpending) -> Iterator[RenderableType]:
    from rich.text import Text

    from workers.cli.layout import heading, line, listed

    yield Text(f"{clean(found['name'])}: {state(found['status'], found['mode'])}", style="bold")
    yield line(_money_is(found["mode"]))
    yield heading("Language model")
    yield from _llm(found["llm"])
    yield heading("Ads")
    yield from _ads(found["ads"])
    yield heading("Limits")
    yield listed(limit_lines(found["limits"])) if found["limits"] else line("none are set")


def _fleet(found: FleetSpending) -> Iterator[RenderableType]:
    from workers.cli.layout import heading, line, listed

    today = found["today"]
    yield line(_money_is(found["mode"]))
    yield heading(f"Language model, today ({today['day']} UTC)")
    yield from _llm(today["llm"])
    yield from _total(found)
    yield heading("Caps of the fleet")
    yield listed(limit_lines(found["caps"])) if found["caps"] else line("none are set (DAILY_CAP_LLM, DAILY_CAP_ADS)")
    other = found["other_world"]
    if other is not None:
        yield heading("The other world, before this database left it")
        yield line(_money_is(other["mode"]))
        yield from _total(other)


def _total(found: WorldSpending) -> Iterator[RenderableType]:
    from workers.cli.layout import heading

    yield heading("Language model, in total")
    yield from _llm(found["total"]["llm"])
    yield heading("Ads, in total")
    yield from _ads(found["total"]["ads"])


def _money_is(mode: str) -> str:
    return "Live: real money." if mode == LIVE else "Sandbox: simulated money."


def _llm(rows: Sequence[ModelSpend]) -> Iterator[RenderableType]:
    from workers.cli.layout import Rows, line

    if not rows:
        yield line("nothing")
        return
    table = Rows(["Agent", "Provider", "Model", ">Calls", ">Tokens", ">Spent", ">Held"], wide=2)
    for one in rows:
        tokens = one["input_tokens"] + one["output_tokens"]
        table.add(
            agent_title(str(one["agent"])),
            str(one["provider"]),
            str(one["model"] or ""),
            f"{one['calls']:,}",
            f"{tokens:,}",
            _spent(one),
            money(one["held"], one["currency"]) if Decimal(one["held"]) else "",
        )
    yield table


def _spent(one: ModelSpend) -> str:
    """Write an amount, or tokens where their price is not known."""
    unpriced = one["unpriced_tokens"]
    if not unpriced:
        return money(one["settled"], one["currency"])
    unknown = f"{count(unpriced, 'token')} of unknown price"
    return f"{money(one['settled'], one['currency'])} + {unknown}" if Decimal(one["settled"]) else unknown


def _ads(rows: Sequence[Mapping[str, str]]) -> Iterator[RenderableType]:
    from workers.cli.layout import Rows, line

    if not rows:
        yield line("nothing")
        return
    table = Rows(["Platform", ">Per day", ">Spent", ">Held"], wide=-1)
    for one in rows:
        table.add(
            platform_title(str(one["provider"])),
            money(one["daily"], one["currency"]),
            money(one["settled"], one["currency"]),
            money(one["held"], one["currency"]),
        )
    yield table
