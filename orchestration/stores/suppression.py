"""Suppression list: people who must not be addressed, by the hash of their address.

Invariant: the list never holds an address in clear, so that an erased person can stay on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from orchestration.ledger.database import Database


def address_hash(email: str) -> str:
    """Return the SHA-256 of an address, trimmed and in lower case."""
    return sha256(email.strip().lower().encode()).hexdigest()


class SuppressionList:
    """Suppressed addresses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suppressed(self, emails: Sequence[str]) -> frozenset[str]:
        """Return those of ``emails`` that are on the list."""
        if not emails:
            return frozenset()
        by_hash = {address_hash(email): email for email in emails}
        rows = self._database.rows(
            "SELECT address_hash FROM marketing.suppressions WHERE address_hash = ANY(%s)", list(by_hash)
        )
        return frozenset(by_hash[row[0]] for row in rows)

    def suppress(self, email: str, reason: str) -> None:
        """Put an address on the list, where the first reason stays."""
        self._database.run(
            "INSERT INTO marketing.suppressions (address_hash, reason) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            address_hash(email), reason[:200],
        )  # fmt: skip
