"""One cell's text: what a spreadsheet, an export or a web form has put around it taken off, nothing evaluated.

Invariant: text stays text. A cell that begins like a formula is data; of ``="x"`` the ``x`` is kept, of
``=HYPERLINK("u","x")`` the ``x``, of the quote that guards against formulas (``'=x``) nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata

MAX_CELL = 2_000  #: characters kept of one cell
#: what exports write for "nothing"
EMPTY = frozenset(
    {"", "-", "--", "n/a", "na", "#n/a", "null", "none", "nan", "nil", "unknown", "?", ".", "tbd", "undefined"}
)
#: what is nothing even where a name is expected: "Na Li" and "Ida Null" are people
_EMPTY_NAMES = frozenset(
    {"", "-", "--", "---", "n/a", "#n/a", "?", ".", "tbd", "undefined", "(null)", "(none)", "<na>"}
)
#: how programs write that there is nothing, which no person is called
_PROGRAMS = frozenset(
    {"null", "NULL", "nan", "NaN", "NAN", "none", "None", "NONE", "nil", "NIL", "na", "NA"}
    | {"unknown", "Unknown", "UNKNOWN"}
)
_ERRORS = re.compile(
    r"#(?:REF|VALUE|NAME\?|N/A|NULL|DIV/0|NUM|SPILL|CALC|FIELD|BLOCKED|CONNECT|BUSY|GETTING_DATA|ERROR|WERT|BEZUG"
    r"|NOM\?|VALEUR|NOMBRE\?|VALOR|NOME\?)!?|#{3,}|Err:\d{3}", re.I,
)  # fmt: skip
_GUARDED = re.compile(r'=\s*"((?:[^"]|"")*)"')
_LINKED = re.compile(r'=\s*HYPERLINK\(\s*"((?:[^"]|"")*)"\s*(?:[,;]\s*"((?:[^"]|"")*)"\s*)?\)', re.I)
_RULER = re.compile(r"[-–—_=.*~:+|/\\\s]{2,}")  #: what separates rows in tables of plain text
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.I)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_ODD_START = frozenset("='\"#")


def cell_text(raw: str) -> str:
    """Return a cell as one line of text, "" for an error value and for what is written for nothing."""
    text = line_of(raw)
    return "" if text.lower() in EMPTY or _RULER.fullmatch(text) else text


def name_text(raw: str) -> str:
    """Return a cell of a name as one line of text: "Na", "Nan" and "Null" are names of people."""
    text = line_of(raw)
    return "" if text.lower() in _EMPTY_NAMES or text in _PROGRAMS else text


def line_of(raw: str) -> str:
    """Return a cell as one line without what a spreadsheet has put around it."""
    if not raw:
        return ""
    text = raw[: 4 * MAX_CELL]
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    text = " ".join(text.split())
    if "&" in text and _ENTITY.search(text):
        text = " ".join(_INVISIBLE.sub("", html.unescape(text)).split())
    if text and text[0] in _ODD_START:
        text = _unwrapped(text)
    return text[:MAX_CELL]


def _unwrapped(text: str) -> str:
    if text[0] == "'" and text[1:2] in ("=", "+", "-", "@", "'"):
        text = text[1:]  # the guard against formulas
    if found := _GUARDED.fullmatch(text):
        return " ".join(found[1].replace('""', '"').split())
    if found := _LINKED.fullmatch(text):
        return " ".join((found[2] or found[1]).replace('""', '"').split())
    if text[0] == "#" and _ERRORS.fullmatch(text):
        return ""
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0] and text.count(text[0]) == 2:
        return text[1:-1].strip()
    return text
