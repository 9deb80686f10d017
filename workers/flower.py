"""Application for Flower, started with ``celery -A workers.flower flower``.

It is that of :mod:`workers.app`. Importing this module also sets up logging, puts Flower behind a login
(:mod:`workers.flower_door`) and adds the fleet's metrics (:mod:`workers.metrics`) to Flower's ``/metrics``. Handlers
of further pages are inserted into ``flower.urls.handlers`` here; the door is before them too. Invariants: Flower starts
even if other services are down, and without a database it shows its own metrics only; it doesn't start beside a
database of another mode.
"""

from __future__ import annotations

import flower.command
import flower.urls
from prometheus_client import REGISTRY

from orchestration.client import connected
from orchestration.ledger.world import WrongWorldError
from workers import logs
from workers.app import app
from workers.flower_door import ClosedFlower
from workers.metrics import FleetCollector
from workers.outcome_hook import route
from workers.world import require_world

__all__ = ["app"]

flower.command.Flower = ClosedFlower  # the class that the command `celery flower` makes its application of
_settings = connected()
logs.configure(_settings)  # unlike workers and beat, Flower doesn't send Celery's setup_logging
try:
    require_world(_settings)
except WrongWorldError as error:
    raise SystemExit(f"Flower can't start: {error}") from error
flower.urls.handlers.insert(0, route(_settings))
_collector = FleetCollector.from_env()
if _collector is not None:
    REGISTRY.register(_collector)
