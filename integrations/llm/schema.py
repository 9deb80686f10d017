"""JSON schemas on their way to a model, and JSON on its way back.

Three forms of one schema: in words for every server (:func:`instructions`), the strict subset for
servers with structured outputs (:func:`strict`), and the reader (:func:`extract`) that copes with
servers which know neither and wrap the object in a code fence or in prose. Invariant: nothing here
trusts the answer; validation stays with the caller's model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# OpenAI's strict mode refuses a schema that holds keywords outside its subset; the lengths of strings and
# defaults are outside. Source: "Structured Outputs", supported schemas, platform.openai.com/docs.
_NOT_STRICT = ("minLength", "maxLength", "default", "title", "examples", "uniqueItems", "format")
_IN_WORDS = {"minLength": "at least {} characters", "maxLength": "at most {} characters"}
_COMPOSED = ("anyOf", "oneOf", "allOf")


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema in the strict subset: references resolved, every property required, none added.

    Constraints that the subset lacks go into the descriptions. Raises ValueError for a recursive schema.
    """
    return _strict(schema, schema.get("$defs", {}), ())


def _strict(node: Mapping[str, Any], definitions: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        if name in above:
            raise ValueError(f"schema is recursive at {name!r}; an answer's model must be a tree")
        merged = {**definitions[name], **{k: v for k, v in node.items() if k != "$ref"}}
        return _strict(merged, definitions, (*above, name))
    said = [_IN_WORDS[key].format(node[key]) for key in _IN_WORDS if key in node]
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$defs" or key in _NOT_STRICT:
            continue
        if key == "properties":
            kept[key] = {name: _strict(child, definitions, above) for name, child in value.items()}
        elif key == "items":
            kept[key] = _strict(value, definitions, above)
        elif key in _COMPOSED:
            kept["anyOf" if key == "oneOf" else key] = [_strict(child, definitions, above) for child in value]
        else:
            kept[key] = value
    if said:
        kept["description"] = ". ".join([*filter(None, [kept.get("description")]), ", ".join(said)])
    if kept.get("type") == "object":
        kept["properties"] = kept.get("properties", {})
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept


def instructions(schema: Mapping[str, Any]) -> str:
    """What the system prompt says about the form of the answer; every server can read this."""
    return (
        "Answer with exactly one JSON object and nothing else: no prose around it, no code fence. "
        "It must be valid against this JSON Schema:\n" + json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    )


def extract(text: str) -> Any:
    """The JSON object in an answer: bare, in a code fence, or with prose around it.

    ValueError when there is none.
    Among several objects the largest wins: prose tends to quote fragments, the answer is the whole.
    """
    try:
        found = json.loads(text)
    except ValueError:
        pass
    else:
        if isinstance(found, dict):
            return found
    best: tuple[int, dict[str, Any]] | None = None
    for length, candidate in _objects(text):
        if best is None or length > best[0]:
            best = (length, candidate)
    if best is None:
        raise ValueError("the answer holds no JSON object")
    return best[1]


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every outermost JSON object in the text with its length; linear in the text for sane answers."""
    decoder = json.JSONDecoder(strict=False)  # raw newlines inside strings are a common slip of small models
    at, tries = text.find("{"), 0
    while at >= 0 and tries < 200:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict):
            yield end - at, value
        at = text.find("{", end)
