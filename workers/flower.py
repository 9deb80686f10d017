"""Application for Flower, started with ``celery -A workers.flower flower``.

It is that of :mod:`workers.app`. Importing this module also sets up logging, puts Flower behind a login
(:mod:`workers.flower_door`) and adds the fleet's metrics (:mod:`workers.metrics`) to Flower's ``/metrics``. Handlers
of further pages are inserted into ``flower.urls.handlers`` here; the door is before them too. Invariant: Flower starts
even if other services are down, and without a database it shows its own metrics only.
"""

from __future__ import annotations

import flower.command
from prometheus_client import REGISTRY

from integrations.settings import Settings
from workers import logs
from workers.app import app
from workers.flower_door import ClosedFlower
from workers.metrics import FleetCollector

__all__ = ["app"]

flower.command.Flower = ClosedFlower  # the class that the command `celery flower` makes its application of
logs.configure(Settings.from_env())  # unlike workers and beat, Flower doesn't send Celery's setup_logging
_collector = FleetCollector.from_env()
if _collector is not None:
    REGISTRY.register(_collector)
