"""Which agent is next, for programs that only ask: the public face of :mod:`orchestration.flow.routing`."""

from __future__ import annotations

from orchestration.flow.routing import next_agent

__all__ = ["next_agent"]
