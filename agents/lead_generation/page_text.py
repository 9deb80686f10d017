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

from agents.contacts.contact import is_domain
from agents.email_address import EMAIL, plain_addresses
from agents.lead_generation.linked_data import attribute_data, linked_data
from integrations.values import clean_text
from integrations.web.markup import parsable

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from bs4.element import PageElement

MAX_LINES = 5_000
MAX_LINE = 300  #: characters kept of one line
_LOOKED_AT = 4 * MAX_LINE  #: characters of a line that addresses are looked for in
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li"}
    | {"main", "nav", "ol", "option", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul", "td", "th"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN = ("script", "style", "noscript", "template", "svg", "iframe", "head", "object", "select", "textarea")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_EDGE = "\u2063"  #: where an element inside a line begins or ends
_AT_EDGES = re.compile(rf"(?<=\w){_EDGE}*@{_EDGE}*(?=\w)")
_DOT_EDGES = re.compile(rf"(@[\w.-]*\w){_EDGE}*\.{_EDGE}*(?=\w)")
#: What is glued to the end of an address where a page left out a space.
_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z]{2})(?=(?:tel|phone|fax|mobile?|web|www)\b)", re.I)
_GLUED_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """One page, read."""

    title: str = ""
    site_name: str = ""
    description: str = ""
    headings: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    pieces: tuple[tuple[str, ...], ...] = ()  #: of each line: its parts by the elements inside it
    heads: frozenset[int] = frozenset()  #: numbers of the lines that are headings
    rows: tuple[tuple[str, ...], ...] = ()  #: cells of the tables' rows, with line breaks
    labelled: dict[str, str] = field(default_factory=dict)  #: of <dl> lists: term in lower case -> description
    linked_data: tuple[dict[str, object], ...] = ()  #: schema.org objects


def read_page(html: str) -> PageText:
    """Parse a page, as an empty one when no parser takes its markup."""
    from bs4 import BeautifulSoup, Comment
    from bs4.exceptions import ParserRejectedMarkup

    try:
        soup = BeautifulSoup(parsable(html), "html.parser")
    except (ParserRejectedMarkup, AssertionError):  # by the name of which the standard library's parser refuses
        return PageText()
    data = tuple(linked_data(soup))
    title = _flat(soup.title.get_text(" "))[:MAX_LINE] if soup.title else ""
    site_name, description = _meta(soup, "og:site_name"), _meta(soup, "description") or _meta(soup, "og:description")
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in soup.find_all(lambda found: found.name in _UNSEEN or _is_hidden(found)):
        tag.decompose()
    for link in soup.find_all("a", href=True):
        address = str(link["href"]).strip()
        if address.lower().startswith("mailto:"):
            link.append(f" {unquote(address[7:].partition('?')[0]).strip()} ")
    data += tuple(attribute_data(soup))
    labelled, rows = _labelled(soup), tuple(_rows(soup))
    lines = tuple(_lines(soup))
    return PageText(
        title=title,
        site_name=site_name,
        description=description,
        headings=tuple(text for tag in soup.find_all(["h1", "h2"]) if (text := _flat(tag.get_text(" "))[:MAX_LINE])),
        labelled=labelled,
        rows=rows,
        lines=tuple(line.text for line in lines),
        pieces=tuple(line.pieces for line in lines),
        heads=frozenset(number for number, line in enumerate(lines) if line.heading),
        linked_data=data,
    )


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
        if table.find("table"):
            continue
        rows = list(_cells(table))
        if rows and max(len(row) for row in rows) > 1:
            yield from (tuple(row) for row in rows[:MAX_LINES])
            table.decompose()


def _cells(table: Tag) -> Iterator[list[str]]:
    """Yield the cells of each row in reading order, whose tags may never be closed."""
    from bs4.element import NavigableString, Tag

    row: list[list[str]] = []
    for node in table.descendants:
        if isinstance(node, Tag):
            if node.name == "tr":
                if row:
                    yield [_cell(parts) for parts in row]
                row = []
            elif node.name in ("td", "th"):
                row.append([])
            elif row:
                row[-1].append("\n" if node.name in _BLOCKS else _EDGE)
        elif isinstance(node, NavigableString) and row:
            row[-1].append(_edge_before(node) + str(node).replace("\n", " "))
    if row:
        yield [_cell(parts) for parts in row]


def _cell(parts: list[str]) -> str:
    lines = [_read(line)[0] for line in "".join(parts)[: 2 * _LOOKED_AT].split("\n")]
    return "\n".join(line for line in lines if line)[:MAX_LINE]


@dataclass(frozen=True, slots=True)
class _Line:
    """One line, read."""

    text: str
    pieces: tuple[str, ...]
    heading: bool


def _lines(soup: BeautifulSoup) -> Iterator[_Line]:
    from bs4.element import NavigableString, Tag

    parts: list[str] = []
    count = 0
    heading = False

    def flush() -> Iterator[_Line]:
        text, pieces = _read("".join(parts))
        parts.clear()
        if text:
            yield _Line(text[:MAX_LINE], pieces, heading)

    # Nesting depth isn't trusted: a block's start and the next block's start both end the line before.
    for node in soup.descendants:
        if isinstance(node, Tag):
            if node.name in _BLOCKS or _after_block(node):
                for line in flush():
                    count += 1
                    yield line
                heading = node.name in _HEADINGS
            parts.append(_EDGE)
        elif isinstance(node, NavigableString):
            if _after_block(node):
                for line in flush():
                    count += 1
                    yield line
                heading = False
            parts.append(_edge_before(node) + str(node))
        if count >= MAX_LINES:
            return
    yield from flush()


def _read(marked: str) -> tuple[str, tuple[str, ...]]:
    """Return a line's text with whole addresses, and its parts by the elements inside it."""
    text = clean_text(marked.replace("\u200b", "").replace("\ufeff", ""))
    if _EDGE in text:
        text = _DOT_EDGES.sub(r"\1.", _AT_EDGES.sub("@", text)) if "@" in text else text
    pieces = tuple(piece for part in text.split(_EDGE) if (piece := _flat(part)))
    flat = plain_addresses(_flat(text.replace(_EDGE, " "))[:_LOOKED_AT])
    return EMAIL.sub(_unglued, flat) if "@" in flat else flat, pieces[:MAX_LINES]


def _unglued(found: re.Match[str]) -> str:
    """Set what is glued to the end of an address apart from it, where the whole is no name of a domain."""
    address = found[0]
    domain = address.rpartition("@")[2]
    if is_domain(domain.lower()):
        return address
    start = len(address) - len(domain.rpartition(".")[2])
    for pattern in (_GLUED_CASE, _GLUED):
        for cut in pattern.finditer(address, start):
            if cut.start() > start and is_domain(address[: cut.start()].rpartition("@")[2].lower()):
                return f"{address[: cut.start()]} {address[cut.start() :]}"
    return address


def _edge_before(node: PageElement) -> str:
    """Return the edge of the element that ends right before a text."""
    before = node.previous_sibling
    return _EDGE if getattr(before, "name", None) else ""


def _after_block(node: PageElement) -> bool:
    """Tell whether the node follows a closed block element and so begins a line of its own."""
    before = node.previous_sibling
    return before is not None and getattr(before, "name", None) in _BLOCKS
