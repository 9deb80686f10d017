"""Customer lists at LinkedIn: DMP segments of the type USER.

Sources: "DMP Segments", "DMP Segment Users", "DMP Segment Destinations" and "Matched Audiences FAQ" of the Marketing
API documentation; "Recent Marketing API Changes" (August 2026: 1,000 segments an ad account). A segment is made empty,
for the platform whose name LinkedIn has given the application (``sourcePlatform``); members are added and taken off by
the same request of up to 5,000 hashes, which answers for each; adding a member again and removing one who isn't there
is a success. LinkedIn matches them for up to 48 hours and puts them into an ad segment, whose URN is what ads are aimed
at: it may be there from the beginning or come later. ``accessPolicy``, which older examples send, is no field since
version 202406.

Invariant: each member's own status is looked at; what was refused is never taken for added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.ads.audience import ListTerms, list_problem
from integrations.ads.linkedin.spec import LIST_BATCH, SPEC
from integrations.ads.linkedin.wire import PROVIDER, RestLi, identifier, text
from integrations.ads.list_call import one_call
from integrations.ads.naming import effect_key_of, remote_name
from integrations.ads.platform import Wire
from integrations.ads.words import own_words
from integrations.errors import NeedsAttentionError, NotFoundError, TransientError
from integrations.settings import Settings

PATH = "/dmpSegments"
#: Of a segment that may neither be included nor excluded. BUILDING, UPDATING, READY and ARCHIVED ones may.
_UNUSABLE = ("EXPIRED", "FAILED", "ERROR")


class LinkedInAudiences:
    """An ad account's DMP segments, as :class:`integrations.ads.audience.AudienceTarget` has them."""

    name = PROVIDER

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.provider(PROVIDER)
        self._api = RestLi(self._settings)

    def find_by_key(self, effect_key: str, *, wire: Wire) -> str | None:
        """See the protocol."""
        query = {"q": "account", "account": text(self._api.account_urn)}
        listed = self._api.pages_from(PATH, query, wire=wire)
        found = [item for item in listed if effect_key_of(str(item.get("name", ""))) == effect_key]
        oldest = min(found, key=_age, default=None)
        return identifier(oldest) if oldest is not None else None

    def create(self, name: str, effect_key: str, terms: ListTerms, *, wire: Wire) -> str:
        """See the protocol.

        Raises NeedsAttentionError where LINKEDIN_SOURCE_PLATFORM is not set.
        """
        if problem := list_problem(SPEC, self._settings.options):
            raise NeedsAttentionError(PROVIDER, problem)
        body = {
            "name": remote_name(name, effect_key),
            "sourcePlatform": self._settings.options["source_platform"],
            "account": self._api.account_urn,
            "type": "USER",
            "destinations": [{"destination": "LINKEDIN"}],
        }
        return wire(lambda timeout: self._api.create(PATH, body, timeout=timeout))

    def reference(self, list_id: str, *, wire: Wire) -> str | None:
        """See the protocol."""
        item = wire(lambda timeout: self._api.get(_path(list_id), {}, timeout=timeout))
        destinations = item.get("destinations")
        if not isinstance(destinations, list):
            raise TransientError(PROVIDER, "answered a segment without its destinations")
        for one in destinations:
            if isinstance(one, dict) and one.get("destination") == "LINKEDIN":
                return _segment(one)
        return None

    def add(self, list_id: str, members: Sequence[str], terms: ListTerms, *, wire: Wire) -> None:
        """See the protocol."""
        self._stream(list_id, members, "ADD", wire)

    def remove(self, list_id: str, members: Sequence[str], *, wire: Wire) -> None:
        """See the protocol."""
        try:
            self._stream(list_id, members, "REMOVE", wire)
        except NotFoundError:
            return

    def delete(self, list_id: str, *, wire: Wire) -> None:
        """See the protocol."""
        try:
            wire(lambda timeout: self._api.delete(_path(list_id), timeout=timeout))
        except NotFoundError:
            return

    def _stream(self, list_id: str, members: Sequence[str], action: str, wire: Wire) -> None:
        items = [
            {"action": action, "userIds": [{"idType": "SHA256_EMAIL", "idValue": member}]}
            for member in one_call(PROVIDER, members, LIST_BATCH)
        ]
        wire(lambda timeout: self._api.create_many(f"{_path(list_id)}/users", items, timeout=timeout))


def _path(list_id: str) -> str:
    return f"{PATH}/{text(list_id)}"


def _segment(destination: Mapping[str, Any]) -> str | None:
    """Return the URN of the ad segment, None while there is none.

    Raises NeedsAttentionError for one that LinkedIn has given up.
    """
    status, urn = destination.get("status"), destination.get("destinationSegmentId")
    if status in _UNUSABLE:
        raise NeedsAttentionError(PROVIDER, f"the customer list can't be used any more: it is {own_words(status)}")
    return urn if isinstance(urn, str) and urn else None


def _age(item: Mapping[str, Any]) -> tuple[int, str]:
    """Oldest first, by the time of creation (epoch milliseconds), else by the id."""
    created = item.get("created")
    return (created if isinstance(created, int) else 0, identifier(item).zfill(20))
