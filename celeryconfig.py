"""Every Celery setting, with the reason beside it.

Invariant: nothing here is needed for correctness. The row in Postgres says what is next and a tick
re-publishes what the broker lost; these settings decide how fast and how calmly that goes. Facts about
Celery 5.7 and kombu 5.7 on Redis are from their sources.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

from kombu import Exchange, Queue  # type: ignore[attr-defined]  # kombu loads its names lazily

from integrations import plugins


def _result_url(broker: str) -> str:
    """The database after the broker's: a flush of results must not take queued messages along."""
    parts = urlsplit(broker)
    database = parts.path.strip("/")
    number = int(database) if database.isdecimal() else 0
    return urlunsplit(parts._replace(path=f"/{number + 1}"))


# --- Where -----------------------------------------------------------------------------------------
broker_url = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
result_backend = _result_url(broker_url)

# --- Wire ------------------------------------------------------------------------------------------
task_serializer = "json"  # ids only; pickle would run whatever reaches the broker
result_serializer = "json"
accept_content = ["json"]
enable_utc = True
timezone = "UTC"

# --- Queues: one per installed agent, so that each can be given its own workers ------------------------------
task_queues = [
    # An exchange and a key each: queues that share the default pair would all get a message sent to it.
    Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]  # kombu is untyped
    for name in ("orchestration", *plugins.names(plugins.AGENTS))
]
task_default_queue = "orchestration"
task_default_exchange = "orchestration"
task_default_routing_key = "orchestration"
task_create_missing_queues = False  # a typo in a queue's name is an error, not a queue nobody serves
task_routes = {f"{name}.*": {"queue": name} for name in plugins.names(plugins.AGENTS)}

# --- Acknowledgement: a killed worker's message comes back --------------------------------------------
task_acks_late = True  # early acks lose the running tasks of a killed worker for ever
task_reject_on_worker_lost = True  # prefork: a killed child's message is requeued at once ...
task_retry_on_worker_lost = True  # ... but counted, so that a poison task can't loop without end
task_acks_on_failure = True  # the ledger decides about retries; a failed task must not come back by itself
task_acks_on_timeout = True
task_default_retry_delay = 5  # bounds the delay of task_retry_on_worker_lost (default 180 s)

# --- Fetching: take what fits, leave the rest to others ---------------------------------------------
worker_prefetch_multiplier = 1  # a hop may hold its slot for minutes; prefetched messages would wait behind it
worker_disable_prefetch = True  # Redis: fetch only when a slot is free
worker_cancel_long_running_tasks_on_connection_loss = False  # let them finish: the claim rejects the redelivered copy

# --- Redis transport ---------------------------------------------------------------------------------
broker_transport_options = {
    "visibility_timeout": 900,  # > longest task + longest countdown (60 s); shorter would livelock
    "unacked_restore_interval": 5,  # with throttle 1: a killed worker's messages come back within about 5 s of the
    "unacked_restore_throttle": 1,  # timeout; the defaults sweep about every 100 s
    "socket_timeout": 30,  # None by default: a publish on a dead link would wait for ever
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "max_connections": 200,  # 10 by default; acks of a busy pool fail beyond it and their tasks come back
}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # wait for the broker as long as it takes
task_publish_retry_policy = {"max_retries": 10, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 2}
redis_socket_keepalive = True
redis_socket_timeout = 30
redis_max_connections = 200

# --- Results: chords only ------------------------------------------------------------------------------
task_ignore_result = True  # a hop's outcome is the row; only a chord's header tasks keep a result
result_expires = 86_400  # header results are of no use after the join
result_chord_expires = 7 * 86_400  # a header may wait for an open breaker; the join itself is in Postgres
task_allow_error_cb_on_chord_header = True

# --- Watching ------------------------------------------------------------------------------------------
worker_send_task_events = True  # Flower; costs about 1 ms of CPU a message
task_send_sent_event = False  # another message per message, for a moment nobody looks at
task_track_started = True
result_extended = False

# --- Stopping ----------------------------------------------------------------------------------------------
worker_soft_shutdown_timeout = 30  # a cold shutdown first lets tasks reach the next border of a hop

# --- Beat: stateless ticks; what is due is decided by rows, so any number of beats may run ------------
beat_schedule = {
    "reconcile": {
        "task": "orchestration.execution.reconcile",
        "schedule": 1.0,
        "options": {"queue": "orchestration", "expires": 5},  # ticks of a busy fleet must not pile up
    },
}
beat_max_loop_interval = 1

# --- Logging -------------------------------------------------------------------------------------------------
worker_hijack_root_logger = False
worker_redirect_stdouts = False
