"""Names and job titles in running text: what looks like a person, and which title and address are theirs.

Team pages say the same thing in cards, tables and lists; in reading order all of them are a name with a title beside
it. The words of work, of page furniture and of first names are data (``work_words.json``, ``person_words.json``).
Invariants: a person needs a name *and* a title next to each other, a capitalised phrase alone is nobody; a title is
that of one name, or of the names that stand behind it in one list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise, takewhile

from agents.email_address import EMAIL
from agents.fit.titles import names_job, roles

REACH = 3  #: lines below a name in which its title and address are looked for
MAX_BESIDE = 60  #: characters beside an address; in a longer line it is a sentence's, not the person's

_PARTICLES = re.compile(r"van|von|de|der|den|del|della|di|da|dos|du|la|le|al|el|bin|ibn|ben|ter|ten|zu")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-])*")
_SPLIT = re.compile(r"\s+[–—|•·-]\s+|\s*[,(|•·]\s+|\s*\(\s*|:\s+")
_LIST = re.compile(r"\s*(?:[,;/|•·]|\s(?:und|and|et|y|e|en|i|og|och|sowie)\s|&)\s*")
_LABEL = re.compile(
    r"^(?:name|title|role|position|job title|titel|funktion|cargo|puesto|fonction|poste|nom|nome|nombre|e-?mail|mail"
    r"|contact|kontakt)\s*:\s*",
    re.I,
)
#: What stands behind or before a name and is none of it: degrees, generations, pronouns, forms of address.
_BESIDE = re.compile(
    r"(?:,\s*|\s+)(?:ph\.?\s?d\.?|m\.?b\.?a\.?|m\.?d\.?|c\.?p\.?a\.?|c\.?f\.?a\.?|esq\.?|j\.?d\.?|ll\.?m\.?|m\.?sc\.?|b\.?sc\.?"
    r"|m\.?a\.|b\.?a\.|pmp|p\.?e\.|r\.?n\.?|jr\.?|sr\.?|iii?|dipl\.-\w+\.?)$|\s*\((?:she|he|they|her|him|sie|er)\b[^()]*\)$",
    re.I,
)
_ADDRESSED = re.compile(
    r"^(?:(?:mr|mrs|ms|miss|dr|prof|sir|herr|frau|ing|dipl|mag|m|mme|sr|sra|sig|dott|ir|drs)\.? )+", re.I
)
_HAN = r"\u3400-\u9fff々"
_JAPANESE = re.compile(rf"[{_HAN}]{{1,3}}[ \u3000][{_HAN}\u3040-\u30ff]{{1,4}}")
_CHINESE = re.compile(rf"[{_HAN}]{{2,3}}")
_KOREAN = re.compile(r"[\uac00-\ud7a3]\s?[\uac00-\ud7a3]{1,2}")

PersonText = tuple[str, str | None, str | None]  #: name, title, e-mail address as written


@lru_cache(maxsize=50_000)
def is_name(text: str) -> bool:
    """Tell whether a text is two to four capitalised words that aren't page furniture or a job.

    A first name that is one makes up for a last name that is also a word of pages: Will Street.
    """
    if not text.isascii() and _is_eastern(text):
        return True
    if not 4 <= len(text) <= 60:
        return False
    parts = text.replace("’", "'").split()
    if not 2 <= len(parts) <= 5 or any(not _WORD.fullmatch(part) for part in parts):
        return False
    plain = [part.lower().strip(".") for part in parts]
    known = plain[0] in _words("given") and len(parts) <= 3
    if _work().search(" ".join(parts[1:] if known else parts)) or names_job(text):
        return False
    if any(part in _words("page") for part in plain) and not (known and plain[0] not in ("art", "may")):
        return False
    capital = [
        part[0].isupper() or _PARTICLES.fullmatch(part.lower()) or part.lower().startswith(("d'", "o'"))
        for part in parts
    ]
    return all(capital) and parts[0][0].isupper() and sum(part[0].isupper() for part in parts) >= 2


@lru_cache(maxsize=50_000)
def is_title(text: str) -> bool:
    """Tell whether a text is a short phrase with a word of work in it, and neither a sentence nor a person."""
    if not 1 < len(text) <= 90 or len(text.split()) > 10 or text.endswith((".", "!", "?")):
        return False
    if not _work().search(text) and not (names_job(text) and any(one.levels or one.occupation for one in roles(text))):
        return False
    last = re.sub(r"\W+$", "", text.lower()).rpartition(" ")[2]
    if last in _words("no_titles_end_in") or ": " in text:
        return False
    return not any(is_name(part) for cut in _SPLIT.finditer(text) for part in (text[: cut.start()], text[cut.end() :]))


def named(text: str, *, heading: bool = False) -> str | None:
    """Return the person whom a text names and nothing else, without degrees and forms of address, or None.

    A ``heading`` may be written in small letters.
    """
    before, clear = "", _ADDRESSED.sub("", text.strip(" ,;:–—-"))
    while clear != before:
        before, clear = clear, _BESIDE.sub("", clear)
    if is_name(clear):
        return clear.title() if clear.isupper() else clear
    if heading and clear.islower() and is_name(clear.title()) and all(part.isalpha() for part in clear.split()):
        return clear.title()
    return None


class People:
    """A reader of the two forms in which pages give people."""

    @staticmethod
    def of_rows(rows: Sequence[Sequence[str]]) -> Iterator[PersonText]:
        """Find people in table rows with any order of columns, in columns, and in cells that hold a whole person."""
        above: list[str | None] = []
        for row in rows:
            if any("\n" in cell for cell in row):
                inside = [person for cell in row for person in People.of_lines(cell.split("\n"))]
                if inside:
                    yield from inside
                    continue
            cells = [_LABEL.sub("", cell.replace("\n", " ")) for cell in row]
            words = [text for cell in cells if (text := without_address(cell))]
            if len(cells) > 1 and len(above) == len(cells) and all(above) and all(is_title(cell) for cell in cells):
                yield from ((str(name), title, None) for name, title in zip(above, cells, strict=True))
                continue
            above = [named(cell) for cell in cells]
            address = next((found[0] for cell in cells if (found := EMAIL.search(cell))), None)
            first = next((cell for cell in words if cell.istitle() or not cell.islower()), "")
            names = [name for cell in words if (name := named(cell))] or _joined(words)
            titles = [cell for cell in words if is_title(cell)]
            if names and (titles or address):
                yield names[0], titles[0] if titles else None, address
            elif first and len(words) == 1:
                yield from People.of_lines([*words, address or ""])
            elif titles and len(words) == 2:
                rest = next(cell for cell in words if cell is not titles[0])
                yield from ((name, titles[0], None) for name in _listed(rest))

    @staticmethod
    def of_lines(
        lines: Sequence[str], pieces: Sequence[Sequence[str]] = (), heads: frozenset[int] = frozenset()
    ) -> Iterator[PersonText]:
        """Find people in lines in reading order: "Name – Title", or a name with its title close by.

        ``pieces`` are the parts of each line by the elements inside it, ``heads`` the numbers of headings.
        """
        clear = [without_address(_LABEL.sub("", line)) for line in lines]
        names = [named(text, heading=place in heads) for place, text in enumerate(clear)]
        above = _titles_come_first([(name, text) for name, text in zip(names, clear, strict=True) if text])
        used: set[int] = set()
        for place, text in enumerate(clear):
            inside = _in_one_line(text) or _in_pieces(pieces[place] if place < len(pieces) else ())
            if inside:
                address = _address(lines, clear, names, place) if len(inside) == 1 else None
                yield from ((name, title, address) for name, title in inside)
            elif (name := names[place]) is not None:
                title = _beside(clear, names, place, used, above=above)
                if title is not None:
                    yield name, title, _address(lines, clear, names, place)


def without_address(text: str) -> str:
    """Return the text without e-mail addresses and what introduces them."""
    clear = EMAIL.sub(" ", text)
    clear = re.sub(r"\b(?:e-?mail|mail|contact|kontakt)\b\s*:?\s*(?=$|\s{2})", " ", clear, flags=re.I)
    return re.sub(r"\s+", " ", clear).strip(" -–—|,;:<>").removeprefix("(").removesuffix("(").strip()


def _in_one_line(text: str) -> list[tuple[str, str]]:
    """Return names and titles of "Jane Doe – CEO", "Jane Doe, VP, Sales", "VP, Sales: Jane Doe", "CEOs: Jane, Bob"."""
    for cut in _SPLIT.finditer(text):
        left, right = text[: cut.start()].strip(" ()"), text[cut.end() :].strip(" ()")
        if (name := named(left)) and is_title(right):
            return [(name, right)]
        if is_title(left):
            if name := named(right):
                return [(name, left)]
            if cut[0].strip() == ":" and (several := _first_names_of(right)):
                return [(name, left) for name in several]
    return []


def _in_pieces(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """Return name and title of a line whose elements hold one each: ``<b>CEO</b> Jane Doe``."""
    clear = [text for piece in pieces if (text := without_address(piece).strip(" ()"))]
    for one, two in pairwise(clear):
        if (name := named(one)) and is_title(two):
            return [(name, two)]
        if is_title(one) and (name := named(two)):
            return [(name, one)]
    return []


def _listed(text: str) -> list[str]:
    """Return the names of a text that lists names and nothing else, none for other texts."""
    found = _first_names_of(text)
    return found if len(found) == sum(bool(part) for part in _LIST.split(text)) else []


def _first_names_of(text: str) -> list[str]:
    """Return the names that a list begins with."""
    names = (named(part) for part in _LIST.split(text) if part)
    return [name for name in takewhile(lambda name: name is not None, names) if name]


def _titles_come_first(lines: Sequence[tuple[str | None, str]]) -> bool:
    """Tell whether a page writes titles above names: n people have n titles on that side, n - 1 on the other."""
    places = [place for place, (name, _) in enumerate(lines) if name]
    above = sum(place > 0 and is_title(lines[place - 1][1]) for place in places)
    below = sum(place + 1 < len(lines) and is_title(lines[place + 1][1]) for place in places)
    return above > below


def _beside(
    clear: Sequence[str], names: Sequence[str | None], place: int, used: set[int], *, above: bool
) -> str | None:
    """Return the title that belongs to the name in a line: on the page's side of it, else directly on the other."""
    below = []
    for near in range(place + 1, min(place + 1 + REACH, len(clear))):
        if names[near] or _in_one_line(clear[near]):
            break  # from here on it is the next person's
        below.append(near)
    before = [place - 1] if place and not _in_one_line(clear[place - 1]) else []
    for near in (*before, *below) if above else (*below, *before):
        if near not in used and is_title(clear[near]):
            used.add(near)
            return clear[near]
    return None


