"""What a file is, told by its first bytes: a format that is read, or one that is refused by its name.

The name of the file only decides between formats of text. Sources: the formats' own specifications; names of parts
inside archives of Office, OpenDocument and iWork.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import Literal

from agents.config_problems import ConfigError

Format = Literal["text", "json", "json lines", "vcard", "html", "xlsx"]
#: What the standard library raises for an archive whose parts are torn, of another compression, or encrypted.
TORN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError, OSError, ValueError),
)
READ = "CSV, TSV, xlsx, JSON, JSON lines, vCard, or a list of addresses"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: first bytes -> what it is, and what to do
_REFUSED: Sequence[tuple[bytes, str]] = (
    (b"%PDF", "is a PDF; export the list as CSV or xlsx where it was made"),
    (b"{\\rtf", "is a rich text document (RTF); save the list as CSV or xlsx"),
    (b"\x1f\x8b", "is compressed (gzip); unpack it"),
    (b"BZh", "is compressed (bzip2); unpack it"),
    (b"\xfd7zXZ", "is compressed (xz); unpack it"),
    (b"(\xb5/\xfd", "is compressed (zstd); unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is an archive (7z); unpack it"),
    (b"Rar!", "is an archive (RAR); unpack it"),
    (b"PAR1", "is a Parquet file; save it as CSV or JSON lines"),
    (b"Obj\x01", "is an Avro file; save it as CSV or JSON lines"),
    (b"ARROW1", "is an Arrow file; save it as CSV or JSON lines"),
    (b"SQLite format 3", "is an SQLite database; export the table as CSV"),
    (b"!BDN", "is an Outlook data file (.pst); export the contacts as CSV in Outlook"),
    (b"\x89PNG", "is a picture (PNG); give the list as CSV or xlsx"),
    (b"\xff\xd8\xff", "is a picture (JPEG); give the list as CSV or xlsx"),
    (b"GIF8", "is a picture (GIF); give the list as CSV or xlsx"),
    (b"\x00\x01\x00\x00Standard", "is an Access database; export the table as CSV"),
    (b"bplist00", "is a property list of Apple; export the list as CSV or vCard"),
)
#: a part of an archive -> what the archive is, and what to do
_ARCHIVES: Sequence[tuple[str, str]] = (
    (r"xl/workbook\.bin", "is a binary Excel workbook (.xlsb); save it as xlsx or CSV"),
    (r"word/", "is a Word document (.docx); put the list into a spreadsheet and save it as xlsx or CSV"),
    (r"ppt/", "is a PowerPoint presentation (.pptx); save the list as xlsx or CSV"),
    (
        r"(?:.*/)?Index(?:/.*\.iwa|\.zip)|.*\.iwa",
        "is a file of Apple Numbers or Pages (.numbers); export it as CSV or Excel there",
    ),
    (r"index\.xml|index\.apxl", "is a file of Apple Numbers or Pages (.numbers); export it as CSV or Excel there"),
    (r"META-INF/container\.xml", "is an e-book (EPUB); give the list as CSV or xlsx"),
)
_VCARD = re.compile(r"\s*BEGIN:VCARD", re.I)
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|style|div)\b", re.I | re.S)
#: first words of text that is none of the formats that are read
_OTHER_TEXT: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\s*BEGIN:VCALENDAR", re.I), "is a calendar (iCalendar), not contacts"),
    (re.compile(r"\s*(?:version:\s*1\s+)?dn::?\s", re.I), "is LDIF; export the address book as CSV or vCard"),
    (re.compile(r"\s*<\?xml|\s*<\w+[^<>]*xmlns", re.I), "is XML; save it as xlsx or CSV"),
    (re.compile(r"(?:From |Return-Path:|Received:|MIME-Version:)", re.I), "is a mail; give its list as CSV"),
    (
        re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:INSERT INTO|CREATE TABLE|SELECT)\b", re.I),
        "is SQL; export the table as CSV",
    ),
)


def of_bytes(data: bytes, shown: str) -> Literal["xlsx", "text"]:
    """Return whether a file is a workbook or text.

    Raises ConfigError, naming the format, for any other.
    """
    if data.startswith(_OLD_OFFICE):
        if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in data:
            raise ConfigError([f"{shown}: has a password; save it without one"])
        what = (
            "is an old Excel workbook (.xls)"
            if _has(data, "Workbook", "Book")
            else "is a file of old Office (.doc, .msg, .ppt)"
        )
        raise ConfigError([f"{shown}: {what}; save it as xlsx or CSV"])
    for first, what in _REFUSED:
        if data.startswith(first):
            raise ConfigError([f"{shown}: {what}"])
    if data.startswith((b"\x09\x08", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00")):
        raise ConfigError([f"{shown}: is an old Excel workbook (.xls); save it as xlsx or CSV"])
    return _of_archive(data, shown) if data.startswith((b"PK\x03\x04", b"PK\x05\x06")) else "text"


def of_text(head: str, shown: str) -> Format:
    """Return the format of text that begins with ``head``.

    Raises ConfigError, naming the format, for one that is not read.
    """
    for pattern, what in _OTHER_TEXT:
        if pattern.match(head) and not (pattern.match("<?xml") and _HTML.search(head)):
            raise ConfigError([f"{shown}: {what}"])
    if _VCARD.match(head):
        return "vcard"
    if _HTML.search(head[:4_000]) and "<" in head.lstrip()[:1]:
        return "html"
    name = shown.lower()
    if name.endswith((".jsonl", ".ndjson")):
        return "json lines"
    begins = head.lstrip()
    if name.endswith(".json") or begins.startswith("{") or re.match(r"\[\s*(?:[\[{\]\"]|-?\d|null|true|false)", begins):
        return "json"
    return "text"


def _of_archive(data: bytes, shown: str) -> Literal["xlsx"]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()[:10_000]
            kind = archive.read("mimetype")[:100].decode("ascii", "replace") if "mimetype" in names else ""
    except TORN_ARCHIVE:
        what = (
            "is a broken Excel workbook" if shown.lower().endswith((".xlsx", ".xlsm")) else "is a broken archive (ZIP)"
        )
        raise ConfigError([f"{shown}: {what}; save it again, or as CSV"]) from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "opendocument" in kind:
        raise ConfigError([f"{shown}: is an OpenDocument file (.ods, .odt); save it as xlsx or CSV"])
    for part, what in _ARCHIVES:
        if any(re.fullmatch(f"{part}.*", name) for name in names):
            raise ConfigError([f"{shown}: {what}"])
    inside = ", ".join(
        repr(name[:60]) for name in names if name.lower().endswith((".csv", ".xlsx", ".vcf", ".json", ".tsv"))
    )
    hint = f" and give {inside[:300]}" if inside else ""
    raise ConfigError([f"{shown}: is an archive (ZIP); unpack it{hint}"])


def _has(data: bytes, *streams: str) -> bool:
    return any(name.encode("utf-16-le") in data for name in streams)
