"""Fetching of one page or one small site.

For every request, robots.txt is read first, the URL and all addresses of its host are checked
(:mod:`integrations.web.guard`), and the connection is pinned to the checked address. A redirect counts as a new URL. At
most :data:`MAX_BYTES` of HTML are read within the time-out, under our own user agent, with a pause between two requests
to one host. Invariant: a page that robots.txt forbids is never requested. Error table:

    401, 403, 451                        PolicyRefusedError
    404, 410, no such host               NotFoundError
    408, 425, 5xx                        TransientError
    429                                  RateLimitedError, after Retry-After when there is one
    other 4xx, other 3xx than redirects  PermanentError
    no answer, cut off, host not resolved, robots.txt unreadable
                                         TransientError
    robots.txt forbids, address out of reach, site that is never fetched
                                         PolicyRefusedError
    no URL, too many redirects           BadRequestError
    not HTML, above the size limit, not in the encoding it names
                                         InvalidAnswerError

The content of a page is not judged here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin
from zlib import error as ZlibError

import requests
from urllib3.exceptions import HTTPError

from integrations.dns import Dns
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    PermanentError,
    PolicyRefusedError,
    RateLimitedError,
    TransientError,
)
from integrations.http import BAD_ADDRESS, BAD_TEXT, CONNECT_TIMEOUT_S, DirectSession, read_bounded
from integrations.http_errors import retry_after
from integrations.outbound import AddressRefusedError, BoundedAdapter, Reach
from integrations.settings import Settings
from integrations.web.charset import decode
from integrations.web.crawl import Site, WebPage, crawl
from integrations.web.guard import NAME, Target, check_addresses, check_url
from integrations.web.robots import MAX_BYTES as MAX_ROBOTS_BYTES
from integrations.web.robots import RobotsCache, Rules, product_token

if TYPE_CHECKING:
    from requests.adapters import _HostParams, _PoolKwargs

MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTML = ("text/html", "application/xhtml+xml", "text/plain")

ERRORS: Mapping[int, type[IntegrationError]] = {
    401: PolicyRefusedError,
    403: PolicyRefusedError,
    404: NotFoundError,
    408: TransientError,
    410: NotFoundError,
    425: TransientError,
    429: RateLimitedError,
    451: PolicyRefusedError,
}


class _Pinned(BoundedAdapter):
    """Adapter that connects to the checked address instead of resolving the host's name again."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self.address = ""  #: for the next request of this thread

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: str | tuple[str, str] | None = None
    ) -> tuple[_HostParams, _PoolKwargs]:
        """Return the key of the pinned address's pool, in which TLS still verifies the host's name."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            names = {"server_hostname": host["host"], "assert_hostname": host["host"]}
            cast("dict[str, object]", pool).update(names)
        host["host"] = self.address
        return host, pool


class _Threads(threading.local):
    adapter: _Pinned | None = None
    session: requests.Session | None = None


class WebFetcher:
    """Client for public web sites, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._dns = Dns(settings)
        self._reach = settings.web_reach
        self._agent = settings.web_user_agent
        self._delay_s = settings.web_delay_s
        self._robots = RobotsCache(product_token(settings.web_user_agent))
        self._local = _Threads()
        self._turns: dict[str, float] = {}
        self._turns_lock = threading.Lock()

    def fetch(self, url: str, *, timeout: float) -> WebPage:
        """Fetch one page, over its redirects.

        ``timeout`` in seconds is for all requests together, without the pauses between them. Raises errors by the table
        above.
        """
        deadline = time.monotonic() + timeout
        self._session()[0].cookies.clear()  # they last for one page: sites and campaigns must not share them
        for _ in range(MAX_REDIRECTS + 1):
            target = check_url(url, self._reach)
            rules = self._rules(target, deadline)
            if not rules.allows(target.url):
                raise PolicyRefusedError(NAME, "robots.txt forbids this page", detail="robots")
            deadline += self._await_turn(target, max(self._delay_s, rules.delay_s()))
            status, headers, body = self._get(target, deadline, MAX_BYTES)
            if status in _REDIRECTS and headers.get("Location"):
                url = _joined(target.url, headers["Location"])
                continue
            return WebPage(url=target.url, html=_html(status, headers, body))
        raise BadRequestError(NAME, f"more than {MAX_REDIRECTS} redirects")

    def crawl(self, url: str, *, max_pages: int, timeout: float, fetch: Callable[[str], WebPage] | None = None) -> Site:
        """Fetch up to ``max_pages`` pages of a site from its start page on, those that name people first.

        ``fetch`` makes one call (default: :meth:`fetch` with ``timeout``); a unit passes its own, so that each page is
        admitted by itself. Raises the errors of the start page. Those of other pages are only counted.
        """
        return crawl(url, fetch or (lambda page: self.fetch(page, timeout=timeout)), max_pages=max_pages)

    def _rules(self, target: Target, deadline: float) -> Rules:
        return self._robots.rules(target.origin, lambda: self._read_robots(target, deadline))

    def _read_robots(self, target: Target, deadline: float) -> bytes | None:
        """Fetch robots.txt, or return None when the site has none.

        Raises TransientError when that can't be found out (RFC 9309 §2.3.1.4).
        """
        url = f"{target.origin}/robots.txt"
        for _ in range(MAX_REDIRECTS + 1):
            here = check_url(url, self._reach)
            try:
                status, headers, body = self._get(here, deadline, MAX_ROBOTS_BYTES, cut=True)
            except InvalidAnswerError:
                raise TransientError(NAME, "robots.txt can't be read, so nothing may be read now") from None
            if status in _REDIRECTS and headers.get("Location"):
                try:
                    url = _joined(here.url, headers["Location"])
                    check_url(url, self._reach)
                except BadRequestError:
                    return None  # it leads to no URL, so there is none
                continue
            if status == 429 or status >= 500:
                error = RateLimitedError if status == 429 else TransientError
                text = f"robots.txt answered {status}, so nothing may be read now"
                raise error(NAME, text, retry_after=retry_after(headers))
            return body if status < 300 else None
        return None  # RFC 9309 §2.3.1.2: after too many redirects it counts as missing

    def _get(
        self, target: Target, deadline: float, max_bytes: int, *, cut: bool = False
    ) -> tuple[int, Mapping[str, str], bytes]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TransientError(NAME, "a site did not answer in time")
        try:
            addresses = self._dns.addresses(target.host, timeout=left)
        except NotFoundError:
            raise NotFoundError(NAME, "a site's host does not exist") from None
        except TransientError:
            raise TransientError(NAME, "a site's host could not be looked up") from None
        session, adapter = self._session()
        adapter.address = check_addresses(addresses, self._reach)
        left = max(0.1, deadline - time.monotonic())
        try:
            with session.get(
                target.url,
                headers={"Host": target.netloc},
                timeout=(min(CONNECT_TIMEOUT_S, left), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                headers = response.headers
                wanted = response.status_code < 300 and (cut or _is_html(headers))
                body = read_bounded(response, max_bytes, deadline, cut=cut) if wanted else b""
                if body is None:
                    raise InvalidAnswerError(NAME, f"a page is above {max_bytes} bytes or oddly encoded")
                return response.status_code, headers, body
        except (*BAD_ADDRESS, *BAD_TEXT):
            raise BadRequestError(NAME, "a URL can't be sent") from None
        except AddressRefusedError as error:
            raise PolicyRefusedError(NAME, f"a host may not be reached: {error}") from None
        except ZlibError:
            raise InvalidAnswerError(NAME, "a page is not in the encoding that it names") from None
        except (requests.RequestException, HTTPError, TimeoutError) as error:
            raise TransientError(NAME, f"a site gave no answer ({type(error).__name__})") from None

    def _session(self) -> tuple[requests.Session, _Pinned]:
        session, adapter = self._local.session, self._local.adapter
        if session is None or adapter is None:
            session, adapter = DirectSession(), _Pinned(self._reach)
            session.trust_env = False
            session.headers.update(
                {"User-Agent": self._agent, "Accept": "text/html,application/xhtml+xml", "Accept-Encoding": "gzip"}
            )
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._local.session, self._local.adapter = session, adapter
        return session, adapter

    def _await_turn(self, target: Target, pause_s: float) -> float:
        """Wait until this process may send the next request to a host, and return the seconds waited."""
        if pause_s <= 0:
            return 0.0
        with self._turns_lock:
            now = time.monotonic()
            turn = max(now, self._turns.get(target.origin, 0.0))
            self._turns[target.origin] = turn + pause_s
        time.sleep(turn - now)
        return turn - now


def _joined(base: str, location: str) -> str:
    """Return the URL that a redirect leads to.

    Raises BadRequestError when its Location is not valid.
    """
    with suppress(UnicodeError):  # a header is Latin-1 to the client, and what sites write there is UTF-8
        location = location.encode("latin-1").decode("utf-8")
    try:
        return urljoin(base, location)
    except ValueError:
        raise BadRequestError(NAME, "a redirect leads to no valid URL") from None


def _is_html(headers: Mapping[str, str]) -> bool:
    kind = headers.get("Content-Type", "text/html").split(";")[0].strip().lower()
    return kind in _HTML


def _html(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Return the text of a successful answer, or raise an error by the module's table."""
    if status >= 300:
        error = ERRORS.get(status) or (TransientError if status >= 500 else PermanentError)
        raise error(NAME, f"a site answered {status}", retry_after=retry_after(headers))
    if not _is_html(headers):
        raise InvalidAnswerError(NAME, "a page is not HTML")
    return decode(body, headers.get("Content-Type", ""))