def _address(lines: Sequence[str], clear: Sequence[str], names: Sequence[str | None], place: int) -> str | None:
    """Return the address of the person named in a line: there, or below before another person is named."""
    for near in range(place, min(place + 1 + REACH, len(lines))):
        if near > place and (names[near] or _in_one_line(clear[near])):
            return None
        found = EMAIL.search(lines[near])
        if found and len(clear[near]) <= MAX_BESIDE:
            return found[0]
    return None


def _joined(cells: Sequence[str]) -> list[str]:
    """Return the name whose first and last part are cells of their own."""
    pairs = (f"{one} {two}" for one, two in pairwise(cells) if len(one.split()) == len(two.split()) == 1)
    return [pair for pair in pairs if is_name(pair)]


def _is_eastern(text: str) -> bool:
    """Tell whether a text is a Japanese, Chinese or Korean name, and no job."""
    if len(text) > 8 or _work().search(text):
        return False
    if _JAPANESE.fullmatch(text):
        return True
    if _CHINESE.fullmatch(text):
        return text[0] in _data("chinese")
    return bool(_KOREAN.fullmatch(text)) and text[0] in _data("korean") and len(text.replace(" ", "")) == 3


@cache
def _work() -> re.Pattern[str]:
    """Return the pattern of words of work, in all languages."""
    by_language = _file("work_words.json")
    spoken = [
        word
        for name in ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "nordic", "east")
        for word in by_language[name].split()
    ]
    return re.compile(rf"\b(?:{'|'.join(spoken)})\b|{'|'.join(by_language['cjk'].split())}", re.I)


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(_data(name).split())


@cache
def _data(name: str) -> str:
    return {**_file("work_words.json"), **_file("person_words.json")}[name]


@cache
def _file(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return found
