"""Every provider that is known: the project's own, the ad platforms, and what other packages bring along.

An ad platform's provider stands in its spec. A lead source, an enricher or an agent of another package may use a
provider that this project has no client for; its object then carries the attributes ``provider`` (a ProviderSpec) and
``sandbox`` (a function that makes a SandboxProvider). Our own ones use the providers of
:data:`integrations.provider_specs.OWN`, so that a process that needs no agent loads none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from integrations import plugins
from integrations.ads.registry import platforms
from integrations.provider_specs import OWN, ProviderSpec

if TYPE_CHECKING:
    from integrations.sandbox.protocol import SandboxProvider


@cache
def provider_specs() -> Mapping[str, ProviderSpec]:
    """Return where each provider is and what configures it, by name.

    Raises PluginError when one that a plug-in brings has the name of another provider, or is no ProviderSpec.
    """
    specs = {spec.name: spec for spec in OWN}
    for source, spec in (*_platform_providers(), *_attributes("provider")):
        if not isinstance(spec, ProviderSpec):
            raise plugins.PluginError(f"{source}: its provider is a {type(spec).__name__}, not a ProviderSpec")
        if specs.setdefault(spec.name, spec) is not spec:
            raise plugins.PluginError(f"{source}: there is a provider {spec.name!r} already; rename one")
    return specs


def plugin_sandboxes() -> list[SandboxProvider]:
    """Make the sandbox halves that plug-ins bring.

    Raises PluginError for one that can't be made.
    """
    made = list(_platform_sandboxes())
    for source, make in _attributes("sandbox"):
        if not callable(make):
            raise plugins.PluginError(
                f"{source}: its sandbox is a {type(make).__name__}, not a function that makes one"
            )
        made.append(make())
    return made


def _platform_sandboxes() -> Iterable[SandboxProvider]:
    for name, spec in platforms().items():
        if spec.sandbox is not None and spec.provider is not None:
            half, path = spec.sandbox(), spec.provider.sandbox_path
            if half.name != name or not f"{path}/".startswith(f"{half.prefix}/"):
                raise plugins.PluginError(
                    f"{plugins.PLATFORMS}: the sandbox of {name!r} answers as {half.name!r} at {half.prefix!r}, "
                    f"not as {name!r} at {path!r}"
                )
            yield half


def _platform_providers() -> Iterable[tuple[str, ProviderSpec]]:
    for name, platform in platforms().items():
        if platform.provider is not None:
            yield f"{plugins.PLATFORMS}: {name!r}", platform.provider


def _attributes(name: str) -> Iterable[tuple[str, object]]:
    """Yield what sources, enrichers and agents of other packages have under ``name``, each with its plug-in."""
    for group in (plugins.LEAD_SOURCES, plugins.ENRICHERS, plugins.AGENTS):
        for plugin in plugins.foreign(group):
            found = getattr(plugins.load(group, plugin), name, None)
            if found is not None:
                yield f"{group}: {plugin!r}", found
