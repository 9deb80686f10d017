"""``campaigns outcome``: tell what came of leads, and see what was learned from it.

Invariant: an address is printed nowhere: what is wrong with a report is told by its row, or by the id of its lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor
from workers.cli.output import clean, console, json_option, note, print_json, say
from workers.cli.wording import count, moment

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestration.client import Campaigns
    from orchestration.control.outcomes import Recorded
    from orchestration.stores.lead_weights import Version

BAD_INPUT = 2  #: exit status: something was refused
MAX_BYTES = 100_000_000
SHOWN_REFUSED, SHOWN_TRAITS = 20, 8


@click.command("outcome")
@click.argument("words", nargs=-1, metavar="[LEAD] [won|lost|meeting|bounced]")
@click.option("--file", "path", type=click.Path(path_type=Path), help="Outcomes of many leads (CSV, xlsx, JSON).")
@click.option("--at", metavar="TIME", help="When it came about, such as 2026-03-31; by default now.")
@click.option("--campaign", metavar="ID", help="Whose lead it is, where several campaigns have it.")
@click.option("--show", is_flag=True, help="Show the outcomes so far and what was learned from them.")
@click.option("--recalibrate", is_flag=True, help="Learn now from what has come, as the fleet does by itself.")
@json_option
def outcome_command(
    words: tuple[str, ...],
    path: Path | None,
    at: str | None,
    campaign: str | None,
    show: bool,
    recalibrate: bool,
    as_json: bool,
) -> int:
    """Tell what came of a lead, so that the next campaigns put the likeliest leads first.

    LEAD is the id of a lead or its e-mail address. A file has a column lead or email, a column outcome (or the outcome
    of all its rows is named here), and may have at and campaign. The same report again changes nothing.
    """
    from workers.cli.connection import campaigns

    if show or recalibrate:
        if words or path or at or campaign:
            raise click.UsageError("--show and --recalibrate take no lead, file, time or campaign")
        with campaigns(start=True, acts=recalibrate) as client:
            made = client.recalibrate() if recalibrate else []
            return _show(client, made if recalibrate and not show else None, as_json)
    reports = _of_file(path, words, at, campaign) if path else _of_lead(words, at, campaign)
    with campaigns(start=True, acts=True) as client:
        recorded = client.outcomes([fields for _, fields in reports], actor=actor())
    return _told(recorded, [number for number, _ in reports], as_json)


def _of_lead(words: Sequence[str], at: str | None, campaign: str | None) -> list[tuple[int | None, dict[str, object]]]:
    if len(words) != 2:
        raise click.UsageError(
            "write a lead and its outcome (won, meeting, lost or bounced), or --file FILE, or --show"
        )
    return [(None, {"lead": words[0], "outcome": words[1], "at": at, "campaign": campaign})]


def _of_file(
    path: Path, words: Sequence[str], at: str | None, campaign: str | None
) -> list[tuple[int | None, dict[str, object]]]:
    from agents.config_problems import ConfigError
    from agents.learning.outcome_file import rows
    from orchestration.control.lead_paths import read_bytes

    if len(words) > 1:
        raise click.UsageError("with --file, write at most the outcome of all its rows beside it")
    try:
        data = read_bytes(str(path), MAX_BYTES)
    except ValueError as error:
        raise ConfigError([f"{path}: {error}"]) from None
    given = {"at": at, "campaign": campaign}
    return [
        (number, {**given, **fields}) for number, fields in rows(data, clean(path.name), words[0] if words else None)
    ]


def _told(recorded: Recorded, numbers: Sequence[int | None], as_json: bool) -> int:
    refused = [(numbers[place], problem) for place, problem in recorded.refused.items()]
    if as_json:
        wrong = [{"row": number, "problems": problem.splitlines()} for number, problem in refused]
        print_json({"new": recorded.new, "known": recorded.known, "refused": wrong})
    else:
        say(f"{count(recorded.new, 'outcome')} recorded{f', {recorded.known:,} known before' * bool(recorded.known)}.")
        for number, problem in refused[:SHOWN_REFUSED]:
            place = "" if number is None else f"row {number}: "
            note(f"Refused: {place}{clean(problem.replace(chr(10), '; '))}")
        if len(refused) > SHOWN_REFUSED:
            note(f"and {len(refused) - SHOWN_REFUSED:,} more; --json has all")
    return BAD_INPUT if refused else 0


def _show(client: Campaigns, made: Sequence[Version] | None, as_json: bool) -> int:
    versions = client.weights.newest() if made is None else made
    counts = client.outcome_counts() if made is None else []
    if as_json:
        told = [{**asdict(one), "weights": one.weights.model_dump(mode="json")} for one in versions]
        told_counts = [dict(zip(("mode", "account", "audience", "outcomes"), row, strict=True)) for row in counts]
        print_json({"outcomes": told_counts, "weights": told} if made is None else {"weights": told})
        return 0
    if made is not None and not made:
        say("Nothing to learn yet: not enough new outcomes.")
    elif made is None and not counts:
        say("No outcome is known yet.")
    printer = console()
    for part in (*_counted(counts), *(part for one in versions for part in _version(one))):
        printer.print(part)
    return 0


def _counted(counts: Sequence[tuple[str, str, str, Mapping[str, int]]]) -> Iterator[RenderableType]:
    from workers.cli.layout import Rows, heading

    if counts:
        yield heading("Outcomes")
        table = Rows(("Audience", "Account", ">Won", ">Meeting", ">Lost", ">Bounced"))
        for _, account, audience, of in counts:
            table.add(
                audience, account or "-", *(f"{of.get(name, 0):,}" for name in ("won", "meeting", "lost", "bounced"))
            )
        yield table


def _version(one: Version) -> Iterator[RenderableType]:
    from workers.cli.layout import heading, line, listed

    yield heading(
        f"Weights {one.version} for {clean(one.audience) or 'all audiences'}"
        + (f" of {clean(one.account)}" if one.account else "")
    )
    yield line(f"{'In use' if one.used else 'Not in use'}: {one.reason}")
    yield line(
        f"{one.weights.outcomes:,} leads, {one.weights.yes:,} said yes; AUC {one.auc:.2f}, the rule's "
        f"{one.rule_auc:.2f}; calibration error {one.calibration_error:.3f}; {moment(one.at)} UTC"
    )
    strongest = sorted(one.weights.traits.items(), key=lambda item: -abs(item[1].weight))[:SHOWN_TRAITS]
    yield listed([(f"{trait.weight:+.2f}", one.weights.told(name)) for name, trait in strongest])
