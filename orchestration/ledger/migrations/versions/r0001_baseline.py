"""Baseline of the schema: all tables, and the functions of the ledger."""

from __future__ import annotations

from importlib import resources

from alembic import context, op

revision = "0001"
down_revision = None

SCRIPTS = ("tables.sql", "knowledge.sql", "erasure.sql", "flow.sql", "waiting.sql", "spend.sql", "spend_ads.sql")


def upgrade() -> None:
    """Create the tables and functions, in the world of the process that migrates."""
    for name in SCRIPTS:
        script = resources.files("orchestration.ledger.sql").joinpath(name).read_text(encoding="utf-8")
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))  # the driver formats what it is given
    mode = context.config.attributes["mode"]
    op.get_bind().exec_driver_sql("INSERT INTO marketing.world (mode, by) VALUES (%s, 'migrate')", (str(mode),))


def downgrade() -> None:
    """Refuse, because campaigns in flight would be lost."""
    raise NotImplementedError("downgrading would drop campaigns; restore a backup instead")
