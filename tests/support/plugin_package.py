"""A plug-in package put into a folder as an installer leaves it: its modules, and the dist-info with its entry points.

Programs that are started with the folder on PYTHONPATH find its plug-ins; the tests' own process finds them inside
:func:`importable` only.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def install(source: Path, folder: Path) -> Path:
    """Put the package of the project at ``source`` into ``folder``; returns the folder."""
    with (source / "pyproject.toml").open("rb") as file:
        described = tomllib.load(file)
    project = described["project"]
    for package in described["tool"]["setuptools"]["packages"]:
        shutil.copytree(source / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    describe(folder, project["name"], project["version"], project["entry-points"])
    return folder


def describe(folder: Path, name: str, version: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """Write the dist-info of a package into ``folder``. ``entry_points``: group -> name -> value."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [
        line
        for group, points in entry_points.items()
        for line in (f"[{group}]", *(f"{point} = {value}" for point, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def python_path(*folders: Path) -> str:
    """PYTHONPATH with ``folders`` before what it holds already."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let this process find the ad platforms that are installed in ``folder`` while the block runs."""
    sys.path.insert(0, str(folder))
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name, module in [*sys.modules.items()]:
            if str(getattr(module, "__file__", None) or "").startswith(f"{folder}{os.sep}"):
                del sys.modules[name]
        _forget()


def _forget() -> None:
    """Let the registries look for plug-ins anew."""
    from integrations import plugins, provider_registry
    from integrations.ads import registry

    importlib.invalidate_caches()
    plugins.found.cache_clear()
    registry.platforms.cache_clear()
    provider_registry.provider_specs.cache_clear()
