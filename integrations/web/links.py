"""Ranking of a site's links, by their URLs and anchor texts.

A site is read up to a number of pages, so the pages that name people and describe the company come first. Invariant:
the order depends on the site only, never on time.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from integrations.host_names import ascii_name
from integrations.values import http_url
from integrations.web.markup import parsable

#: Parts of a URL that name a visit or a campaign, not a page.
_VISIT = re.compile(
    r"(?:utm_\w+|(?:php|j|asp\.net_)?sess(?:ion)?_?id|sid|fbclid|gclid|dclid|msclkid|yclid|mc_[ce]id|_ga|_gl|_hs\w+|igshid)",
    re.I,
)
_SESSION = re.compile(r";(?:jsessionid|sid|phpsessid)=[^/?#]*", re.I)
_FILES = re.compile(
    r"\.(pdf|zip|gz|jpe?g|png|gif|svg|webp|ico|css|js|json|xml|mp[34]|avi|mov|docx?|xlsx?|pptx?|woff2?)$", re.I
)
#: kind of page, by words in its path or the link's text (``page_words.json``) -> its rank
_RANKS = {"people": 4, "about": 3, "contact": 2}
MAX_LINKS = 2000  #: of one page
MAX_REFRESH_S = 10  #: a page that leads on later than that is there to be read


class _Anchors(HTMLParser):
    """Parser that collects (href, text) of a page's links, its base URL if it sets one, and where it leads on."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self.base: str | None = None
        self.refresh: str | None = None
        self._open = False
        self._without_scripts = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "base" and self.base is None:
            self.base = values.get("href")
        if tag == "noscript":
            self._without_scripts = True
        if (
            tag == "meta"
            and (values.get("http-equiv") or "").strip().lower() == "refresh"
            and not self._without_scripts
        ):
            self.refresh = self.refresh or values.get("content")
        if tag == "a":
            self._open = bool(values.get("href")) and len(self.found) < MAX_LINKS
            if self._open:
                self.found.append((str(values["href"]), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = False
        if tag == "noscript":
            self._without_scripts = False

    def handle_data(self, data: str) -> None:
        if self._open and self.found:
            href, text = self.found[-1]
            self.found[-1] = (href, (text + data)[:200])


def same_site(url: str, other: str) -> bool:
    """Return whether two URLs have the same host (with or without ``www.``) and port."""
    return _site(url) == _site(other)


def page_key(url: str) -> str:
    """Return the form that all URLs of one page share: no fragment, final slash, ``www.``, session or campaign."""
    parts = urlsplit(urldefrag(url)[0])
    named = [part for part in parts.query.split("&") if part and not _VISIT.fullmatch(part.partition("=")[0])]
    query = f"?{'&'.join(named)}" if named else ""
    return f"{_site(url)}{_SESSION.sub('', parts.path).rstrip('/') or '/'}{query}"


def page_shape(url: str) -> str:
    """Return the form that pages of one kind share: the folder, with every number and the last part left open."""
    folder, _, last = urlsplit(url).path.rstrip("/").rpartition("/")
    named = re.sub(r"\d+", "0", folder)
    return f"{named}/{'0' if re.search(r'[0-9]', last) else '*' if folder else last}"


def refresh_target(html: str, page_url: str) -> str | None:
    """Return where a page sends its reader at once (``<meta http-equiv="refresh">``), or None."""
    if "refresh" not in html[:20_000].lower():
        return None
    found = _Anchors()
    with suppress(AssertionError):
        found.feed(parsable(html[:20_000]))
    told = re.match(r"\s*(\d+)(?:\.\d*)?\s*(?:[;,]\s*|\s+)(?:url\s*=\s*)?[\"']?([^\"']+)", found.refresh or "", re.I)
    if told is None or int(told[1]) > MAX_REFRESH_S:
        return None
    try:
        url = urldefrag(urljoin(_base(page_url, found.base), told[2].strip()))[0]
    except ValueError:
        return None
    return http_url(url)


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
    spoken = re.sub(r"[/_.]", " ", unquote(path))
    for name, rank in _RANKS.items():
        pattern = _pattern(name)
        if pattern.search(spoken) or pattern.search(text):
            return rank
    return None if _pattern("unwanted").search(spoken) else 0


def _site(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    with suppress(ValueError):
        host = ascii_name(host)
    host = host.removeprefix("www.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # http and https on their own ports are one site.
    return host if port in (80, 443) else f"{host}:{port}"


def _base(page_url: str, href: str | None) -> str:
    """Return what a page's links are relative to, where a base that is no URL counts as none."""
    try:
        return urljoin(page_url, href) if href else page_url
    except ValueError:
        return page_url


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Return the pattern of the words for one kind of page."""
    text = files(__package__).joinpath("page_words.json").read_text(encoding="utf-8")
    listed: dict[str, list[str]] = json.loads(text)
    # A space inside brackets belongs to its word.
    words = [word for line in listed[name] for word in re.findall(r"(?:\[[^\]]*\]|\S)+", line)]
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.I)
