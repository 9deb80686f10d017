"""Celery's pool of threads, in which a slot is free again however its task ends.

What is raised around a task (by a result that Redis refuses, for one) leaves Celery's own pool without telling the
worker that the task has ended: its message stays unacknowledged, its slot counts as busy, and after as many as there
are slots the worker takes nothing any more. Invariant: every task that was begun is ended and acknowledged. What it
left undone is in the ledger, and reconcile wakes it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from celery.concurrency.base import apply_target
from celery.concurrency.thread import ApplyResult, TaskPool
from celery.worker.request import Request
from celery.worker.state import task_ready

log = logging.getLogger(__name__)


class ThreadPool(TaskPool):  # type: ignore[misc]  # celery is untyped
    """Pool of ``celery worker -P threads``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = Lock()
        self._running = 0
        self.taken = 0  #: tasks that were given to the pool since it began

    @property
    def free(self) -> int:
        """Number of threads that run no task."""
        return max(0, int(self.limit) - self._running)

    @property
    def running(self) -> int:
        """Number of tasks that threads run."""
        return self._running

    def on_apply(
        self,
        target: Callable[..., object],
        args: tuple[object, ...] | None = None,
        kwargs: Mapping[str, object] | None = None,
        callback: Callable[..., object] | None = None,
        accept_callback: Callable[..., object] | None = None,
        **_: object,
    ) -> ApplyResult:
        """Run ``target`` on a thread and tell ``callback``."""
        self.taken += 1
        return ApplyResult(self.executor.submit(self._apply, target, args, kwargs, callback, accept_callback))

    def _apply(
        self,
        target: Callable[..., object],
        args: tuple[object, ...] | None,
        kwargs: Mapping[str, object] | None,
        callback: Callable[..., object] | None,
        accept_callback: Callable[..., object] | None,
    ) -> None:
        with self._lock:
            self._running += 1
        try:
            apply_target(target, args, kwargs, callback, accept_callback)
        except Exception as error:  # any class: Celery would lose the slot
            log.warning("a task ended outside its body (%s): its message is acknowledged", type(error).__name__)
            log.debug("", exc_info=error)
            _end(getattr(callback, "__self__", None))
        finally:
            with self._lock:
                self._running -= 1


def _end(request: object) -> None:
    """Free the slot of a request whose end Celery was not told."""
    if not isinstance(request, Request):
        return
    task_ready(request)
    if not request.acknowledged:
        request.acknowledge()
