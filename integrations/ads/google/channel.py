"""Channel to Google Ads: gRPC over TLS, with the certificates that it trusts.

To Google they are gRPC's own roots. In sandbox mode the peer is this machine's sandbox, whose certificate is signed by
itself and is another one after each start: the one that it shows is trusted, for this channel only. Invariants: a
channel's reach is checked before a packet is sent; no variable of the process is changed (gRPC's
GRPC_DEFAULT_SSL_ROOTS_FILE_PATH would count for every client in it), and none decides on a proxy.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from integrations.ads.google.errors import PROVIDER
from integrations.errors import BadRequestError, OutOfReachError, TransientError
from integrations.http import CONNECT_TIMEOUT_S, MAX_BYTES
from integrations.outbound import AddressRefusedError, Reach, check_host
from integrations.settings import ProviderSettings

HTTPS_PORT = 443


def open_channel(settings: ProviderSettings, *, timeout: float) -> Any:
    """Return a new channel, whose connection the first call makes.

    Raises OutOfReachError, BadRequestError for a base URL that is none, and TransientError when no sandbox is there.
    """
    import grpc

    host, port = _address(settings)
    try:
        check_host(host, settings.reach)
    except AddressRefusedError as error:
        raise OutOfReachError(PROVIDER, str(error)) from None
    roots = _shown(host, port, timeout) if settings.reach is Reach.LOOPBACK else None
    options = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),  # a call is one request: retries are the ledger's
        ("grpc.max_metadata_size", 1024 * 1024),  # a GoogleAdsFailure travels in the trailers
        ("grpc.max_receive_message_length", MAX_BYTES),
        ("grpc.use_local_subchannel_pool", 1),  # a new channel doesn't wait for an old one's next attempt to connect
    ]
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options=options)


def _address(settings: ProviderSettings) -> tuple[str, int]:
    try:
        parts = urlsplit(settings.base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise BadRequestError(PROVIDER, "its base URL is not a URL we can use")
    return host, port or HTTPS_PORT


def _shown(host: str, port: int, timeout: float) -> bytes:
    """Return the certificate that the peer shows."""
    try:
        return ssl.get_server_certificate((host, port), timeout=min(CONNECT_TIMEOUT_S, timeout)).encode()
    except OSError as error:  # ssl.SSLError and time-outs are OSErrors
        raise TransientError(PROVIDER, f"can't be reached ({type(error).__name__})") from None
