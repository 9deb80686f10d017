"""Rules for the first line of a docstring, as far as a program can check them.

A first line is one sentence that a stranger to the project can parse. Functions say what they do, in the imperative;
properties, classes and modules may be noun phrases.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import checkout
import pytest

#: Files and folders of the product whose docstrings keep the rules; extend it until it is the product.
CLEAN = (
    "agents/ad_management/overview.py",
    "agents/analytics/overview.py",
    "agents/content_creation/overview.py",
    "agents/gates.py",
    "agents/lead_generation/overview.py",
    "agents/overview.py",
    "integrations/__init__.py",
    "integrations/admission",
    "integrations/ads",
    "integrations/dns.py",
    "integrations/errors.py",
    "integrations/fleet_note.py",
    "integrations/http.py",
    "integrations/http_errors.py",
    "integrations/hunter.py",
    *(
        f"integrations/llm/{name}.py"
        for name in ("__init__", "answer", "body", "body_errors", "completion", "dialect", "errors", "models")
    ),
    *(f"integrations/llm/{name}.py" for name in ("reasoning", "schema", "tokens", "transport")),
    "integrations/log_context.py",
    "integrations/provider_registry.py",
    "integrations/provider_specs.py",
    "integrations/providers.py",
    "integrations/retry.py",
    *(
        f"integrations/sandbox/{name}.py"
        for name in (
            "__init__",
            "__main__",
            "ad_world",
            "catalog",
            "control",
            "dns",
            "faults",
            "hunter",
            "llm_schema",
            "llm_tasks_ads",
        )
    ),
    *(
        f"integrations/sandbox/{name}.py"
        for name in ("llm_tasks_content", "llm_text", "openai", "protocol", "serpapi", "server", "sites", "world")
    ),
    "integrations/serpapi.py",
    "integrations/setting_types.py",
    "integrations/usage.py",
    "integrations/web",
    "orchestration",
    "workers/cli/fork_changes.py",
    "workers/cli/layout.py",
    "workers/cli/output.py",
    "workers/cli/request.py",
    "workers/cli/sections.py",
    "workers/cli/summary.py",
    "workers/cli/waiting.py",
    "workers/cli/wording.py",
    *(f"workers/{name}.py" for name in ("__init__", "agent_tasks", "app", "broker_queues", "fleet", "flower")),
    *(f"workers/{name}.py" for name in ("lifecycle", "logs", "metrics", "orchestrator_tasks", "runtime")),
    "workers/services",
    "workers/supervisor.py",
    "workers/task_events.py",
)

#: Words that hide who acts on what.
VAGUE = re.compile(r"\b(nobody|somebody|whoever|whatever|anybody)\b", re.IGNORECASE)
#: First words of a function's docstring that are no imperative: a question, a noun phrase, the third person.
NO_VERB = re.compile(
    r"(A|An|Any|All|Are|Can|Did|Does|Each|Every|Has|How|Is|It|May|No|None|Nothing|One|That|These|This|Those|Was|What"
    r"|When|Where|Whether|Which|Who|Whose|Why|\w*[^\Ws]s)\b"
)


def problems(first: str, *, imperative: bool) -> list[str]:
    """Return what is wrong with the first line of a docstring."""
    found = []
    if not first.endswith("."):
        found.append("does not end with a full stop")
    if ";" in first:
        found.append("has a semicolon")
    if "?" in first:
        found.append("is a question")
    if re.search(r"[.!] [A-Z`:]", first):
        found.append("has more than one sentence")
    if first.startswith("The "):
        found.append("begins with 'The'")
    if vague := VAGUE.search(first):
        found.append(f"says {vague.group()!r}")
    if imperative and (noun := NO_VERB.match(first)):
        found.append(f"begins with {noun.group()!r}, not with an imperative verb")
    return found


def documented(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield the line, the docstring's first line and "must be imperative" of everything documented in a module."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        text = ast.get_docstring(node)
        if text:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield getattr(node, "lineno", 1), text.splitlines()[0], function and not is_property(node)


def is_property(node: ast.AST) -> bool:
    """Return whether a function is read like an attribute."""
    names = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", ())]
    return any(name.split(".")[-1] in ("property", "cached_property", "setter") for name in names)


def is_clean(path: Path) -> bool:
    """Return whether a file is on the list of those that keep the rules."""
    name = checkout.name(path)
    return any(name == clean or name.startswith(f"{clean}/") for clean in CLEAN)


def test_first_lines_are_sentences_that_a_stranger_can_parse() -> None:
    wrong = [
        f"{checkout.name(path)}:{line}: {problem}: {first}"
        for path in checkout.python_files()
        if is_clean(path)
        for line, first, imperative in documented(ast.parse(path.read_bytes()))
        for problem in problems(first, imperative=imperative)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", CLEAN)
def test_the_list_names_what_is_there(name: str) -> None:
    assert (checkout.ROOT / name).exists()
    assert name.split("/", maxsplit=1)[0] in checkout.PACKAGES


@pytest.mark.parametrize(
    ("first", "imperative", "count"),
    [
        ("Return the limit of a provider.", True, 0),
        ("Process one unit.", True, 0),
        ("Whether calls are let through.", False, 0),
        ("Whether calls are let through.", True, 1),
        ("Returns the limit of a provider.", True, 1),
        ("Is it open?", True, 3),
        ("The limit; nobody else's.", False, 3),
        ("A breaker's settings.", False, 0),
        ("Close it. Using it again opens it.", True, 1),
    ],
)
def test_the_rules(first: str, imperative: bool, count: int) -> None:
    assert len(problems(first, imperative=imperative)) == count
