"""Routing for programs that only ask which agent is next: the public face of :mod:`orchestration.flow.routing`."""

from __future__ import annotations

from orchestration.flow.routing import next_agent

__all__ = ["next_agent"]
