"""Names and job titles in running text: what looks like a person, and which title and address are theirs.

Team pages say the same thing in cards, tables and lists; in reading order all of them are a name with a title
beside it. Invariant: a person needs a name *and* a title next to each other; a capitalised phrase alone is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agents.fit.titles import names_job
from agents.lead_generation.page_text import EMAIL

REACH = 3  #: lines below a name in which its title and address are looked for
MAX_BESIDE = 60  #: characters beside an address; in a longer line it is a sentence's, not the person's

_ROLES = re.compile(
    r"\b(?:ceo|cto|cfo|coo|cmo|cio|ciso|cro|cpo|chro|cdo|vp|svp|evp|avp|chief|officer|president|founder|cofounder|owner"
    r"|chair|chairman|chairwoman|director|manager|head|lead|leader|engineer|developer|architect|scientist|analyst"
    r"|designer|consultant|specialist|coordinator|assistant|administrator|accountant|auditor|controller|treasurer"
    r"|counsel|attorney|lawyer|partner|associate|executive|representative|agent|advisor|adviser|strategist|planner"
    r"|editor|writer|author|copywriter|producer|researcher|professor|teacher|instructor|trainer|tutor|coach|nurse"
    r"|physician|doctor|dentist|therapist|technician|mechanic|operator|supervisor|superintendent|foreman|buyer"
    r"|recruiter|contractor|intern|trainee|secretary|receptionist|principal|dean|marketer|sales|marketing|staff"
    r"|gesch(?:ä|ae)ftsf(?:ü|ue)hrer(?:in)?|leiter(?:in)?|directeur|directrice|gérante?)\b",
    re.I,
)
_PARTICLES = re.compile(r"van|von|de|der|den|del|della|di|da|dos|du|la|le|al|el|bin|ibn|ben|ter|ten|zu")
#: words of page furniture, which no name holds
_NO_NAMES = re.compile(
    r"about|above|all|and|are|as|at|back|blog|book|by|call|career|careers|click|company|contact"
    r"|cookie|cookies|copyright|customer|customers|demo|download|email|events|faq|find|first|follow"
    r"|for|free|from|get|group|help|home|how|imprint|in|industries|industry|inc|is|it|job|jobs"
    r"|join|latest|learn|legal|limited|llc|location|login|mail|management|map|meet|menu|mission"
    r"|more|name|news|newsletter|next|now|of|on|open|opening|our|out|partners|people|phone"
    r"|platform|policy|portfolio|press|pricing|privacy|product|products|project|projects|read"
    r"|register|request|resources|role|search|see|send|services|share|sign|site|solution|solutions"
    r"|start|story|subscribe|support|team|terms|the|title|to|today|top|trust|us|use|values|view"
    r"|vision|visit|we|welcome|what|who|why|with|work|you|your"
    r"|corporation|corp|group|holding|university|college|institute|foundation|street|avenue|city|new|united"
)
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-])*")
_SPLIT = re.compile(r"\s+[–—|•·-]\s+|\s*[,(|•·]\s+|\s*\(\s*|:\s+")
_LABEL = re.compile(r"^(?:name|title|role|position|job title|e-?mail|mail|contact)\s*:\s*", re.I)

PersonText = tuple[str, str | None, str | None]  #: name, title, e-mail address as written


def is_name(text: str) -> bool:
    """Tell whether a text is two to four capitalised words that aren't page furniture or a job."""
    if not 4 <= len(text) <= 60 or _ROLES.search(text) or names_job(text):
        return False
    parts = text.replace("’", "'").split()
    if not 2 <= len(parts) <= 5 or any(not _WORD.fullmatch(part) for part in parts):
        return False
    plain = [part.lower().strip(".") for part in parts]
    if any(_NO_NAMES.fullmatch(part) for part in plain):
        return False
    capital = [
        part[0].isupper() or _PARTICLES.fullmatch(part.lower()) or part.lower().startswith(("d'", "o'"))
        for part in parts
    ]
    return all(capital) and parts[0][0].isupper() and sum(part[0].isupper() for part in parts) >= 2


