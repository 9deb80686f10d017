"""Answers that come before the answer: 102 Processing, 103 Early Hints (RFC 8297) and what else begins with 1.

The standard library passes over 100 alone, and takes 103 for the answer, with nothing in it.
"""

from __future__ import annotations

import http.client

MOST = 10  #: interim answers to one request


class FinalResponse(http.client.HTTPResponse):
    """Response of a connection that passes over interim answers (RFC 9110 §15.2), but for a change of protocol."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # typeshed leaves it out
            if not 101 < found[1] < 200:
                return found
            http.client.parse_headers(self.fp)
        raise http.client.BadStatusLine("too many interim answers")
