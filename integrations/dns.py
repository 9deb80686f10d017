"""Name resolution for mail domains and web hosts, through the resolver of the settings.

Invariant: no answer never counts as "doesn't exist". Only an answer says that a domain takes no mail. Error table:

    what the name server says               Dns.addresses      Dns.mail_domain (never raises)
    NXDOMAIN, not a valid name              NotFoundError      refuses
    no record of the asked kind             NotFoundError      by the next kind; refuses when none is left
    null MX                                                    refuses
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
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from integrations.errors import NotFoundError, OutOfReachError, TransientError
from integrations.outbound import AddressRefusedError, Reach, check_host
from integrations.settings import Mode, Settings

if TYPE_CHECKING:
    import dns.resolver

NAME = "dns"

MailStatus = Literal["accepts", "refuses", "unknown"]


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
            takes = any(record.exchange != dns.name.root for record in answer)
            return verdict("accepts", "mx") if takes else verdict("refuses", "null_mx")
        except dns.resolver.NXDOMAIN:
            return verdict("refuses", "no_domain")
        except dns.resolver.NoAnswer:
            pass  # no MX record: the domain's own address is its mail host
        except (dns.exception.DNSException, OutOfReachError):
            return verdict("unknown", "no_answer")
        try:
            self.addresses(name, timeout=deadline - time.monotonic())
        except NotFoundError:
            return verdict("refuses", "no_mail_host")
        except TransientError:
            return verdict("unknown", "no_answer")
        return verdict("accepts", "address")

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


def ascii_name(name: str) -> str:
    """Return a domain name in lower-case ASCII (IDNA), without the final dot.

    Raises ValueError when the text is not a domain name.
    """
    text = name.strip().rstrip(".").lower()
    try:
        found = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        raise ValueError("not a domain name") from None
    labels = found.split(".")
    if len(found) > 253 or not all(0 < len(label) <= 63 for label in labels):
        raise ValueError("not a domain name")
    if not all(char.isalnum() or char in "-_" for label in labels for char in label):
        raise ValueError("not a domain name")
    return found
