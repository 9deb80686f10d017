"""The first schema: campaigns, the unit ledger, checkpoints, events, and the ledger's functions, version 1."""

from __future__ import annotations

from importlib import resources

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables and the first version of the hot functions."""
    for name in ("tables_0001.sql", "functions_v1.sql"):
        script = resources.files("orchestration.sql").joinpath(name).read_text(encoding="utf-8")
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    """Not offered: campaigns in flight would be lost. Restore a backup instead."""
    raise NotImplementedError("downgrading would drop campaigns; restore a backup instead")
