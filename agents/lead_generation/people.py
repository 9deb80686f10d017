"""Who is the same person among what several sources say.

Invariants: two records are one person when they have the same mailbox, or the same profile, and names that can be one
person's; or the same name at the same company, by its domain or its own name, with nothing that tells them apart. A
mailbox that two people share keeps them two; a person with two addresses is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agents.email_address import mailbox
from agents.lead_generation.companies import top_of
from agents.lead_generation.company_names import company_name
from agents.lead_generation.mailboxes import is_role
from agents.lead_generation.name_forms import one_person, person_forms

if TYPE_CHECKING:
    from agents.lead_generation.clean import Record


@dataclass(slots=True)
class Group:
    """Records of one person."""

    key: str  #: natural key: the mailbox, or the name with the company
    records: list[Record] = field(default_factory=list)


class People:
    """People found so far, in the order in which the first record of each came."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self._by_mailbox: dict[str, list[Group]] = {}
        self._by_profile: dict[str, list[Group]] = {}
        self._by_name: dict[str, list[Group]] = {}

    def add(self, record: Record) -> bool:
        """Add a record to the person whom it is about, and return whether it is the first about them."""
        box = mailbox(record.email) if record.email else ""
        named = _named(record)
        group = self._known(record, box, named)
        new = group is None
        if group is None:
            group = Group(self._key(record, box, named))
            self.groups.append(group)
        group.records.append(record)
        for index, key in (
            (self._by_mailbox, box),
            (self._by_profile, _profile(record)),
            *((self._by_name, n) for n in named),
        ):
            if key:
                found = index.setdefault(key, [])
                if not found or not any(known is group for known in found):
                    found.append(group)
        return new

    def _known(self, record: Record, box: str, named: list[str]) -> Group | None:
        sharing = self._by_mailbox.get(box, ())
        shared = len(sharing) > 1 or (bool(sharing) and is_role(box))
        for group in sharing:
            if _can_be(record, group, shared=shared):
                return group
        for group in self._by_profile.get(_profile(record), ()) if record.profile_url else ():
            if _can_be(record, group):
                return group
        for place in named:
            for group in self._by_name.get(place, ()):
                if not any(_told_apart(record, other) for other in group.records):
                    return group
        return None

    def _key(self, record: Record, box: str, named: list[str]) -> str:
        if box:
            return "\x1f".join((box, *person_forms(record.name)[:1])) if box in self._by_mailbox else box
        return named[0] if named else f"profile:{record.profile_url}"


def profile_key(url: str) -> str:
    """Return the form that all URLs of one profile share."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    host = parts.netloc.lower()
    short = ".".join(host.split(".")[-2:]) if "linkedin.com" in host else host.removeprefix("www.")
    return f"{short}{parts.path.rstrip('/').lower()}"


def _profile(record: Record) -> str:
    return profile_key(record.profile_url) if record.profile_url else ""


def _named(record: Record) -> list[str]:
    """Return the keys by which the record names a person: each form of the name with each name of the place."""
    if not record.name:
        return []
    places = [top_of(record.domain)] if record.domain else []
    places += company_name(record.company).forms
    return [f"{form}\x1f{place}" for form in person_forms(record.name) for place in places]


def _can_be(record: Record, group: Group, *, shared: bool = False) -> bool:
    """Tell whether the name of a record can be that of a group, where one of them may have none."""
    names = [other.name for other in group.records if other.name]
    return not record.name or not names or any(one_person(record.name, name, shared=shared) for name in names)


def _told_apart(record: Record, other: Record) -> bool:
    """Tell whether two records of one name at one company are two people's."""
    if record.profile_url and other.profile_url:
        one, two = profile_key(record.profile_url), profile_key(other.profile_url)
        if one != two and one.partition("/")[0] == two.partition("/")[0]:
            return True
    if record.email and other.email and _numbered(mailbox(record.email), mailbox(other.email)):
        return True
    elsewhere = record.domain and other.domain and top_of(record.domain) != top_of(other.domain)
    return bool(elsewhere and record.industry and other.industry and record.industry != other.industry)


def _numbered(one: str, two: str) -> bool:
    """Tell whether two mailboxes at one domain differ in a number behind the name: ``jane`` and ``jane2``."""
    (first, _, place), (second, _, other) = one.rpartition("@"), two.rpartition("@")
    return place == other and first != second and first.rstrip("0123456789") == second.rstrip("0123456789")
