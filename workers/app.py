"""Celery application, started with ``celery -A workers.app worker -P threads -Q content_creation ...``.

Importing this module configures the application. Connections, migrations and heartbeats start with the worker
(:mod:`workers.runtime`). Invariant: the project has one application.
"""

from __future__ import annotations

import os

from celery import Celery, concurrency, signals

from orchestration.client import connected
from workers.logs import configure_celery

# A worker started by hand on a machine where `campaigns up` runs uses that fleet's broker.
_redis_url = connected().redis_url
if _redis_url:
    os.environ["REDIS_URL"] = _redis_url  # where celeryconfig looks

# Before numpy is loaded. Its matrices here are small: more threads than one only wait for each other (a recalibration
# took 0.9-2.3 s instead of 0.2 on a busy machine), and the worker's own threads are the parallelism.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = Celery("marketing-agents", include=["workers.agent_tasks", "workers.orchestrator_tasks", "workers.lifecycle"])
app.config_from_object("celeryconfig")
signals.setup_logging.connect(configure_celery)
concurrency.ALIASES["threads"] = "workers.thread_pool:ThreadPool"  # what -P threads means
