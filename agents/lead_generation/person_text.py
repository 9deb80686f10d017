"""Names and job titles in running text: what looks like a person, and which title and address are theirs.

Team pages say the same thing in cards, tables and lists; in reading order all of them are a name with a title
beside it. Invariant: a person needs a name *and* a title next to each other; a capitalised phrase alone is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

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
)
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-])*")
_SPLIT = re.compile(r"\s+[–—|•·-]\s+|\s*[,(|•·]\s+|\s*\(\s*|:\s+")
_LABEL = re.compile(r"^(?:name|title|role|position|job title|e-?mail|mail|contact)\s*:\s*", re.I)

PersonText = tuple[str, str | None, str | None]  #: name, title, e-mail address as written


def is_name(text: str) -> bool:
    """Two to four capitalised words that aren't page furniture or a job."""
    if not 4 <= len(text) <= 60 or _ROLES.search(text):
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
    """A short phrase with a word of work in it, and no sentence."""
    return (
        1 < len(text) <= 90
        and len(text.split()) <= 10
        and not text.endswith((".", "!", "?"))
        and bool(_ROLES.search(text))
    )


class People:
    """The two forms in which pages give people."""

    @staticmethod
    def of_rows(rows: Sequence[Sequence[str]]) -> Iterator[PersonText]:
        """People of table rows, whatever the order of the columns."""
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
        """People of lines in reading order: "Name – Title", or a name with its title close by."""
        used: set[int] = set()
        for place, line in enumerate(lines):
            clear = without_address(_LABEL.sub("", line))
            name, title = _in_one_line(clear)
            if name is None and is_name(clear):
                name = clear
                title = _beside(lines, place, used)
            if name is not None and title is not None:
                yield name, title, _address(lines, place)


def without_address(text: str) -> str:
    """The text without e-mail addresses and what introduces them."""
    clear = EMAIL.sub(" ", text)
    clear = re.sub(r"\b(?:e-?mail|mail|contact)\b\s*:?\s*(?=$|\s{2})", " ", clear, flags=re.I)
    return re.sub(r"\s+", " ", clear).strip(" -–—|,;:()<>")


def _in_one_line(text: str) -> tuple[str | None, str | None]:
    parts = [part.strip(" ()") for part in _SPLIT.split(text, maxsplit=1)]
    if len(parts) != 2:
        return None, None
    if is_name(parts[0]) and is_title(parts[1]):
        return parts[0], parts[1]
    if is_title(parts[0]) and is_name(parts[1]):
        return parts[1], parts[0]
    return None, None


def _beside(lines: Sequence[str], place: int, used: set[int]) -> str | None:
    """The title that belongs to a name: below it, else just above it."""
    for near in range(place + 1, min(place + 1 + REACH, len(lines))):
        text = without_address(_LABEL.sub("", lines[near]))
        if is_name(text) or _in_one_line(text)[0]:
            break
        if is_title(text):
            used.add(near)
            return text
    above = place - 1
    if above >= 0 and above not in used:
        text = without_address(_LABEL.sub("", lines[above]))
        if is_title(text):
            used.add(above)
            return text
    return None


def _address(lines: Sequence[str], place: int) -> str | None:
    """The address of the person named in a line: there, or below before anybody else is named."""
    for near in range(place, min(place + 1 + REACH, len(lines))):
        clear = without_address(lines[near])
        if near > place and (is_name(clear) or _in_one_line(clear)[0]):
            return None
        found = EMAIL.search(lines[near])
        if found and len(clear) <= MAX_BESIDE:
            return found[0]
    return None


def _joined(cells: Sequence[str]) -> list[str]:
    """A name whose first and last part are cells of their own."""
    pairs = (f"{one} {two}" for one, two in pairwise(cells) if len(one.split()) == len(two.split()) == 1)
    return [pair for pair in pairs if is_name(pair)]
