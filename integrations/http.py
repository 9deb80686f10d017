"""HTTP for our own REST clients: bounded in time and size, without retries, with mapped errors.

Retries belong to the ledger (a retry hidden in a client would be paid for and not recorded), so a call here is exactly
one request. Invariants: every call ends (connect and read time-outs, and a total deadline while the body comes in), no
answer is larger than ``max_bytes``, environment proxies and ``.netrc`` are never used, and no error holds a URL, a
header or a body, because those carry keys and people's data.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import Cookie
from typing import TYPE_CHECKING
from zlib import decompressobj
from zlib import error as ZlibError

import requests
from pydantic import JsonValue
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    OutOfReachError,
    RateLimitedError,
    TransientError,
)
from integrations.http_errors import SAFE_METHODS, error_class, retry_after, seconds_until, unanswered
from integrations.outbound import AddressRefusedError, BoundedAdapter, Reach
from integrations.settings import ProviderSettings, SettingsError
from integrations.values import parse_json

if TYPE_CHECKING:
    from zlib import _Decompress

MAX_BYTES = 10 * 1024 * 1024  #: default bound of an answer's body, decompressed
GZIP = 31  #: zlib's window bits for a gzip header
CONNECT_TIMEOUT_S = 5.0  #: a host that doesn't accept the connection within these seconds is down
POOL_SIZE = 8  #: idle connections kept per thread and host

QueryValue = str | int | float

#: What requests raises before it sends anything: the URL is not valid, or the text can't be put into a request.
BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)
BAD_TEXT = (UnicodeError, requests.exceptions.InvalidHeader, requests.exceptions.InvalidJSONError)

# urllib3 writes every request line with its query at DEBUG, and the URL of an answer with torn headers as a warning; a
# query may hold a key.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """Answer to one request, whose ``headers`` are looked up case-insensitively."""

    provider: str
    method: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False, default=b"")

    def json(self) -> JsonValue:
        """Return the body as clean JSON (:func:`integrations.values.parse_json`).

        A body that is not JSON counts as no answer: raises TransientError when the method is a reading one, and
        OutcomeUnknownError when it is a writing one.
        """
        try:
            return parse_json(self.body)
        except ValueError:
            raise unanswered(
                self.provider, self.method, f"answered {self.status} with a body that is not JSON"
            ) from None

    def json_object(self) -> dict[str, JsonValue]:
        """Return the body as a JSON object, and treat other JSON like a body that is not JSON, see :meth:`json`."""
        found = self.json()
        if not isinstance(found, dict):
            text = f"answered JSON of type {type(found).__name__}, not an object"
            raise unanswered(self.provider, self.method, text)
        return found


def fits_header(text: str) -> bool:
    """Tell whether a key or token can be sent in a header."""
    return text.isascii() and text.isprintable() and " " not in text


def credential(provider: ProviderSettings, name: str) -> str:
    """Return the credential ``name`` of a provider.

    Raises CredentialsError when it is missing or holds a character that can't be sent.
    """
    try:
        found = provider.credential(name)
    except SettingsError as error:
        raise CredentialsError(provider.name, str(error)) from None
    if not fits_header(found):
        raise CredentialsError(provider.name, f"its {name} holds a space, a line break or a letter that no key has")
    return found


class _NoCookies(RequestsCookieJar):
    """Cookie jar that keeps no cookies, so that calls share no session at a provider."""

    def set_cookie(self, cookie: Cookie, *args: object, **kwargs: object) -> None:
        """Ignore a cookie."""


class DirectSession(requests.Session):
    """Session that never resolves a redirect.

    Even when told not to follow a redirect, requests reads its whole body, without any bound, and parses its Location,
    which raises errors of its own.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target."""


class _Sessions(threading.local):
    """One session per thread and reach, because requests doesn't promise that sessions are thread-safe."""

    def __init__(self) -> None:
        self.by_reach: dict[Reach, requests.Session] = {}


_sessions = _Sessions()


def _forget_sessions() -> None:
    global _sessions  # noqa: PLW0603 - a forked child must not share its parent's sockets
    _sessions = _Sessions()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_sessions)


def session(reach: Reach) -> requests.Session:
    """Return this thread's session for ``reach``, which uses no environment variables, cookies or retries."""
    found = _sessions.by_reach.get(reach)
    if found is None:
        found = DirectSession()
        found.trust_env = False
        found.headers["Accept-Encoding"] = "gzip"  # the one encoding that read_bounded can decompress
        found.cookies = _NoCookies()
        adapter = BoundedAdapter(reach, pool_size=POOL_SIZE)
        found.mount("http://", adapter)
        found.mount("https://", adapter)
        _sessions.by_reach[reach] = found
    return found


