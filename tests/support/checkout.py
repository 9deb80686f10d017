"""The checkout as tests of the project itself see it: its root, its files, its README."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("workers", "orchestration", "agents", "integrations")
#: Folders that hold nothing of ours, for a checkout without git.
_FOREIGN = re.compile(r"^(\.git|\.venv|build|dist|__pycache__|\..*_cache|\.hypothesis|.*\.egg-info)$")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project: tracked by git or about to be; without git, all but what builds leave."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [name for name in folders if not _FOREIGN.match(name)]
            found += [Path(folder, name) for name in names]
    return tuple(sorted(path for path in found if path.is_file()))


def python_files() -> list[Path]:
    """Every Python file of the project."""
    return [path for path in files() if path.suffix == ".py"]


def text_files() -> dict[Path, str]:
    """Every file of the project that is text, with its text."""
    found = {}
    for path in files():
        try:
            found[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, or a test's example of a broken encoding
    return found


def name(path: Path) -> str:
    """``path`` as people write it: relative to the root."""
    return path.relative_to(ROOT).as_posix()


def read(path: str) -> str:
    """The text of a file named relative to the root."""
    return (ROOT / path).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads(read("pyproject.toml"))
