"""Celery's settings, with the reason for each.

Invariant: no setting is needed for correctness. The campaign's row in Postgres says what comes next, and the reconcile
tick publishes wake-ups again that the broker lost. These settings affect latency and load only. Facts about Celery 5.7
and kombu 5.7 on Redis are from their sources.
"""

from __future__ import annotations

import os
from typing import Any

from kombu import Exchange, Queue  # type: ignore[attr-defined]  # kombu loads its names lazily

from integrations import plugins
from integrations.redis_url import DEFAULT_URL, RedisUrl
from integrations.settings import SettingsError

# --- Where: every form of REDIS_URL (integrations/redis_url.py) ------------------------------------------
_address = RedisUrl.parse(os.environ.get("REDIS_URL") or DEFAULT_URL)
_redis = _address.celery_settings
broker_url = _redis["broker_url"]
broker_use_ssl = _redis["broker_use_ssl"]
result_backend = _redis["result_backend"]  # the broker's database: its last one has no next, some servers have one
redis_backend_use_ssl = _redis["redis_backend_use_ssl"]
result_backend_transport_options = _redis["result_backend_transport_options"]

# --- Wire ------------------------------------------------------------------------------------------
task_serializer = "json"  # ids only; pickle would run whatever reaches the broker
result_serializer = "json"
accept_content = ["json"]
enable_utc = True
timezone = "UTC"

# --- Queues: one per installed agent, so that each can have workers of its own ---------------------------------
task_queues = [
    # Each has an exchange and a key of its own: queues that share them would all get each message.
    Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]  # kombu is untyped
    for name in ("orchestration", *plugins.names(plugins.AGENTS))
]
task_default_queue = "orchestration"
task_default_exchange = "orchestration"
task_default_routing_key = "orchestration"
task_create_missing_queues = False  # a typo in a queue's name is an error, not a queue without workers
task_routes = {f"{name}.*": {"queue": name} for name in plugins.names(plugins.AGENTS)}

# --- Acknowledgement: a killed worker's message is redelivered ----------------------------------------
task_acks_late = True  # early acks lose the running tasks of a killed worker
task_reject_on_worker_lost = True  # prefork: a killed child's message is requeued at once ...
task_retry_on_worker_lost = True  # ... but counted, so that a poison task can't loop without end
task_acks_on_failure = True  # the ledger decides about retries; a failed task must not be redelivered
task_acks_on_timeout = True
task_default_retry_delay = 5  # bounds the delay of task_retry_on_worker_lost (default 180 s)

# --- Prefetch: only what fits the free slots ---------------------------------------------------------
worker_prefetch_multiplier = 1  # a hop may take minutes; prefetched messages would wait for it
worker_disable_prefetch = True  # Redis: fetch only when a slot is free
worker_cancel_long_running_tasks_on_connection_loss = (
    False  # let them finish: the redelivered copy finds no unit to claim
)

# --- Redis transport ---------------------------------------------------------------------------------
broker_transport_options = {
    "visibility_timeout": 900,  # > longest task + longest countdown (60 s), else running tasks would be redelivered
    "unacked_restore_interval": 5,  # with throttle 1: a killed worker's messages are redelivered about 5 s after the
    "unacked_restore_throttle": 1,  # timeout; the defaults check about every 100 s
    "unacked_mutex_expire": 30,  # 300 s by default: for so long nothing is redelivered when its holder loses Redis
    "socket_timeout": 30,  # None by default: a publish on a dead connection would block without end
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "max_connections": 200,  # 10 by default; beyond it acks of a busy pool fail and their tasks are redelivered
    **_address.transport_options,
}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # retry without end
broker_channel_error_retry = True  # a command that Redis refuses (out of memory, read only) must not end the worker
task_publish_retry_policy = {"max_retries": 10, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 2}
# The connections of the result store; the defaults are those of the transport above.
redis_socket_timeout = _redis["redis_socket_timeout"]
redis_socket_connect_timeout = _redis["redis_socket_connect_timeout"]
redis_socket_keepalive = _redis["redis_socket_keepalive"]  # a Unix socket has none
redis_retry_on_timeout = _redis["redis_retry_on_timeout"]
redis_backend_health_check_interval = _redis["redis_backend_health_check_interval"]
redis_max_connections = _redis["redis_max_connections"]
redis_client_name = _redis["redis_client_name"]

# --- Results: chords only ------------------------------------------------------------------------------
task_ignore_result = True  # a hop's result is in its row; only the header tasks of a chord store one
result_expires = 86_400  # header results are not needed after the join
result_chord_expires = 7 * 86_400  # a header may wait for an open breaker; the join itself is in Postgres
task_allow_error_cb_on_chord_header = True

# --- Monitoring ----------------------------------------------------------------------------------------
worker_send_task_events = True  # for Flower; costs about 1 ms of CPU per message
task_send_sent_event = False  # would cost one more message per message; Flower works without it
task_track_started = True
result_extended = False

# --- Stopping ----------------------------------------------------------------------------------------------
worker_soft_shutdown_timeout = 30  # a cold shutdown first lets tasks reach the end of their hop

# --- Beat: one entry per duty. Ticks are stateless; rows decide what is due, so any number of beats may run ----
beat_scheduler = "celery.beat:Scheduler"  # in memory: a file could be damaged, or its disk be full


def _every(seconds: float, duty: str, *, expires: int) -> dict[str, Any]:
    """Return the entry of a duty, whose ticks expire, so that those of a busy fleet don't pile up."""
    options = {"queue": "orchestration", "expires": expires}
    return {"task": f"orchestration.execution.{duty}", "schedule": seconds, "options": options}


_duties = {
    "reconcile": _every(1.0, "reconcile", expires=5),  # lost wake-ups, dead workers, waits that are over
    "optimizations": _every(2.0, "optimizations", expires=5),  # campaigns whose next optimisation is due
    "sweep": _every(300.0, "sweep", expires=300),  # ads and money after the schedule: each campaign once a day
    "retention": _every(60.0, "retention", expires=60),  # it is in days: a minute more or less is no matter
    "removals": _every(60.0, "removals", expires=60),  # what an erasure could not do at once
    "recalibration": _every(60.0, "recalibration", expires=60),  # it learns where enough outcomes are new
}
_ALWAYS = "reconcile"  # without it nothing that was lost would ever go on
_off = {name.strip() for name in os.environ.get("BEAT_OFF", "").split(",")} - {""}
if _wrong := sorted(_off - (_duties.keys() - {_ALWAYS})):
    _why = f"{_ALWAYS} can't be switched off; " if _ALWAYS in _wrong else ""
    raise SettingsError(
        f"BEAT_OFF={os.environ['BEAT_OFF']!r} names {', '.join(_wrong)}: {_why}what can be switched off is "
        f"{', '.join(name for name in _duties if name != _ALWAYS)}, separated by commas"
    )
beat_schedule = {name: entry for name, entry in _duties.items() if name not in _off}
beat_max_loop_interval = 1

# --- Logging -------------------------------------------------------------------------------------------------
worker_hijack_root_logger = False
worker_redirect_stdouts = False
