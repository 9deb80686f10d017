"""One line of what ``campaigns doctor`` has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``stuck``: the service or process is there, and nothing moves. ``unreachable``: a service is not there. ``wrong``:
#: calls of a provider would fail.
State = Literal["ok", "warning", "stuck", "wrong", "unreachable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the list."""

    check: str
    state: State
    text: str
