"""Contacts that strangers write where a name or a title should stand.

A page, a search result or a directory says what it likes about a person: "CEO, now at http://evil.example". Such a
field would be shown to people and quoted in messages to them. Pure. Invariant: no field of words names a contact but
the company's own domain; a company whose domain isn't known may be called like one ("Booking.com"). The user's own
files are left as they are.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from agents.contacts import KnownContacts, foreign_contacts
from agents.contacts.contact import is_domain, plain_host

if TYPE_CHECKING:
    from agents.lead_generation.clean import CompanyFacts, Record

R = TypeVar("R", "Record", "CompanyFacts")

OWN = "file"  #: kind of the source that is the user's own
_WORDS = ("name", "job_title", "company", "industry", "company_size", "location")


def without_contacts(found: R) -> R:
    """Return what a source says without the fields of words that name a foreign contact."""
    if found.source.partition(":")[0] == OWN:
        return found
    bad = [
        name
        for name in _WORDS
        if (text := getattr(found, name, None))
        and _foreign(text, found.domain or "")
        and not (name == "company" and not found.domain and is_domain(plain_host(text)))
    ]
    emptied: dict[str, Any] = dict.fromkeys(bad)
    return replace(found, **emptied) if bad else found


@lru_cache(maxsize=50_000)
def _foreign(text: str, domain: str) -> bool:
    """Return whether a text names a contact that is not under ``domain``."""
    known = KnownContacts.of(website=f"https://{domain}/") if domain else KnownContacts()
    return bool(foreign_contacts(text, known))
