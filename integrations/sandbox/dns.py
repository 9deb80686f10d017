"""Authoritative DNS server for the names of the sandbox, so that the real DNS gets no queries.

Its own domains (``.example``) have the web hosts and mail records of :mod:`integrations.sandbox.world`. An unknown
domain receives mail (the user's own lead file names companies that the sandbox knows nothing of) but has no address, so
that no name leads off this machine. Names under ``.invalid``, ``.local`` and the like (RFC 6761), and names with a
label ``nxdomain``, don't exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from integrations.sandbox.faults import Fault
from integrations.sandbox.world import DISPOSABLE_DOMAINS, MAIL_HOST, Mail, World

TTL_S = 60
LOOPBACK = "127.0.0.1"
MAILED = "192.0.2.25"  #: of mail hosts, to which nothing is ever sent: an address of documentation (RFC 5737)
_NO_SUCH_ZONES = frozenset({"invalid", "local", "localhost", "onion", "internal", "arpa"})
MISSING_LABEL = "nxdomain"  #: a name with this label doesn't exist

DrawFault = Callable[[str], "Fault | None"]  #: description of a query -> the fault that hits it
Record = Callable[[str, int], None]  #: records (description, response code)


class DnsSandbox:
    """DNS records of the world of one seed."""

    name = "dns"

    def __init__(self, seed: int) -> None:
        self._world = World.build(seed)

    def reset(self, seed: int) -> None:
        """Change to the world of ``seed``."""
        self._world = World.build(seed)

    def records(self, name: str, kind: str) -> list[str] | None:
        """Return the records of ``kind`` for a name (lower case, no final dot), or None when there is no such name."""
        if name in ("localhost", MAIL_HOST):
            return [LOOPBACK if name == "localhost" else MAILED] if kind == "A" else []
        if name in DISPOSABLE_DOMAINS:
            return {"MX": [f"10 {MAIL_HOST}."], "A": [LOOPBACK]}.get(kind, [])
        company = self._world.by_domain.get(name.removeprefix("www."))
        if company is not None:
            if name.startswith("www."):
                return [LOOPBACK] if kind == "A" else []
            if kind == "A":
                return {Mail.NONE: [], Mail.A_ONLY: [MAILED]}.get(company.mail, [LOOPBACK])
            if kind == "MX":
                return {Mail.NULL_MX: ["0 ."], Mail.A_ONLY: [], Mail.NONE: []}.get(company.mail, [f"10 {MAIL_HOST}."])
            return []
        labels = name.split(".")
        if labels[-1] in _NO_SUCH_ZONES or len(labels) < 2 or MISSING_LABEL in labels:
            return None
        return [f"10 {MAIL_HOST}."] if kind == "MX" else []

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Return the response to a query."""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        found = self.records(host(question.name), kind)
        if found is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif found:
            response.answer.append(dns.rrset.from_text(question.name, TTL_S, "IN", kind, *found))
        return response


def host(name: dns.name.Name) -> str:
    """Return a name as text in lower case, without the final dot."""
    return name.to_text(omit_final_dot=True).lower()


class DnsWire:
    """DNS over UDP and TCP, with the faults that are switched on."""

    def __init__(self, sandbox: DnsSandbox, draw_fault: DrawFault, record: Record) -> None:
        self._sandbox = sandbox
        self._draw_fault = draw_fault
        self._record = record
        self._closing: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, address: str, port: int) -> int:
        """Listen on UDP and TCP, and return the port, a free one for 0.

        Raises OSError when the port is taken.
        """
        loop = asyncio.get_running_loop()
        for _ in range(20):
            transport, _protocol = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(address, port)
            )
            bound = int(transport.get_extra_info("sockname")[1])
            try:
                server = await asyncio.start_server(self._stream, address, bound)
            except OSError:  # that port is free for UDP only
                transport.close()
                if port:
                    raise
                continue
            self._closing += [transport.close, server.close]
            return bound
        raise OSError("no port is free for both UDP and TCP")

    def close(self) -> None:
        """Stop listening."""
        for close in self._closing:
            close()

    async def respond(self, wire: bytes) -> bytes | None:
        """Return the response to one query, or None when none is to be sent."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        what = f"{dns.rdatatype.to_text(question.rdtype)} {host(question.name)}"
        fault = self._draw_fault(what)
        mode = fault.mode if fault else "ok"
        if mode in ("down", "rate_limited"):
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.SERVFAIL if mode == "down" else dns.rcode.REFUSED)
        else:
            response = self._sandbox.answer(query)
        self._record(what, int(response.rcode()))
        if fault and mode == "slow":
            await asyncio.sleep(fault.delay_s)
        if mode == "lost_reply":
            return None
        return b"\x00garbage" if mode == "garbage" else response.to_wire()

    def datagram(self, wire: bytes, reply: Callable[[bytes], None]) -> None:
        """Answer one datagram in a task of its own."""

        async def answer() -> None:
            response = await self.respond(wire)
            if response is not None:
                reply(response)

        task = asyncio.get_running_loop().create_task(answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while size := await reader.readexactly(2):
                response = await self.respond(await reader.readexactly(int.from_bytes(size, "big")))
                if response is None:
                    break
                writer.write(len(response).to_bytes(2, "big") + response)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed the connection
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, wire: DnsWire) -> None:
        self._wire = wire
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        transport = self._transport
        if transport is not None:
            self._wire.datagram(data, lambda response: transport.sendto(response, addr))
