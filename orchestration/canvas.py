"""The one place that builds Celery messages: wake-ups for hops, and chords for wide stages.

Invariant: no canvas is longer than one stage, because the tail of a longer one would live in a broker
message where it can't be paused, re-routed or upgraded; arguments are ids, never state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.wakeups import MAX_COUNTDOWN_S

if TYPE_CHECKING:
    from celery import Celery

ADVANCE_TASK = "orchestration.advance"
SUBMIT_TASK = "campaigns.submit"
ORCHESTRATION_QUEUE = "orchestration"


def hop_task(agent: str) -> str:
    """Name of an agent's hop task; also what Flower filters by."""
    return f"{agent}.hop"


def unit_task(agent: str) -> str:
    """Name of the task that takes unit after unit of a spread stage."""
    return f"{agent}.unit"


class CeleryWakeups:
    """Wake-ups over a Celery app, which may be a worker's or a producer's."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def hop(self, campaign_id: str, agent: str, step: int, *, delay_s: float = 0.0) -> None:
        """One message to the agent's queue; ValueError for a delay the broker must not hold."""
        if delay_s > MAX_COUNTDOWN_S:
            raise ValueError(f"delay_s={delay_s:g} is longer than {MAX_COUNTDOWN_S:g}: let due_at wake it")
        self._app.send_task(
            hop_task(agent),
            args=(campaign_id, step),
            queue=agent,
            countdown=delay_s or None,
            ignore_result=True,
        )

    def chord(self, campaign_id: str, agent: str, step: int, stage: int, slots: int) -> None:
        """A chord of ``slots`` header tasks over the agent's queue; its body is one more call of advance."""
        from celery import chord

        slot = self._app.signature(unit_task(agent), args=(campaign_id, step, stage), queue=agent, immutable=True)
        body = self._app.signature(
            ADVANCE_TASK, args=(campaign_id, step, stage), queue=ORCHESTRATION_QUEUE, immutable=True, ignore_result=True
        )
        chord([slot.clone() for _ in range(slots)], app=self._app)(body)


def producer(redis_url: str) -> Celery:
    """A Celery app for programs that only enqueue; configured like the workers, connects on first use."""
    from celery import Celery

    app = Celery("marketing-agents", broker=redis_url, set_as_current=False)
    app.config_from_object("celeryconfig")
    app.conf.broker_url = redis_url
    return app
