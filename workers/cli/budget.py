"""``budget``: what a campaign may spend on ads in all and what it has spent, and giving it another budget."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor, standing
from workers.cli.output import console, json_option, print_json, say
from workers.cli.wording import LIVE, LIVE_NOTE, count, money, platform_title

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agents.config import CampaignConfig
    from orchestration.reports.spend import CampaignSpending


@click.command("budget")
@click.argument("campaign_id", metavar="ID")
@click.argument("amount", metavar="[AMOUNT]", required=False)
@json_option
def budget_command(campaign_id: str, amount: str | None, as_json: bool) -> int:
    """Spend AMOUNT on a campaign's ads in all, from now on.

    Waits until the platforms have it. Without AMOUNT: shows the budget, what is spent and held, and what each platform
    spends a day.
    """
    from workers.cli.carried_out import carried_out
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=amount is not None) as client:
        handle = client.get(campaign_id)
        if amount is not None:
            action_id = handle.set_budget(amount, actor=actor())
            if action_id:
                return carried_out(client, handle, action_id, undo=False, as_json=as_json)
        config, spent = handle.state.campaign_config, handle.spend()
        if amount is not None and not as_json:
            say(standing(handle))
    if as_json:
        print_json(document(config, spent))
        return 0
    printer = console()
    for part in told(config, spent):
        printer.print(part)
    return 0


def document(config: CampaignConfig, spent: CampaignSpending) -> dict[str, object]:
    """Return the figures for programs.

    Amounts are text, in ``currency``, and ``held`` is what may still be spent.
    """
    total = _total(config, spent)
    return {
        "campaign_id": spent["campaign_id"],
        "mode": spent["mode"],
        "currency": config.currency,
        "budget": config.budget,
        "days": config.schedule.days,
        "spent": total[0],
        "held": total[1],
        "platforms": spent["ads"],
    }


def told(config: CampaignConfig, spent: CampaignSpending) -> Iterator[RenderableType]:
    """Yield the figures for people."""
    from workers.cli.layout import Rows, line, listed

    if spent["mode"] == LIVE:
        yield LIVE_NOTE
    if config.budget is None:
        yield line("It has no budget for ads.")
        return
    settled, held = _total(config, spent)
    budget = f"{money(config.budget, config.currency)} over {count(config.schedule.days, 'day')}"
    left = max(Decimal(0), config.budget - settled)
    yield listed(
        [
            ("Budget", budget),
            ("Spent", f"{money(settled, config.currency)}, {money(left, config.currency)} left"),
            ("Held", f"{money(held, config.currency)} that the ads which run may still spend"),
        ]
    )
    if spent["ads"]:
        yield ""
        table = Rows(["Platform", ">Per day", ">Spent", ">Held"], wide=-1)
        for one in spent["ads"]:
            amounts = (money(one[key], one["currency"]) for key in ("daily", "settled", "held"))
            table.add(platform_title(one["provider"]), *amounts)
        yield table


def _total(config: CampaignConfig, spent: CampaignSpending) -> tuple[Decimal, Decimal]:
    """Return what is spent and what is held, in the campaign's currency."""
    own = [one for one in spent["ads"] if one["currency"] == config.currency]
    return sum((Decimal(one["settled"]) for one in own), Decimal(0)), sum(
        (Decimal(one["held"]) for one in own), Decimal(0)
    )
