"""gRPC over TLS in the sandbox: calls become requests to the providers, under the same faults and in the same log.

The server listens on a port of its own that only :mod:`integrations.sandbox.doors` connects to, with a certificate for
loopback names that it makes at each start. It is started by the first TLS connection, so a sandbox that nobody asks by
gRPC loads no gRPC. Invariant: calls are carried out in the sandbox's one thread.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from integrations.sandbox.control import Sandbox
from integrations.sandbox.protocol import Request, Response, RpcResponse, SandboxProvider

LOOPBACK = "127.0.0.1"
_INTERNAL = RpcResponse(code=13, message="bug in the sandbox; see its log")
_UNIMPLEMENTED = RpcResponse(code=12, message="Method not found!")


class RpcServer:
    """gRPC server of all providers that have ``rpcs``."""

    def __init__(self, sandbox: Sandbox, *, latency_s: float, drop: Callable[[int], None]) -> None:
        self._sandbox = sandbox
        self._latency_s = latency_s
        self._drop = drop  #: closes the connection that comes from this local port
        self._starting: asyncio.Task[int] | None = None
        self._listening: Any = None  #: the server, which ends with its last reference

    async def port(self) -> int:
        """Return the port on loopback, after starting to listen there the first time.

        Raises ImportError where gRPC is not installed.
        """
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        return await asyncio.shield(self._starting)

    async def _start(self) -> int:
        import grpc
        import grpc.aio

        server = self

        class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
            def service(self, details: Any) -> Any:
                name = details.method

                async def call(message: bytes, context: Any) -> bytes:
                    return await server._answered(name, message, context)

                return grpc.unary_unary_rpc_method_handler(call)

        listening = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)])
        listening.add_generic_rpc_handlers((Handler(),))
        key, chain = await asyncio.to_thread(certificate)
        port: int = listening.add_secure_port(f"{LOOPBACK}:0", grpc.ssl_server_credentials([(key, chain)]))
        await listening.start()
        self._listening = listening
        return port

    async def _answered(self, name: str, message: bytes, context: Any) -> bytes:
        provider = self._provider(name)
        if provider is None:
            return await _ended(context, _UNIMPLEMENTED)
        headers = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        method = provider.rpcs[name]  # type: ignore[attr-defined]  # _provider says that it has it
        outcome = self._sandbox.handle(provider, Request(method=method, path=name, headers=headers, body=message))
        if outcome.delay_s or self._latency_s:
            await asyncio.sleep(outcome.delay_s + self._latency_s)
        response = outcome.response
        if response is None:
            self._drop(int(unquote(context.peer()).rpartition(":")[2]))
            return await _ended(context, _INTERNAL)
        return await _ended(context, response)

    def _provider(self, name: str) -> SandboxProvider | None:
        return next((one for one in self._sandbox.providers.values() if name in getattr(one, "rpcs", {})), None)


async def _ended(context: Any, response: Response) -> bytes:
    """Return the message of an answer, or end the call with its status."""
    import grpc

    answer = response
    if isinstance(answer, RpcResponse) and answer.code:
        status = next(one for one in grpc.StatusCode if one.value[0] == answer.code)
        await context.abort(status, answer.message, answer.trailers)
    if not isinstance(answer.body, bytes):
        await context.abort(grpc.StatusCode.INTERNAL, _INTERNAL.message)
    assert isinstance(answer.body, bytes)
    return answer.body


def certificate() -> tuple[bytes, bytes]:
    """Return a new key and a certificate that it signs itself, for loopback names only, both as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "marketing sandbox")])
    hosts = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(one)) for one in (LOOPBACK, "::1"))]
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, built.public_bytes(serialization.Encoding.PEM)
