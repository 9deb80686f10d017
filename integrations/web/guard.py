"""Protection of web scraping against server-side request forgery (SSRF).

URLs come from search results, redirects and pages, which anyone can write. Invariant: a connection is only made to an
address that was checked here (the caller pins it), so that a name can't resolve to another one between check and use.
Which addresses pass is the rule of :mod:`integrations.outbound`, which is applied once more where the connection is
made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from integrations.errors import BadRequestError, PolicyRefusedError
from integrations.host_names import ascii_name
from integrations.outbound import AddressRefusedError, Reach, check_host
from integrations.values import http_url

NAME = "web"
PUBLIC_PORTS = frozenset({80, 443})
#: Sites whose terms forbid scraping and whose owners enforce them in court. Search results about them may be read, but
#: their pages are never fetched.
NEVER_FETCHED = ("linkedin.com", "facebook.com", "instagram.com", "x.com", "twitter.com")


@dataclass(frozen=True, slots=True)
class Target:
    """URL whose form was checked, but not yet the addresses of its host."""

    url: str  #: with its host in ASCII
    scheme: str
    host: str  #: lower case, brackets off
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port, which one robots.txt is for."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """Host and port in the form of the Host header."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.scheme == "https" else 80) else f"{shown}:{self.port}"


def check_url(url: str, reach: Reach) -> Target:
    """Check the form of a URL, which on loopback may have any port.

    Raises BadRequestError when it is not a plain http or https URL, and PolicyRefusedError when its site is never
    fetched or its port is not allowed.
    """
    found_url = http_url(url)
    if found_url is None:
        raise BadRequestError(NAME, "a URL is not a plain http or https address")
    parts = urlsplit(found_url)
    port, host = parts.port, (parts.hostname or "").rstrip(".")
    if not host:
        raise BadRequestError(NAME, "a URL is not a plain http or https address")
    if parts.username is not None or parts.password is not None:
        raise BadRequestError(NAME, "a URL holds a user name, which no public page needs")
    if not host.isascii():
        try:
            host = ascii_name(host)
        except ValueError:
            raise BadRequestError(NAME, "a URL's host is not a valid name") from None
        found_url = urlunsplit(parts._replace(netloc=host if port is None else f"{host}:{port}"))
    if any(host == site or host.endswith("." + site) for site in NEVER_FETCHED):
        raise PolicyRefusedError(NAME, f"{host} is never fetched")
    found = port or (443 if parts.scheme == "https" else 80)
    if reach is not Reach.LOOPBACK and found not in PUBLIC_PORTS:
        raise PolicyRefusedError(NAME, f"port {found} is not a public web port")
    return Target(url=found_url, scheme=parts.scheme, host=host, port=found)


def check_addresses(addresses: Sequence[str], reach: Reach) -> str:
    """Return the first of a host's addresses, to connect to, if *every* one of them is within ``reach``.

    Raises PolicyRefusedError when one is not.
    """
    for address in addresses:
        try:
            check_host(address, reach)
        except AddressRefusedError as error:
            raise PolicyRefusedError(NAME, f"a host may not be reached: {error}") from None
    return addresses[0]
