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


def product_files() -> list[Path]:
    """Return the Python files of the product."""
    return [path for path in checkout.python_files() if checkout.name(path).split("/")[0] in checkout.PACKAGES]


def test_first_lines_are_sentences_that_a_stranger_can_parse() -> None:
    wrong = [
        f"{checkout.name(path)}:{line}: {problem}: {first}"
        for path in product_files()
        for line, first, imperative in documented(ast.parse(path.read_bytes()))
        for problem in problems(first, imperative=imperative)
    ]
    assert not wrong, "\n".join(wrong)


def test_all_of_the_product_is_checked() -> None:
    checked = {checkout.name(path).split("/")[0] for path in product_files()}
    assert checked == set(checkout.PACKAGES)


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
