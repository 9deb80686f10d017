"""A name server on loopback with the zone that a test gives it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SERVFAIL = ("SERVFAIL",)
Zone = Mapping[tuple[str, str], Sequence[str]]  #: (name, kind) -> records; a name without any doesn't exist


@contextmanager
def name_server(zone: Zone) -> Iterator[str]:
    """Yield ``host:port`` of a server of the zone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        serving = threading.Thread(target=_serve, args=(listener, zone), daemon=True)
        serving.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", listener.getsockname())
        serving.join(5)


def _serve(listener: socket.socket, zone: Zone) -> None:
    while True:
        wire, peer = listener.recvfrom(4096)
        if not wire:
            return
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(True).lower(), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        records = zone.get((name, kind), ())
        if records == SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        elif not any(known == name for known, _ in zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        listener.sendto(response.to_wire(), peer)
