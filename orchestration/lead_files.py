"""The user's own lead files, stored at submit so that any worker can read them.

Invariant: a file is checked before it is stored, and the same content is stored once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from orchestration.database import Database, encode


class LeadFileStore:
    """Rows of lead files by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, filename: str, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> str:
        """Store the parsed rows of one file and return its id."""
        content = encode(rows)
        file_id = sha256(content.encode()).hexdigest()[:32]
        self._database.run(
            "INSERT INTO marketing.lead_files (file_id, filename, rows, summary) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (file_id) DO NOTHING",
            file_id, filename[:200], content, encode(summary),
        )  # fmt: skip
        return file_id

    def rows(self, file_id: str) -> list[Mapping[str, Any]]:
        """The rows of a stored file; KeyError for an id that is not stored."""
        found = self._database.rows("SELECT rows FROM marketing.lead_files WHERE file_id = %s", file_id)
        if not found:
            raise KeyError(f"lead file {file_id} is not stored")
        rows: list[Mapping[str, Any]] = found[0][0]
        return rows
