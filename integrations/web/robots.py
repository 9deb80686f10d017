"""Rules of robots.txt files (RFC 9309), parsed by protego and cached.

A missing file (4xx) allows everything. One that can't be read (5xx, no answer) forbids everything until it can, for
which the caller raises an error. Invariant: rules are at most :data:`MAX_AGE_S` old, and made of at most
:data:`MAX_BYTES`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from protego import Protego

MAX_BYTES = 512 * 1024  #: RFC 9309 §2.5: at least 500 KiB are parsed
MAX_AGE_S = 3600.0  #: RFC 9309 §2.4 allows 24 hours
MAX_CRAWL_DELAY_S = 30.0  #: longer delays count as this one
MAX_ENTRIES = 5000
#: A group's product token, and what sites write behind it though RFC 9309 §2.2.1 has no place for it: a version, a
#: comment, an asterisk.
_AGENT = re.compile(r"(?im)^([ \t]*user[ -]?agent[ \t]*:[ \t]*)([a-z0-9_-]+)[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one origin for our product token."""

    token: str
    parsed: Protego | None = None  #: None: everything is allowed

    def allows(self, url: str) -> bool:
        """Return whether the rules allow to read a URL."""
        return self.parsed is None or bool(self.parsed.can_fetch(percent_encoded(url), self.token))

    def delay_s(self) -> float:
        """Return the seconds that the site wants between two requests, 0 when it names none."""
        asked = self.parsed.crawl_delay(self.token) if self.parsed is not None else None
        return min(MAX_CRAWL_DELAY_S, max(0.0, float(asked or 0.0)))


@dataclass(slots=True)
class RobotsCache:
    """Cache of rules by origin, safe to use from several threads."""

    token: str
    _entries: dict[str, tuple[float, Rules]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def rules(self, origin: str, read: Callable[[], bytes | None]) -> Rules:
        """Return an origin's rules, which ``read()`` gets when they are not cached or too old.

        ``read()`` returns the file, or None when there is none, and raises when it can't find out.
        """
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
    """Parse a robots.txt, where None means that the site has none."""
    if content is None:
        return Rules(token)
    from protego import Protego

    text = content[:MAX_BYTES].decode("utf-8-sig", "replace")
    return Rules(token, Protego.parse(_AGENT.sub(r"\1\2", text)))


def percent_encoded(url: str) -> str:
    """Return a URL with non-ASCII characters encoded, the form that rules are compared with."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def product_token(user_agent: str) -> str:
    """Return the product token of a user agent: ``AcmeBot`` of ``AcmeBot/1.0 (+https://acme.example)``."""
    return user_agent.split("/", 1)[0].split(" ", 1)[0].strip() or "*"
