"""Fixtures of all tests: a clean environment, the loopback guard, the real services to run against.

Invariant: a test sees only what it asks for here. The environment is cleaned before any test module is
imported, for some of our modules read it then. Parts of the project are imported inside the fixtures,
so that tests of one layer run when another is broken. Under pytest-xdist each worker process has a folder,
an environment and services of its own: what is "the run's" here is the worker's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import clean_environment
import pytest
import stack
from hypothesis import settings

if TYPE_CHECKING:
    from workers.services import EmbeddedServices

pytest_plugins = ["command_line", "loopback_plugin", "settled_home"]

#: Folders whose files take longest come first, so that the workers of a parallel run end at about the same time.
_LONGEST_FIRST = ("workers", "bench", "orchestration", "project", "integrations", "agents")

# `make test` tries the same few examples each time, `make test-slow` many new ones (--hypothesis-profile=thorough).
# No deadline: a shared machine stalls now and then.
settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=300, deadline=None, print_blob=True)
settings.load_profile("quick")

_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment; make the run's own folder."""
    # Not pytest's tmp_path: Unix sockets lie in here, and their paths must stay under 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mkt-"))
    config.stash[_FOLDER] = folder
    clean_environment.clean(os.environ, home=str(folder / "home"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the run's folder."""
    if _FOLDER in config.stash:
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the order within a file stays."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parts[0]
        return _LONGEST_FIRST.index(folder) if folder in _LONGEST_FIRST else len(_LONGEST_FIRST)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _environment_restored() -> Iterator[None]:
    """What a test changes in the environment ends with the test."""
    before = _settings()
    yield
    after = _settings()
    for name in after.keys() - before.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if after.get(name) != value})


def _settings() -> dict[str, str]:
    # PYTEST_CURRENT_TEST is pytest's own and changes with every phase of a test.
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    """A folder with a short path that lives as long as the run."""
    return request.config.stash[_FOLDER]


@pytest.fixture(scope="session")
def services(run_folder: Path) -> Iterator[EmbeddedServices]:
    """The embedded Postgres and Redis, one pair for each worker of the run."""
    from workers.services import EmbeddedServices

    with EmbeddedServices(run_folder / "services") as running:
        stack.forgo_fsync(running.database_url)
        yield running


@pytest.fixture(scope="session")
def databases(services: EmbeddedServices) -> stack.Databases:
    """Makes fresh, migrated databases; for fixtures of a wider scope than ``database_url``."""
    from functools import partial

    from integrations.settings import Mode
    from orchestration.ledger.schema import migrate

    return stack.Databases(services.database_url, partial(migrate, mode=Mode.SANDBOX))


@pytest.fixture
def database_url(databases: stack.Databases) -> Iterator[str]:
    """The SQLAlchemy URL of a database of this test's own, with the current schema and no rows."""
    url = databases.create()
    yield url
    databases.give_back(url)


@pytest.fixture(scope="session")
def redis_databases(services: EmbeddedServices) -> stack.RedisDatabases:
    """Hands out logical Redis databases; for fixtures of a wider scope than ``redis_url``."""
    return stack.RedisDatabases(services.redis_url)


@pytest.fixture
def redis_url(redis_databases: stack.RedisDatabases) -> str:
    """The URL of an empty logical Redis database (16 tests later it is handed out again)."""
    return redis_databases.next()


@pytest.fixture(scope="session")
def _sandbox_process(run_folder: Path) -> Iterator[stack.Sandbox]:
    with stack.running_sandbox(run_folder) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_process: stack.Sandbox) -> stack.Sandbox:
    """The sandbox world, reset to seed 7. One process serves the whole run."""
    _sandbox_process.reset()
    return _sandbox_process


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """``wait_until(condition, timeout=10, message=...)``: the first truthy value of ``condition()``."""
    return stack.wait_until
