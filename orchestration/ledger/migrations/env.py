"""Alembic's entry: runs the revisions on the connection that ``orchestration.ledger.schema`` prepared.

Invariant: everything of ours, the version table too, lives in the schema ``marketing``.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table_schema="marketing", transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
