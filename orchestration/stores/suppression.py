"""Suppression list: people who must not be addressed, by the hashes of their address and of its mailbox.

Invariants: the list never holds an address in clear, so that an erased person can stay on it; who is on it stays out
under every spelling of the same mailbox (:mod:`agents.email_address`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agents.config_problems import ConfigError
from agents.config_values import shown
from agents.email_address import address_hashes, normal_email
from orchestration.ledger.database import Database
from orchestration.stores.erasure import Erasure, Removed


class SuppressionList:
    """Suppressed addresses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suppressed(self, emails: Sequence[str]) -> frozenset[str]:
        """Return those of ``emails`` that are on the list."""
        if not emails:
            return frozenset()
        hashes = {email: address_hashes(email) for email in emails}
        listed = self.barred({one for found in hashes.values() for one in found})
        return frozenset(email for email, found in hashes.items() if not listed.isdisjoint(found))

    def suppress(self, email: str, reason: str) -> None:
        """Put an address on the list, where the first reason stays, and remove the person from all that is stored."""
        self.erase(email, reason)

    def barred(self, identities: Collection[str]) -> frozenset[str]:
        """Return those of the hashes of people that are on the list."""
        if not identities:
            return frozenset()
        sql = "SELECT address_hash FROM marketing.suppressions WHERE address_hash = ANY(%s)"
        return frozenset(str(row[0]) for row in self._database.rows(sql, sorted(identities)))

    def bar(self, identities: Collection[str], reason: str) -> None:
        """Put people on the list by hashes of what else than their address names them."""
        self._database.run(
            "INSERT INTO marketing.suppressions (address_hash, reason) SELECT h, %s FROM unnest(%s::text[]) AS h "
            "ORDER BY h ON CONFLICT DO NOTHING",
            reason[:200], sorted(identities),
        )  # fmt: skip

    def erase(self, email: str, reason: str) -> Removed:
        """Suppress a person as :meth:`suppress` does, and return what was removed.

        It may be repeated. Raises ConfigError for what is no e-mail address.
        """
        address = normal_email(email)
        if address is None:
            raise ConfigError([f"email={shown(email)}: is no e-mail address; write one such as jane@example.com"])
        sql = "SELECT marketing.suppress(%s, %s)"
        new = bool(self._database.value(sql, list(address_hashes(address)), reason[:200]))
        # From here on nothing that is stored holds the address, and what was stored before can be seen.
        erasure = Erasure(self._database, address)
        removed = erasure.carry_out(new=new)
        self.bar(erasure.identities, reason)
        return removed
