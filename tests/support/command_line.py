"""The command ``campaigns`` run inside the test's own process, as a fixture.

Invariant: the process is as it was before: a run of the command installs a handler of SIGTERM, which ends with
the test. What only a process can show (its start, its signals, a closed pipe) has tests of its own.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Answer:
    """What one run of the command left: its exit status and both of its outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Stdout as one line."""
        return " ".join(self.out.split())


Command = Callable[..., Answer]


@pytest.fixture
def campaigns(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """``campaigns("show", "c1")`` runs the command and gives its :class:`Answer`."""
    from workers.cli import main

    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str | Path) -> Answer:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Answer(end.value.code, out, err)

    yield run
    signal.signal(signal.SIGTERM, before)
