"""Alembic's scripts; run by :func:`orchestration.schema.migrate`, never on import."""
