"""TikTok's JSON API on the wire: one request a call, and what its codes mean.

Every answer is a 200 with a ``code``; 0 is success. Error table:

    40100                                     RateLimitedError, after Retry-After when there is one
    40001, 401xx otherwise                    CredentialsError
    4xxxx otherwise                           BadRequestError
    5xxxx                                     TransientError
    no answer, unreadable, without an id      TransientError, OutcomeUnknownError to a write
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from integrations.ads.platform import Wire
from integrations.ads.words import own_words
from integrations.errors import BadRequestError, CredentialsError, IntegrationError, RateLimitedError, TransientError
from integrations.http import HttpReply, credential, send
from integrations.http_errors import retry_after, unanswered
from integrations.settings import ProviderSettings

PROVIDER = "tiktok_ads"
PAGE_SIZE = 100
MAX_PAGES = 500

Row: TypeAlias = Mapping[str, object]


class Api:
    """TikTok's API for one advertiser."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings

    def get(self, path: str, query: Mapping[str, object], *, timeout: float) -> Row:
        """Return the ``data`` of an answer to a ``query`` whose lists and objects travel as JSON."""
        params = {name: value if isinstance(value, str | int) else json.dumps(value) for name, value in query.items()}
        return self._data("GET", path, timeout, params={"advertiser_id": self.advertiser, **params})

    def post(self, path: str, body: Mapping[str, object], *, timeout: float) -> Row:
        """Return the ``data`` of the answer to a change."""
        return self._data("POST", path, timeout, body={"advertiser_id": self.advertiser, **body})

    def rows(self, path: str, query: Mapping[str, object], *, wire: Wire) -> Iterator[Row]:
        """Yield all rows of a listing, one wire call a page.

        Raises TransientError for an answer without rows.
        """
        for page in range(1, MAX_PAGES + 1):
            asked = {**query, "page": page, "page_size": PAGE_SIZE}
            data = wire(lambda timeout, asked=asked: self.get(path, asked, timeout=timeout))  # type: ignore[misc] # mypy can't infer a lambda with a default
            yield from listed(data)
            info = data.get("page_info")
            pages = info.get("total_page") if isinstance(info, Mapping) else None
            if not isinstance(pages, int) or page >= pages:
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_PAGES} pages")

    @property
    def advertiser(self) -> str:
        """Return the id of the ad account."""
        return credential(self._settings, "advertiser_id")

    def _data(
        self,
        method: str,
        path: str,
        timeout: float,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Row:
        reply = send(
            PROVIDER,
            method,
            f"{self._settings.base_url}/{path}/",
            reach=self._settings.reach,
            timeout=timeout,
            params=params,
            json=body,
            headers={"Access-Token": credential(self._settings, "access_token")},
        )
        answer = reply.json_object()
        code, data = answer.get("code"), answer.get("data")
        if code != 0:
            raise _error(reply, code)
        if not isinstance(data, Mapping):
            raise unanswered(PROVIDER, method, "answered without data")
        return data


def listed(data: Row) -> list[Row]:
    """Return the rows of a listing's ``data``.

    Raises TransientError when it has none.
    """
    found = data.get("list")
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise TransientError(PROVIDER, "answered a listing without rows")
    return [row for row in found if isinstance(row, Mapping)]


def text(row: Row, name: str) -> str:
    """Return a field of a row as text, "" for one that is missing or no text."""
    found = row.get(name)
    return found if isinstance(found, str) else ""


def _error(reply: HttpReply, code: object) -> IntegrationError:
    """Return the error of a refusal, with TikTok's own sentence."""
    if not isinstance(code, int) or isinstance(code, bool):
        return unanswered(PROVIDER, reply.method, "answered without a code")
    kind: type[IntegrationError] = BadRequestError
    if code == 40100:
        kind = RateLimitedError
    elif code == 40001 or 40100 < code < 40200:
        kind = CredentialsError
    elif code >= 50000:
        kind = TransientError
    said = own_words(reply.json_object().get("message"))
    return kind(
        PROVIDER,
        f"refused a {reply.method}" + (f": {said}" if said else ""),
        detail=str(code),
        retry_after=retry_after(reply.headers),
    )
