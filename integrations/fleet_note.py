"""Note that a running fleet leaves under its home, so that processes on the same machine find it.

It is the file ``run/fleet.json`` of MARKETING_HOME; its owner writes it (:mod:`workers.services.ownership`), and
clients without any variable set read it. Invariants: a note is only a hint. Its owner may have died, and a URL that
does not answer is reported by the process that connects. The file holds no secret: :func:`read_note` takes those of its
URLs from the file that only the owner of the home can read (:mod:`integrations.fleet_secrets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from integrations.fleet_secrets import whole_url
from integrations.shown_url import hide_secrets

OwnerKind = Literal["services", "fleet"]


class ProcessMark(BaseModel):
    """A process, told apart from a later one with the same pid by its start time (epoch seconds)."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: float


class Whereabouts(BaseModel):
    """Where the services of a fleet can be reached, as far as it runs them or was told of them."""

    model_config = ConfigDict(frozen=True)

    database_url: str | None = Field(default=None, repr=False)
    redis_url: str | None = Field(default=None, repr=False)
    sandbox_url: str | None = None
    flower_url: str | None = None
    flower_login: str | None = None  #: path of the file with Flower's generated login; None: the user chose one
    dns_resolver: str | None = None  #: host:port of the sandbox's DNS; None: the system's own
    mode: str | None = None
    pids: Mapping[str, int] = {}  #: by name: postgres, redis, sandbox, worker-1..n, beat, flower (the owner's children)
    embedded: bool = False  #: Postgres and Redis are the owner's children

    def shown(self) -> Self:
        """Return a copy without the secrets of its URLs."""
        urls = {name: getattr(self, name) for name in ("database_url", "redis_url")}
        return self.model_copy(update={name: hide_secrets(url) for name, url in urls.items() if url})

    @property
    def environment(self) -> dict[str, str]:
        """Settings that make a process a part, or a client, of this fleet."""
        settings = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SANDBOX_URL": self.sandbox_url,
            "DNS_RESOLVER": self.dns_resolver,
            "MARKETING_MODE": self.mode,
        }
        return {name: value for name, value in settings.items() if value}


class FleetNote(Whereabouts):
    """Note of the owner of a home, for other processes."""

    kind: OwnerKind
    owner: ProcessMark
    ready: bool  #: all answer


def note_path(home: Path) -> Path:
    """Return the path of the note under ``home`` (MARKETING_HOME)."""
    return home.expanduser() / "run" / "fleet.json"


def read_note(home: Path) -> FleetNote | None:
    """Read the note under ``home``, with whole URLs, or return None when there is no valid one."""
    try:
        note = FleetNote.model_validate_json(note_path(home).read_bytes())
    except (OSError, ValidationError):
        return None
    urls = {"database_url": whole_url(note.database_url, home), "redis_url": whole_url(note.redis_url, home)}
    return note.model_copy(update=urls)
