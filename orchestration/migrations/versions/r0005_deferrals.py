"""Units that admission defers, campaigns that wait for a provider, the kill switch."""

from __future__ import annotations

from importlib import resources

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the revision's scripts; functions of earlier versions stay for workers of the release before."""
    for name in ("tables_0005.sql", "functions_deferral_v1.sql"):
        script = resources.files("orchestration.sql").joinpath(name).read_text(encoding="utf-8")
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))  # the driver formats what it is given


def downgrade() -> None:
    """Not offered: campaigns in flight would be lost. Restore a backup instead."""
    raise NotImplementedError("downgrading would lose what campaigns in flight depend on; restore a backup instead")
