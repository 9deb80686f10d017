"""Facebook's Graph API over the official SDK, with its defects fenced in.

The SDK gives the session (token, appsecret_proof, certificate bundle, version in the path) and the
encoding of nested parameters. Not used: ``FacebookAdsApi.init`` (sets a process-wide default and an
excepthook that sends stack traces away) and its object parsers. Fenced in (facebook-business 26.0.3):
a body that is not JSON counts as success whatever the status; a 500 with JSON lacking "error" is
returned as an object; a 200 without an id as well; some error bodies crash its exception; no time-out
and no retries by default; an answer is read to its end, however long it is and takes. So the SDK sends, and
the answer is read here. Invariants: every call ends by its time-out once the answer has begun, and no answer
is larger than :data:`integrations.http.MAX_BYTES`; :meth:`Graph.get` and :meth:`Graph.post` return a JSON object
of an answer below 400, or raise an error of :mod:`integrations.errors` that holds no URL: the token travels in
the query string by Facebook's protocol. The SDK writes what a DELETE says into the URL, too: :meth:`Graph.delete`
says nothing but the path.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from zlib import error as ZlibError

import requests
from urllib3.exceptions import HTTPError

from integrations.ads.facebook.errors import PROVIDER, facebook_error
from integrations.ads.facebook.usage import slow_down_seconds
from integrations.ads.page_size import LARGEST_PAGE, MAX_OBJECTS, PageSize
from integrations.ads.platform import Wire, object_id, object_name
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    OutcomeUnknownError,
    OutOfReachError,
    TransientError,
)
from integrations.fields import missing
from integrations.http import (
    BAD_ADDRESS,
    BAD_TEXT,
    CONNECT_TIMEOUT_S,
    MAX_BYTES,
    credential,
    read_bounded,
    was_not_sent,
)
from integrations.http_errors import unanswered
from integrations.outbound import AddressRefusedError, BoundedAdapter
from integrations.settings import ProviderSettings
from integrations.slowing import slow_down
from integrations.values import parse_json

identifier, named = partial(object_id, PROVIDER), partial(object_name, PROVIDER)
#: urllib3 writes request lines at DEBUG, and the token is in them.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Graph:
    """One ad account's Graph API, safe to use from several threads, each of which has its own session."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._local = threading.local()
        self._pages = PageSize()

    @property
    def account(self) -> str:
        """Path of the ad account."""
        return f"act_{credential(self._settings, 'ad_account_id').removeprefix('act_')}"

    def get(self, *path: str, timeout: float, **params: Any) -> dict[str, Any]:
        """Read an object or one page of an edge."""
        return self._call("GET", path, params, timeout)

    def post(self, *path: str, timeout: float, **params: Any) -> dict[str, Any]:
        """Create, change or try out, with nested values as JSON in a form."""
        return self._call("POST", path, params, timeout)

    def created(self, *path: str, timeout: float, **params: Any) -> str:
        """Create an object and return its id.

        Raises OutcomeUnknownError for an answer without one.
        """
        found = self.post(*path, timeout=timeout, **params).get("id")
        if not isinstance(found, str) or not found:
            raise missing(PROVIDER, "id", OutcomeUnknownError)
        return found

    def change(self, *path: str, timeout: float, **params: Any) -> None:
        """Change an object.

        Raises OutcomeUnknownError for any answer but ``"success": true``.
        """
        if self.post(*path, timeout=timeout, **params).get("success") is not True:
            raise OutcomeUnknownError(PROVIDER, "answered a change without the field success, or one that is not true")

    def delete(self, *path: str, timeout: float) -> None:
        """Delete an object.

        Raises OutcomeUnknownError for any answer but ``"success": true``.
        """
        if self._call("DELETE", path, {}, timeout).get("success") is not True:
            raise OutcomeUnknownError(PROVIDER, "answered a deletion without success")

    def pages(self, *path: str, wire: Wire, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield all objects of an edge, one wire call a page, and one more for each page that is too big."""
        after: str | None = None
        seen = 0
        while seen < MAX_OBJECTS:
            asked = {**params, **({"after": after} if after else {})}

            def ask(size: int, asked: Mapping[str, Any] = asked) -> dict[str, Any]:
                return wire(lambda timeout: self.get(*path, timeout=timeout, limit=size, **asked))

            page = self._pages.asked(ask)
            data = page.get("data")
            if not isinstance(data, list):
                raise missing(PROVIDER, "data", TransientError)
            seen += len(data) or LARGEST_PAGE
            yield from (item for item in data if isinstance(item, dict))
            paging = page.get("paging")
            following = paging if isinstance(paging, dict) else {}
            cursors = following.get("cursors")
            after = cursors.get("after") if isinstance(cursors, dict) and following.get("next") else None
            if not after:
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_OBJECTS} objects")

    def _session(self) -> Any:
        """Return this thread's FacebookSession (and this process': sockets don't survive a fork)."""
        if getattr(self._local, "pid", None) != os.getpid():
            from facebook_business.session import FacebookSession

            made = FacebookSession(
                app_id=credential(self._settings, "app_id"),
                app_secret=credential(self._settings, "app_secret"),
                access_token=credential(self._settings, "access_token"),
            )
            made.GRAPH = self._settings.base_url
            made.requests.trust_env = False
            for scheme in ("http://", "https://"):
                made.requests.mount(scheme, BoundedAdapter(self._settings.reach))
            made.requests.headers["Accept-Encoding"] = "gzip"  # what read_bounded can undo within its bounds
            # A redirect is an answer that nobody can read: see integrations.http.DirectSession.
            made.requests.get_redirect_target = lambda _answer: None
            made.requests.hooks["response"].append(self._keep)
            self._local.session, self._local.pid = made, os.getpid()
        return self._local.session

    def _call(self, method: str, path: tuple[str, ...], params: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        from facebook_business.api import FacebookAdsApi
        from facebook_business.exceptions import FacebookError

        session = self._session()
        session.timeout = (min(CONNECT_TIMEOUT_S, timeout), timeout)
        self._local.answer, self._local.deadline = None, time.monotonic() + timeout
        try:
            FacebookAdsApi(session).call(method, path, params=dict(params))
        except AddressRefusedError as error:
            raise OutOfReachError(PROVIDER, str(error)) from None
        except (*BAD_ADDRESS, *BAD_TEXT) as error:
            if self._local.answer is None:
                raise _not_sendable(error) from None
        except (requests.RequestException, HTTPError, TimeoutError, ZlibError) as error:
            raise _no_answer(error, method) from None
        except (FacebookError, TypeError, ValueError, AttributeError, LookupError, RecursionError):
            pass  # a refusal, or one of the SDK's own stumbles over an answer: the answer itself decides
        answer = self._local.answer
        if answer is None:
            raise BadRequestError(PROVIDER, "the SDK refused to send the request")
        slow_down(slow_down_seconds(answer.headers))
        body = _json(answer)
        if not isinstance(body, dict) or answer.status_code >= 400 or "error" in body:
            refusal = body.get("error") if isinstance(body, dict) else None
            refusal = refusal if isinstance(refusal, dict) else None
            raise facebook_error(
                answer.status_code, refusal, answer.headers, write=method != "GET", secrets=self._secrets
            )
        return body

    @property
    def _secrets(self) -> list[str]:
        """Credentials that an answer must not bring into an error."""
        return [credential(self._settings, name) for name in ("access_token", "app_secret")]

    def _keep(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        """Read the answer within bounds and keep it as it came, before the SDK reads anything into it."""
        body = None
        try:
            body = read_bounded(answer, MAX_BYTES, self._local.deadline)
        finally:
            if body is None:  # too long, too late or broken off: nobody reads on
                answer.close()
        # What requests' own ``content`` would set; from here on nobody reads the socket.
        answer._content, answer._content_consumed = body or b"", True  # type: ignore[attr-defined]
        self._local.answer = answer


def _json(answer: requests.Response) -> Any:
    try:
        return parse_json(answer.content)
    except ValueError:
        return None


def _not_sendable(error: Exception) -> IntegrationError:
    if isinstance(error, BAD_ADDRESS):
        return BadRequestError(PROVIDER, "its base URL is not a URL we can use")
    return BadRequestError(PROVIDER, "the request holds text that can't be sent")


def _no_answer(error: Exception, method: str) -> IntegrationError:
    # Names of exception classes only: their texts hold the URL.
    name = type(error).__name__
    if isinstance(error, requests.RequestException) and was_not_sent(error):
        return TransientError(PROVIDER, f"can't be reached ({name})")
    return unanswered(PROVIDER, method, f"gave no answer ({name})")
