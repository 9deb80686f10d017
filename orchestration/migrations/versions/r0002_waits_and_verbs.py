"""Waits, approvals and verbs: held stages, lines of work, and version 2 of the ledger's functions."""

from __future__ import annotations

from importlib import resources

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns, the approvals and the functions; version 1 of the functions stays."""
    for name in ("tables_0002.sql", "functions_v2.sql"):
        script = resources.files("orchestration.sql").joinpath(name).read_text(encoding="utf-8")
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    """Not offered: waiting campaigns would be lost. Restore a backup instead."""
    raise NotImplementedError("downgrading would drop approvals; restore a backup instead")
