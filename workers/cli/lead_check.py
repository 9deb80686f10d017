"""``campaigns leads check``: what a file of leads holds, before a campaign is submitted with it.

Invariant: nothing is stored, asked or needed: the file is read on this machine as submit would read it, and no service
has to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workers.cli.output import clean, console, json_option, print_json
from workers.cli.wording import count, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agents.lead_files.lead_file import Column, LeadFile, Person

SHOWN_PEOPLE = 5
_SHOWN_FIELDS = ("name", "job_title", "company", "email", "company_size", "location")
_LONGEST_RANGES = 60  #: characters of row numbers that are shown
_KNOWN_BY = {"header": "its header", "cells": "its cells", "given": "--column"}


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--column", "given", multiple=True, metavar="FIELD=HEADER",
    help="Read a field from this header, as `columns` of the campaign's file source does; repeatable.",
)  # fmt: skip
@json_option
def check(file: Path, given: tuple[str, ...], as_json: bool) -> int:
    """Show what each column of FILE is read as, what is set aside and why, and the first people.

    FILE is CSV, TSV, xlsx, JSON, JSON lines, vCard or a list of addresses. Nothing is stored, and no service is needed.
    """
    from agents.config_problems import ConfigError
    from agents.lead_generation.sources.file import SOURCE
    from orchestration.control.lead_paths import read_bytes

    assert SOURCE.parse_file is not None
    try:
        data = read_bytes(str(file), SOURCE.max_file_bytes)
    except ValueError as error:
        raise ConfigError([f"{file}: {error}"]) from None
    found = SOURCE.parse_file(data, file.name, _columns(given))
    if as_json:
        print_json(_facts(found))
        return 0
    printer = console()
    for part in _report(found, clean(file.name)):
        printer.print(part)
    return 0


def _columns(given: Sequence[str]) -> Mapping[str, str]:
    columns = {}
    for one in given:
        field, separator, header = (part.strip() for part in one.partition("="))
        if not (field and separator and header):
            raise click.BadParameter("write FIELD=HEADER, for example job_title=Funktion", param_hint="--column")
        columns[field] = header
    return columns


def _facts(found: LeadFile) -> dict[str, object]:
    return {
        **found.summary(),
        "columns": [
            {
                "header": one.header,
                "field": one.field,
                "known_by": one.known_by or None,
                "filled": one.filled,
                "used": one.used,
            }
            for one in found.columns
        ],
        "people": [dict(person) for person in found.rows[:SHOWN_PEOPLE]],
    }


def _report(found: LeadFile, name: str) -> Iterator[RenderableType]:
    from rich.text import Text

    from workers.cli.layout import Rows, heading, line, listed

    yield Text(f"{name}: {count(len(found.rows), 'person', 'people')}", style="bold")
    yield line(_format(found))
    yield heading("Columns")
    columns = Rows(("Header", "Read as", "Known by", ">Filled", ">Used"))
    for one in found.columns:
        columns.add(*_cells(one))
    yield columns
    if found.set_aside:
        yield heading("Set aside")
        yield listed(
            [(f"{number:,}", f"{reason}: {_ranges(found, reason)}") for reason, number in found.rejected.items()]
        )
    yield heading("First people")
    people = Rows(("Row", *(words(field).capitalize() for field in _SHOWN_FIELDS)), wide=-1)
    for person in found.rows[:SHOWN_PEOPLE]:
        people.add(*_person(person))
    yield people
    if found.warnings:
        yield heading("Warnings")
        yield listed([("-", warning) for warning in found.warnings])


def _format(found: LeadFile) -> str:
    parts = [found.kind]
    if found.encoding:
        parts.append(found.encoding)
    if found.delimiter:
        parts.append(f"cells separated by {found.delimiter}")
    if found.header_row is not None:
        parts.append(f"header in row {found.header_row}")
    return ", ".join(parts)


def _cells(one: Column) -> tuple[str, ...]:
    read_as = words(one.field) if one.field else "not used"
    return one.header, read_as, _KNOWN_BY.get(one.known_by, ""), f"{one.filled:,}", f"{one.used:,}" if one.field else ""


def _ranges(found: LeadFile, reason: str) -> str:
    rows = found.rows_for(reason)
    return f"row{'' if rows.isdigit() else 's'} {clean(rows, _LONGEST_RANGES)}"


def _person(person: Person) -> Sequence[str]:
    return [str(person["row"]), *(clean(person.get(field, ""), 40) for field in _SHOWN_FIELDS)]
