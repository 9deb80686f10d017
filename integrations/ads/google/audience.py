"""Customer lists at Google: Customer Match over the Data Manager API.

What Google takes in a request is checked at once, and the request is carried out or refused as a whole; the rest comes
later: members are matched to Google's users within about 48 hours, and what goes wrong then is told by
``requestStatus:retrieve`` only, under a request id that is kept nowhere here. No field of a list says that it is done
(its sizes stay 0 for small lists), and Google aims campaigns at a list from its creation on; so its reference is given
at once. Until it is filled, ads of a campaign aimed at it are shown to nobody, and one that keeps away from it doesn't
yet. Names are unique in an account. Sources: those of :mod:`integrations.ads.google.customer_match`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrations.ads.audience import ListTerms
from integrations.ads.google.customer_match import Body, addition, new_list, removal
from integrations.ads.google.data_manager import DataManager
from integrations.ads.google.data_manager_errors import DENIED
from integrations.ads.google.errors import PROVIDER
from integrations.ads.naming import effect_key_of
from integrations.ads.page_size import MAX_OBJECTS
from integrations.ads.platform import Wire
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    InvalidAnswerError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    TransientError,
)
from integrations.fields import Fields, inner, missing, rows, text
from integrations.settings import Settings

PAGE = 1000  #: lists of one page, the most that Google gives


class GoogleAudiences:
    """Customer lists of an ad account at Google, as :class:`integrations.ads.audience.AudienceTarget` has them."""

    name = PROVIDER

    def __init__(self, settings: Settings) -> None:
        self._api = DataManager(settings.provider(PROVIDER))

    def find_by_key(self, effect_key: str, *, wire: Wire) -> str | None:
        """See the protocol.

        All lists are looked through: what the filter's "has" means for a name is not documented.
        """
        named = (one for one in self._lists(wire) if effect_key_of(text(one, "displayName") or "") == effect_key)
        numbers = [int(_id(one)) for one in named]
        return str(min(numbers)) if numbers else None

    def create(self, name: str, effect_key: str, terms: ListTerms, *, wire: Wire) -> str:
        """See the protocol.

        Raises TryAgainError when a list of that name is there, and NeedsAttentionError for people that were found
        (``terms``) in an account that Google hasn't cleared for them: Customer Match is for an advertiser's own
        customers.
        """
        made = self._api.post(self._api.lists(), new_list(name, effect_key, terms), wire=wire)
        try:
            return _id(made)
        except InvalidAnswerError as error:
            raise OutcomeUnknownError(PROVIDER, error.message, detail=error.detail) from None

    def reference(self, list_id: str, *, wire: Wire) -> str | None:
        """See the protocol: the list's resource name in the Google Ads API."""
        try:
            found = self._api.get(self._api.lists(_checked(list_id)), wire=wire)
        except CredentialsError as error:
            if self._gone(list_id, error, wire):
                raise NotFoundError(PROVIDER, "the list does not exist", detail=error.detail) from None
            raise
        number = _id(found)
        if trouble := _trouble(found):
            raise NeedsAttentionError(PROVIDER, f"ads can't be aimed at the list: {trouble}")
        return f"customers/{self._api.customer_id}/userLists/{number}"

    def add(self, list_id: str, members: Sequence[str], terms: ListTerms, *, wire: Wire) -> None:
        """See the protocol: returns when Google has accepted the request, which it then works off."""
        numbers = (self._api.customer_id, self._api.manager_id, _checked(list_id))
        if members:
            self._accepted("audienceMembers:ingest", addition(*numbers, members, terms), wire)

    def remove(self, list_id: str, members: Sequence[str], *, wire: Wire) -> None:
        """See the protocol: returns when Google has accepted the request, which it then works off."""
        numbers = (self._api.customer_id, self._api.manager_id, _checked(list_id))
        if not members:
            return
        try:
            self._accepted("audienceMembers:remove", removal(*numbers, members), wire)
        except NotFoundError:
            return
        except CredentialsError as error:
            if not self._gone(list_id, error, wire):
                raise

    def delete(self, list_id: str, *, wire: Wire) -> None:
        """See the protocol."""
        try:
            self._api.delete(self._api.lists(_checked(list_id)), wire=wire)
        except NotFoundError:
            return
        except CredentialsError as error:
            if not self._gone(list_id, error, wire):
                raise

    def _accepted(self, method: str, body: Body, wire: Wire) -> None:
        answer = self._api.post(method, body, wire=wire)
        if text(answer, "requestId") is None:
            raise OutcomeUnknownError(PROVIDER, "answered without the field requestId", detail="requestId")

    def _gone(self, list_id: str, error: CredentialsError, wire: Wire) -> bool:
        """Return whether a refusal that also means "not found" means it: the account's lists lack this one.

        Raises the refusal of the account itself.
        """
        if not (error.detail or "").startswith(DENIED):
            return False
        return all(_id(one) != list_id for one in self._lists(wire))

    def _lists(self, wire: Wire) -> Iterator[Fields]:
        """Yield the account's own lists, one wire call a page."""
        token, seen = "", 0
        while seen < MAX_OBJECTS:
            page = self._api.get(
                self._api.lists(), {"pageSize": PAGE, **({"pageToken": token} if token else {})}, wire=wire
            )
            if not isinstance(page.get("userLists", []), list):
                raise missing(PROVIDER, "userLists")
            found = rows(page, "userLists")
            yield from (one for one in found if text(one, "accessReason") in (None, "OWNED"))
            seen += len(found) or 1
            token = text(page, "nextPageToken", 10_000) or ""
            if not token:
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_OBJECTS} objects")


def _id(item: Fields) -> str:
    """Return a list's id.

    Raises InvalidAnswerError for a list without one.
    """
    found = text(item, "id")  # 64 bits, so a text in JSON
    if found is None or not (found.isascii() and found.isdecimal()):
        raise missing(PROVIDER, "id")
    return found


def _checked(list_id: str) -> str:
    """Return an id that may stand in a path.

    Raises BadRequestError for one that is no number.
    """
    if not (list_id.isascii() and list_id.isdecimal()):
        raise BadRequestError(PROVIDER, "the id of a list is not a number")
    return list_id


def _trouble(item: Fields) -> str:
    """Return why ads can't be aimed at a list, "" when they can."""
    if text(item, "membershipStatus") == "CLOSED":
        reason = text(item, "closingReason", 60)
        return "it is closed" + (f" ({reason})" if reason else "")
    if text(item, "accountAccessStatus") == "DISABLED":
        return "the account's access to it has ended"
    if inner(item, "targetNetworkInfo").get("eligibleForSearch") is False:
        return "it is not eligible for Google Search"
    return ""
