"""Stage before a campaign's first hop: what its agents want looked at before anything is paid for.

Pure. It belongs to the first hop, whose agent never sees it. Invariant: a campaign whose agents have nothing to look at
has no such stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agents.base import BaseAgent
from agents.state import MarketingAgentState
from agents.unit import Stage, StageResult

CHECK = "check"


def check_stage(state: MarketingAgentState, agents: Mapping[str, BaseAgent]) -> Stage | None:
    """Return the checks of all agents as one stage, None when there are none."""
    units = [replace(unit, agent=name) for name, agent in agents.items() for unit in agent.checks(state)]
    return Stage(name=CHECK, units=units) if units else None


def work(done: Sequence[StageResult]) -> list[StageResult]:
    """Return the hop's own stages among the finished ones."""
    return [stage for stage in done if stage.name != CHECK]


def failing_agent(stage: StageResult, at_work: str) -> str:
    """Return the agent that a failure of ``stage`` is told of: whose check it was, else the one at work."""
    return stage.results[0].unit.agent or at_work if stage.name == CHECK else at_work
