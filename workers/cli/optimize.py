"""``optimize``: what the newest figures say of a campaign and would make of its money, and having it measured now.

Invariant: without ``--now`` nothing is changed and no platform is asked; the figures are those of the last measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor, apply, choose
from workers.cli.output import console, json_option, print_json
from workers.cli.wording import money, platform_title

if TYPE_CHECKING:
    from agents.analytics.optimization import Recommendations
    from agents.state import MarketingAgentState


@click.command("optimize")
@click.argument("campaign_id", metavar="ID")
@click.option("--now", is_flag=True, help="Measure it now, instead of when it is due, and act on the figures.")
@click.option("--dry-run", is_flag=True, help="Show what would be done and why; so it is without --now.")
@json_option
def optimize_command(campaign_id: str, now: bool, dry_run: bool, as_json: bool) -> int:
    """Show what a campaign's newest figures say and would change, or measure it now (--now)."""
    from workers.cli.connection import campaigns

    if now and dry_run:
        raise click.UsageError("--now acts and --dry-run doesn't; give one of the two")
    if now:
        with campaigns(start=True, acts=True) as client:
            chosen = choose(client, [campaign_id])
            return apply(client, chosen, lambda one: one.measure_now(actor=actor()), as_json=as_json, follow=True)
    from agents.analytics.new_variants import wanted
    from agents.analytics.optimization import generate_optimization_recommendations

    with campaigns(start=True) as client:
        handle = client.get(campaign_id)
        state, status = handle.state, handle.status
    found = generate_optimization_recommendations(state, state.campaign_performance, {})
    judged, angles = state.campaign_performance.judgement, wanted(state)
    if as_json:
        print_json(
            {
                "campaign_id": campaign_id,
                "status": status,
                "judgement": judged.model_dump(mode="json") if judged else None,
                "move": found.shift.model_dump(mode="json") if found.shift else None,
                "switches": [one.model_dump(mode="json") for one in found.switches],
                "taken_back": [one.action_id for one in found.taken_back],
                "new_ads": {name: str(angle) for name, angle in angles.items()},
            }
        )
        return 0
    for line in _told(state, found, angles):
        console().print(line, markup=False, highlight=False)
    return 0


def _told(state: MarketingAgentState, found: Recommendations, angles: Mapping[str, str]) -> list[str]:
    judged = state.campaign_performance.judgement
    if judged is None:
        return ["It has not been measured yet: nothing is known that could be acted on."]
    told = [judged.why[:1].upper() + judged.why[1:] + "."]
    told.append("Texts: would be written anew." if judged.needs_optimization else "Texts: stay as they are.")
    for one in found.switches:
        verb = "would rest" if one.kind == "pause_ad" else "would be shown again"
        told.append(f"{platform_title(one.platform)} {one.ad}: {verb}; {one.why}.")
    for name, angle in angles.items():
        told.append(f"{platform_title(name)}: one more ad would be written, which builds on {angle}.")
    for record in found.taken_back:
        told.append(f"{record.action_id} ({record.action.kind}): would be taken back, as it has made it worse.")
    move = found.shift
    if move is None:
        return [*told, "Money: stays where it is."]
    moves = ", ".join(
        f"{platform_title(name)} {money(one.before, move.currency)} → {money(one.after, move.currency)}"
        for name, one in move.moves.items()
    )
    return [*told, f"Money a day: {moves}; {move.why}."]
