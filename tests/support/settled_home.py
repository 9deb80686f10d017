"""Homes whose embedded Postgres was started before, for tests that are not about its first start.

Invariant: what a test gets is a copy: a data folder as a first start and an orderly stop left it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Settle = Callable[[Path], None]


@pytest.fixture(scope="session")
def _settled_data() -> Iterator[Path]:
    from workers.services import EmbeddedServices

    folder = Path(tempfile.mkdtemp(prefix="set-"))
    with EmbeddedServices(folder):
        pass
    yield folder / "data" / "postgres"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def settle(_settled_data: Path) -> Settle:
    """``settle(home)`` puts the data of a Postgres that was started before into the home."""
    from workers.services import Home

    def into(home: Path) -> None:
        shutil.copytree(_settled_data, Home(home).create().postgres)

    return into
