"""Alembic's scripts; run by :func:`orchestration.ledger.schema.migrate`, never on import."""
