"""Celery messages: wake-ups for hops, and chords for wide stages.

Invariant: no canvas is longer than one stage, because the tail of a longer one would live in a broker
message where it can't be paused, re-routed or upgraded; arguments are ids, never state.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from integrations.redis_url import RedisUrl
from integrations.settings import SettingsError
from orchestration.crash_points import reach
from orchestration.wakeups import MAX_COUNTDOWN_S

if TYPE_CHECKING:
    from celery import Celery, Task

log = logging.getLogger(__name__)

ADVANCE_TASK = "orchestration.advance"
SUBMIT_TASK = "campaigns.submit"
OUTCOME_TASK = "campaigns.outcome"
ORCHESTRATION_QUEUE = "orchestration"
SENT_AT_HEADER = "sent_at"  #: seconds since the epoch; tells a lost wake-up from one that waits in a long queue

DUPLICATE_VARIABLE = "CHAOS_DUPLICATE_EVERY"


def hop_task(agent: str) -> str:
    """Return the name of an agent's hop task, by which Flower filters too."""
    return f"{agent}.hop"


def unit_task(agent: str) -> str:
    """Return the name of the task that takes unit after unit of a spread stage."""
    return f"{agent}.unit"


class CeleryWakeups:
    """Wake-ups over a Celery app, which may be a worker's or a producer's.

    What the broker does not take is logged and lost, as any message may be: the row says what is to be done, and
    reconcile wakes it.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        stamp_messages(app, double_every=duplicate_every(os.environ.get(DUPLICATE_VARIABLE)))

    def hop(self, campaign_id: str, agent: str, step: int, *, delay_s: float = 0.0) -> bool:
        """Publish one message to the agent's queue, and return whether the broker took it.

        Raises ValueError when the delay is one that the broker must not hold.
        """
        if delay_s > MAX_COUNTDOWN_S:
            raise ValueError(f"delay_s={delay_s:g} is longer than {MAX_COUNTDOWN_S:g}: let due_at wake it")
        reach("publish_hop.before")
        published = False
        with _best_effort(f"campaign {campaign_id}: its wake-up"):
            self._app.send_task(
                hop_task(agent), args=(campaign_id, step), queue=agent, countdown=delay_s or None, ignore_result=True
            )
            published = True
        reach("publish_hop.after")
        return published

    def chord(self, campaign_id: str, agent: str, step: int, stage: int, slots: int) -> None:
        """Publish a chord of ``slots`` header tasks to the agent's queue, whose body is one more call of advance."""
        from celery import chord

        slot = self._app.signature(unit_task(agent), args=(campaign_id, step, stage), queue=agent, immutable=True)
        body = self._app.signature(
            ADVANCE_TASK, args=(campaign_id, step, stage), queue=ORCHESTRATION_QUEUE, immutable=True, ignore_result=True
        )
        reach("publish_chord.before")
        with _best_effort(f"campaign {campaign_id}: its chord"):
            chord([slot.clone() for _ in range(slots)], app=self._app)(body)
        reach("publish_chord.after")


def requeue(task: Task) -> bool:
    """Publish the running slot task again, with its id and its chord, behind what waits in its queue.

    Returns False when the broker did not take it: the slot ends, and what is left of its stage waits for a wake-up.
    """
    reach("publish_slot.before")
    published = False
    with _best_effort(f"{task.name}: its slot"):
        task.signature_from_request(task.request, retries=task.request.retries).apply_async()
        published = True
    reach("publish_slot.after")
    return published


@contextmanager
def _best_effort(what: str) -> Iterator[None]:
    """Log what is raised while something is published, and go on."""
    try:
        yield
    except Exception as error:  # the broker's client may raise any class
        log.warning("%s was not published (%s); what is to be done is stored", what, type(error).__name__)


def duplicate_every(value: str | None) -> int:
    """Return the value of CHAOS_DUPLICATE_EVERY as a number, 0 for none.

    Raises SettingsError when it is not a whole number from 1.
    """
    if not value:
        return 0
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{DUPLICATE_VARIABLE}={value!r} is not a whole number from 1")
    return int(value)


def stamp_messages(app: Celery, *, double_every: int = 0) -> None:
    """Put :data:`SENT_AT_HEADER` on all messages that this app publishes, requeued slots too.

    A second call changes nothing. For tests, every ``double_every``-th message is delivered twice, as a broker may do.
    """
    publish = app.amqp.send_task_message
    if getattr(publish, "stamps", False):
        return
    numbers = count(1)

    def stamping(*args: object, **options: Any) -> object:
        # A task that publishes itself again brings the stamp of its first time along.
        options["headers"] = {**(options.get("headers") or {}), SENT_AT_HEADER: time.time()}
        sent = publish(*args, **options)
        if double_every and next(numbers) % double_every == 0:
            publish(*args, **options)
        return sent

    stamping.stamps = True  # type: ignore[attr-defined]  # marks the function, so that it isn't wrapped again
    app.amqp.send_task_message = stamping


def producer(redis_url: str) -> Celery:
    """Return a Celery app for programs that only enqueue, configured like the workers' and connected on first use.

    Raises RedisUrlError.
    """
    from celery import Celery

    address = RedisUrl.parse(redis_url)
    app = Celery("marketing-agents", set_as_current=False)
    app.config_from_object("celeryconfig")
    options = {**app.conf.broker_transport_options, **address.transport_options}
    app.conf.update(address.celery_settings, broker_transport_options=options)
    return app
