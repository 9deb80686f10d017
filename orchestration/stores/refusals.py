"""Refusals of campaigns that were sent by task name: no one waits for the answer, so it is kept under the key."""

from __future__ import annotations

from collections.abc import Sequence

from agents.erasure import Erasing
from orchestration.ledger.database import Database
from orchestration.ledger.erasure import guarded


class Refusals:
    """Why campaigns were refused, by their key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, key: str, problems: Sequence[str]) -> None:
        """Record why a campaign was refused, in place of an earlier refusal under the same key."""
        guarded(self._database, list(problems), Erasing.state, lambda to, told: to.rows(
            "INSERT INTO marketing.refusals (idempotency_key, problems) VALUES (%s, %s) "
            "ON CONFLICT (idempotency_key) DO UPDATE SET problems = excluded.problems, at = now() RETURNING true",
            key, told,
        ))  # fmt: skip

    def find(self, key: str) -> list[str] | None:
        """Return why the campaign of this key was refused, or None when it was not."""
        rows = self._database.rows("SELECT problems FROM marketing.refusals WHERE idempotency_key = %s", key)
        return [str(problem) for problem in rows[0][0]] if rows else None
