"""URLs and connection strings as people may see them: without their passwords.

Invariant: a secret is hidden also where the text is no valid URL, such as one whose password wasn't percent-encoded.
What is hidden stands as ``***``, so that a shown URL can be told from a whole one.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

HIDDEN = "***"

#: Parts of the names of options that hold a secret, or the path of a file that does.
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|credential|api_?key|private_?key", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: Between the URLs of a list, as Sentinel's are written.
_NEXT_URL = re.compile(r";(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_PORT = re.compile(r":\d*(?:,|$)")
#: One pair of a libpq connection string, such as ``password='a b'``.
_PAIR = re.compile(r"(?P<name>\w+)(?P<equals>\s*=\s*)(?P<value>'(?:[^'\\]|\\.)*'|[^\s']\S*)")


def hide_secrets(url: str) -> str:
    """Return the URL, list of URLs or connection string with ``***`` in place of each secret.

    Hidden are the password before the host and the values of options whose names look secret.
    """
    if _SCHEME.match(url) is None:
        return _PAIR.sub(_hide_pair, url)
    return ";".join(_hide_in_url(one) for one in _NEXT_URL.split(url))


def _hide_in_url(url: str) -> str:
    start = match.end() if (match := _SCHEME.match(url)) else 0
    scheme, rest = url[:start], url[start:]
    head, mark, query = rest.partition("?")
    if mark and "@" in query and "@" not in head and _odd_port(head):
        head, mark, query = rest, "", ""  # a question mark in the password
    return scheme + _hide_password(head) + mark + "&".join(_hide_option(one) for one in query.split("&"))


def _hide_password(head: str) -> str:
    """Hide what is between the first colon and the last at sign."""
    before, at, host = head.rpartition("@")
    if not at or ":" not in before:
        return head
    return f"{before.partition(':')[0]}:{HIDDEN}@{host}" if before.partition(":")[2] else head


def _odd_port(head: str) -> bool:
    """Return whether a colon is followed by something that can't be a port."""
    return ":" in head and _PORT.search(head.partition("/")[0]) is None


def _hide_option(option: str) -> str:
    name, equals, value = option.partition("=")
    return f"{name}={HIDDEN}" if equals and value and _SECRET_NAME.search(unquote_plus(name)) else option


def _hide_pair(pair: re.Match[str]) -> str:
    return f"{pair['name']}{pair['equals']}{HIDDEN}" if _SECRET_NAME.search(pair["name"]) else pair[0]
