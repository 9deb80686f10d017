"""The app that Flower is started with: ``celery -A workers.flower flower``.

The same application; importing it sets up the logs, and registers the fleet's figures (:mod:`workers.metrics`) with
Flower's ``/metrics``. Invariant: Flower starts whatever is down, and without a database it shows its own figures only.
"""

from __future__ import annotations

from prometheus_client import REGISTRY

from integrations.settings import Settings
from workers import logs
from workers.app import app
from workers.metrics import FleetCollector

__all__ = ["app"]

logs.configure(Settings.from_env())  # Flower is a command of Celery's, but sets up no logging of Celery's
_collector = FleetCollector.from_env()
if _collector is not None:
    REGISTRY.register(_collector)
