"""Reading of one small site, from its start page on, by a function that fetches one page.

Pages that name people come first. Invariants: no more pages are read than were asked for, and no more than
:data:`ATTEMPTS` times as many are tried; pages of one kind (a calendar, a shop) don't use up the budget while there are
others; a page that only says where to go on counts as a redirect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.errors import PermanentError, TransientError
from integrations.web.links import page_key, page_shape, ranked_links, refresh_target, same_site

ATTEMPTS = 4  #: tries for each page that may be read: a site may link to many that are missing
MAX_REFRESHES = 3  #: pages in a row that only say where to go on
ALIKE = 2  #: pages of one shape that come before others of their rank


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """Page as the site sent it."""

    url: str  #: after redirects
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Pages that were read of one site."""

    pages: tuple[WebPage, ...]
    forbidden: int = 0  #: pages that robots.txt forbids
    missing: int = 0  #: links to missing pages, or to no HTML
    failed: int = 0  #: pages that a retry may get


def crawl(url: str, fetch: Callable[[str], WebPage], *, max_pages: int) -> Site:
    """Fetch up to ``max_pages`` pages of a site from its start page on.

    Raises the errors of the start page. Those of other pages are only counted.
    """
    start, passed = _arrived(url, fetch)
    pages, seen = [start], passed
    waiting = _Waiting()
    waiting.add(start)
    counts = {"forbidden": 0, "missing": 0, "failed": 0}
    tries = ATTEMPTS * max_pages
    while len(pages) < max_pages and tries > 0 and (link := waiting.best(seen)):
        seen.add(page_key(link))
        tries -= 1
        try:
            page, passed = _arrived(link, fetch)
        except PermanentError as error:
            counts["forbidden" if error.detail == "robots" else "missing"] += 1
            continue
        except TransientError:
            counts["failed"] += 1
            continue
        key = page_key(page.url)
        if not same_site(page.url, start.url) or (key != page_key(link) and key in seen):
            continue  # a redirect away, or to a page we have
        seen |= passed
        pages.append(page)
        waiting.add(page)
    return Site(pages=tuple(pages), **counts)


def _arrived(url: str, fetch: Callable[[str], WebPage]) -> tuple[WebPage, set[str]]:
    """Return the page at a URL, over pages that only lead on, and the keys of all that was passed."""
    page = fetch(url)
    passed = {page_key(url), page_key(page.url)}
    for _ in range(MAX_REFRESHES):
        target = refresh_target(page.html, page.url)
        if target is None or page_key(target) in passed:
            break
        page = fetch(target)
        passed |= {page_key(target), page_key(page.url)}
    return page, passed


class _Waiting:
    """Links that wait to be read, the best first."""

    def __init__(self) -> None:
        self._links: list[tuple[int, int, str]] = []  # rank, place, URL
        self._shapes: Counter[str] = Counter()

    def add(self, page: WebPage) -> None:
        """Take in the links of a page."""
        for rank, link in ranked_links(page.html, page.url):
            self._links.append((rank, len(self._links), link))

    def best(self, seen: set[str]) -> str | None:
        """Return the link to read next, and forget it."""
        self._links = [link for link in self._links if page_key(link[2]) not in seen]
        if not self._links:
            return None
        found = min(self._links, key=lambda link: (-link[0], self._shapes[page_shape(link[2])] >= ALIKE, link[1]))
        self._links.remove(found)
        self._shapes[page_shape(found[2])] += 1
        return found[2]
