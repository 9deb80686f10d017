"""A web page as lines of visible text with plain e-mail addresses, and the facts it states for machines.

Real pages are torn, so nothing here relies on well-formed nesting: the page is walked in order, block elements
end a line. Invariant: scripts, comments and hidden parts are never text, whatever they hold, and text is only
ever text: nothing in it is obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from integrations.values import clean_text, parse_json
from integrations.web.markup import parsable

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from bs4.element import PageElement

MAX_LINES = 5_000
MAX_LINE = 300  #: characters kept of one line
_LOOKED_AT = 4 * MAX_LINE  #: characters of a line that addresses are looked for in
CELL = " \u241f "  #: between the cells of a table's row
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li"}
    | {"main", "nav", "ol", "option", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul", "td", "th"}
)
_UNSEEN = ("script", "style", "noscript", "template", "svg", "iframe", "head", "object", "select", "textarea")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_AT = r"\s*[\[({<]\s*(?:at|@)\s*[\])}>]\s*|\s+at\s+"
_DOT = r"\s*[\[({<]\s*(?:dot|\.)\s*[\])}>]\s*|\s+dot\s+|\."
_OBFUSCATED = re.compile(rf"\b([\w.+-]{{1,64}})(?:{_AT})([\w-]{{1,63}}(?:(?:{_DOT})[\w-]{{2,63}}){{1,4}})\b", re.I)
EMAIL = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,5}[a-z]{2,24}", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """One page, read."""

    title: str = ""
    site_name: str = ""
    description: str = ""
    headings: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()  #: cells of the tables' rows
    labelled: dict[str, str] = field(default_factory=dict)  #: of <dl> lists: term in lower case -> description
    linked_data: tuple[dict[str, object], ...] = ()  #: schema.org objects (JSON-LD)


def read_page(html: str) -> PageText:
    """Parse a page, as an empty one when no parser takes its markup."""
    from bs4 import BeautifulSoup, Comment
    from bs4.exceptions import ParserRejectedMarkup

    try:
        soup = BeautifulSoup(parsable(html), "html.parser")
    except (ParserRejectedMarkup, AssertionError):  # by the name of which the standard library's parser refuses
        return PageText()
    data = tuple(_linked_data(soup))
    title = _flat(soup.title.get_text(" "))[:MAX_LINE] if soup.title else ""
    site_name, description = _meta(soup, "og:site_name"), _meta(soup, "description") or _meta(soup, "og:description")
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in soup.find_all(lambda found: found.name in _UNSEEN or _is_hidden(found)):
        tag.decompose()
    for link in soup.find_all("a", href=True):
        address = str(link["href"])
        if address.lower().startswith("mailto:"):
            link.append(f" {unquote(address[7:].partition('?')[0])} ")
    return PageText(
        title=title,
        site_name=site_name,
        description=description,
        headings=tuple(text for tag in soup.find_all(["h1", "h2"]) if (text := _flat(tag.get_text(" "))[:MAX_LINE])),
        labelled=_labelled(soup),
        rows=tuple(_rows(soup)),
        lines=tuple(_lines(soup)),
        linked_data=data,
    )


def plain_addresses(text: str) -> str:
    """Write "jane [at] acme [dot] example" as an address, leaving sentences untouched."""

    def plain(found: re.Match[str]) -> str:
        if not re.search(r"\bdot\b|[\[({<]", found[0], re.I):
            return found[0]  # "meet us at acme.example" is no address
        domain = re.sub(_DOT, ".", found[2], flags=re.I)
        return f"{found[1]}@{domain}"

    return _OBFUSCATED.sub(plain, text)


def _is_hidden(tag: Tag) -> bool:
    return bool(tag.has_attr("hidden") or _HIDDEN.search(str(tag.get("style") or "")))


def _meta(soup: BeautifulSoup, name: str) -> str:
    tag = soup.find("meta", attrs={"property": name}) or soup.find("meta", attrs={"name": name})
    return _flat(str(tag.get("content") or ""))[:MAX_LINE] if tag else ""


def _flat(text: str) -> str:
    return re.sub(r"[\s\u200b\ufeff]+", " ", clean_text(text)).strip()


def _labelled(soup: BeautifulSoup) -> dict[str, str]:
    found: dict[str, str] = {}
    for term in soup.find_all("dt"):
        value = term.find_next_sibling("dd") or term.find_next("dd")
        if value is not None:
            # A <dt> that is never closed holds its own <dd>.
            said, meant = _flat(term.get_text(" ")), _flat(value.get_text(" "))
            label = said.removesuffix(meant) if value in term.descendants else said
            found.setdefault(label.strip(" :").lower()[:MAX_LINE], meant[:MAX_LINE])
    return found


def _rows(soup: BeautifulSoup) -> Iterator[tuple[str, ...]]:
    """Take data tables, but not layout tables, out of the page and return the cells of their rows."""
    for table in soup.find_all("table"):
        rows = [tuple(_cell(cell) for cell in row.find_all(["td", "th"])) for row in table.find_all("tr")]
        if rows and max(len(row) for row in rows) > 1 and not table.find("table"):
            yield from rows[:MAX_LINES]
            table.decompose()


def _cell(cell: Tag) -> str:
    return plain_addresses(_flat(cell.get_text(" "))[:_LOOKED_AT])[:MAX_LINE]


def _lines(soup: BeautifulSoup) -> Iterator[str]:
    from bs4.element import NavigableString, Tag

    parts: list[str] = []
    count = 0

    def flush() -> Iterator[str]:
        text = plain_addresses(_flat("".join(parts))[:_LOOKED_AT])
        parts.clear()
        if text:
            yield text[:MAX_LINE]

    # Nesting depth isn't trusted: a block's start and the next block's start both end the line before.
    for node in soup.descendants:
        if isinstance(node, Tag):
            if node.name in _BLOCKS or _after_block(node):
                for line in flush():
                    count += 1
                    yield line
            parts.append(" ")
        elif isinstance(node, NavigableString):
            if _after_block(node):
                for line in flush():
                    count += 1
                    yield line
            parts.append(str(node))
        if count >= MAX_LINES:
            return
    yield from flush()


def _after_block(node: PageElement) -> bool:
    """Tell whether the node follows a closed block element and so begins a line of its own."""
    before = node.previous_sibling
    return before is not None and getattr(before, "name", None) in _BLOCKS


def _linked_data(soup: BeautifulSoup) -> Iterator[dict[str, object]]:
    for script in soup.find_all("script", attrs={"type": re.compile(r"^application/ld\+json", re.I)}):
        try:
            found = parse_json(script.string or "")
        except ValueError:
            continue  # broken markup is common and no reason to lose the page
        yield from _objects(found, 0)


def _objects(found: object, depth: int) -> Iterator[dict[str, object]]:
    if depth > 6:
        return
    if isinstance(found, list):
        for item in found[:500]:
            yield from _objects(item, depth + 1)
    elif isinstance(found, dict):
        yield found
        for key in ("@graph", "employee", "employees", "founder", "founders", "member", "publisher", "mainEntity"):
            if key in found:
                yield from _objects(found[key], depth + 1)
