"""Closed forms of a model's answers: no key but the form's, every text and list bounded.

A model that has read strangers may be led to add a key, or to fill a text without end. :class:`AnswerForm` is the base
of all that :func:`agents.model_call.ask` accepts. Invariant: what comes out has the form's keys only; a text that is
too long is cut at a word, since servers without structured outputs count no characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class AnswerForm(BaseModel):
    """Base of the answers of models."""

    model_config = ConfigDict(extra="forbid")


def at_most(limit: int) -> BeforeValidator:
    """Cut a text at the last word that fits into ``limit`` characters, beside ``Field(max_length=limit)``."""

    def cut(value: object) -> object:
        if not isinstance(value, str) or len(value) <= limit:
            return value
        return value[: limit + 1].rsplit(maxsplit=1)[0][:limit]

    return BeforeValidator(cut)


def first(count: int) -> BeforeValidator:
    """Keep the first ``count`` entries of a list, beside ``Field(max_length=count)``."""
    return BeforeValidator(lambda value: value[:count] if isinstance(value, list | tuple) else value)


@cache
def check_closed(form: type[AnswerForm]) -> None:
    """Raise TypeError, which names the place, when a form leaves a text, a list or an object open."""
    schema = form.model_json_schema()
    if places := sorted(set(_open(schema, schema.get("$defs", {}), form.__name__))):
        raise TypeError(f"the form of a model's answer must be closed; open: {', '.join(places)}")


def _open(node: Mapping[str, Any], definitions: Mapping[str, Any], place: str, depth: int = 0) -> Iterator[str]:
    """Yield the places of a schema that bound nothing."""
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        if depth < 20:
            yield from _open(definitions[name], definitions, place, depth + 1)
        return
    for option in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        yield from _open(option, definitions, place, depth + 1)
    kind = node.get("type")
    if kind == "string" and not {"maxLength", "enum", "const"} & node.keys():
        yield place
    if kind == "array":
        if "maxItems" not in node:
            yield place
        yield from _open(node.get("items", {}), definitions, f"{place}[]", depth + 1)
    if kind == "object":
        if node.get("additionalProperties") is not False:
            yield place
        for name, inner in node.get("properties", {}).items():
            yield from _open(inner, definitions, f"{place}.{name}", depth + 1)
    if kind is None and not {"$ref", "anyOf", "oneOf", "allOf", "enum", "const"} & node.keys():
        yield place
