"""Landing pages that are no brand's own: the names that are reserved for examples in documents.

Pure. Source: RFC 2606, section 3.
"""

from __future__ import annotations

from urllib.parse import urlsplit

EXAMPLES = ("example.com", "example.net", "example.org")


def is_example(url: str) -> bool:
    """Return whether ``url`` leads to a name that is reserved for examples, whose page sells nothing."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    return ".".join(host.split(".")[-2:]) in EXAMPLES
