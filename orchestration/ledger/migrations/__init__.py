"""Alembic's scripts, which are run by :func:`orchestration.ledger.schema.migrate`, never on import."""
