"""The app that Flower is started with: ``celery -A workers.flower flower``.

The same application; importing it also registers the fleet's figures (:mod:`workers.metrics`) with Flower's
``/metrics``. Invariant: Flower starts whatever is down, and without a database it shows its own figures only.
"""

from __future__ import annotations

from prometheus_client import REGISTRY

from workers.app import app
from workers.metrics import FleetCollector

__all__ = ["app"]

_collector = FleetCollector.from_env()
if _collector is not None:
    REGISTRY.register(_collector)
