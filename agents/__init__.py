"""What an agent does: state in, units and updates out.

Invariant: pure. Agents import neither Celery nor SQLAlchemy; effects happen only inside a
unit, through the :class:`agents.ports.UnitContext` it is given.
"""
