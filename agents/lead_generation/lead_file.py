"""Files of the user's own leads: CSV or JSON of unknown making, read into rows with our column names.

Files come from spreadsheets and exports: any delimiter, the usual encodings, headers in any wording, ragged rows, stray
NUL bytes, quoted line breaks. Invariant: text stays text. A cell that begins like a formula is data, nothing is
evaluated, and what can't be used is counted by reason instead of being dropped silently.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agents.config_problems import ConfigError
from agents.legal_basis import read_basis
from integrations.values import clean_text, parse_json

MAX_BYTES = 10_000_000  #: of a whole file
MAX_ROWS = 50_000
MAX_CELL = 2_000  #: characters kept of one cell
_SWALLOWED = 5_000  #: a cell longer than this has swallowed other rows through an unclosed quote
_DELIMITERS = ",;\t|"
_NAMED_DELIMITERS = frozenset(_DELIMITERS + ":^~")  #: that a file may name itself

#: our column -> what people call it, letters and digits only
_HEADERS: Mapping[str, str] = {
    "email": "email emailaddress emails mail mailaddress workemail businessemail primaryemail contactemail emailid",
    "name": "name fullname contact contactname person leadname customername prospect displayname",
    "first_name": "firstname first givenname forename vorname fname prenom",
    "last_name": "lastname last surname familyname nachname lname nom",
    "job_title": "title jobtitle position role jobrole function occupation designation jobposition headline",
    "company": "company companyname organization organisation organizationname account accountname employer firm"
    " business businessname firma",
    "domain": "domain website companydomain companywebsite web site url companyurl homepage webseite",
    "industry": "industry sector companyindustry vertical branche industries",
    "company_size": "companysize employees employeecount numberofemployees noofemployees numemployees size headcount"
    " staff employeesrange companyemployees teamsize ofemployees employee mitarbeiter",
    "location": "location city country region place companylocation address state",
    "phone": "phone phonenumber telephone tel mobile mobilephone workphone telefon",
    "legal_basis": "legalbasis lawfulbasis gdprbasis rechtsgrundlage",
    "profile_url": "linkedin linkedinurl linkedinprofile profile profileurl linkedinprofileurl personlinkedinurl",
}
_COLUMNS = {spoken: column for column, all_spoken in _HEADERS.items() for spoken in all_spoken.split()}
_NEEDED = ("email", "name", "first_name", "last_name", "company")
#: where JSON exports nest a company: key inside it -> our column
_NESTED = {
    "name": "company",
    "size": "company_size",
    "employees": "company_size",
    "industry": "industry",
} | dict.fromkeys(("domain", "website"), "domain")
#: what exports write for "nothing"
EMPTY = frozenset(
    {"", "-", "--", "n/a", "na", "#n/a", "null", "none", "nan", "nil", "unknown", "?", ".", "tbd", "undefined"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFile:
    """What a file holds, in ``rows`` with our column names and no empty values."""

    rows: tuple[Mapping[str, str], ...]
    columns: Mapping[str, str]  #: our column -> the file's own header
    rejected: Mapping[str, int] = field(default_factory=dict)  #: reason -> number of rows
    warnings: tuple[str, ...] = ()


def parse(data: bytes, filename: str) -> LeadFile:
    """Read a CSV or JSON file.

    Raises ConfigError, naming what was found and what would be right, for a file that is too large
    (10 MB, 50,000 rows), no text, or has no column that could identify anybody.
    """
    shown = filename.replace("\\", "/").rpartition("/")[2] or "file"
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{shown}: {len(data):,} bytes is above the limit of {MAX_BYTES:,}; split the file"])
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise ConfigError([f"{shown}: is a spreadsheet; save it as CSV"])
    text, warnings = decode(data)
    if not text.strip():
        raise ConfigError([f"{shown}: is empty; give a CSV with a header line, or a JSON list of objects"])
    is_json = shown.lower().endswith((".json", ".jsonl", ".ndjson")) or text.lstrip()[:1] in "[{"
    records = _json_records(text, shown) if is_json else _csv_records(text, shown, warnings)
    return _normalised(records, shown, warnings)


def decode(data: bytes) -> tuple[str, list[str]]:
    """Decode a file in UTF-8, UTF-16 (by byte order mark or NULs) or else Windows-1252: clean text, and warnings."""
    warnings: list[str] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    elif len(data) > 3 and data[1:4:2] == b"\0\0":
        text = data.decode("utf-16-le", "replace")
    elif len(data) > 3 and data[0:3:2] == b"\0\0":
        text = data.decode("utf-16-be", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = _mixed(data.removeprefix(b"\xef\xbb\xbf"))
            warnings.append("not UTF-8; read as Windows-1252 where it isn't")
    clean = clean_text(text)
    if clean != text:
        warnings.append("control characters were removed")
    return clean, warnings


def _mixed(data: bytes) -> str:
    """Line by line UTF-8, else Windows-1252: files glued together from two sources are common."""
    lines = []
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            # the five bytes that Windows-1252 leaves open are control characters in Latin-1
            lines.append(line.decode("cp1252", "replace"))
    return "\n".join(lines)


def _csv_records(text: str, shown: str, warnings: list[str]) -> Iterable[Mapping[str, str] | None]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = lines.lstrip("\n").partition("\n")
    delimiter = _delimiter(first, rest)
    if first.lower().startswith("sep="):  # a hint that Excel writes
        named = first[4:5]
        delimiter, lines = named if named in _NAMED_DELIMITERS else delimiter, rest
    try:
        table = _table(lines, delimiter)
    except csv.Error:
        table = None
    if table is None or any(len(cell) > _SWALLOWED for row in table for cell in row):
        warnings.append("a quote is never closed; read line by line")
        table = [row for line in lines.split("\n") for row in _table(line, delimiter)]
    rows = [row for row in table if any(cell.strip() for cell in row)]
    if len(rows) - 1 > MAX_ROWS:
        raise ConfigError([f"{shown}: {len(rows) - 1:,} rows are above the limit of {MAX_ROWS:,}; split the file"])
    header = [cell.strip() for cell in rows[0]] if rows else []
    longer = sum(len(row) > len(header) for row in rows[1:])
    shorter = sum(len(row) < len(header) for row in rows[1:])
    if longer or shorter:
        warnings.append(f"{longer} rows have more cells than the header, {shorter} fewer")
    return [dict(zip(header, row, strict=False)) for row in rows[1:]] or [dict.fromkeys(header, "")]


def _table(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(MAX_BYTES)
    return list(csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True))


def _delimiter(first: str, rest: str) -> str:
    """Return the delimiter that the header has most of, outside quotes, and between equals the next lines, too."""
    header = re.sub(r'"[^"]*"', "", first)
    body = re.sub(r'"[^"]*"', "", rest[:20_000])
    return max(_DELIMITERS, key=lambda char: (header.count(char), body.count(char), -_DELIMITERS.index(char)))


def _json_records(text: str, shown: str) -> Iterable[Mapping[str, str] | None]:
    try:
        found: object = parse_json(text)
    except ValueError:
        found = _json_lines(text, shown)
    if isinstance(found, Mapping):
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if len(lists) == 1 else [found]
    if not isinstance(found, list):
        raise ConfigError([f"{shown}: is JSON of type {type(found).__name__}; give a list of objects"])
    if len(found) > MAX_ROWS:
        raise ConfigError([f"{shown}: {len(found):,} rows are above the limit of {MAX_ROWS:,}; split the file"])
    return [_flat(item) if isinstance(item, Mapping) else None for item in found]


def _json_lines(text: str, shown: str) -> list[object]:
    items: list[object] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                items.append(parse_json(line))
            except ValueError:
                raise ConfigError([f"{shown}: line {number} is not JSON; give a JSON list of objects"]) from None
    return items


def _flat(item: Mapping[str, object]) -> dict[str, str]:
    """Return one object as text cells, with a nested company taken apart."""
    row: dict[str, str] = {}
    for key, value in item.items():
        if isinstance(value, Mapping):
            for inner, inner_value in value.items():
                column = _NESTED.get(_letters(str(inner)))
                if column and isinstance(inner_value, str | int | float):
                    row.setdefault(column, str(inner_value))
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            row[str(key)] = str(value)
        elif isinstance(value, list) and value and isinstance(value[0], str):
            row[str(key)] = value[0]
    return row


def _normalised(records: Iterable[Mapping[str, str] | None], shown: str, warnings: Sequence[str]) -> LeadFile:
    headers = dict.fromkeys(key for record in records if record for key in record)
    chosen: dict[str, str] = {}
    for header in headers:
        column = _COLUMNS.get(_letters(header), header if header in _HEADERS else None)
        if column:
            chosen.setdefault(column, header)
    if not any(column in chosen for column in _NEEDED):
        found = ", ".join(repr(header[:40]) for header in list(headers)[:20]) or "none"
        raise ConfigError([f"{shown}: columns found: {found}; at least one of email, name or company is needed"])
    rejected: Counter[str] = Counter()
    rows: list[Mapping[str, str]] = []
    for record in records:
        row = {column: value for column, header in chosen.items() if (value := _cell((record or {}).get(header)))}
        if "name" not in row and (name := " ".join(row[k] for k in ("first_name", "last_name") if k in row)):
            row["name"] = name
        if record is None:
            rejected["not an object"] += 1
        elif not row:
            rejected["empty row"] += 1
        elif "legal_basis" in row and read_basis(row["legal_basis"]) is None:
            rejected["unknown legal basis"] += 1
        else:
            rows.append(
                {
                    column: (read_basis(value) or value) if column == "legal_basis" else value
                    for column, value in row.items()
                    if column not in ("first_name", "last_name")
                }
            )
    return LeadFile(rows=tuple(rows), columns=chosen, rejected=dict(rejected), warnings=tuple(warnings))


def _cell(value: str | None) -> str:
    text = re.sub(r"\s+", " ", value or "").strip().strip("\u200b\ufeff")[:MAX_CELL]
    return "" if text.lower() in EMPTY else text


def _letters(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.lower())
