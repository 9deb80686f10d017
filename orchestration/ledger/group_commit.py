"""Group commit: calls of several campaigns that are ready at the same moment go to Postgres as one.

The first caller goes at once and alone. Those that come while it is on its way gather; when it is back, the first of
them takes all of them along. So an idle process waits for nothing, and a busy one pays for one statement, one commit
and one wait where it would pay for many. Invariants: each caller gets its own call's answer; a call that fails fails
its own caller only (the others are made again one by one); at most one combined call is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

C = TypeVar("C")
A = TypeVar("A")


@dataclass(slots=True, eq=False)
class _Caller(Generic[C, A]):
    """One caller and what became of its call."""

    call: C
    ready: Lock = field(default_factory=Lock)  #: released when the call has been made, or when it is to lead
    leads: bool = False
    answers: list[A] = field(default_factory=list)  #: one, when it has been made
    error: BaseException | None = None


class GroupCommit(Generic[C, A]):
    """Makes calls by ``alone`` (one) or ``together`` (up to ``most``, answers in the same order)."""

    def __init__(
        self,
        alone: Callable[[C], A],
        together: Callable[[Sequence[C]], Sequence[A]],
        *,
        fatal: type[Exception],
        most: int = 16,
    ) -> None:
        """Take the ways to call, and the ``fatal`` error, for which no call is at fault."""
        self._alone, self._together, self._fatal, self._most = alone, together, fatal, most
        self._lock = Lock()
        self._gathered: list[_Caller[C, A]] = []
        self._busy = False

    def __call__(self, call: C) -> A:
        """Make ``call``, alone or with others, and return its answer or raise its error."""
        mine = _Caller[C, A](call)
        with self._lock:
            follows, self._busy = self._busy, True
            if follows:
                mine.ready.acquire()
                self._gathered.append(mine)
        if not follows:
            self._lead([mine])
        else:
            mine.ready.acquire()
            if mine.leads:
                with self._lock:
                    batch, self._gathered = self._gathered[: self._most], self._gathered[self._most :]
                self._lead(batch)
        if mine.error is not None:
            raise mine.error
        return mine.answers[0]

    def _lead(self, batch: Sequence[_Caller[C, A]]) -> None:
        """Make the calls, hand the lead on, then tell the callers."""
        try:
            self._make(batch)
        finally:
            with self._lock:
                following = self._gathered[0] if self._gathered else None
                self._busy = following is not None
                if following is not None:
                    following.leads = True
            if following is not None:
                following.ready.release()
            for caller in batch:
                if caller.ready.locked() and caller is not batch[0]:
                    caller.ready.release()

    def _make(self, batch: Sequence[_Caller[C, A]]) -> None:
        if len(batch) > 1:
            try:
                answers = self._together([caller.call for caller in batch])
            except BaseException as error:
                if isinstance(error, self._fatal) or not isinstance(error, Exception):
                    for caller in batch:
                        caller.error = error
                    return
                # One of them is at fault: each finds out for itself.
            else:
                for caller, answer in zip(batch, answers, strict=True):
                    caller.answers.append(answer)
                return
        for caller in batch:
            try:
                caller.answers.append(self._alone(caller.call))
            except BaseException as error:  # raised where it was called
                caller.error = error
