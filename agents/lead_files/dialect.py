"""Which delimiter and quotes a file of text has, judged by what its first lines give.

Invariant: the delimiter under which most headers are known wins, then the one whose rows are the most alike; what a
line ``sep=`` says holds without judging.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from agents.lead_files.delimited import Dialect, rows
from agents.lead_files.header_words import meaning

DELIMITERS = ",;\t|"
NAMED_DELIMITERS = frozenset(DELIMITERS + ":^~")  #: that a file may name itself
_ROWS = 60  #: that are judged
_HEADER_ROWS = 30  #: in which a header is looked for
_NAMED = re.compile(r'\s*["\']?sep=(.)["\']?\s*', re.I)
TITLES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", ":": "colon", "^": "^", "~": "~"}


def named_delimiter(line: str) -> str | None:
    """Return the delimiter that a line ``sep=`` names, as Excel writes it, or None for another line."""
    found = _NAMED.fullmatch(line.rstrip("\r\n"))
    return found[1] if found and found[1] in NAMED_DELIMITERS else None


def dialect_of(lines: Sequence[str], delimiter: str | None = None) -> Dialect:
    """Return the dialect of a file that begins with these lines, of which ``delimiter`` may be known."""
    quote = "'" if _single_quoted(lines) else '"'
    best, best_score = Dialect(), (-1, -1.0, -1)
    for one in delimiter or DELIMITERS:
        for backslash in (False, True) if any("\\" in line for line in lines) else (False,):
            tried = Dialect(delimiter=one, quote=quote, backslash=backslash)
            score = _score(lines, tried)
            if score > best_score:
                best, best_score = tried, score
    return best


def _single_quoted(lines: Sequence[str]) -> bool:
    """Tell whether cells are in single quotes: nearly all of the first line with cells are."""
    for line in lines[:_HEADER_ROWS]:
        cells = re.split(r"[,;\t|]", line.strip())
        if len(cells) > 1 or line.strip().startswith("'"):
            quoted: int = sum(cell.strip()[:1] == "'" == cell.strip()[-1:] for cell in cells)
            return quoted > 0.8 * len(cells)
    return False


def _score(lines: Sequence[str], dialect: Dialect) -> tuple[int, float, int]:
    table = [apart(cells, dialect) for _, cells in islice(rows(lines, dialect), _ROWS)]
    table = [cells for cells in table if any(cell.strip() for cell in cells)]
    if not table:
        return 0, 0.0, 0
    known = max(sum(meaning(cell) is not None for cell in cells if cell.strip()) for cells in table[:_HEADER_ROWS])
    width, often = Counter(map(len, table)).most_common(1)[0]
    return known, round(often / len(table), 2) if width > 1 else 0.0, width


def apart(cells: list[str], dialect: Dialect) -> list[str]:
    """Return the cells of a row that was quoted as a whole, which looks like one cell."""
    if len(cells) == 1 and dialect.delimiter in cells[0]:
        return next((found for _, found in rows([cells[0].replace("\n", " ")], dialect)), cells)
    return cells
