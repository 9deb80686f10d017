"""pyproject.toml, constraints.txt, the Makefile and the changelog must tell one story."""

from __future__ import annotations

import os
import re
import subprocess
from importlib import metadata

import checkout
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name


def pins() -> dict[str, str]:
    lines = checkout.read("constraints.txt").split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line) for line in lines)
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def test_constraints_are_names_and_versions_each_once() -> None:
    assert len(pins()) == len(checkout.read("constraints.txt").split())


def test_every_dependency_is_pinned_within_its_range() -> None:
    project = checkout.pyproject()["project"]
    stated = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    pinned = pins()
    for requirement in map(Requirement, stated):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is in pyproject.toml but not in constraints.txt"
        assert version in requirement.specifier, f"{requirement} excludes the {version} of constraints.txt"
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators == {">=", "<"}, f"{requirement} needs a lower and an upper bound"


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
def test_the_pins_take_every_patch_release_of_python(python: str) -> None:
    # Distributions ship old ones: Debian 12 has 3.11.2. A pin that wants a newer one makes pip give up there.
    refusing = {
        f"{name}=={pinned}": distribution.metadata["Requires-Python"]
        for name, pinned in pins().items()
        for distribution in metadata.distributions(name=name)
        if distribution.version == pinned and python not in SpecifierSet(distribution.metadata["Requires-Python"] or "")
    }
    assert not refusing


def test_we_never_depend_on_the_sdk_that_shares_our_import_name() -> None:
    assert "openai-agents" not in pins()


def test_the_changelog_knows_this_version() -> None:
    version = checkout.pyproject()["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", checkout.read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert version in headings or len(headings) == 1


def test_make_help_lists_every_target() -> None:
    makefile = re.sub(r"^define .+?^endef$", "", checkout.read("Makefile"), flags=re.DOTALL | re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    defined = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert set(phony.split()) == defined
    # MAKEFLAGS of a `make test` around this must not reach the inner make.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    run = subprocess.run(["make", "help"], cwd=checkout.ROOT, env=clean, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([a-z-]+) +\S", run.stdout, re.MULTILINE)) == defined


def test_make_refuses_an_old_python() -> None:
    # The check is Python 2 and 3 code alike; here its version test is made to see an old one.
    (check,) = re.findall(r"define CHECK_PYTHON\n(.+?)endef", checkout.read("Makefile"), re.DOTALL)
    run = subprocess.run(
        ["python3", "-c", check.replace("import sys", "import sys; sys.version_info = (3, 10, 1)", 1)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "Python 3.11 or newer is needed" in run.stderr
