"""A plug-in package put into a folder as an installer leaves it: its modules, and the dist-info with its entry points.

Programs that are started with the folder on PYTHONPATH find its plug-ins; the tests' own environment stays as it is.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path


def install(source: Path, folder: Path) -> Path:
    """Put the package of the project at ``source`` into ``folder``; returns the folder."""
    with (source / "pyproject.toml").open("rb") as file:
        described = tomllib.load(file)
    project = described["project"]
    for package in described["tool"]["setuptools"]["packages"]:
        shutil.copytree(source / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def python_path(*folders: Path) -> str:
    """PYTHONPATH with ``folders`` before what it holds already."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
