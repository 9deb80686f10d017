"""The orchestrator asks agents by what they answer: it knows no agent, ad platform or kind of unit by name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import checkout

from agents.registry import agents
from integrations import plugins

FOLDER = checkout.ROOT / "orchestration"


def names() -> set[str]:
    """Names that may stand nowhere in the folder: of agents, ad platforms and their aliases in rows."""
    return {*agents(), *plugins.names(plugins.PLATFORMS), "google_ads", "facebook_ads", "linkedin_ads"}


def texts(path: Path) -> set[str]:
    """The string constants of a Python file that are code, not documentation; the quoted words of an SQL file."""
    if path.suffix == ".sql":
        return set(re.findall(r"'([^']*)'", re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))))
    tree = ast.parse(path.read_bytes())
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    }


def files() -> list[Path]:
    found = [path for path in FOLDER.rglob("*") if path.suffix in (".py", ".sql")]
    assert len(found) > 30
    return found


def test_no_agent_and_no_platform_is_named() -> None:
    word = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(names())))
    naming = {
        f"{checkout.name(path)}: {found.group()}"
        for path in files()
        for found in word.finditer(path.read_text(encoding="utf-8"))
    }
    assert not naming, f"let the agent or the platform answer: {sorted(naming)}"


def test_no_kind_of_unit_is_named() -> None:
    kinds = {kind for agent in agents().values() for kind in agent.kinds}
    assert kinds
    naming = {f"{checkout.name(path)}: {text}" for path in files() for text in texts(path) & kinds}
    assert not naming, f"ask by what a unit is (an effect, essential, its provider): {sorted(naming)}"
