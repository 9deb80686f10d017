"""Providers that plug-ins of other packages bring along: their settings, and their half of the sandbox world.

A lead source or an agent of another package may use a provider that this project has no client for; its object then
carries the attributes ``provider`` (a ProviderSpec) and ``sandbox`` (a function that makes a SandboxProvider). Our own
use the providers of :data:`integrations.settings.PROVIDERS`, so that a process that needs no agent loads none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from integrations import plugins

if TYPE_CHECKING:
    from integrations.sandbox.protocol import SandboxProvider
    from integrations.settings import ProviderSpec


@cache
def extra_provider_specs() -> Mapping[str, ProviderSpec]:
    """Return the providers that other packages bring, by name.

    Raises PluginError when one has the name of another provider, or is no ProviderSpec.
    """
    from integrations.settings import PROVIDERS, ProviderSpec

    specs: dict[str, ProviderSpec] = {}
    for source, spec in _attributes("provider"):
        if not isinstance(spec, ProviderSpec):
            raise plugins.PluginError(f"{source}: its provider is a {type(spec).__name__}, not a ProviderSpec")
        if spec.name in PROVIDERS or specs.setdefault(spec.name, spec) is not spec:
            raise plugins.PluginError(f"{source}: there is a provider {spec.name!r} already; rename one")
    return specs


def extra_sandboxes() -> list[SandboxProvider]:
    """Make the sandbox halves that other packages bring. Raises PluginError for one that can't be made."""
    made: list[SandboxProvider] = []
    for source, make in _attributes("sandbox"):
        if not callable(make):
            raise plugins.PluginError(
                f"{source}: its sandbox is a {type(make).__name__}, not a function that makes one"
            )
        made.append(make())
    return made


def _attributes(name: str) -> Iterable[tuple[str, object]]:
    """Yield what sources of leads and agents of other packages have under ``name``, each with its plug-in."""
    for group in (plugins.LEAD_SOURCES, plugins.AGENTS):
        for plugin in plugins.foreign(group):
            found = getattr(plugins.load(group, plugin), name, None)
            if found is not None:
                yield f"{group}: {plugin!r}", found
