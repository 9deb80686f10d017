"""Rows of an Excel workbook (``.xlsx``, ``.xlsm``), of the sheet that has people in it.

The library python-calamine reads it, and is loaded with the first workbook. It holds a sheet as one block from its
first to its last cell, so what a workbook unpacks to and how far its cells lie apart is measured before.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from agents.config_problems import ConfigError
from agents.lead_files.delimited import Row
from agents.lead_files.formats import TORN_ARCHIVE
from agents.lead_files.header_words import meaning
from agents.lead_files.table import Table

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MAX_UNPACKED = 500_000_000  #: bytes of all parts of a workbook
MAX_CELLS = 8_000_000  #: of a sheet from its first to its last, empty ones too; 32 bytes each
_CHUNK = 1 << 20
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_ROWS = 40  #: of a sheet in which a header is looked for


def table(data: bytes, shown: str) -> Table:
    """Return the table of the sheet whose headers are known best.

    Raises ConfigError for a workbook that is broken, has a password, or is larger than :data:`MAX_UNPACKED` and
    :data:`MAX_CELLS` allow.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        _measure(data, shown)
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            one.name
            for one in book.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
        ]
        sheets = [book.get_sheet_by_name(name) for name in names]
    except ConfigError:
        raise
    except PasswordError:
        raise ConfigError([f"{shown}: has a password; save it without one"]) from None
    except (CalamineError, *TORN_ARCHIVE) as error:
        raise ConfigError([f"{shown}: is a broken Excel workbook ({_said(error)}); save it again, or as CSV"]) from None
    full = [sheet for sheet in sheets if sheet.height]
    if not full:
        raise ConfigError([f"{shown}: is empty: none of its sheets has a cell"])
    best = max(full, key=_known)

    def rows() -> Iterable[Row]:
        for number, cells in enumerate(best.iter_rows(), start=1):
            yield number, [_text(value) for value in cells]

    others = [f"{sheet.name!r} ({sheet.height:,} rows)" for sheet in full if sheet is not best]
    said = (f"sheet {best.name!r} is read; not read: {', '.join(others)}",) if others else ()
    return Table(kind=f"Excel workbook, sheet {best.name!r}", rows=rows, warnings=said)


def _known(sheet: CalamineSheet) -> tuple[int, int]:
    """Return how many headers of a sheet's best row are known, and how many rows it has."""
    rows = islice(sheet.iter_rows(), _ROWS)
    return max(sum(meaning(str(cell)) is not None for cell in row if cell) for row in rows), sheet.height


def _measure(data: bytes, shown: str) -> None:
    """Raise ConfigError when a workbook unpacks to more than is read."""
    unpacked = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.infolist():
            is_sheet = part.filename.startswith("xl/worksheets/")
            columns: set[bytes] = set()
            last_row, tail = 0, b""
            with archive.open(part) as stream:
                while chunk := stream.read(_CHUNK):
                    unpacked += len(chunk)
                    if unpacked > MAX_UNPACKED:
                        raise ConfigError([f"{shown}: unpacks to more than {MAX_UNPACKED // 1_000_000} MB; split it"])
                    if is_sheet:
                        for column, row in _PLACE.findall(tail + chunk):
                            columns.add(column)
                            last_row = max(last_row, int(row))
                        tail = chunk[-40:]
            width = max(map(_number, columns), default=0)
            if width * last_row > MAX_CELLS:
                size = f"{last_row:,} rows and {width:,} columns"
                raise ConfigError([f"{shown}: has a sheet of {size}; delete what is empty, or save it as CSV"])


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return str(value)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
