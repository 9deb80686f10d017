"""What a site's robots.txt lets us read (RFC 9309), parsed by protego.

A missing file (4xx) allows everything; one that can't be had (5xx, no answer) forbids everything for now, which
is the caller's to raise. Invariant: rules are at most :data:`MAX_AGE_S` old, and never longer than
:data:`MAX_BYTES`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote

MAX_BYTES = 512 * 1024  #: RFC 9309 §2.5: at least 500 KiB are parsed
MAX_AGE_S = 3600.0  #: RFC 9309 §2.4 allows 24 hours
MAX_CRAWL_DELAY_S = 30.0  #: a longer wish is answered by fewer pages, not by a longer wait
MAX_ENTRIES = 5000


@dataclass(frozen=True, slots=True)
class Rules:
    """One origin's rules for our product token; ``parsed`` None means that everything is allowed."""

    token: str
    parsed: Any = None

    def allows(self, url: str) -> bool:
        """May we read it?"""
        return self.parsed is None or bool(self.parsed.can_fetch(percent_encoded(url), self.token))

    def delay_s(self) -> float:
        """Seconds that the site wants between two requests; 0 when it doesn't say."""
        wish = self.parsed.crawl_delay(self.token) if self.parsed is not None else None
        return min(MAX_CRAWL_DELAY_S, max(0.0, float(wish or 0.0)))


@dataclass(slots=True)
class RobotsCache:
    """Rules by origin."""

    token: str
    _entries: dict[str, tuple[float, Rules]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def rules(self, origin: str, read: Callable[[], bytes | None]) -> Rules:
        """The origin's rules; ``read()`` gives the file (None when there is none) and raises when it can't tell."""
        with self._lock:
            kept = self._entries.get(origin)
        if kept and time.monotonic() - kept[0] < MAX_AGE_S:
            return kept[1]
        rules = parse(read(), self.token)
        with self._lock:
            if len(self._entries) >= MAX_ENTRIES:
                self._entries.clear()
            self._entries[origin] = (time.monotonic(), rules)
        return rules


def parse(content: bytes | None, token: str) -> Rules:
    """Rules of a robots.txt; None means that the site has none."""
    if content is None:
        return Rules(token)
    from protego import Protego

    text = content[:MAX_BYTES].decode("utf-8-sig", "replace")
    return Rules(token, Protego.parse(text))


def percent_encoded(url: str) -> str:
    """The URL with non-ASCII characters encoded, as rules are compared with it."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def product_token(user_agent: str) -> str:
    """``AcmeBot`` of ``AcmeBot/1.0 (+https://acme.example)``: what rules name us by."""
    return user_agent.split("/", 1)[0].split(" ", 1)[0].strip() or "*"
