"""``campaigns leads ID``: a campaign's leads on the screen, as CSV and as JSON, and their exclusion by hand.

Invariant: the screen shows a bounded number of leads and says how many there are; CSV and JSON hold all that were asked
for. Text of a lead is shown, never obeyed, by a terminal or a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workers.cli.bulk import actor
from workers.cli.output import clean, console, json_option, note, print_json, say
from workers.cli.private_file import write_private
from workers.cli.spreadsheet import BOM, csv_text
from workers.cli.wording import count, state, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestration.handle import CampaignHandle
    from orchestration.reports.leads import FileRow, FileRows, LeadRow

SHOWN, MOST = 50, 1000  #: leads on the screen, unless --limit says otherwise; and at most
WIDE = 170  #: cells of a terminal from which on leads are a table
STDOUT = "-"


@click.command("ID")
@click.argument("campaign_id", metavar="ID")
@click.option("--qualified/--not-qualified", default=None, help="Only leads that qualify, or only the others.")
@click.option("--delivered/--not-delivered", default=None, help="Only leads that have been put somewhere, or not.")
@click.option("--excluded/--not-excluded", default=None, help="Only leads that were excluded by hand, or not.")
@click.option("--source", default="", metavar="S", help="Only leads of a source: search, file, file:leads.csv.")
@click.option("--min-score", type=click.FloatRange(0, 1), metavar="X", help="Only leads with this score or a better.")
@click.option("--company", default="", metavar="TEXT", help="Only leads whose company's name or domain has this in it.")
@click.option("--rows", "of_files", is_flag=True, help="What became of each row of the campaign's own files.")
@click.option("--limit", type=click.IntRange(1, MOST), metavar="N", help=f"Show so many at most ({SHOWN}).")
@click.option(
    "--csv", "csv_file", is_flag=False, flag_value=STDOUT, type=click.Path(dir_okay=False, allow_dash=True),
    metavar="[FILE]", help="Write CSV, with all columns, to FILE or stdout.",
)  # fmt: skip
@click.option("--exclude", "out", multiple=True, metavar="LEAD", help="Keep a lead (id or address) out; repeatable.")
@click.option("--include", "back", multiple=True, metavar="LEAD", help="Take an exclusion back; repeatable.")
@click.option("--reason", default="", metavar="TEXT", help="Why, with --exclude.")
@json_option
def leads_of_campaign(
    campaign_id: str,
    of_files: bool,
    limit: int | None,
    csv_file: str | None,
    out: tuple[str, ...],
    back: tuple[str, ...],
    reason: str,
    as_json: bool,
    **wanted: Any,
) -> int:
    """Show the leads of a campaign, the best first: why each scores so, where it is from, and where it was put."""
    from orchestration.reports.leads import FileRow, LeadFilter, LeadRow
    from workers.cli.connection import campaigns

    asked = LeadFilter(**wanted)
    _check(asked != LeadFilter(), of_files, limit, csv_file, out, back, reason, as_json=as_json)
    with campaigns(start=True, acts=bool(out or back)) as client:
        handle = client.get(campaign_id)
        if out or back:
            return _change(handle, out, back, reason, as_json=as_json)
        title = f"{campaign_id} ({state(handle.status, handle.mode)})"
        mode = handle.mode
        everybody = [] if of_files else handle.leads()
        files = handle.file_rows() if of_files else None
    leads = [row for row in everybody if asked.takes(row)]
    found: Sequence[LeadRow | FileRow] = files.rows if files is not None else leads
    if csv_file is not None:
        columns = [one.name for one in fields(FileRow if of_files else LeadRow)]
        return _write(csv_file, csv_text(columns, map(asdict, found)))
    if as_json:
        listed = {"rows": found, "left_out": files.left_out} if files is not None else {"leads": found}
        print_json({"campaign_id": campaign_id, "mode": mode, **listed})
        return 0
    printer, most = console(one_line=True), limit or SHOWN
    parts = _files(files, most) if files is not None else _leads(everybody, leads, most, wide=printer.width >= WIDE)
    say(clean(title))
    for part in parts:
        printer.print(part)
    if len(found) > most:
        note(f"{len(found) - most:,} more: --limit N shows up to {MOST:,}, --csv FILE writes all.")
    return 0


def _check(
    filtered: bool,
    of_files: bool,
    limit: int | None,
    csv_file: str | None,
    out: tuple[str, ...],
    back: tuple[str, ...],
    reason: str,
    *,
    as_json: bool,
) -> None:
    changes = bool(out or back)
    if changes and (filtered or of_files or csv_file is not None or limit is not None):
        raise click.UsageError("--exclude and --include name their leads themselves; leave filters and --csv out")
    if reason and not out:
        raise click.UsageError("--reason is why leads are excluded: give it with --exclude")
    if csv_file is not None and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    if of_files and filtered:
        raise click.UsageError("--rows shows all rows of the campaign's files; leave the filters out")
    if limit is not None and (as_json or csv_file is not None):
        raise click.UsageError("--limit is for the screen; --csv and --json hold all")


def _change(handle: CampaignHandle, out: Sequence[str], back: Sequence[str], reason: str, *, as_json: bool) -> int:
    excluded = [handle.exclude(lead, reason=reason, actor=actor()) for lead in out]
    included = [(lead, handle.include(lead, actor=actor())) for lead in back]
    if as_json:
        print_json(
            {
                "campaign_id": handle.campaign_id,
                "excluded": excluded,
                "included": [{"lead": lead, "new": new} for lead, new in included],
            }
        )
        return 0
    for one in excluded:
        say(f"{one.lead_id}: excluded" + ("." if one.new else " before."))
        if one.delivered:
            say(f"  Has been put at {clean(', '.join(one.delivered))} already, and stays there: delete it there.")
        if one.unconfirmed:
            say(f"  Was sent to {clean(', '.join(one.unconfirmed))} without an answer so far, and may be there.")
    for lead, new in included:
        say(f"{clean(lead)}: " + ("takes part again." if new else "was not excluded."))
    return 0


def _write(file: str, text: str) -> int:
    if file == STDOUT:
        say(text.removesuffix("\n"))
        return 0
    try:
        write_private(Path(file), BOM + text)
    except OSError as error:
        raise click.BadParameter(f"{file} can't be written: {error.strerror}", param_hint="--csv") from None
    note(f"Written to {clean(file)}; it holds personal data.")
    return 0


def _leads(
    everybody: Sequence[LeadRow], found: Sequence[LeadRow], most: int, *, wide: bool
) -> Iterator[RenderableType]:
    from workers.cli.layout import line

    qualified = sum(row.qualified for row in everybody)
    placed = sum(bool(row.delivered) for row in everybody)
    out = sum(row.excluded is not None for row in everybody)
    figures = [count(len(everybody), "lead"), f"{qualified:,} qualified (*)"]
    figures += [f"{number:,} {what}" for number, what in ((placed, "delivered"), (out, "excluded")) if number]
    if len(found) < len(everybody):
        figures.append(f"{len(found):,} of them asked for")
    yield line(", ".join(figures))
    shown = found[:most]
    yield from [_table(shown)] if wide and shown else _blocks(shown)


def _table(rows: Sequence[LeadRow]) -> RenderableType:
    from workers.cli.layout import Rows

    columns = (
        "Name", "Title", "Company", ">Score", "E-mail", "Why", "Source", "Legal basis", "Delivered", "Lead",
    )  # fmt: skip
    table = Rows(columns, wide=columns.index("Why"))
    for row in rows:
        table.add(
            clean(_who(row), 24), clean(row.job_title or "", 24), clean(_company(row), 22), _score(row),
            row.email_status or "none", clean("; ".join(row.score_reasons), 120),
            clean(", ".join(row.sources), 20), words(row.legal_basis), clean(_where(row), 24), row.lead_id,
        )  # fmt: skip
    return table


def _blocks(rows: Sequence[LeadRow]) -> Iterator[RenderableType]:
    from rich.text import Text

    from workers.cli.layout import listed

    for row in rows:
        at = f", {clean(row.job_title, 60)}" if row.job_title else ""
        company = f" at {clean(_company(row), 60)}" if _company(row) else ""
        email = f"{clean(row.email, 80)} ({words(row.email_status or '')})" if row.email else "no address"
        facts = [email, f"from {clean(', '.join(row.sources), 120)}", words(row.legal_basis), clean(_where(row), 200)]
        why = [("", clean("; ".join(row.score_reasons), 400))] if row.score_reasons else []
        yield Text("")
        yield listed(
            [
                (_score(row), f"{clean(_who(row), 60)}{at}{company}"),
                ("", "; ".join(fact for fact in facts if fact)),
                *why,
                ("", f"lead {row.lead_id}"),
            ],
            quiet=True,
        )


def _who(row: LeadRow) -> str:
    return row.name or row.email or "(no name)"


def _company(row: LeadRow) -> str:
    return row.company or row.domain or ""


def _score(row: LeadRow) -> str:
    return "-" if row.score is None else f"{row.score:.2f}" + ("*" if row.qualified else " ")


def _where(row: LeadRow) -> str:
    told = [f"at {', '.join(row.delivered)}"] if row.delivered else []
    told += [f"sent to {', '.join(row.unconfirmed)} without an answer"] if row.unconfirmed else []
    told += [f"refused by {', '.join(row.refused)}"] if row.refused else []
    if row.excluded is not None:
        told.append("excluded" + (f": {row.excluded}" if row.excluded else ""))
    return "; ".join(told)


def _files(found: FileRows, most: int) -> Iterator[RenderableType]:
    from workers.cli.layout import Rows, heading, line, listed

    figures = {what: sum(row.outcome == what for row in found.rows) for what in ("kept", "merged", "set aside")}
    yield line(", ".join([count(len(found.rows), "row"), *(f"{number:,} {what}" for what, number in figures.items())]))
    if found.rows:
        table = Rows(("File", ">Row", "What became of it", "Lead", "Who, or why"), wide=-1)
        for row in found.rows[:most]:
            table.add(clean(row.file, 30), f"{row.row:,}", row.outcome, row.lead_id, clean(row.lead or row.reason, 40))
        yield table
    if found.left_out:
        yield heading("Left out when the file was read (campaigns leads check FILE says which)")
        yield listed(
            [
                (f"{number:,}", f"{file}: {reason}")
                for file, reasons in found.left_out.items()
                for reason, number in reasons.items()
            ]
        )
