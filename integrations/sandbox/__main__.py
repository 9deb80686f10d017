"""Command line of the sandbox as a process of its own: ``python -m integrations.sandbox``.

Prints one line of JSON when it listens, for the process that started it:
``{"event": "listening", "url": "http://127.0.0.1:PORT", "dns_resolver": "127.0.0.1:PORT"}``.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from pathlib import Path

from integrations.sandbox.catalog import providers
from integrations.sandbox.control import Sandbox
from integrations.sandbox.server import Listening, run


def loopback(text: str) -> str:
    """Parse an address of this machine, the only ones that the sandbox listens on."""
    if text == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(text).is_loopback:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a loopback address, such as 127.0.0.1")


def announce(listening: Listening) -> None:
    """Print where the sandbox listens."""
    print(json.dumps({"event": "listening", "url": listening.url, "dns_resolver": listening.dns_resolver}), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the sandbox and return 0 after SIGTERM or SIGINT, 1 when a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox", description=__doc__)
    parser.add_argument("--host", type=loopback, default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8750, help="0 takes a free one")
    parser.add_argument("--dns-port", type=int, default=0, help="UDP and TCP; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=None, help="of the world; default 7, or the state file's")
    parser.add_argument("--state", type=Path, default=None, help="file that keeps what was created")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay of every answer")
    options = parser.parse_args(argv)
    sandbox = Sandbox(providers(), seed=options.seed, state_file=options.state)
    try:
        run(
            sandbox,
            host=options.host,
            port=options.port,
            dns_port=options.dns_port,
            latency_s=options.latency_ms / 1000,
            ready=announce,
        )
    except OSError as error:
        print(f"sandbox: can't listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
