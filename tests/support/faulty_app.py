"""The project's Celery app (``-A faulty_app``) between whose processes and Postgres and Redis faults are injected.

FAULT_PLAN names the file of the plan (:mod:`faults`). POSTGRES_SOCKET: a folder whose socket leads to Postgres, such as
a :class:`silent_proxy.SilentProxy`, which workers then use in place of the one in DATABASE_URL. A message that a
worker has taken and will never acknowledge, because it lost the connection on which it could, is redelivered after
half a minute here, a quarter of an hour elsewhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import faults
import postgres_faults
import redis_faults
from sqlalchemy import make_url

if plan := os.environ.get(faults.VARIABLE):
    injector = faults.Injector(Path(plan), " ".join(sys.argv[1:]))
    postgres_faults.install(injector.draw)
    redis_faults.install(injector.draw)
if folder := os.environ.get("POSTGRES_SOCKET"):
    around = make_url(os.environ["DATABASE_URL"]).update_query_dict({"host": folder})
    os.environ["DATABASE_URL"] = around.render_as_string(hide_password=False)

from workers.app import app  # what is imported here is what the faults are injected around

app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    "visibility_timeout": 30,
    "unacked_mutex_expire": 10,
}

__all__ = ["app"]
