"""Guard of the ledger against people who are suppressed: they are removed from what is about to be stored.

Invariant: the suppression list is asked in the transaction that stores, so that someone who is suppressed meanwhile is
either removed here or can be seen by who erases them (``sql/erasure.sql``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pydantic import JsonValue
from pydantic_core import from_json

from agents.erasure import Erasing, hashes_in
from orchestration.ledger.database import Database, Row, Transaction, encode

T = TypeVar("T")


class Statements(Protocol):
    """What runs statements: the pool, or a transaction."""

    def rows(self, sql: str, *args: object) -> list[Row]:
        """Run one statement and fetch all its rows."""
        ...


def erased(asked: Statements, hashes: Sequence[str]) -> frozenset[str]:
    """Return those of the hashes that are on the suppression list, which a transaction keeps as it is to its end."""
    return frozenset(map(str, asked.rows("SELECT marketing.erased(%s)", list(hashes))[0][0])) if hashes else frozenset()


def without_erased(tx: Transaction, value: object, removal: Callable[[Erasing, JsonValue], JsonValue]) -> str:
    """Return a value as JSON text, without people who are suppressed, whom ``removal`` removes."""
    text = encode(value)
    found = erased(tx, hashes_in(text))
    return encode(removal(Erasing(found), from_json(text))) if found else text


def guarded(
    database: Database,
    value: object,
    removal: Callable[[Erasing, JsonValue], JsonValue],
    write: Callable[[Statements, str], T],
) -> T:
    """Write a value as JSON text, without people who are suppressed, and return what ``write`` returns.

    Text that holds no address costs nothing; else it is written in a transaction that asks first.
    """
    text = encode(value)
    if not hashes_in(text):
        return write(database, text)
    return database.transaction(lambda tx: write(tx, without_erased(tx, value, removal)))
