"""Lead files of the user, stored at submit so that all workers can read them.

Invariant: a file is checked before it is stored, and the same content is stored once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import JsonValue
from pydantic_core import from_json

from agents.config_problems import ConfigError
from agents.config_values import shown
from agents.erasure import Erasing
from agents.ports import FileSummary
from orchestration.ledger.database import Database, encode
from orchestration.ledger.erasure import guarded


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Parsed lead file, ready to be stored."""

    filename: str
    rows: str  #: the rows, as JSON text
    summary: Mapping[str, object]  #: what became of its rows and columns: ``LeadFile.summary``

    @property
    def file_id(self) -> str:
        """Hash of the content."""
        return sha256(self.rows.encode()).hexdigest()[:32]


class LeadFileStore:
    """Rows of lead files by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, file: StoredFile) -> None:
        """Store one file without people who are suppressed, unless its content is stored already."""
        guarded(self._database, from_json(file.rows), Erasing.records, lambda to, rows: to.rows(
            "INSERT INTO marketing.lead_files (file_id, filename, rows, summary) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (file_id) DO NOTHING RETURNING true",
            file.file_id, file.filename[:200], rows, encode(file.summary),
        ))  # fmt: skip

    def require(self, file_ids: Collection[str]) -> None:
        """Check that files are stored.

        Raises ConfigError naming those that are not.
        """
        if not file_ids:
            return
        sql = "SELECT file_id FROM marketing.lead_files WHERE file_id = ANY(%s::text[])"
        stored = {str(row[0]) for row in self._database.rows(sql, sorted(file_ids))}
        if missing := [shown(file_id) for file_id in sorted(file_ids) if file_id not in stored]:
            raise ConfigError([f"lead_sources: file_id={name}: no such file is stored" for name in missing])

    def summary(self, file_id: str) -> FileSummary:
        """Return what the reading of a stored file had to say.

        Raises KeyError when there is no file of that id.
        """
        found = self._database.rows("SELECT summary FROM marketing.lead_files WHERE file_id = %s", file_id)
        if not found:
            raise KeyError(f"lead file {file_id} is not stored")
        told: Mapping[str, JsonValue] = found[0][0]
        warnings, rejected = told.get("warnings"), told.get("rejected")
        return FileSummary(
            warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
            rejected={reason: int(str(count)) for reason, count in rejected.items()}
            if isinstance(rejected, dict)
            else {},
        )

    def rows(self, file_id: str) -> list[Mapping[str, JsonValue]]:
        """Return the rows of a stored file.

        Raises KeyError when there is no file of that id.
        """
        found = self._database.rows("SELECT rows FROM marketing.lead_files WHERE file_id = %s", file_id)
        if not found:
            raise KeyError(f"lead file {file_id} is not stored")
        rows: list[Mapping[str, JsonValue]] = found[0][0]
        return rows