def send(
    provider: str,
    method: str,
    url: str,
    *,
    timeout: float,
    reach: Reach = Reach.LOOPBACK,
    params: Mapping[str, QueryValue] | Sequence[tuple[str, QueryValue]] | None = None,
    json: object = None,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    errors: Mapping[int, type[IntegrationError]] | None = None,
    classify: Callable[[HttpReply], type[IntegrationError] | None] | None = None,
    describe: Callable[[HttpReply], str | None] | None = None,
    words: Callable[[HttpReply], str] | None = None,
    reset_header: str | None = None,
    answers: Collection[int] = (),
) -> HttpReply:
    """Send one request and return its answer, which has a status below 400 or one of ``answers``.

    The body is ``json``, ``form`` as a web form, or ``content`` as it is. Redirects are not followed. ``timeout`` is in
    seconds, for the whole exchange. ``reach`` is that of the provider's settings; without it only this machine is
    reached. The class of the error for another status is, in this order: ``classify(reply)`` (for providers whose body
    says more than the status), the provider's table ``errors``, the table of :mod:`integrations.http_errors`.
    ``describe(reply)`` returns the provider's own short error code for the error's ``detail``, and ``words(reply)``
    the provider's own sentence for the error's message, "" for none; they must not return people's data or keys.
    ``reset_header`` names the header with the moment at which a rate limit ends, for providers that send no
    Retry-After with it.

    Raises TransientError when nothing was sent (refused, not resolved, connect time-out), when a reading method got no
    answer, and for 5xx. Raises OutcomeUnknownError when a writing method (POST, PUT, PATCH, DELETE) was sent and no
    answer came, or a gateway's (502, 504), or one above ``max_bytes``. Raises InvalidAnswerError when a reading method
    got an answer above ``max_bytes``, BadRequestError when the request can't be sent, and OutOfReachError, before
    anything is sent, when the address is out of ``reach``.
    """
    method = method.upper()
    reply = _exchange(provider, method, url, timeout, reach, max_bytes, params, json, content or form, headers)
    if reply.status < 400 or reply.status in answers:
        return reply
    error = (classify(reply) if classify else None) or error_class(method, reply.status, errors)
    detail = describe(reply) if describe else None
    said = words(reply) if words else ""
    wait = retry_after(reply.headers)
    if wait is None and reset_header and issubclass(error, RateLimitedError):
        wait = seconds_until(reply.headers, reset_header)
    raise error(
        provider,
        f"answered {reply.status} to {method}" + (f": {said}" if said else ""),
        detail=detail[:120] if detail else None,
        retry_after=wait,
    )


def _exchange(
    provider: str,
    method: str,
    url: str,
    timeout: float,
    reach: Reach,
    max_bytes: int,
    params: Mapping[str, QueryValue] | Sequence[tuple[str, QueryValue]] | None,
    json: object,
    data: bytes | Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
) -> HttpReply:
    deadline = time.monotonic() + timeout
    try:
        with session(reach).request(
            method,
            url,
            params=params,
            json=json,
            data=data,
            headers=dict(headers or {}),
            timeout=(min(CONNECT_TIMEOUT_S, timeout), timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = read_bounded(response, max_bytes, deadline, cut=response.status_code >= 400)
            if body is None and response.status_code < 400:
                if method not in SAFE_METHODS:
                    raise unanswered(provider, method, f"answered with more than {max_bytes} bytes")
                raise InvalidAnswerError(provider, f"answered with more than {max_bytes} bytes")
            return HttpReply(
                provider=provider,
                method=method,
                status=response.status_code,
                headers=CaseInsensitiveDict(response.headers),
                body=body or b"",
            )
    except (ReadTimeoutError, TimeoutError):
        raise unanswered(provider, method, f"did not finish its answer within {timeout:g} s") from None
    except AddressRefusedError as error:
        raise OutOfReachError(provider, str(error)) from None
    except BAD_ADDRESS:
        raise BadRequestError(provider, "its base URL is not a URL we can use") from None
    except BAD_TEXT:
        raise BadRequestError(provider, "the request holds text that can't be sent") from None
    except (HTTPError, ZlibError):  # the body broke off, or isn't what its headers say
        raise unanswered(provider, method, "broke off its answer") from None
    except requests.RequestException as error:
        if was_not_sent(error):
            raise TransientError(provider, f"can't be reached ({type(error).__name__})") from None
        raise unanswered(provider, method, f"gave no answer ({type(error).__name__})") from None


def read_bounded(response: requests.Response, max_bytes: int, deadline: float, *, cut: bool = False) -> bytes | None:
    """Return the decompressed body, or None when it is above ``max_bytes`` or in an encoding that we didn't ask for.

    With ``cut`` a body that is too long is cut to ``max_bytes`` instead. Raises TimeoutError when ``deadline``, a time
    of ``time.monotonic()``, passes while the body comes in, so that a host that sends a byte a second can't block a
    thread. urllib3's errors pass through.
    """
    named = response.headers.get("Content-Encoding", "").lower().split(",")
    encodings = [one.strip() for one in named if one.strip() not in ("", "identity")]
    if encodings not in ([], ["gzip"], ["x-gzip"]):
        return None
    inflate = decompressobj(wbits=GZIP) if encodings else None
    parts: list[bytes] = []
    size = 0
    # read1 returns what one receive brought; read(n) would wait for n bytes, however slowly they come.
    while chunk := response.raw.read1(65536, decode_content=False):
        if time.monotonic() > deadline:
            raise TimeoutError
        if inflate:
            chunk, inflate = _inflated(chunk, inflate, max_bytes - size + 1)
        size += len(chunk)
        parts.append(chunk)
        if size > max_bytes:
            return b"".join(parts)[:max_bytes] if cut else None
    return b"".join(parts)


def _inflated(chunk: bytes, inflate: _Decompress, most: int) -> tuple[bytes, _Decompress]:
    """Return at most ``most`` bytes of decompressed text, and what goes on with it: a body may have several members."""
    found = inflate.decompress(chunk, most)
    while inflate.eof and inflate.unused_data.startswith(b"\x1f\x8b") and len(found) < most:
        rest, inflate = inflate.unused_data, decompressobj(wbits=GZIP)
        found += inflate.decompress(rest, most - len(found))
    return found, inflate


def was_not_sent(error: requests.RequestException) -> bool:
    """Return whether an exchange failed before the request was sent (connect time-out, refused, not resolved, TLS)."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError):
        return False
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, ReadTimeoutError | ProtocolError):
        return False
    return isinstance(cause, NewConnectionError | ConnectTimeoutError)
