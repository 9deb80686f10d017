"""Erasure of people from JSON values: who is found by the hash of an address, and what is left in their place.

Pure, and the same for what is stored already and for what is about to be stored. Invariants: an address is known by its
hash alone, so that nothing has to keep it; a value keeps its shape, so that what a model has written a model can read:
whole records of a person leave their lists, and an address inside other text becomes :data:`ERASED`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from agents.email_address import address_hashes
from agents.lead_generation.clean import record_of
from agents.lead_generation.screen import hashes_of

ERASED = "[erased]"  #: stands in a text where an address was
#: Lists of people in a campaign's state: an entry about a person who is erased leaves them whole.
PEOPLE = ("leads", "qualified_leads")
_DOMAIN = re.compile(r"@([\w-]+(?:\.[\w-]+)+)")
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}\Z")
_QUOTE = ('"', "")  #: the end of a string in JSON text, or of the text
_NOTHING_BESIDE = re.compile(rf"\s*(?:mailto:|[^@<]*<)?\s*{re.escape(ERASED)}\s*>?\s*")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")  #: in JSON text: it would stick to the address that follows it


class Place(NamedTuple):
    """Where in a text something stands that may be an address."""

    start: int
    end: int
    hashes: tuple[str, ...]  #: :func:`~agents.email_address.address_hashes` of it


def places(text: str) -> Iterator[Place]:
    """Yield what may be an address, for each ``@`` the longest first.

    ``href=ann@acme.test.Next`` may be an address as a whole, and holds one. A text, or a string in JSON text, that is
    nothing but an address holds no shorter one: ``ann@acme.test.example`` is someone else.
    """
    for found in _DOMAIN.finditer(text):
        at = found.start()
        local = _LOCAL.search(text, max(0, at - 64), at)
        if local is None:
            continue
        starts = [local.start()]
        starts += [n + 1 for n in range(local.start(), at - 1) if not (text[n].isalnum() or text[n] in "_.+-")]
        starts += [n for n in range(starts[-1] + 1, at) if not text[starts[-1] : n].strip("_.+-")]
        ends = [found.end()]
        alone = text[local.start() - 1 : local.start()] in _QUOTE and text[found.end() : found.end() + 1] in _QUOTE
        while not (alone and len(starts) == 1) and text.count(".", at, ends[-1]) > 1:
            ends.append(text.rindex(".", at, ends[-1]))
        for start in starts:
            for end in ends:
                yield Place(start, end, address_hashes(text[start:end]))


def hashes_in(json_text: str) -> list[str]:
    """Return the hashes of everything in JSON text that may be an address, as written and of its mailbox, each once."""
    if "@" not in json_text:
        return []
    plain = _ESCAPE.sub(" ", json_text) if "\\" in json_text else json_text
    return list(dict.fromkeys(one for place in places(plain) for one in place.hashes))


class Erasing:
    """Removal of people from values, who learns by which names they are known as it removes them.

    ``hashes`` are those of their addresses (:func:`~agents.email_address.address_hashes`): every spelling of a mailbox
    is found by the mailbox's own. ``identities``, ``names``, ``addresses`` and ``leads`` fill up: hashes and words by
    which other records of the same campaign name the same people, the addresses that their records have, as written
    there, and the ids of their leads.
    """

    def __init__(self, hashes: frozenset[str]) -> None:
        self.hashes = hashes
        self.identities: set[str] = set()
        self.names: set[str] = set()
        self.addresses: set[str] = set()
        self.leads: set[str] = set()

    def text(self, text: str) -> str:
        """Return ``text`` with :data:`ERASED` in the place of their addresses."""
        if "@" not in text:
            return text
        taken: list[Place] = []
        for place in places(text):
            if not self.hashes.isdisjoint(place.hashes) and not (taken and place.start < taken[-1].end):
                taken.append(place)
        for place in reversed(taken):
            text = text[: place.start] + ERASED + text[place.end :]
        return text

    def state(self, value: JsonValue) -> JsonValue:
        """Return ``value`` with ERASED in the place of their addresses, in keys too.

        Every entry stays but those of lists of :data:`PEOPLE`, which are :meth:`records`.
        """
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.state(item) for item in value]
            case dict():
                return {
                    self.text(key): self.records(item) if key in PEOPLE else self.state(item)
                    for key, item in value.items()
                }
        return value

    def records(self, value: JsonValue) -> JsonValue:
        """Return ``value`` without the entries of lists that are about them, and without keys that are their address.

        A list of ``records`` that loses one gets the hashes of the person into ``suppressed`` beside it, which keeps
        other sources from bringing the person back.
        """
        match value:
            case list():
                return [self.records(item) for item in value if not self._about(item)]
            case dict():
                kept = {self.text(key): self.records(item) for key, item in value.items() if not self._is_address(key)}
                people, barred = value.get("records"), value.get("suppressed")
                if isinstance(people, list) and isinstance(barred, list):
                    gone = {found for item in people if self._about(item) for found in record_hashes(item)}
                    kept["suppressed"] = [*sorted({*map(str, barred), *gone})]
                return kept
        return self.state(value)

    def journal(self, value: JsonValue) -> JsonValue:
        """Return a unit's journal without the entries that are about them: their call is made again, or not at all."""
        if not isinstance(value, dict):
            return self.records(value)
        return self.records({name: entry for name, entry in value.items() if not self._about(entry)})

    def _is_address(self, text: str) -> bool:
        if "@" not in text or len(text) > 400:
            return False
        left = self.text(text)
        return left != text and _NOTHING_BESIDE.fullmatch(left) is not None

    def _about(self, item: JsonValue) -> bool:
        """Return whether an entry of a list is one of their addresses, or a record of one of them."""
        if isinstance(item, str):
            return self._is_address(item)
        if not isinstance(item, dict):
            return False
        told = [text for text in item.values() if isinstance(text, str)]
        listed = [text for texts in item.values() if isinstance(texts, list) for text in texts if isinstance(text, str)]
        if any(self._is_address(text) for text in (*told, *listed)):
            self.identities |= record_hashes(item)
            named = (item.get("name"), item.get("profile_url"))
            self.names |= {text for text in named if isinstance(text, str) and text.strip()}
            self._remember(item)
            return True
        if not self.identities:
            return False
        same = bool(self.identities & record_hashes(item)) or any(text in self.names and "://" in text for text in told)
        if same:
            self._remember(item)
        return same

    def _remember(self, item: Mapping[str, JsonValue]) -> None:
        """Keep the addresses of a record that goes: what holds them elsewhere may know them in this spelling only."""
        self.addresses |= {*addresses_of(item)}
        if isinstance(lead := item.get("lead_id"), str):
            self.leads.add(lead)


def record_hashes(item: JsonValue) -> set[str]:
    """Return the hashes by which a record names a person, none for what is no record."""
    return hashes_of(record_of(item, "")) if isinstance(item, Mapping) else set()


def person_hashes(item: Mapping[str, JsonValue]) -> set[str]:
    """Return all hashes by which a lead, or what was made of one, is found: its record's and its addresses'."""
    found = addresses_of(item)
    return record_hashes(dict(item)) | {one for address in found for one in address_hashes(address)}


def addresses_of(item: Mapping[str, JsonValue]) -> list[str]:
    """Return the addresses of a record, as they are written there."""
    email, others = item.get("email"), item.get("other_emails")
    found = [email, *(others if isinstance(others, list) else ())]
    return [text for text in found if isinstance(text, str) and text]
