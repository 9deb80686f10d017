"""Ranking of a site's links, by their URLs and anchor texts.

A site is read up to a number of pages, so the pages that name people and describe the company come first. Invariant:
the order depends on the site only, never on time.
"""

from __future__ import annotations

import re
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from integrations.values import http_url
from integrations.web.markup import parsable

#: words in the path or the link's text -> rank of the page
_WANTED = (
    (re.compile(r"\b(team|people|leadership|management|founders?|staff|executives?|board|who-we-are)\b", re.I), 4),
    (re.compile(r"\b(about|about-us|company|story|imprint|impressum)\b", re.I), 3),
    (re.compile(r"\b(contact|contacts|contact-us|kontakt)\b", re.I), 2),
)
_UNWANTED = re.compile(
    r"\b(blog|news|press|login|log-in|signin|signup|register|cart|checkout|privacy|terms|cookies?|legal|search"
    r"|docs|help|support|careers?|jobs?|events?|tag|category|archive|feed|rss)\b",
    re.I,
)
_FILES = re.compile(
    r"\.(pdf|zip|gz|jpe?g|png|gif|svg|webp|ico|css|js|json|xml|mp[34]|avi|mov|docx?|xlsx?|pptx?|woff2?)$", re.I
)
MAX_LINKS = 2000  #: of one page


class _Anchors(HTMLParser):
    """Parser that collects (href, text) of a page's links, and its base URL if it sets one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self.base: str | None = None
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "base" and self.base is None:
            self.base = values.get("href")
        if tag == "a":
            self._open = bool(values.get("href")) and len(self.found) < MAX_LINKS
            if self._open:
                self.found.append((str(values["href"]), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open and self.found:
            href, text = self.found[-1]
            self.found[-1] = (href, (text + data)[:200])


def same_site(url: str, other: str) -> bool:
    """Return whether two URLs have the same host (with or without ``www.``) and port."""
    return _site(url) == _site(other)


def page_key(url: str) -> str:
    """Return the form that all URLs of one page share: no fragment, no final slash, no ``www.``."""
    parts = urlsplit(urldefrag(url)[0])
    query = f"?{parts.query}" if parts.query else ""
    return f"{_site(url)}{parts.path.rstrip('/') or '/'}{query}"


def ranked_links(html: str, page_url: str) -> list[tuple[int, str]]:
    """Return (rank, URL) of a page's links to the same site, where a higher rank is read earlier."""
    anchors = _Anchors()
    with suppress(AssertionError):  # markup that the parser refuses: the links before it count
        anchors.feed(parsable(html))
    base = _base(page_url, anchors.base)
    found: dict[str, tuple[int, str]] = {}
    for href, text in anchors.found:
        try:
            url = urldefrag(urljoin(base, href.strip()))[0]
            parts = urlsplit(url)
            key = page_key(url)
            inside = parts.scheme in ("http", "https") and same_site(url, page_url)
        except ValueError:
            continue  # a malformed link leads to no page
        if not inside or http_url(url) is None or _FILES.search(parts.path):
            continue
        rank = rank_of(parts.path, text)
        if rank is not None and (key not in found or found[key][0] < rank):
            found[key] = (rank, url)
    return list(found.values())


def rank_of(path: str, text: str) -> int | None:
    """Return the rank of a link (0 to 4), or None for pages that never name the company's people."""
    spoken = re.sub(r"[/_.]", " ", path)
    for pattern, value in _WANTED:
        if pattern.search(spoken) or pattern.search(text):
            return value
    return None if _UNWANTED.search(spoken) else 0


def _site(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # http and https on their own ports are one site.
    return host if port in (80, 443) else f"{host}:{port}"


def _base(page_url: str, href: str | None) -> str:
    """Return what a page's links are relative to, where a base that is no URL counts as none."""
    try:
        return urljoin(page_url, href) if href else page_url
    except ValueError:
        return page_url
