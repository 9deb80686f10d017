"""``approve``, ``reject``, ``pause``, ``resume``, ``cancel``, ``retry``, ``fork``, ``resolve``: telling a campaign.

Invariant: these commands decide nothing; they show what is asked, call the client in the name of the person at
the terminal and tell how the campaign stands after. Each is safe to repeat.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor, apply, choose, named_or_all, note_if_nobody_works, standing
from workers.cli.output import clean, console, json_option, note, print_json, say
from workers.cli.wording import LIVE, LIVE_NOTE, count, words

if TYPE_CHECKING:
    from orchestration.control.resolve import EffectUnit
    from orchestration.handle import CampaignHandle

#: Statuses that ``cancel --status`` takes: of what has ended, a failed one may still have ads.
CANCELLABLE = ("queued", "running", "waiting", "awaiting_approval", "paused", "failed")

one_campaign = click.argument("campaign_id", metavar="ID")
some_campaigns = click.argument("campaign_ids", metavar="[ID]...", nargs=-1)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@one_campaign
@yes_option
@json_option
def approve(campaign_id: str, yes: bool, as_json: bool) -> int:
    """Agree to what a campaign wants to publish and spend.

    Shows it first and, at a terminal, asks.
    """
    from orchestration.control.verbs import VerbRefusedError
    from workers.cli.connection import campaigns
    from workers.cli.waiting import question

    with campaigns(start=True, acts=True) as client:
        handle = client.get(campaign_id)
        asked = handle.approval()
        if asked is not None and not as_json and handle.status == "awaiting_approval":
            printer = console()
            for part in question(asked, campaign_id, mode=handle.mode):
                printer.print(part)
            if not yes and asks() and not click.confirm("\nApprove this?"):
                say("Nothing was approved.")
                return 0
            now_asked = handle.approval()
            if now_asked is not None and now_asked["approval_id"] != asked["approval_id"]:
                raise VerbRefusedError("the campaign asks for something else by now; look at it again")
        return apply(
            client, choose(client, [campaign_id]), lambda one: one.approve(actor=actor()), as_json=as_json, follow=True
        )


@click.command()
@one_campaign
@click.option("--reason", required=True, metavar="R", help="Why; the writers read it with --rework.")
@click.option("--rework", is_flag=True, help="Go back to the content with the reason, instead of cancelling.")
@json_option
def reject(campaign_id: str, reason: str, rework: bool, as_json: bool) -> int:
    """Refuse what a campaign wants to publish and spend: it is cancelled, or written anew."""
    from workers.cli.connection import campaigns

    why = _reason(reason)
    with campaigns(start=True, acts=True) as client:
        return apply(
            client,
            choose(client, [campaign_id]),
            lambda one: one.reject(why, rework=rework, actor=actor()),
            as_json=as_json,
            follow=True,
        )


@click.command()
@some_campaigns
@click.option("--all", "every", is_flag=True, help="Every campaign that is under way.")
@click.option("--ads", is_flag=True, help="Pause their ads on the platforms too, until they are resumed.")
@json_option
def pause(campaign_ids: tuple[str, ...], every: bool, ads: bool, as_json: bool) -> int:
    """Start nothing new in campaigns, finish and keep what runs, and let their ads go on (--ads: stop them)."""
    from workers.cli.connection import campaigns

    named_or_all(campaign_ids, every=every, option="--all")
    with campaigns(start=True, acts=True) as client:
        from orchestration.control.verbs import LIVE

        # Ads of campaigns that are paused already may still run.
        statuses = (*LIVE, "paused") if ads else LIVE
        chosen = choose(client, campaign_ids, statuses if every else ())
        return apply(client, chosen, lambda one: one.pause(ads=ads, actor=actor()), as_json=as_json)


@click.command()
@some_campaigns
@click.option("--all", "every", is_flag=True, help="Every paused campaign.")
@json_option
def resume(campaign_ids: tuple[str, ...], every: bool, as_json: bool) -> int:
    """Let campaigns go on: paused ones, and ones whose trouble has been mended.

    Ads that were paused with --ads are switched on first; a campaign is paused until they are.
    """
    from workers.cli.connection import campaigns

    named_or_all(campaign_ids, every=every, option="--all")
    with campaigns(start=True, acts=True) as client:
        chosen = choose(client, campaign_ids, ("paused",) if every else ())
        return apply(client, chosen, lambda one: one.resume(actor=actor()), as_json=as_json, follow=True)


@click.command()
@some_campaigns
@click.option("--status", type=click.Choice(CANCELLABLE), help="Every campaign in this state.")
@click.option("--reason", metavar="R", help="Why; kept in the history.")
@yes_option
@json_option
def cancel(campaign_ids: tuple[str, ...], status: str | None, reason: str | None, yes: bool, as_json: bool) -> int:
    """End campaigns: nothing new is started, their ads are paused on the platforms."""
    from workers.cli.connection import campaigns

    named_or_all(campaign_ids, every=status is not None, option="--status")
    why = _reason(reason) if reason is not None else None
    with campaigns(start=True, acts=True) as client:
        chosen = choose(client, campaign_ids, (status,) if status else ())
        if status and chosen.ids and not yes:
            what = f"{count(len(chosen.ids), 'campaign')} ({words(status)})"
            if as_json or not asks():
                raise click.UsageError(f"This would cancel {what}; add --yes to do it")
            if not click.confirm(f"Cancel {what}?"):
                say("Nothing was cancelled.")
                return 0
        return apply(client, chosen, lambda one: one.cancel(actor=actor(), reason=why), as_json=as_json, follow=True)


@click.command()
@some_campaigns
@click.option("--from-step", type=click.IntRange(0), metavar="N", help="Everything from this step on, not what failed.")
@click.option("--all-failed", is_flag=True, help="Every failed campaign.")
@json_option
def retry(campaign_ids: tuple[str, ...], from_step: int | None, all_failed: bool, as_json: bool) -> int:
    """Repeat what failed in campaigns, or everything from a step on (`campaigns history ID` has the steps)."""
    from workers.cli.connection import campaigns

    named_or_all(campaign_ids, every=all_failed, option="--all-failed")
    if from_step is not None and len(campaign_ids) != 1:
        raise click.UsageError("--from-step is for one campaign")
    with campaigns(start=True, acts=True) as client:
        chosen = choose(client, campaign_ids, ("failed",) if all_failed else ())
        return apply(
            client, chosen, lambda one: one.retry(from_step=from_step, actor=actor()), as_json=as_json, follow=True
        )


@click.command()
@one_campaign
@click.option("--from-step", type=click.IntRange(0), required=True, metavar="N", help="The step that it begins at.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the campaign; repeatable.")
@json_option
def fork(campaign_id: str, from_step: int, changes: tuple[str, ...], as_json: bool) -> int:
    """Make a new campaign that begins at a step of another one, with its leads, content and reports.

    The other one's ads are left alone; the new one's ads need an approval (--set approval.gate=none: not so).
    """
    from workers.cli.connection import campaigns
    from workers.cli.fork_changes import fork_changes

    with campaigns(start=True, acts=True) as client:
        parent = client.get(campaign_id)
        changed = fork_changes(parent.state.campaign_config, changes)
        handle = parent.fork(from_step, changes=changed, actor=actor())
        if as_json:
            print_json(handle.show())
            return 0
        say(f"Forked from {clean(campaign_id)}, step {from_step}: {standing(handle)}")
        say(f"Follow it with: campaigns watch {handle.campaign_id}")
        note_if_nobody_works(client)
    return 0


@click.command("resolve")
@one_campaign
@click.argument("unit", required=False)
@click.option("--found", metavar="REMOTE_ID", help="It is there, under this id: adopt it.")
@click.option("--absent", is_flag=True, help="It is not there: it may be made.")
@click.option("--object", "step", metavar="NAME", help="Which of several objects in question.")
@json_option
def resolve_command(
    campaign_id: str, unit: str | None, found: str | None, absent: bool, step: str | None, as_json: bool
) -> int:
    """Settle what only the platform knows: whether an ad was made there.

    Without UNIT: lists what is in question.
    """
    from workers.cli.connection import campaigns

    if unit is None and (found is not None or absent or step is not None):
        raise click.UsageError("Say which UNIT; `campaigns resolve ID` lists what is in question")
    if unit is not None and (found is not None) == absent:
        raise click.UsageError("Say either --found REMOTE_ID or --absent")
    if found is not None and not found.strip():
        raise click.BadParameter("an id is never empty", param_hint="--found")
    with campaigns(start=True) as client:
        if unit is None:
            from orchestration.control.resolve import open_units

            found_open = open_units(client.database, campaign_id)
            _in_question(found_open, campaign_id, mode=client.reports.mode(campaign_id), as_json=as_json)
            return 0

        def settle(one: CampaignHandle) -> object:
            return one.resolve(unit, found=found.strip() if found else None, step=step, actor=actor())

        return apply(client, choose(client, [campaign_id]), settle, as_json=as_json, follow=True)


def _in_question(units: list[EffectUnit], campaign_id: str, *, mode: str, as_json: bool) -> None:
    if as_json:
        shown = ("key", "provider", "effect_key", "steps", "message")
        print_json([{name: getattr(unit, name) for name in shown} for unit in units])
        return
    if mode == LIVE:
        say(LIVE_NOTE)
    if not units:
        say("Nothing is in question.")
    for unit in units:
        say(f"{unit.key}: {', '.join(unit.steps)}, named with [{unit.effect_key}] at {unit.provider}")
        note(f"  {clean(unit.message, 200)}")
        say(f"  campaigns resolve {campaign_id} {unit.key} --found REMOTE_ID   (or --absent)")


def _reason(text: str) -> str:
    if not clean(text):
        raise click.BadParameter("say why in a few words", param_hint="--reason")
    return clean(text, 500)


def asks() -> bool:
    """Return whether a person is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()
