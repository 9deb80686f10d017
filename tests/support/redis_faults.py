"""Faults between this process and Redis, for every client in it: the broker's, the results', admission's.

They are made where a connection writes a command and reads its answer. A refusal is the server's own: a script that
answers with that error is sent in the command's place, so that whoever waits for the socket is woken.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

Draw = Callable[[str, tuple[str, ...]], str | None]

REFUSALS = {
    "READONLY": "READONLY You can't write against a read only replica.",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "NOSCRIPT": "NOSCRIPT No matching script.",
}
#: "lost": the connection breaks before the command; "timeout": it is not carried out, and no answer comes; "done": it
#: is carried out, and no answer comes.
BROKEN = ("lost", "timeout", "done")
REFUSED = ("READONLY", "OOM", "LOADING")
#: Commands by which a connection introduces itself, which no server refuses so.
_GREETINGS = frozenset({"HELLO", "AUTH", "SELECT", "CLIENT", "PING"})


def commands(packed: bytes) -> list[str]:
    """The names of the commands in packed bytes."""
    found, at = [], 0
    while at < len(packed):
        end = packed.index(b"\r\n", at)
        count, at = int(packed[at + 1 : end]), end + 2
        for number in range(count):
            end = packed.index(b"\r\n", at)
            size, at = int(packed[at + 1 : end]), end + 2
            if number == 0:
                found.append(packed[at : at + size].decode().upper())
            at += size + 2
    return found


def install(draw: Draw) -> Callable[[], None]:
    """Let ``draw`` decide about each command that this process sends from now on; call the result to end it."""
    sending, reading = AbstractConnection.send_packed_command, AbstractConnection.read_response

    def send_packed_command(self: Any, command: Any, check_health: bool = True) -> None:
        packed = command if isinstance(command, list | tuple) else [command]
        whole = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in packed)
        names = commands(whole)
        name = names[0] if len(names) == 1 else "PIPELINE"
        refusals = () if name in _GREETINGS else (*REFUSED, *(("NOSCRIPT",) if name == "EVALSHA" else ()))
        kind = draw(f"redis.{name}", (*BROKEN, *refusals))
        if kind is None:
            return sending(self, command, check_health)
        if kind in REFUSALS:
            answer = self.pack_command("EVAL", "return redis.error_reply(ARGV[1])", 0, REFUSALS[kind])
            return sending(self, [b"".join(answer) * len(names)], check_health)
        if kind == "done":
            sending(self, command, check_health)
            self.no_answer = True
            return None
        if kind == "timeout":
            self.disconnect()
            raise RedisTimeoutError("Timeout writing to socket (injected)")
        if self._sock is None:
            raise RedisConnectionError("Error 111 connecting (injected)")
        self._sock.shutdown(socket.SHUT_RDWR)
        return sending(self, command, check_health=False)

    def read_response(self: Any, *args: Any, **more: Any) -> Any:
        answer = reading(self, *args, **more)
        if getattr(self, "no_answer", False):
            self.no_answer = False
            self.disconnect()
            raise RedisTimeoutError("Timeout reading from socket (injected)")
        return answer

    AbstractConnection.send_packed_command = send_packed_command  # type: ignore[method-assign]
    AbstractConnection.read_response = read_response  # type: ignore[method-assign]

    def undo() -> None:
        AbstractConnection.send_packed_command = sending  # type: ignore[method-assign]
        AbstractConnection.read_response = reading  # type: ignore[method-assign]

    return undo
