"""Customer lists at Facebook: custom audiences of a customer file.

Sources: "Customer File Custom Audiences", "Custom Audience" and "Custom Audience Users" of the Marketing API
documentation (v26.0). An audience is made empty and filled by calls of up to 10,000 hashes, each of which is an upload
session of its own. Its id is what ads are aimed at, at once; fewer than 100 people are shown nothing. Names are not
unique, so a lost creation is found by listing and comparing them. Members are taken off by the POST that adds them,
with ``method=DELETE``: the SDK would write a DELETE's members into the URL, which breaks from about 300 of them on
(facebook-python-business-sdk, issue 717) and would be seen by every proxy.

A lookalike audience ("Lookalike Audiences", v26.0) is one of them, made of a list of at least 100 people of one
country, its own or another. It goes before the list that it is made of: Facebook wants them deleted in this order.

Invariants: entries are hashes that we made, so an entry that Facebook can't read is a defect and never passed over; no
error quotes an entry.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.ads.audience import ListTerms
from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.facebook.spec import LIST_BATCH
from integrations.ads.facebook.wire import Graph, identifier
from integrations.ads.list_call import one_call
from integrations.ads.lookalike import Lookalike
from integrations.ads.naming import effect_key_of, remote_name
from integrations.ads.platform import Wire
from integrations.ads.words import own_words
from integrations.errors import BadRequestError, NeedsAttentionError, NotFoundError, OutcomeUnknownError
from integrations.settings import Settings

#: Of an audience that Meta's integrity review has flagged: no ads and no uploads until a person has appealed.
_FLAGGED = 471
#: Refusals to take members off, after which the whole list can be deleted.
_ONLY_WHOLE = ("subcode 1870047", "subcode 1713230")
LIST_FIELDS = "id,operation_status"


class FacebookAudiences:
    """An ad account's custom audiences, as :class:`integrations.ads.audience.AudienceTarget` has them."""

    name = PROVIDER

    def __init__(self, settings: Settings) -> None:
        self._graph = Graph(settings.provider(PROVIDER))

    def find_by_key(self, effect_key: str, *, wire: Wire) -> str | None:
        """See the protocol."""
        listed = self._graph.pages(self._graph.account, "customaudiences", wire=wire, fields="id,name,time_created")
        found = [item for item in listed if effect_key_of(str(item.get("name", ""))) == effect_key]
        oldest = min(found, key=_age, default=None)
        return identifier(oldest) if oldest is not None else None

    def create(self, name: str, effect_key: str, terms: ListTerms, *, wire: Wire) -> str:
        """See the protocol."""
        fields = {
            "name": remote_name(name, effect_key),
            "subtype": "CUSTOM",
            "customer_file_source": "BOTH_USER_AND_PARTNER_PROVIDED" if terms.found else "USER_PROVIDED_ONLY",
        }
        return wire(
            lambda timeout: self._graph.created(self._graph.account, "customaudiences", timeout=timeout, **fields)
        )

    def create_lookalike(self, name: str, effect_key: str, seed_id: str, wanted: Lookalike, *, wire: Wire) -> str:
        """See :class:`integrations.ads.lookalike.MakesLookalikes`."""
        fields = {
            "name": remote_name(name, effect_key),
            "subtype": "LOOKALIKE",
            "origin_audience_id": seed_id,
            "lookalike_spec": {
                "ratio": wanted.percent / 100,
                "country": wanted.country,
                "allow_international_seeds": True,
            },
        }
        return wire(
            lambda timeout: self._graph.created(self._graph.account, "customaudiences", timeout=timeout, **fields)
        )

    def reference(self, list_id: str, *, wire: Wire) -> str | None:
        """See the protocol."""
        item = wire(lambda timeout: self._graph.get(list_id, timeout=timeout, fields=LIST_FIELDS))
        if trouble := list_trouble(item):
            raise NeedsAttentionError(PROVIDER, trouble)
        return identifier(item)

    def add(self, list_id: str, members: Sequence[str], terms: ListTerms, *, wire: Wire) -> None:
        """See the protocol.

        Raises BadRequestError when Facebook doesn't take each of them.
        """
        batch = one_call(PROVIDER, members, LIST_BATCH)
        wire(lambda timeout: _took_all(self._graph.post(list_id, "users", timeout=timeout, **_upload(batch)), batch))

    def remove(self, list_id: str, members: Sequence[str], *, wire: Wire) -> None:
        """See the protocol.

        The list goes as a whole where Facebook lets nobody leave it: when too few people would be left, and when it is
        flagged.
        """
        batch = one_call(PROVIDER, members, LIST_BATCH)
        fields = {"method": "DELETE", **_upload(batch)}
        try:
            wire(lambda timeout: _took_all(self._graph.post(list_id, "users", timeout=timeout, **fields), batch))
        except NotFoundError:
            return
        except NeedsAttentionError as error:
            if not (error.detail or "").endswith(_ONLY_WHOLE):
                raise
            self.delete(list_id, wire=wire)

    def delete(self, list_id: str, *, wire: Wire) -> None:
        """See the protocol.

        The lookalike audiences that were made of the list by a campaign go first.
        """
        for one in (*self._lookalikes(list_id, wire), list_id):
            try:
                wire(lambda timeout, one=one: self._graph.delete(one, timeout=timeout))  # type: ignore[misc] # mypy can't infer a lambda with a default
            except NotFoundError:
                continue

    def _lookalikes(self, list_id: str, wire: Wire) -> list[str]:
        """Return the ids of the lookalike audiences of a list whose names carry an effect key."""
        try:
            item = wire(lambda timeout: self._graph.get(list_id, timeout=timeout, fields="id,lookalike_audience_ids"))
        except NotFoundError:
            return []
        made = {str(one) for one in item.get("lookalike_audience_ids") or ()}
        if not made:
            return []
        listed = self._graph.pages(self._graph.account, "customaudiences", wire=wire, fields="id,name,time_created")
        return [identifier(one) for one in listed if str(one.get("id")) in made and effect_key_of(str(one.get("name")))]


def list_trouble(item: Mapping[str, Any]) -> str:
    """Return why an audience may not be used, "" when it may."""
    status = item.get("operation_status")
    if not isinstance(status, dict) or status.get("code") != _FLAGGED:
        return ""
    said = own_words(status.get("description"))
    return "the customer list is flagged and may not be used" + (f": {said}" if said else "")


def _upload(batch: Sequence[str]) -> dict[str, Any]:
    """Return the parameters of one call, as an upload session that begins and ends with it."""
    return {
        "session": {
            "session_id": secrets.randbelow(2**63 - 1) + 1,  # ours to choose, once in the ad account
            "batch_seq": 1,
            "last_batch_flag": True,
            "estimated_num_total": len(batch),
        },
        "payload": {"schema": "EMAIL_SHA256", "data": [[member] for member in batch]},
    }


def _took_all(answer: Mapping[str, Any], batch: Sequence[str]) -> None:
    """Raise when an answer doesn't say that every entry of the call was received and read."""
    received, invalid = _count(answer.get("num_received")), _count(answer.get("num_invalid_entries"))
    if received is None or invalid is None:
        raise OutcomeUnknownError(PROVIDER, "answered an upload of members without their numbers")
    if invalid > 0 or received != len(batch):
        told = f"received {received} of {len(batch)} members of a customer list and could not read {invalid} of them"
        raise BadRequestError(PROVIDER, told)


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:18])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _age(item: Mapping[str, Any]) -> tuple[int, str]:
    """Oldest first, by the time of creation (epoch seconds), else by the id."""
    return (_count(item.get("time_created")) or 0, identifier(item).zfill(20))
