"""Registry of the installed enrichers, by the names that a campaign's ``enrichment.providers`` has them by."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from agents.lead_generation.enricher import Enricher
from integrations import plugins


def names() -> tuple[str, ...]:
    """Return the names that a campaign file may hold, in alphabetical order."""
    return plugins.names(plugins.ENRICHERS)


@cache
def enricher(name: str) -> Enricher:
    """Return the enricher of that name.

    Raises KeyError for an unknown name, PluginError for an object that is no usable enricher.
    """
    found = plugins.load(plugins.ENRICHERS, name)
    if not isinstance(found, Enricher):
        raise plugins.PluginError(f"{plugins.ENRICHERS}: {name!r} is a {type(found).__name__}, not an Enricher")
    if found.name != name:
        raise plugins.PluginError(
            f"{plugins.ENRICHERS}: {name!r} calls itself {found.name!r}; its entry point must have that name"
        )
    if found.company is None and found.address is None and found.person is None:
        raise plugins.PluginError(f"{plugins.ENRICHERS}: {name!r} can't be asked anything; give it a function")
    return found


def chain(listed: Sequence[str]) -> tuple[Enricher, ...]:
    """Return the enrichers of a waterfall in its order."""
    return tuple(enricher(name) for name in listed)
