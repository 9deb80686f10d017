"""Name resolution for mail domains and web hosts, through the resolver of the settings.

Invariant: no answer never counts as "doesn't exist". Only an answer says that a domain takes no mail. Error table:

    what the name server says               Dns.addresses      Dns.mail_domain (never raises)
    NXDOMAIN, not a valid name              NotFoundError      refuses
    no record of the asked kind             NotFoundError      by the next kind; refuses when none is left
    null MX                                                    refuses
    mail hosts that don't exist, or are this machine or in a private network
                                                               refuses
    SERVFAIL, REFUSED, unreadable, no answer, no name server configured
                                            TransientError     unknown

In sandbox mode no query leaves this machine: where DNS_RESOLVER names no name server on it, ``addresses`` raises
OutOfReachError and ``mail_domain`` says unknown, without asking anybody.

The resolver sends a lost query again within ``timeout``, as the protocol has it (RFC 1035 §4.2.1), but not a refused
one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Literal

from integrations.errors import NotFoundError, OutOfReachError, TransientError
from integrations.host_names import ascii_name
from integrations.outbound import AddressRefusedError, Reach, check_host
from integrations.settings import Mode, Settings

if TYPE_CHECKING:
    import dns.resolver

NAME = "dns"

MailStatus = Literal["accepts", "refuses", "unknown"]
MAX_MAIL_HOSTS = 5  #: of one domain that are looked up
#: Addresses that no mail from outside reaches: this machine, "this network" (0.0.0.0), private networks. Others that
#: are not for the public Internet, such as those of documentation, are left to the verifier.
_NOWHERE = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        *("::/127", "fc00::/7", "fe80::/10"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDomain:
    """Whether a domain takes mail, and the reason."""

    domain: str
    status: MailStatus
    reason: str  #: mx | address | null_mx | no_domain | no_mail_host | no_answer


class Dns:
    """DNS client, safe to use from several threads and without a cache: the resolver has one."""

    def __init__(self, settings: Settings) -> None:
        self._server = settings.dns_resolver
        self._sandbox = settings.mode is Mode.SANDBOX

    def mail_domain(self, domain: str, *, timeout: float) -> MailDomain:
        """Find out whether ``domain`` takes mail, by RFC 5321 §5.1 (MX, else its address) and RFC 7505 (null MX).

        ``timeout`` in seconds is for all queries together. Never raises: no answer is ``unknown``.
        """
        import dns.exception
        import dns.name
        import dns.resolver

        def verdict(status: MailStatus, reason: str) -> MailDomain:
            return MailDomain(domain=domain, status=status, reason=reason)

        deadline = time.monotonic() + timeout
        try:
            name = ascii_name(domain)
        except ValueError:
            return verdict("refuses", "no_domain")
        try:
            answer = self._resolver().resolve(name, "MX", lifetime=timeout, search=False)
            records = sorted(answer, key=lambda record: (int(record.preference), str(record.exchange)))
            hosts = [record.exchange.to_text(True) for record in records if record.exchange != dns.name.root]
            if not hosts:
                return verdict("refuses", "null_mx")
            reason = "mx"
        except dns.resolver.NXDOMAIN:
            return verdict("refuses", "no_domain")
        except dns.resolver.NoAnswer:
            hosts, reason = [name], "address"  # no MX record: the domain itself is its mail host
        except (dns.exception.DNSException, OutOfReachError):
            return verdict("unknown", "no_answer")
        reached = self._reached(hosts[:MAX_MAIL_HOSTS], deadline)
        if reached is None:
            return verdict("unknown", "no_answer")
        return verdict("accepts", reason) if reached else verdict("refuses", "no_mail_host")

    def _reached(self, hosts: Iterable[str], deadline: float) -> bool | None:
        """Return whether mail from outside can reach one of the hosts, None where that was not answered for all."""
        silent = False
        for host in hosts:
            try:
                found = self.addresses(host, timeout=max(0.0, deadline - time.monotonic()))
            except NotFoundError:
                continue
            except (TransientError, OutOfReachError):
                silent = True
                continue
            if any(_is_reached(address) for address in found):
                return True
        return None if silent else False

    def addresses(self, host: str, *, timeout: float) -> list[str]:
        """Return all IPv4 and IPv6 addresses of a host, IPv4 first.

        Raises NotFoundError when it has none, TransientError when no answer came in ``timeout`` seconds, and
        OutOfReachError when nobody on this machine can be asked, in sandbox mode.
        """
        with suppress(ValueError):
            return [str(ip_address(host.strip("[]")))]
        with suppress(OSError):  # 2130706433, 0x7f.1 and the like, which the system takes for addresses, too
            return [socket.inet_ntoa(socket.inet_aton(host))]
        try:
            name = ascii_name(host)
        except ValueError:
            raise NotFoundError(NAME, "a host's name is not a valid one") from None
        if name == "localhost" or name.endswith(".localhost"):
            return ["127.0.0.1"]  # RFC 6761 §6.3: no query is sent for it
        self._stay_inside()
        return self._from_server(name, timeout) if self._server else self._from_system(name)

    def _from_server(self, name: str, timeout: float) -> list[str]:
        import dns.exception
        import dns.resolver

        found: list[str] = []
        resolver = self._resolver()
        deadline = time.monotonic() + timeout
        for kind in ("A", "AAAA"):
            left = max(0.0, deadline - time.monotonic())
            try:
                found += [record.address for record in resolver.resolve(name, kind, lifetime=left, search=False)]
            except dns.resolver.NXDOMAIN:
                break
            except dns.resolver.NoAnswer:
                continue
            except dns.exception.DNSException:
                raise TransientError(NAME, "no name server answered") from None
        if not found:
            raise NotFoundError(NAME, "a host has no address")
        return found

    @staticmethod
    def _from_system(name: str) -> list[str]:
        """Resolve a name through the operating system, with its /etc/hosts and its own time-outs."""
        try:
            answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
                raise NotFoundError(NAME, "a host has no address") from None
            raise TransientError(NAME, "the system's resolver failed") from None
        ordered = sorted(answers, key=lambda answer: answer[0] != socket.AF_INET)
        return list(dict.fromkeys(str(answer[4][0]) for answer in ordered))

    def _stay_inside(self) -> None:
        """Raise OutOfReachError in sandbox mode when the name server to ask is not on this machine."""
        try:
            if self._sandbox:
                check_host(self._server[0] if self._server else "", Reach.LOOPBACK)
        except AddressRefusedError:
            text = "DNS_RESOLVER names no name server on this machine (sandbox mode), so no name is looked up"
            raise OutOfReachError(NAME, text) from None

    def _resolver(self) -> dns.resolver.Resolver:
        import dns.resolver

        self._stay_inside()
        if self._server is None:
            return dns.resolver.Resolver()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [self._server[0]]
        resolver.port = self._server[1]
        return resolver


def _is_reached(address: str) -> bool:
    """Return whether mail from outside can be sent to an address, or to the IPv4 address that it stands for."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return not any(found in network for network in _NOWHERE)
