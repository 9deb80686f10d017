"""Calls by which people are taken off outside, in the name of no campaign, admitted like those of units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from integrations.ads.platform import Wire
from orchestration.execution.call_guard import Caller
from orchestration.execution.context import Resources

T = TypeVar("T")
HOLDER = "removals"


def removal_wire(resources: Resources, provider: str) -> Wire:
    """Return what makes one wire call to a provider at a time, with its deadline and once it is admitted."""

    def wire(send: Callable[[float], T], /) -> T:
        timeout = resources.settings.timeout_s(provider)
        caller = Caller(holder=HOLDER, campaign=HOLDER, effect=False, timeout_s=timeout)
        with resources.guard.call(caller, provider):
            return send(timeout)

    return wire
