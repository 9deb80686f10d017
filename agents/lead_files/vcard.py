"""People of a vCard file, versions 2.1, 3.0 and 4.0 (RFC 2426, RFC 6350), as address books export them."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agents.lead_files.table import Records, Table

_LINE = re.compile(r"(?:[\w-]+\.)?([\w-]+)((?:;[^:;\"]*(?:\"[^\"]*\"[^:;\"]*)*)*):(.*)", re.S)
_ESCAPED = re.compile(r"\\([\\;,:nN])")
_WORK = frozenset({"work", "pref", "internet,work"})


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    parameters: frozenset[str]  #: their values in lower case
    value: str

    def parts(self) -> list[str]:
        """Return what semicolons separate, unescaped."""
        return [_plain(part) for part in re.split(r"(?<!\\);", self.value)]


@dataclass(slots=True)
class _Card:
    properties: list[_Property] = field(default_factory=list)

    def all(self, name: str) -> list[_Property]:
        """Return the properties of a name, that for work or preferred first."""
        found = [one for one in self.properties if one.name == name]
        return sorted(
            found, key=lambda one: (not one.parameters & _WORK, "home" in one.parameters, "fax" in one.parameters)
        )

    def text(self, name: str) -> str:
        """Return the first value of a name as text."""
        return next((text for one in self.all(name) if (text := _plain(one.value))), "")


def table(lines: Iterable[str], encoding: str) -> Table:
    """Return the table of a vCard file's people, a card a row."""
    records = Records()
    for number, card in enumerate(_cards(lines), start=1):
        records.add(number, _record(card).items())
    return records.table("vCard", encoding=encoding)


def _cards(lines: Iterable[str]) -> Iterator[_Card]:
    card: _Card | None = None
    for line in _unfolded(lines):
        upper = line.strip().upper()
        if upper == "BEGIN:VCARD":
            card = _Card()
        elif upper == "END:VCARD":
            if card is not None:
                yield card
            card = None
        elif card is not None and (found := _property(line)):
            card.properties.append(found)
    if card is not None and card.properties:
        yield card


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """Join lines that go on in the next one, by a space at its beginning or by quoted-printable's ``=``."""
    held: str | None = None
    for raw in lines:
        line = raw.rstrip("\n")
        soft = held is not None and held.endswith("=") and "QUOTED-PRINTABLE" in held.upper()
        if held is not None and soft:
            held = held[:-1] + line.lstrip(" \t") if not line.startswith("=") else held[:-1] + line
        elif held is not None and line[:1] in (" ", "\t"):
            held += line[1:]
        else:
            if held is not None:
                yield held
            held = line
    if held is not None:
        yield held


def _property(line: str) -> _Property | None:
    found = _LINE.fullmatch(line)
    if not found:
        return None
    name, parameters, value = found[1].upper(), found[2], found[3]
    values = frozenset(
        part.strip().strip('"').lower()
        for one in parameters.split(";")
        for part in one.partition("=")[2 if "=" in one else 0].split(",")
        if part
    )
    if "quoted-printable" in values:
        charset = re.search(r"charset=\"?([\w-]+)", parameters, re.I)
        raw = quopri.decodestring(value.encode("utf-8"))
        try:
            value = raw.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            value = raw.decode("utf-8", "replace")
    return _Property(name, values, value[:10_000])


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], value).strip()


def _record(card: _Card) -> Mapping[str, str]:
    """Return a card under headers that are known: FN, N, EMAIL, ORG, TITLE, TEL, URL, ADR."""
    names = next((one.parts() for one in card.all("N")), [])
    last, first = (*names, "", "")[:2]
    full = card.text("FN")
    organisation = next((one.parts() for one in card.all("ORG")), [""])[0]
    links = [_plain(one.value) for name in ("URL", "X-SOCIALPROFILE", "SOCIALPROFILE") for one in card.all(name)]
    place = next((parts for one in card.all("ADR") if len(parts := one.parts()) > 6), [""] * 7)
    # a company's card has its name where a person's is
    is_company = full == organisation and not first and not last
    record = {
        "first name": first, "last name": last, "full name": "" if is_company else full,
        "email": " ; ".join(_plain(one.value).removeprefix("mailto:") for one in card.all("EMAIL")),
        "company": organisation, "job title": card.text("TITLE") or card.text("ROLE"),
        "phone": next((text for one in card.all("TEL") if (text := _plain(one.value).removeprefix("tel:"))), ""),
        "linkedin": next((link for link in links if "linkedin." in link.lower()), ""),
        "website": next((link for link in links if link and "linkedin." not in link.lower()), ""),
        "city": place[3], "region": place[4], "country": place[6],
    }  # fmt: skip
    others = {
        one.name: _plain(one.value)[:200]
        for one in card.properties
        if one.name in ("NOTE", "BDAY", "CATEGORIES", "NICKNAME")
    }
    return {key: value for key, value in {**record, **others}.items() if value}
