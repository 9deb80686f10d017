"""The agents that are installed, ours and other people's, in the order in which a campaign visits them.

Agents are plug-ins of the entry-point group ``marketing_agents.agents``: an entry point's name is the agent's name, its
object the agent's class. Invariant: listing names loads no agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

from agents.base import BaseAgent
from integrations import plugins
from integrations.plugins import PluginError


def agent_names() -> tuple[str, ...]:
    """Return the names of all installed agents in alphabetical order."""
    return plugins.names(plugins.AGENTS)


@cache
def agents() -> Mapping[str, BaseAgent]:
    """Return one object per installed agent, in the order of the route. They hold no campaign's data, so all threads
    share them.

    Raises PluginError when an agent can't be loaded, has another name than its entry point, or goes in a circle.
    """
    return ordered(_load(name) for name in agent_names())


def ordered(found: Iterable[BaseAgent]) -> dict[str, BaseAgent]:
    """Sort agents by the edges of the route, those that begin an optimisation round left out.

    Raises PluginError for a circle of edges.
    """
    by_name = {agent.name: agent for agent in found}
    before: dict[str, set[str]] = {name: set() for name in by_name}
    for agent in by_name.values():
        for edge in agent.edges:
            if edge.source in by_name and edge.target in by_name and not edge.starts_round:
                before[edge.target].add(edge.source)
    try:
        return {name: by_name[name] for name in TopologicalSorter(before).static_order()}
    except CycleError as error:
        circle = " -> ".join(str(name) for name in error.args[1])
        raise PluginError(f"the route goes in a circle ({circle}); mark the edge that begins a round") from None


def title(agent: str) -> str:
    """Return an agent's name for people; for one that is not installed, its name in words."""
    found = agents().get(agent)
    return found.title if found is not None else agent.replace("_", " ").capitalize()


def _load(name: str) -> BaseAgent:
    made = plugins.load(plugins.AGENTS, name)
    if not isinstance(made, type) or not issubclass(made, BaseAgent):
        raise PluginError(f"{plugins.AGENTS}: {name!r} is not a subclass of agents.base.BaseAgent")
    agent: BaseAgent = made()
    if agent.name != name:
        raise PluginError(f"{plugins.AGENTS}: {name!r} calls itself {agent.name!r}; both must be the same")
    return agent
