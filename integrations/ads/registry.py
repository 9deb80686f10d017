"""Ad platforms that are installed: ours and those of other packages.

Everything that lists platforms asks here. Invariant: platforms come in alphabetical order, so that what is derived
from them is the same in every process; a name or an alias means one platform or is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from integrations.ads.spec import PlatformSpec
from integrations.errors import BadRequestError
from integrations.plugins import PLATFORMS, PluginError, load, names

if TYPE_CHECKING:
    from integrations.ads.audience import AudienceTarget
    from integrations.ads.platform import AdPlatform
    from integrations.settings import Settings


@cache
def platforms() -> Mapping[str, PlatformSpec]:
    """Return the spec of every installed platform by its name.

    Raises PluginError when one can't be loaded, is no PlatformSpec, or claims a name that another one has.
    """
    specs = {name: _spec(name) for name in names(PLATFORMS)}
    owners = {name: name for name in specs}
    for spec in specs.values():
        for alias in spec.aliases:
            if (owner := owners.setdefault(alias, spec.name)) != spec.name:
                raise PluginError(f"{PLATFORMS}: {spec.name!r} claims the alias {alias!r} of {owner!r}; rename it")
    return MappingProxyType(specs)


def platform(name: str) -> PlatformSpec:
    """Return the spec of the platform ``name``.

    Raises KeyError for an unknown one.
    """
    return platforms()[name]


def canonical(name: str) -> str | None:
    """Return the platform's own name for a name or an alias in any case, None for an unknown one."""
    wanted = name.strip().lower()
    return next((spec.name for spec in platforms().values() if wanted == spec.name or wanted in spec.aliases), None)


def available() -> tuple[str, ...]:
    """Return the names of the platforms that this version has a client for."""
    return tuple(spec.name for spec in platforms().values() if spec.client is not None)


def missing_packages() -> Mapping[str, str]:
    """Return the platforms whose client lacks a package, each with what to install."""
    needed = {spec.name: spec.package.missing() for spec in platforms().values() if spec.package is not None}
    return {name: missing for name, missing in needed.items() if missing}


def build(name: str, settings: Settings) -> AdPlatform:
    """Build the client of the platform ``name``.

    Raises BadRequestError for one that we can't speak to.
    """
    spec = platforms().get(name)
    if spec is None or spec.client is None:
        raise BadRequestError(name, f"is not supported; use one of {', '.join(available())}")
    return spec.client(settings)


def audiences(name: str, settings: Settings) -> AudienceTarget:
    """Build the client of the customer lists on the platform ``name``.

    Raises BadRequestError for one without such lists.
    """
    spec = platforms().get(name)
    if spec is None or spec.audiences is None:
        raise BadRequestError(name, "has no customer lists in this version")
    return spec.audiences.client(settings)


def _spec(name: str) -> PlatformSpec:
    found = load(PLATFORMS, name)
    if not isinstance(found, PlatformSpec):
        raise PluginError(f"{PLATFORMS}: {name!r} is a {type(found).__name__}, not a PlatformSpec")
    if found.name != name:
        raise PluginError(f"{PLATFORMS}: the entry point {name!r} leads to the platform {found.name!r}; name it so")
    return found
