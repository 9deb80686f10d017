"""Find plug-ins by their entry-point group: agents, ad platforms, lead sources, enrichers, ours and others' alike.

A package that is merely installed adds itself by naming its object under one of the groups in its ``pyproject.toml``;
ours do the same. Invariant: listing names imports nothing, so that configuration that needs only names stays light, and
two plug-ins of one name are an error, never a silent winner.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise

AGENTS = "marketing_agents.agents"
PLATFORMS = "marketing_agents.platforms"
LEAD_SOURCES = "marketing_agents.lead_sources"
ENRICHERS = "marketing_agents.enrichers"
DISTRIBUTION = "marketing-agents"  #: the package that brings the built-in ones


class PluginError(RuntimeError):
    """Raised when a plug-in can't be used.

    The message names it, its package, and what would be right.
    """


@cache
def found(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of ``group``, ordered by name.

    Raises PluginError when two have the same name.
    """
    points = sorted(entry_points(group=group), key=lambda point: point.name)
    for one, other in pairwise(points):
        if one.name == other.name and one.value != other.value:
            raise PluginError(
                f"{group}: {_package(one)} and {_package(other)} both bring {one.name!r}; uninstall one, or rename it"
            )
    return tuple({point.name: point for point in points}.values())


def names(group: str) -> tuple[str, ...]:
    """Return the names of the plug-ins of ``group`` in alphabetical order, without importing any."""
    return tuple(point.name for point in found(group))


def foreign(group: str) -> tuple[str, ...]:
    """Return the names of the plug-ins of ``group`` that other packages bring, without importing any."""
    return tuple(point.name for point in found(group) if point.dist is None or point.dist.name != DISTRIBUTION)


def load(group: str, name: str) -> object:
    """Import the plug-in ``name`` of ``group``.

    Raises KeyError for an unknown name, and PluginError if it can't load.
    """
    point = {point.name: point for point in found(group)}[name]
    try:
        loaded: object = point.load()
    except Exception as error:  # whatever a stranger's module raises: say which package it came from
        raise PluginError(
            f"{group}: {name!r} of {_package(point)} can't be loaded ({type(error).__name__}: {error})"
        ) from error
    return loaded


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
