"""Answers of providers as their public documentation shows them, and what may become of them.

The files in ``tests/data/recorded`` have the fields of the documents' examples with values of our own: no person, no
key. Which document each follows is told where it is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import checkout

FOLDER = checkout.ROOT / "tests/data/recorded"
#: From the answer inwards: keys of objects, and 0 for the first element of a list.
Path = tuple[str | int, ...]


def recorded(name: str) -> Any:
    """The answer in the file of that name."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def widened(value: Any) -> Any:
    """The answer with fields that no document has, in each of its objects."""
    if isinstance(value, list):
        return [widened(one) for one in value]
    if isinstance(value, dict):
        news = {"": 1, "a_new_field": {"of": ["a", {"new": "kind"}]}, "another_new_field": None}
        return {**news, **{key: widened(one) for key, one in value.items()}}
    return value


def paths(value: Any, before: Path = ()) -> Iterator[Path]:
    """The way to each field of the answer."""
    if isinstance(value, list) and value:
        yield from paths(value[0], (*before, 0))
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*before, key)
            yield from paths(one, (*before, key))


def without(value: Any, path: Path) -> Any:
    """The answer without one field."""
    copy = deepcopy(value)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copy


def shown(path: Path) -> str:
    """A path as an error may name it, such as ``data[0].id``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
