"""Configuration file of the embedded Redis.

Invariant: no command that loads code, opens the process or writes elsewhere works, even with the password, as far as
the server's version can refuse it. What an operator needs stays: INFO, CONFIG SET of limits, REPLICAOF, FLUSHALL.
"""

from __future__ import annotations

from pathlib import Path

from workers.services.ports import LOOPBACK
from workers.services.redis_program import RedisProgram

#: From version 7 on: paths can't be set at run time, DEBUG and MODULE are refused.
_CLOSED: tuple[tuple[str, ...], ...] = (
    ("enable-protected-configs", "no"),
    ("enable-debug-command", "no"),
    ("enable-module-command", "no"),
)
#: Before: the commands don't exist.
_RENAMED: tuple[tuple[str, ...], ...] = tuple(("rename-command", name, "") for name in ("DEBUG", "MODULE", "MIGRATE"))


def configuration(program: RedisProgram, *, port: int, folder: Path, password: str) -> str:
    """Return the text of the configuration file of a server on ``port`` with its data in ``folder``."""
    lines: tuple[tuple[str, ...], ...] = (
        ("bind", LOOPBACK),
        ("port", str(port)),
        ("protected-mode", "yes"),
        ("requirepass", password),
        ("dir", str(folder)),
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("aof-load-truncated", "yes"),
        ("save", ""),
        ("maxmemory-policy", "noeviction"),  # a full Redis refuses messages instead of dropping queued ones
        ("databases", "16"),
        ("daemonize", "no"),
        ("logfile", ""),
        *(_CLOSED if program.version >= (7, 0) else _RENAMED),
    )
    return "".join(f"{name} {' '.join(map(_quoted, values))}\n" for name, *values in lines)


def _quoted(value: str) -> str:
    """Quote a value as Redis reads it: any byte but printable ASCII in hexadecimal."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in _bytes(value))
    return f'"{"".join(plain)}"'


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