def is_title(text: str) -> bool:
    """Tell whether a text is a short phrase with a word of work in it, and no sentence."""
    return (
        1 < len(text) <= 90
        and len(text.split()) <= 10
        and not text.endswith((".", "!", "?"))
        and (_ROLES.search(text) is not None or names_job(text))
    )


class People:
    """A reader of the two forms in which pages give people."""

    @staticmethod
    def of_rows(rows: Sequence[Sequence[str]]) -> Iterator[PersonText]:
        """Find people in table rows with any order of columns."""
        for row in rows:
            cells = [_LABEL.sub("", cell) for cell in row]
            address = next((found[0] for cell in cells if (found := EMAIL.search(cell))), None)
            words = [text for cell in cells if (text := without_address(cell))]
            first = next((cell for cell in words if cell.istitle() or not cell.islower()), "")
            names = [cell for cell in words if is_name(cell)] or _joined(words)
            titles = [cell for cell in words if is_title(cell)]
            if names and (titles or address):
                yield names[0], titles[0] if titles else None, address
            elif first and len(words) == 1:
                yield from People.of_lines([*words, address or ""])

    @staticmethod
    def of_lines(lines: Sequence[str]) -> Iterator[PersonText]:
        """Find people in lines in reading order: "Name – Title", or a name with its title close by."""
        clear = [without_address(_LABEL.sub("", line)) for line in lines]
        above = _titles_come_first([text for text in clear if text])
        used: set[int] = set()
        for place, text in enumerate(clear):
            name, title = _in_one_line(text)
            if name is None and is_name(text):
                name = text
                title = _beside(clear, place, used, above=above)
            if name is not None and title is not None:
                yield name, title, _address(lines, clear, place)


def without_address(text: str) -> str:
    """Return the text without e-mail addresses and what introduces them."""
    clear = EMAIL.sub(" ", text)
    clear = re.sub(r"\b(?:e-?mail|mail|contact)\b\s*:?\s*(?=$|\s{2})", " ", clear, flags=re.I)
    return re.sub(r"\s+", " ", clear).strip(" -–—|,;:()<>")


def _in_one_line(text: str) -> tuple[str | None, str | None]:
    """Name and title of "Jane Doe – CEO", "Jane Doe, VP, Sales", "VP, Sales: Jane Doe"."""
    for cut in _SPLIT.finditer(text):
        left, right = text[: cut.start()].strip(" ()"), text[cut.end() :].strip(" ()")
        if is_name(left) and is_title(right):
            return left, right
        if is_title(left) and is_name(right):
            return right, left
    return None, None


def _titles_come_first(lines: Sequence[str]) -> bool:
    """Tell whether a page writes titles above names: n people have n titles on that side, n - 1 on the other."""
    names = [place for place, text in enumerate(lines) if is_name(text)]
    above = sum(place > 0 and is_title(lines[place - 1]) for place in names)
    below = sum(place + 1 < len(lines) and is_title(lines[place + 1]) for place in names)
    return above > below


def _beside(clear: Sequence[str], place: int, used: set[int], *, above: bool) -> str | None:
    """Return the title that belongs to the name in a line: on the page's side of it, else directly on the other."""
    below = []
    for near in range(place + 1, min(place + 1 + REACH, len(clear))):
        if is_name(clear[near]) or _in_one_line(clear[near])[0]:
            break  # from here on it is the next person's
        below.append(near)
    before = [place - 1] if place else []
    for near in (*before, *below) if above else (*below, *before):
        if near not in used and is_title(clear[near]):
            used.add(near)
            return clear[near]
    return None


def _address(lines: Sequence[str], clear: Sequence[str], place: int) -> str | None:
    """Return the address of the person named in a line: there, or below before another person is named."""
    for near in range(place, min(place + 1 + REACH, len(lines))):
        if near > place and (is_name(clear[near]) or _in_one_line(clear[near])[0]):
            return None
        found = EMAIL.search(lines[near])
        if found and len(clear[near]) <= MAX_BESIDE:
            return found[0]
    return None


def _joined(cells: Sequence[str]) -> list[str]:
    """Return the name whose first and last part are cells of their own."""
    pairs = (f"{one} {two}" for one, two in pairwise(cells) if len(one.split()) == len(two.split()) == 1)
    return [pair for pair in pairs if is_name(pair)]
