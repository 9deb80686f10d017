"""Fields of the log lines of a thread, which tell what it is working on.

``with log_context(campaign="c1", step=2): ...`` Every line of the thread then has these fields
(:mod:`workers.logs` writes them). Invariant: fields are ids and names of our own, never what a lead, a page or a model
said. A thread that is handed work sets its own: an executor's thread inherits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

#: In the order in which they are written.
FIELDS = ("campaign", "step", "unit", "agent", "worker")

#: Of the blocks around, outermost first: they are merged only when a line is written.
_here: ContextVar[tuple[Mapping[str, str | int], ...]] = ContextVar("log_context", default=())
_process: dict[str, str | int] = {}


@contextmanager
def log_context(**fields: str | int) -> Iterator[None]:
    """Add fields to the lines that this thread logs until the end of the ``with`` block.

    Fields of an inner block override those of an outer one.
    """
    token = _here.set((*_here.get(), fields))
    try:
        yield
    finally:
        _here.reset(token)


def log_always(**fields: str | int) -> None:
    """Add fields to all lines of this process."""
    _process.update(fields)


def logged_fields() -> Mapping[str, str | int]:
    """Return the fields of a line that this thread logs now."""
    found = dict(_process)
    for fields in _here.get():
        found |= fields
    return found
