"""``limits``: a campaign's own spend caps, shown, raised and lowered while it runs.

Invariant: this command decides nothing; what is no amount, below what is spent or held, or for a campaign that has
ended is refused by the client, with what would be right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor, apply, choose
from workers.cli.output import console, json_option, print_json
from workers.cli.spend import limit_lines
from workers.cli.wording import LIVE, LIVE_NOTE

if TYPE_CHECKING:
    from orchestration.handle import CampaignHandle


@click.command("limits")
@click.argument("campaign_id", metavar="ID")
@click.option("--llm", metavar="X", help="Most that its language models may cost, in USD.")
@click.option("--ads", metavar="Y", help="Most that its ads may cost in all, in the campaign's currency.")
@click.option("--ads-per-day", metavar="Z", help="Most that its ads may cost a day, in the campaign's currency.")
@json_option
def limits_command(campaign_id: str, llm: str | None, ads: str | None, ads_per_day: str | None, as_json: bool) -> int:
    """Change what a campaign may spend, so that one that waits for its budget goes on.

    Ads that run and may spend more are changed on their platforms, and that is waited for. Without an option: shows the
    limits and what they leave.
    """
    from orchestration.control.limits import change_limits
    from orchestration.control.ordering import open_orders
    from orchestration.reports.spend import campaign_spend
    from workers.cli.carried_out import carried_out
    from workers.cli.connection import campaigns

    def change(one: CampaignHandle) -> object:
        return change_limits(client.verbs, one.campaign_id, actor=actor(), llm=llm, ads=ads, ads_per_day=ads_per_day)

    code = 0
    with campaigns(start=True) as client:
        if (llm, ads, ads_per_day) != (None, None, None):
            code = apply(client, choose(client, [campaign_id]), change, as_json=as_json)
            if as_json:
                return code
            for order in open_orders(client.verbs, campaign_id):
                code = max(code, carried_out(client, client.get(campaign_id), order, undo=False, as_json=False))
        found = campaign_spend(client.database, campaign_id)
    if as_json:
        print_json(found)
        return 0
    from workers.cli.layout import line, listed

    if found["mode"] == LIVE:
        console().print(LIVE_NOTE)
    console().print(listed(limit_lines(found["limits"])) if found["limits"] else line("no limits are set"))
    return code
