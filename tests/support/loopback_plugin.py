"""The loopback guard as a pytest plugin: every violation fails a test, even one that the code swallowed.

Invariant: a line in the guard's log, whoever of the run's processes wrote it, makes the run fail. The
test that was running is blamed; what arrives after the last test is blamed on the session. Each worker of a
parallel run has a log of its own, so that the blame stays with the test that ran there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import loopback_guard
import pytest

_STARTUP = Path(__file__).parent / "startup"


class _Log:
    """The guard's log and how far it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def unread(self) -> list[str]:
        """Violations since the last call, as text for people."""
        with self.path.open("rb") as log:
            log.seek(self._offset)
            # A line still being written is left for the next call.
            lines = [line for line in log if line.endswith(b"\n")]
        self._offset += sum(map(len, lines))
        return [_describe(json.loads(line)) for line in lines]


def _describe(entry: dict[str, object]) -> str:
    where = entry["where"]
    stack = "\n    ".join(str(line) for line in where) if isinstance(where, list) else ""
    return f"{entry['what']} by pid {entry['pid']} {entry['argv']} (started in {entry['test']})\n    {stack}"


_LOG = pytest.StashKey[_Log]()


def pytest_configure(config: pytest.Config) -> None:
    """Guard this process and, by the environment, every Python process started from here on."""
    handle, path = tempfile.mkstemp(prefix="loopback-")
    os.close(handle)
    config.stash[_LOG] = _Log(Path(path))
    os.environ[loopback_guard.LOG_VARIABLE] = path
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(_STARTUP) not in paths:  # a worker of a parallel run inherits it
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_STARTUP), *paths]))
    loopback_guard.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the log."""
    config.stash[_LOG].path.unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def _loopback_session(request: pytest.FixtureRequest) -> Iterator[None]:
    # Set up first, so torn down after the session's services have ended.
    yield
    _fail_on(request.config.stash[_LOG].unread())


@pytest.fixture(autouse=True)
def _loopback_test(_loopback_session: None, request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    _fail_on(request.config.stash[_LOG].unread())


def _fail_on(violations: list[str]) -> None:
    if violations:
        pytest.fail("left the loopback interface:\n" + "\n".join(violations), pytrace=False)
