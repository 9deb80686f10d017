"""Postgres and Redis for one machine, without an installed server and without a system service.

Everything they keep lies under one folder, ``MARKETING_HOME`` (:class:`Home`), and exactly one process
owns that folder at a time. :class:`EmbeddedServices` is the whole of it for a test fixture or a script;
``workers.fleet`` composes the same parts with workers, beat and Flower.
"""

from __future__ import annotations

from workers.services.embedded import EmbeddedServices
from workers.services.errors import HomeInUse, NoOwner, ServiceError
from workers.services.home import Home

__all__ = ["EmbeddedServices", "Home", "HomeInUse", "NoOwner", "ServiceError"]
