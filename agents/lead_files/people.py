"""One row to one person: the best cell of each field, a name of its parts, a place of its parts, or a reason why not.

Pure. Invariant: a row comes back as a person or with the reason why it is none; which cells were taken is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from agents.lead_files.addresses import beside_address
from agents.lead_files.cells import line_of
from agents.lead_files.columns import Use
from agents.lead_files.lead_file import (
    COMPANY_ONLY,
    EMPTY_ROW,
    MAX_ADDRESSES,
    NOBODY,
    OPTED_OUT,
    UNKNOWN_BASIS,
    Person,
)
from agents.lead_files.values import GOOD, NOTHING, Value, is_total, read, read_emails
from agents.lead_generation.person_name import person_name
from agents.legal_basis import CONSENT, CONTRACT, LEGITIMATE_INTEREST, read_basis

_PLACE = ("city", "region", "country")
_ADDRESS = 6  #: rank from which a location is a postal address, of which the city says more
_PLAIN = ("job_title", "company", "domain", "industry", "company_size", "phone", "profile_url")
#: what programs write for nothing where a part of a name should be, unless the other part is written so, too
_PROGRAMS = frozenset(
    {"null", "nan", "none", "nil", "na", "unknown", "n/a", "undefined", "-", "--", ".", "?", "#n/a", "tbd"}
)
_NO_BASIS = frozenset({"", "not applicable", "none", "n/a", "-", "unknown"})
#: how HubSpot begins its bases, in lower case
_BASES = {
    "legitimate interest": LEGITIMATE_INTEREST,
    "performance of a contract": CONTRACT,
    "freely given consent from contact": CONSENT,
}


class PeopleReader:
    """Reads the rows of one file."""

    def __init__(self, uses: Sequence[Use]) -> None:
        self.used: Counter[tuple[int, str]] = Counter()  #: (column, field) -> cells that people were read from
        self.broken_addresses: list[int] = []  #: rows whose cells for addresses hold none
        self._taken: list[tuple[int, str]] = []  # of the row that is read
        self._uses: dict[str, list[Use]] = {}
        for use in uses:
            self._uses.setdefault(use.meaning.field, []).append(use)
        self._places = self._by_place(uses)

    def read(self, number: int, cells: Sequence[str]) -> Person | str:
        """Return the person of a row, or the reason why it is set aside."""
        self._taken.clear()
        found = self._person(number, cells)
        if not isinstance(found, str):
            self.used.update(self._taken)
        return found

    def _person(self, number: int, cells: Sequence[str]) -> Person | str:
        person: dict[str, str | int] = {"row": number}
        emails = self._emails(cells)
        for at, email in enumerate(emails[:MAX_ADDRESSES], start=1):
            person["email" if at == 1 else f"email_{at}"] = email
        written = "" if emails else self._written_address(cells)
        if written:
            person["email"] = written
            self.broken_addresses.append(number)
        name = self._name(cells)
        if name:
            person["name"] = name
        for field in _PLAIN:
            value = self._best(field, cells) if field in self._uses else NOTHING
            if value.text:
                person[field] = value.text
        if place := self._location(cells):
            person["location"] = place
        if self._best("opted_out", cells).text:
            return OPTED_OUT
        basis = self._basis(cells)
        if basis is None:
            return UNKNOWN_BASIS
        if basis:
            person["legal_basis"] = basis
        if len(person) == 1:
            return EMPTY_ROW
        somewhere = any(field in person for field in ("company", "domain", "profile_url"))
        if emails or ("name" in person and somewhere):
            return person
        of_company = "domain" in person or any(map(str.isalpha, str(person.get("company", ""))))
        return COMPANY_ONLY if of_company and "name" not in person and not written else NOBODY

    def _best(self, field: str, cells: Sequence[str]) -> Value:
        """Return the first cell that fits best."""
        best, best_use = NOTHING, None
        for use in self._uses.get(field, ()):
            raw = cells[use.index] if use.index < len(cells) else ""
            value = read(field, raw) if raw else NOTHING
            if value.grade > best.grade:
                best, best_use = value, use
                if value.grade == GOOD:
                    break
        if best_use is not None:
            self._taken.append((best_use.index, field))
        return best

    def _emails(self, cells: Sequence[str]) -> list[str]:
        found: dict[str, str] = {}
        for use in self._uses.get("email", ()):
            raw = cells[use.index] if use.index < len(cells) else ""
            new = read_emails(raw) if raw else []
            for email in new:
                found.setdefault(email.lower(), email)
            if new:
                self._taken.append((use.index, "email"))
        return list(found.values())

    def _written_address(self, cells: Sequence[str]) -> str:
        """Return what stands where an address should, so that it can be told that it is none."""
        for use in self._uses.get("email", ()):
            text = line_of(cells[use.index]) if use.index < len(cells) else ""
            if text and text.lower() not in _PROGRAMS and any(map(str.isalnum, text)):
                return text[:254]
        return ""

    def _name(self, cells: Sequence[str]) -> str:
        first, last = self._part("first_name", cells), self._part("last_name", cells)
        first, last = _beside(first, last), _beside(last, first)
        whole = self._best("name", cells).text if not (first and last) else ""
        if whole and first and not last and first.lower() not in whole.lower():
            last, whole = whole, ""  # "Vorname" and "Name"
        elif whole and last and not first and last.lower() not in whole.lower():
            first, whole = whole, ""  # "Nombre" and "Apellidos"
        if whole:
            return whole
        if is_total(f"{first}{last}"):
            return ""
        if first and last and not (first + last).isascii() and _is_east_asian(first + last):
            return last + first
        particle = self._part("particle", cells)
        name = person_name(" ".join(part for part in (first, particle, last) if part)) if first or last else None
        return name or self._beside_address(cells)

    def _part(self, field: str, cells: Sequence[str]) -> str:
        return self._best(field, cells).text if field in self._uses else ""

    def _beside_address(self, cells: Sequence[str]) -> str:
        """Return the name that stands before an address, where no column has one."""
        for use in self._uses.get("email", ()):
            text = line_of(cells[use.index]) if use.index < len(cells) else ""
            if "<" in text or "|" in text or "(" in text:
                beside = beside_address(text)
                if len(beside.split()) > 1 and (name := person_name(beside)):
                    return name
        return ""

    @staticmethod
    def _by_place(uses: Sequence[Use]) -> list[Mapping[str, list[Use]]]:
        """Return the columns of cities, regions and countries, those of one address together."""
        groups: dict[str, dict[str, list[Use]]] = {}
        for use in sorted(uses, key=lambda one: one.meaning.rank):
            if use.meaning.field in _PLACE:
                groups.setdefault(use.meaning.group, {}).setdefault(use.meaning.field, []).append(use)
        return list(groups.values())

    def _location(self, cells: Sequence[str]) -> str:
        """Return a place, else one of its parts, else a postal address."""
        uses = self._uses.get("location", ())
        places = [use for use in uses if use.meaning.rank < _ADDRESS]
        addresses = [use for use in uses if use.meaning.rank >= _ADDRESS]
        return (
            self._first("location", places, cells)
            or self._place(cells, ("city", "country"))
            or self._first("location", addresses, cells)
            or self._place(cells, ("region",))
        )

    def _first(self, field: str, uses: Sequence[Use], cells: Sequence[str]) -> str:
        for use in uses:
            text = read(field, cells[use.index]).text if use.index < len(cells) else ""
            if text:
                self._taken.append((use.index, field))
                return text
        return ""

    def _place(self, cells: Sequence[str], needed: Sequence[str]) -> str:
        """Return the parts of the first address that has one that is needed."""
        for group in self._places:
            if not any(self._first(field, group.get(field, ()), cells) for field in needed):
                continue
            parts: dict[str, None] = {}
            for field in _PLACE:
                if text := self._first(field, group.get(field, ()), cells):
                    parts.setdefault(text)
            if parts:
                return ", ".join(parts)
        return ""

    def _basis(self, cells: Sequence[str]) -> str | None:
        """Return the legal basis of a row, "" when it names none, and None for one that is not known."""
        text = self._best("legal_basis", cells).text if "legal_basis" in self._uses else ""
        if text.lower() in _NO_BASIS:
            return ""
        worded = (basis for words, basis in _BASES.items() if text.lower().startswith(words))
        return read_basis(text) or next(worded, None)


def _beside(part: str, other: str) -> str:
    """Return a part of a name, "" for what a program writes where there is none: "Na Li" and "Ida Null" are people."""
    if part.lower() not in _PROGRAMS:
        return part
    is_name = part.isalpha() and other and part.istitle() and part not in ("None", "Unknown", "Undefined")
    return part if is_name or (part.isalpha() and other.isupper() and part.isupper() and len(part) == 2) else ""


def _is_east_asian(text: str) -> bool:
    return all("\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or char == "々" for char in text)
