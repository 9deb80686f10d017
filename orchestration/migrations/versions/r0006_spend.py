"""The spend ledger: reserve, settle, caps."""

from __future__ import annotations

from importlib import resources

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the revision's scripts; functions of earlier versions stay for workers of the release before."""
    for name in ("tables_0006.sql", "functions_spend_v1.sql"):
        script = resources.files("orchestration.sql").joinpath(name).read_text(encoding="utf-8")
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))  # the driver formats what it is given


def downgrade() -> None:
    """Not offered: campaigns in flight would be lost. Restore a backup instead."""
    raise NotImplementedError("downgrading would lose what campaigns in flight depend on; restore a backup instead")
