"""Rules about files that no linter knows: sizes, names, docstrings, and what must not be written down."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import checkout
import pytest

MAX_LINES = 500
NAMES_THAT_HIDE = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def test_python_files_are_short() -> None:
    lengths = {checkout.name(p): len(p.read_bytes().splitlines()) for p in checkout.python_files()}
    assert lengths
    too_long = {name: length for name, length in lengths.items() if length > MAX_LINES}
    assert not too_long, f"split these, one concept a file (at most {MAX_LINES} lines): {too_long}"


def test_modules_say_why_they_exist() -> None:
    silent = [
        checkout.name(path)
        for path in checkout.python_files()
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert not silent, f"modules without a docstring: {silent}"


def test_modules_have_names_that_tell() -> None:
    hiding = [
        checkout.name(path)
        for path in checkout.python_files()
        if NAMES_THAT_HIDE & {part.removesuffix(".py") for part in path.relative_to(checkout.ROOT).parts}
    ]
    assert not hiding, f"name these after the concept they hold: {hiding}"


def test_test_folders_hide_no_package_of_ours() -> None:
    # Below tests/__init__.py a folder is imported as tests.agents; without it, it would be imported as agents.
    packages = [checkout.name(path) for path in checkout.ROOT.glob("tests/*/__init__.py")]
    assert (checkout.ROOT / "tests/__init__.py").exists() or not packages, f"these hide ours: {packages}"


# Written in pieces, so that this file passes its own test.
REGISTRIES = re.compile(
    "|".join(re.escape(a + "." + b) for a, b in [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org")])
    + "|--(?:extra-)?index" + "-url|--find" + "-links|--trusted" + "-host"
)  # fmt: skip
HOMES = re.compile(r"(?<![\w.~}])/(?:home|Users)/[a-z]\w*|(?<![\w.~}])/root/\w")


def test_no_file_names_a_package_registry() -> None:
    naming = [checkout.name(path) for path, text in checkout.text_files().items() if REGISTRIES.search(text)]
    assert not naming, f"where packages come from is the installing machine's business: {naming}"


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    here = str(checkout.ROOT)
    # A checkout right under / (in a container, say) has a path like any word.
    deep = len(checkout.ROOT.parts) > 2
    naming = [
        f"{checkout.name(path)}: {match.group() if match else here}"
        for path, text in checkout.text_files().items()
        if (match := HOMES.search(text)) or (deep and re.search(re.escape(here) + r"\b", text))
    ]
    assert not naming, f"absolute paths: {naming}"


@pytest.mark.parametrize("package", checkout.PACKAGES)
def test_packages_are_ours(package: str) -> None:
    # Another SDK is imported as `agents`; whatever is installed beside us, ours must win, from any folder.
    found = subprocess.run(
        [sys.executable, "-c", f"import {package}; print({package}.__file__)"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert found.stdout.strip() == str(checkout.ROOT / package / "__init__.py")
