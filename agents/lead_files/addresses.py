"""E-mail addresses in a cell: as people, address books and programs write them, and several at a time.

"Stone, Ida <ida@stone.example>", ``smtp:ida@...``, "ida(at)stone.example", two addresses with anything between them.
Invariant: an address is found whole or not at all; of a broken one no part is taken for another.
"""

from __future__ import annotations

import re
import unicodedata

MAX_EACH = 5  #: addresses of one person that are kept
_PLAIN = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|\.(?!\.))*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}", re.ASCII
)
_ADDRESS = re.compile(
    r"(?<![\w.+%&$*=?^{}~!#-])"
    r"([\w+](?:[\w.+%&'’$*=?^{}~!#-]*[\w+_-])?)"
    r"@((?:[^\W_](?:[\w-]*[^\W_])?\.)+(?:xn--[a-z0-9-]+|[^\W\d_]{2,}))"
    r"(?![\w@-])", re.I,
)  # fmt: skip
_AT = re.compile(r"\s*[(\[{]\s*(?:at|ät|arroba|chez|@)\s*[)\]}]\s*", re.I)
_DOT = re.compile(r"\s*[(\[{]\s*(?:dot|punkt|point|punto|\.)\s*[)\]}]\s*", re.I)
_PREFIX = re.compile(r"\b(?:mailto|smtp|e-?mail|mail|x500)\s*:\s*", re.I)
_SPACES = "[\u00a0\u2000-\u200f\u202f\u2060\u3000\ufeff]{0,9}"  #: that are no end of a word, or can't be seen
_AROUND_AT = re.compile(rf"{_SPACES}@{_SPACES}|(?<=\w) @ (?=\w)")


def addresses(cell: str) -> list[str]:
    """Return the addresses of a cell in their order, each once, at most :data:`MAX_EACH`."""
    if _PLAIN.fullmatch(cell) and ".@" not in cell:
        return [cell]
    if "@" not in cell and "＠" not in cell and not _AT.search(cell):
        return []
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell)
    text = _AROUND_AT.sub("@", _DOT.sub(".", _AT.sub("@", text)))
    text = _PREFIX.sub(" ", text)
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(text):
        local = match[1].strip("'’")
        if local and ".." not in local and len(match[0]) <= 254:
            address = f"{local}@{match[2]}"
            found.setdefault(address.lower(), address)
    return list(found.values())[:MAX_EACH]


def without_space_at(cell: str) -> str:
    """Return a cell without the no-break and invisible spaces beside an ``@``."""
    return _AROUND_AT.sub("@", cell)


def beside_address(cell: str) -> str:
    """Return what a cell says beside its address, which may be a name: ``"Stone, Ida" <ida@stone.example>``."""
    text = re.sub(r"<[^<>]*>|\([^()]*@[^()]*\)|\[[^\[\]]*@[^\[\]]*\]", " ", cell)
    text = re.sub(r"\S*@\S*", " ", text)
    return " ".join(text.split()).strip(" \t\"'<>()[]|/;,:-")
