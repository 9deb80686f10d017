"""Leads of the user's own: a file that was read at submit and is stored beside the campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from agents.config import FileSourceConfig, TargetAudience
from agents.email_address import normal_email
from agents.lead_files.lead_file import MAX_ADDRESSES, MAX_BYTES, LeadFile
from agents.lead_generation.answers import Screened
from agents.lead_generation.clean import record_of
from agents.lead_generation.screen import screen
from agents.lead_generation.source import LeadSource
from agents.legal_basis import LegalBasis
from agents.own_rows import row_name
from agents.unit import Unit, short_hash
from agents.unit_kind import Part, UnitKind

if TYPE_CHECKING:
    from agents.ports import UnitContext


class FileSource(FileSourceConfig):
    """Leads from the user's own file."""

    type: Literal["file"] = "file"


def parse_file(data: bytes, filename: str, columns: Mapping[str, str]) -> LeadFile:
    """Read a file as :func:`agents.lead_files.reading.parse` does, whose readers clients alone load.

    Raises ConfigError.
    """
    from agents.lead_files.reading import parse

    return parse(data, filename, columns)


class FileInput(Part):
    """A stored file and the name that its leads' ``sources`` show."""

    file_id: str
    name: str
    legal_basis: LegalBasis  #: of rows that don't say another


class FileAnswer(Screened):
    """Leads of one file, and what its reading and screening left out."""

    name: str | None = None  #: of the file, as people know it
    suppressed_rows: tuple[str, ...] | None = None
    warnings: tuple[str, ...] | None = None  #: of its reading
    unread: Mapping[str, int] | None = None  #: reason -> number of rows that its reading has left out


def run_file(given: FileInput, ctx: UnitContext) -> FileAnswer:
    """Turn the rows of a stored file into records that know their row."""
    source = f"file:{given.name}"
    about, rows = ctx.lead_files.summary(given.file_id), ctx.lead_files.rows(given.file_id)
    others = {number: found for number, row in enumerate(rows, start=1) if (found := _other_addresses(row))}
    asked = sorted({address for found in others.values() for address in found})
    barred = ctx.suppression.suppressed(asked) if asked else frozenset()
    records = []
    for number, row in enumerate(rows, start=1):
        named = {**row, "row": row_name(given.file_id, row.get("row") or number)}
        record = record_of({"legal_basis": given.legal_basis, **named}, source)
        # who objected under one address has objected: the person goes by that one
        objected = next((address for address in others.get(number, ()) if address in barred), None)
        records.append(replace(record, email=objected) if objected else record)
    screened = screen(ctx, records)
    kept = {record.row for record in screened.records}
    return FileAnswer(
        records=screened.records,
        suppressed=screened.suppressed,
        name=given.name,
        suppressed_rows=tuple(record.row for record in records if record.row and record.row not in kept) or None,
        warnings=about.warnings or None,
        unread=about.rejected or None,
    )


def _other_addresses(row: Mapping[str, object]) -> list[str]:
    """Return the addresses of a row beside its first."""
    given = (row.get(f"email_{number}") for number in range(2, MAX_ADDRESSES + 1))
    return [address for one in given if isinstance(one, str) and (address := normal_email(one))]


FILE = UnitKind(name="file", input=FileInput, output=FileAnswer, run=run_file)


def file_units(config: FileSource, audience: TargetAudience) -> list[Unit]:
    """Plan one unit for the file."""
    del audience
    name = PurePath((config.path or config.file_id or "").replace("\\", "/")).name
    file_id = config.file_id or config.path or ""
    given = FileInput(file_id=file_id, name=name, legal_basis=config.legal_basis)
    return [FILE.unit(f"file:{short_hash(file_id)}", given, provider="local")]


SOURCE = LeadSource(
    name="file",
    title="Your own file",
    config=FileSource,
    kinds=(FILE,),
    units=file_units,
    parse_file=parse_file,
    max_file_bytes=MAX_BYTES,
)
