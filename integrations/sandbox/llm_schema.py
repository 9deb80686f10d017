"""JSON schemas in the sandbox's model: a check of strict schemas, and values that are valid for a schema.

Invariant: for a supported schema :func:`fill` returns a valid value that depends on the schema and the seed text only,
and :func:`fit` makes any object valid and keeps its valid parts.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.sandbox.llm_text import MARK, Draw
from integrations.sandbox.protocol import JsonObject

_FORMATS: Mapping[str, str] = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "email": "sandbox@example.com",
    "uri": "https://example.com/",
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (Mapping,),
    "null": (type(None),),
}


def strict_problem(schema: object, path: str = "()") -> str | None:
    """Return OpenAI's message about a schema that its strict mode refuses, or None for one that it accepts."""
    if not isinstance(schema, Mapping):
        return f"In context={path}, schema must be an object"
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in properties if name not in schema.get("required", ())]
        if missing:
            return (
                f"In context={path}, 'required' is required to be supplied and to be an array including every key "
                f"in properties. Missing '{missing[0]}'."
            )
    for key in ("minLength", "maxLength", "default", "uniqueItems"):
        if key in schema:
            return f"In context={path}, '{key}' is not permitted."
    children = [*schema.get("properties", {}).items(), *schema.get("$defs", {}).items()]
    children += [("items", schema["items"])] if isinstance(schema.get("items"), Mapping) else []
    children += [("anyOf", child) for child in schema.get("anyOf", ())]
    for name, child in children:
        found = strict_problem(child, f"{path[:-1]}'{name}', )")
        if found:
            return found
    return None


def fill(schema: JsonObject, seed: str) -> object:
    """Return a valid value for a schema."""
    return _fill(schema, schema.get("$defs", {}), Draw(seed), "", 0)


def fit(schema: JsonObject, value: object, seed: str) -> object:
    """Return ``value`` made valid for an object schema, without unknown properties and with missing ones filled."""
    return _fit(schema, schema.get("$defs", {}), value, Draw(seed), "")


def _resolve(node: JsonObject, definitions: JsonObject) -> JsonObject:
    while "$ref" in node:
        node = definitions[str(node["$ref"]).rsplit("/", 1)[-1]]
    return node


def _fit(node: JsonObject, definitions: JsonObject, value: object, draw: Draw, name: str) -> object:
    node = _resolve(node, definitions)
    options = node.get("anyOf") or node.get("oneOf")
    if options:
        for option in options:
            if _matches(_resolve(option, definitions), value):
                return _fit(option, definitions, value, draw, name)
        return _fill(node, definitions, draw, name, 0)
    if node.get("type") == "object" and isinstance(value, Mapping):
        properties = node.get("properties", {})
        wanted = node.get("required", list(properties))
        return {
            key: _fit(child, definitions, value[key], draw, key)
            if key in value
            else _fill(child, definitions, draw, key, 1)
            for key, child in properties.items()
            if key in value or key in wanted
        }
    if node.get("type") == "array" and isinstance(value, list | tuple):
        items = [_fit(node.get("items", {}), definitions, item, draw, name) for item in value]
        while len(items) < node.get("minItems", 0):
            items.append(_fill(node.get("items", {}), definitions, draw, name, 1))
        return items[: node.get("maxItems", len(items))]
    if _matches(node, value):
        return value[: node["maxLength"]] if isinstance(value, str) and "maxLength" in node else value
    return _fill(node, definitions, draw, name, 1)


def _matches(node: JsonObject, value: object) -> bool:
    if "enum" in node:
        return value in node["enum"]
    if "const" in node:
        return bool(value == node["const"])
    kinds = node.get("type")
    if kinds is None:
        return True
    if isinstance(value, bool):
        return "boolean" in ([kinds] if isinstance(kinds, str) else kinds)
    return any(isinstance(value, _TYPES[kind]) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _fill(node: JsonObject, definitions: JsonObject, draw: Draw, name: str, depth: int) -> object:
    node = _resolve(node, definitions)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return draw.pick(list(node["enum"]))
    options = node.get("anyOf") or node.get("oneOf")
    if options:
        plain = [option for option in options if option.get("type") != "null"]
        return _fill(plain[0] if plain and depth < 8 else {"type": "null"}, definitions, draw, name, depth + 1)
    kind = node.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" or "properties" in node:
        return {
            key: _fill(child, definitions, draw, key, depth + 1) for key, child in node.get("properties", {}).items()
        }
    if kind == "array":
        size = min(max(node.get("minItems", 2), 0), node.get("maxItems", 3)) if depth < 8 else node.get("minItems", 0)
        return [_fill(node.get("items", {}), definitions, draw, name, depth + 1) for _ in range(size)]
    return _fill_scalar(node, kind, draw, name)


def _fill_scalar(node: JsonObject, kind: object, draw: Draw, name: str) -> object:
    if kind == "boolean":
        return draw.number(2) == 1
    if kind in ("integer", "number"):
        low = node.get("minimum", node.get("exclusiveMinimum", -1 if "maximum" in node else 0))
        low = low + 1 if "exclusiveMinimum" in node and kind == "integer" else low
        high = node.get("maximum", node.get("exclusiveMaximum", low + 10))
        if kind == "integer":
            return int(low) + draw.number(max(1, int(high) - int(low) + ("maximum" in node)))
        return round(low + (high - low) * (1 + draw.number(998)) / 1000, 3)
    if kind == "null":
        return None
    text = _FORMATS.get(str(node.get("format")), f"{MARK} {name.replace('_', ' ') or 'text'} {draw.number(1000)}")
    text = text.ljust(node.get("minLength", 0), ".")
    return text[: node.get("maxLength", len(text))]
