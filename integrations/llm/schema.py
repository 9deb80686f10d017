"""JSON schemas in requests to a model, and JSON objects in its answers.

A schema goes out in words for every server (:func:`instructions`) and in the strict subset for servers with structured
outputs (:func:`strict`). :func:`extract` reads the object also where a server wraps it in a code fence or in prose.
Invariant: answers are not validated here, which is the caller's part.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from integrations.llm.body import DECODER
from integrations.values import MAX_DEPTH, MAX_INTEGER, clean_json

# OpenAI's strict mode refuses a schema that holds keywords outside its subset; the lengths of strings and
# defaults are outside. Source: "Structured Outputs", supported schemas, platform.openai.com/docs.
_NOT_STRICT = ("minLength", "maxLength", "default", "title", "examples", "uniqueItems", "format")
_IN_WORDS = {"minLength": "at least {} characters", "maxLength": "at most {} characters"}
_COMPOSED = ("anyOf", "oneOf", "allOf")

#: A JSON Schema document, such as ``model_json_schema()`` returns.
JsonSchema = Mapping[str, Any]


def strict(schema: JsonSchema) -> dict[str, object]:
    """Convert a schema to the strict subset: references resolved, every property required, none added.

    Constraints that the subset lacks go into the descriptions. Raises ValueError when the schema is recursive.
    """
    return _strict(schema, schema.get("$defs", {}), ())


def _strict(node: JsonSchema, definitions: JsonSchema, above: tuple[str, ...]) -> dict[str, object]:
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        if name in above:
            raise ValueError(f"schema is recursive at {name!r}; an answer's model must be a tree")
        merged = {**definitions[name], **{k: v for k, v in node.items() if k != "$ref"}}
        return _strict(merged, definitions, (*above, name))
    said = [_IN_WORDS[key].format(node[key]) for key in _IN_WORDS if key in node]
    kept: dict[str, object] = {}
    properties: list[str] = []
    for key, value in node.items():
        if key == "$defs" or key in _NOT_STRICT:
            continue
        if key == "properties":
            kept[key] = {name: _strict(child, definitions, above) for name, child in value.items()}
            properties = list(value)
        elif key == "items":
            kept[key] = _strict(value, definitions, above)
        elif key in _COMPOSED:
            kept["anyOf" if key == "oneOf" else key] = [_strict(child, definitions, above) for child in value]
        else:
            kept[key] = value
    if said:
        kept["description"] = ". ".join([*filter(None, [node.get("description")]), ", ".join(said)])
    if kept.get("type") == "object":
        kept.setdefault("properties", {})
        kept |= {"required": properties, "additionalProperties": False}
    return kept


def instructions(schema: JsonSchema) -> str:
    """Return the system prompt's text about the form of the answer, for servers of every kind."""
    return (
        "Answer with exactly one JSON object and nothing else: no prose around it, no code fence. "
        "It must be valid against this JSON Schema:\n" + json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    )


def extract(text: str) -> dict[str, object]:
    """Return the JSON object in an answer: bare, in a code fence, or with prose around it.

    Of several objects it is the last one that is at least half as long as the longest: prose quotes fragments of an
    answer, and a draft comes before what it was for. The object is storable (:mod:`integrations.values`). Raises
    ValueError when there is none, and when it holds a number that is not finite or beyond 64 bits.
    """
    found = _objects(text)
    if not found:
        raise ValueError("the answer holds no JSON object")
    longest = max(length for length, _ in found)
    value = [value for length, value in found if 2 * length >= longest][-1]
    _check_numbers(value, MAX_DEPTH)
    cleaned = clean_json(value)
    assert isinstance(cleaned, dict)
    return dict(cleaned)


def _objects(text: str) -> list[tuple[int, dict[str, object]]]:
    """Return the length and value of every outermost JSON object in a text."""
    found: list[tuple[int, dict[str, object]]] = []
    at, tries = text.find("{"), 0
    while at >= 0 and tries < 200:
        tries += 1
        try:
            value, end = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict):
            found.append((end - at, value))
        at = text.find("{", end)
    return found


def _check_numbers(value: object, depth: int) -> None:
    """Raise ValueError when there is a number in decoded JSON that can't be stored."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number in the answer is not finite or too large")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise ValueError("a number in the answer is too large")
    if depth and isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _check_numbers(one, depth - 1)
