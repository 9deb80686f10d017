"""Registry of the installed agents, ours and other people's, in the order in which a campaign visits them.

Agents are plug-ins of the entry-point group ``marketing_agents.agents``: an entry point's name is the agent's name, its
object the agent's class. Invariant: listing names loads no agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

from agents.approval import UNDESCRIBED
from agents.base import BaseAgent
from agents.config import CampaignConfig
from agents.gates import EVERY_GATE, NO_GATE
from integrations import plugins
from integrations.plugins import PluginError


def agent_names() -> tuple[str, ...]:
    """Return the names of all installed agents in alphabetical order."""
    return plugins.names(plugins.AGENTS)


@cache
def agents() -> Mapping[str, BaseAgent]:
    """Return one object per installed agent, in the order of the route.

    They hold no campaign's data, so all threads share them. Raises PluginError when an agent can't be loaded, has
    another name than its entry point, or goes in a circle.
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


@cache
def gates() -> tuple[str, ...]:
    """Return the values of ``approval.gate`` at which the installed agents ask, in the order of the route."""
    return tuple(dict.fromkeys(agent.gate for agent in agents().values() if agent.gate != UNDESCRIBED))


def effects_gate(config: CampaignConfig) -> str:
    """Return the gate that asks before every effect of such a campaign.

    An effect that its agent does not describe is asked at any gate but ``none``. So that is the gate of the agents that
    describe theirs and act for the campaign, where they have one gate in common, else ``all``; of a campaign for which
    none of them acts, any of their gates.
    """
    acting = {agent.gate for agent in _describing() if agent.acts(config)}
    if not acting:
        return min((agent.gate for agent in _describing()), default=EVERY_GATE)
    return acting.pop() if len(acting) == 1 else EVERY_GATE


def may_act(config: CampaignConfig) -> bool:
    """Return whether such a campaign may have effects.

    It may wherever another package brings an agent, whose effects nothing here knows.
    """
    return bool(plugins.foreign(plugins.AGENTS)) or any(agent.acts(config) for agent in _describing())


def _describing() -> list[BaseAgent]:
    """Return the agents that describe their effects."""
    return [agent for agent in agents().values() if type(agent).question is not BaseAgent.question]


def title(agent: str) -> str:
    """Return an agent's name for people, or for one that is not installed, its name in words."""
    found = agents().get(agent)
    return found.title if found is not None else agent.replace("_", " ").capitalize()


def _load(name: str) -> BaseAgent:
    made = plugins.load(plugins.AGENTS, name)
    if not isinstance(made, type) or not issubclass(made, BaseAgent):
        raise PluginError(f"{plugins.AGENTS}: {name!r} is not a subclass of agents.base.BaseAgent")
    agent: BaseAgent = made()
    if agent.name != name:
        raise PluginError(f"{plugins.AGENTS}: {name!r} calls itself {agent.name!r}; both must be the same")
    if agent.gate in (EVERY_GATE, NO_GATE):
        raise PluginError(f"{plugins.AGENTS}: {name!r} has a gate {agent.gate!r}, which stands for every gate or none")
    return agent
