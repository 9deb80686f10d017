"""Embedded Postgres and Redis for one machine, without an installed server or a system service.

Their data, logs and lock files are under one folder, ``MARKETING_HOME`` (:class:`Home`), which one process owns at a
time. :class:`EmbeddedServices` starts both for a test fixture or a script; ``workers.fleet`` combines the same parts
with workers, beat and Flower.
"""

from __future__ import annotations

from workers.services.embedded import EmbeddedServices
from workers.services.errors import HomeInUseError, NoOwnerError, ServiceError
from workers.services.home import Home

__all__ = ["EmbeddedServices", "Home", "HomeInUseError", "NoOwnerError", "ServiceError"]
