"""What a page states for machines: schema.org objects in JSON-LD, also torn ones, and in microdata or RDFa attributes.

JSON-LD on real pages is written by templates: with a semicolon at its end, inside CDATA or a comment of HTML, with
comments and trailing commas, line breaks in strings, several objects in a row. Invariant: what is read is only ever
data, and what is torn beyond that is no reason to lose the page.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import JsonValue

from integrations.values import clean_json, clean_text

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

Object = dict[str, object]

MAX_DEPTH = 6  #: levels of objects inside objects
MAX_ITEMS = 500  #: of one list, and objects of one page's attributes
#: Where other objects about the same company hang.
_INSIDE = (
    *(
        "@graph",
        "employee",
        "employees",
        "founder",
        "founders",
        "member",
        "members",
        "publisher",
        "mainEntity",
        "about",
    ),
    *("department", "subOrganization", "contactPoint", "itemListElement", "item", "hasPart"),
)
_WRAPPING = re.compile(
    r"^\s*(?:/[/*]\s*)?(?:<!--|<!\[CDATA\[)\s*(?:\*/)?|(?:/[/*]\s*)?(?:-->|\]\]>)\s*(?:\*/)?\s*;?\s*$"
)
_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.S)
_LOOSE_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.S)
_MOST_DIGITS = 19
#: Properties whose value is a link's target, not its text.
_LINKS = frozenset({"email", "url", "sameAs", "telephone", "image", "logo"})


def linked_data(soup: BeautifulSoup) -> Iterator[Object]:
    """Yield the objects of a page's JSON-LD scripts."""
    for script in soup.find_all("script", attrs={"type": re.compile(r"^\s*application/ld\+json", re.I)}):
        for found in torn_json(script.string or ""):
            yield from _objects(found, 0)


def attribute_data(soup: BeautifulSoup) -> Iterator[Object]:
    """Yield the objects that a page's attributes state (microdata, RDFa), the outer ones first."""
    outer = [tag for tag in soup.find_all(_is_scope, limit=MAX_ITEMS) if tag.find_parent(_is_scope) is None]
    for tag in outer:
        yield from _objects(_stated(tag, 0), 0)


def kinds(item: Object) -> list[str]:
    """Return the types of an object without their vocabulary: ``Person`` of ``http://schema.org/Person``."""
    given = item.get("@type")
    listed = given if isinstance(given, list) else [given]
    return [re.split(r"[/#:]", kind.strip().rstrip("/"))[-1] for kind in listed if isinstance(kind, str)]


def torn_json(text: str) -> list[JsonValue]:
    """Return the values of a text of JSON as templates write it, none where it can't be read."""
    text = _WRAPPING.sub("", _WRAPPING.sub("", text))
    for repair in (_as_it_is, _repaired, lambda torn: _repaired(html.unescape(torn))):
        found = _values(repair(text))
        if found is not None:
            return found
    return []


def _as_it_is(text: str) -> str:
    return text


def _repaired(text: str) -> str:
    """Return JSON without comments and without commas before a closing bracket."""
    kept = _COMMENT.sub(lambda found: found[1] or " ", text)
    return _LOOSE_COMMA.sub(lambda found: found[1] or "", kept)


def _values(text: str) -> list[JsonValue] | None:
    """Return the values that stand one after the other in a text, None where one is no JSON."""
    decoder = json.JSONDecoder(
        strict=False, parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else None
    )
    found: list[JsonValue] = []
    place = 0
    while True:
        place += len(text[place:]) - len(text[place:].lstrip(" \t\r\n;,"))
        if place >= len(text) or len(found) >= MAX_ITEMS:
            return found
        try:
            value, place = decoder.raw_decode(text, place)
            found.append(clean_json(value))
        except (ValueError, RecursionError):
            return None


def _objects(found: object, depth: int) -> Iterator[Object]:
    if depth > MAX_DEPTH:
        return
    if isinstance(found, list):
        for item in found[:MAX_ITEMS]:
            yield from _objects(item, depth + 1)
    elif isinstance(found, dict):
        yield found
        for key in _INSIDE:
            if key in found:
                yield from _objects(found[key], depth + 1)


def _is_scope(tag: Tag) -> bool:
    return bool((tag.has_attr("itemscope") and tag.get("itemtype")) or tag.get("typeof"))


def _stated(scope: Tag, depth: int) -> Object:
    """Return one element's object."""
    made: Object = {"@type": str(scope.get("itemtype") or scope.get("typeof") or "").split()}
    if depth > MAX_DEPTH:
        return made
    for tag in scope.find_all(_is_property, limit=MAX_ITEMS):
        if tag.find_parent(_is_scope) is not scope:
            continue
        value: object = _stated(tag, depth + 1) if _is_scope(tag) else _value(tag)
        for name in str(tag.get("itemprop") or tag.get("property") or "").split():
            plain = re.split(r"[/#:]", name)[-1]
            known = made.get(plain)
            if known is None:
                made[plain] = value
            elif isinstance(known, list):
                known.append(value)
            else:
                made[plain] = [known, value]
    return made


def _is_property(tag: Tag) -> bool:
    return bool(tag.get("itemprop") or (tag.get("property") and tag.name != "meta"))


def _value(tag: Tag) -> str:
    name = str(tag.get("itemprop") or tag.get("property") or "")
    if tag.has_attr("content"):
        return clean_text(str(tag["content"]))
    if tag.has_attr("href") and name in _LINKS:
        return clean_text(str(tag["href"]))
    if tag.name in ("data", "meter") and tag.has_attr("value"):
        return clean_text(str(tag["value"]))
    return re.sub(r"\s+", " ", clean_text(tag.get_text(" "))).strip()
