"""Protection of web scraping against server-side request forgery (SSRF).

URLs come from search results, redirects and pages, which anyone can write. Invariant: a connection is only made to an
address that was checked here (the caller pins it), so that a name can't resolve to another one between check and use.
The standard library's ``is_global`` alone is not enough: it is true for IPv4-compatible, 6to4, NAT64 and site-local
forms of private addresses, so the IPv4 address inside is checked as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from integrations.errors import BadRequestError, PolicyRefusedError
from integrations.values import http_url

NAME = "web"
PUBLIC_PORTS = frozenset({80, 443})
#: Sites whose terms forbid scraping and whose owners enforce them in court. Search results about them may be read, but
#: their pages are never fetched.
NEVER_FETCHED = ("linkedin.com", "facebook.com", "instagram.com", "x.com", "twitter.com")

_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
_RELAY_ANYCAST = ip_network("192.88.99.0/24")  #: RFC 7526, deprecated


@dataclass(frozen=True, slots=True)
class Target:
    """URL whose form was checked, but not yet the addresses of its host."""

    url: str
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


def check_url(url: str, *, private: bool) -> Target:
    """Check the form of a URL, where ``private`` allows any port.

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
    if any(host == site or host.endswith("." + site) for site in NEVER_FETCHED):
        raise PolicyRefusedError(NAME, f"{host} is never fetched")
    found = port or (443 if parts.scheme == "https" else 80)
    if not private and found not in PUBLIC_PORTS:
        raise PolicyRefusedError(NAME, f"port {found} is not a public web port")
    return Target(url=found_url, scheme=parts.scheme, host=host, port=found)


def check_addresses(addresses: Sequence[str], *, private: bool) -> str:
    """Return the first of a host's addresses, to connect to, if *every* one of them is allowed.

    ``private`` allows loopback and private networks. Raises PolicyRefusedError when one is not allowed.
    """
    for text in addresses:
        address = ip_address(text.partition("%")[0])
        if not (is_private_or_public(address) if private else is_public(address)):
            raise PolicyRefusedError(NAME, "a host's address is not on the public Internet")
    return addresses[0]


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address, and each IPv4 address inside it, is on the public Internet."""
    if any(not is_public(inner) for inner in embedded(address)):
        return False
    if isinstance(address, IPv6Address):
        if address.is_site_local:
            return False
    elif address in _RELAY_ANYCAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_private)


def is_private_or_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address may be connected to where private hosts are allowed.

    All may but multicast, unspecified and link-local ones. Link-local stays forbidden because clouds serve machine
    credentials there (169.254.169.254).
    """
    if any(not is_private_or_public(inner) for inner in embedded(address)):
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_link_local)


def embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses inside an IPv6 address: mapped, 6to4, Teredo, NAT64, IPv4-compatible."""
    if isinstance(address, IPv4Address):
        return []
    found: list[IPv4Address] = []
    if address.ipv4_mapped:
        found.append(address.ipv4_mapped)
    if address.sixtofour:
        found.append(address.sixtofour)
    if address.teredo:
        found += address.teredo
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        found.append(low)
    if address in _COMPATIBLE and int(address) > 1:  # "::" and "::1" are themselves
        found.append(low)
    return found
