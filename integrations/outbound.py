"""Where a process may connect to: the one rule that every client's connections obey.

Checked where a connection is made, after redirects, look-ups and proxies had their say, so that no address written on a
page, in a file, an answer or a setting leads further. Invariants: in sandbox mode nothing leaves this machine's
loopback addresses, and no name but ``localhost`` is looked up; in live mode a page leads to no private, loopback,
link-local or metadata address, and to the very address that was checked. A refusal is raised before a packet is sent.
The standard library's ``is_global`` alone is not enough: it is true for IPv4-compatible, 6to4, NAT64 and site-local
forms of private addresses, so the IPv4 address inside is checked as well.
"""

from __future__ import annotations

import socket
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from integrations.http_interim import FinalResponse

LOCALHOST = "localhost"
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
_RELAY_ANYCAST = ip_network("192.88.99.0/24")  #: RFC 7526, deprecated


class Reach(StrEnum):
    """How far a client's connections go."""

    LOOPBACK = "loopback"  #: this machine only: everything in sandbox mode
    PUBLIC = "public"  #: the public Internet only: pages, which anyone can write
    ANYWHERE = "anywhere"  #: a provider's address that the user has set: it may be a server of their own


class AddressRefusedError(Exception):
    """Raised before a connection to an address that a client may not reach, so that nothing is sent."""


def check_host(host: str, reach: Reach) -> None:
    """Check the host of a connection that is about to be made: an IP address, or a name still to be looked up.

    Raises AddressRefusedError when ``reach`` doesn't go there. A name passes only as ``localhost`` on loopback, or
    where everything passes: whoever connects to a page looks its name up first and connects to what was checked.
    """
    if reach is Reach.ANYWHERE:
        return
    address = _literal(host)
    if address is None:
        inside = reach is Reach.LOOPBACK and host.lower() == LOCALHOST
    else:
        inside = is_loopback(address) if reach is Reach.LOOPBACK else is_public(address)
    if not inside:
        where = "this machine (sandbox mode)" if reach is Reach.LOOPBACK else "the public Internet"
        raise AddressRefusedError(f"its address is not on {where}; nothing was sent")


def leads_to_loopback(url: str) -> bool:
    """Return whether the host of an http(s) URL is this machine, written as a loopback address or ``localhost``."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        check_host(host, Reach.LOOPBACK)
    except (ValueError, AddressRefusedError):
        return False
    return parts.scheme in ("http", "https")


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of this machine's loopback addresses, also as an IPv4-mapped one."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


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


class BoundedAdapter(HTTPAdapter):
    """Adapter of a requests session, whose connections go as far as ``reach`` and which sends nothing again.

    A connection beyond it raises AddressRefusedError, which requests passes through.
    """

    def __init__(self, reach: Reach, *, pool_size: int = 10) -> None:
        self._reach = reach
        super().__init__(max_retries=0, pool_connections=pool_size, pool_maxsize=pool_size)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: object) -> None:
        """Make the manager of this adapter's connection pools."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)  # type: ignore[arg-type]  # as requests hands them on
        self.poolmanager.pool_classes_by_scheme = _pools(self._reach)


@cache
def _pools(reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools by scheme, with connections that check where they go."""

    class Plain(HTTPConnection):
        response_class = FinalResponse

        def _new_conn(self) -> socket.socket:
            check_host(self._dns_host, reach)
            return super()._new_conn()

    class Secure(HTTPSConnection):
        response_class = FinalResponse

        def _new_conn(self) -> socket.socket:
            check_host(self._dns_host, reach)
            return super()._new_conn()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
