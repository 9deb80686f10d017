"""Versions of what is stored: how an old state is read, and what is parked.

A state carries the version of its shape and of the workflow that it began under. Invariant: an old one is
upcast step by step, a newer one is parked for a newer worker; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SCHEMA_VERSION = 1  #: shape of the state; raise it together with an upcaster
FLOW_VERSION = 1  #: shape of the workflow (agents, stages, routing)
OLDEST_FLOW = 1  #: campaigns of older workflows can't be carried on by this program

#: version -> how a state of that version becomes one of the next
UPCASTERS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


class UnknownVersionError(ValueError):
    """Raised for a state that was written by a program whose states or workflow we don't know."""


def upcast(
    data: Mapping[str, Any],
    *,
    known: int = SCHEMA_VERSION,
    upcasters: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = UPCASTERS,
) -> dict[str, Any]:
    """Return ``data`` in the shape of version ``known``.

    Raises UnknownVersionError, which names what is too new or has no way up.
    """
    found = dict(data)
    version, flow = int(found.get("schema_version", 1)), int(found.get("flow_version", 1))
    if version > known:
        raise UnknownVersionError(f"schema_version={version} is newer than this program knows ({known}): upgrade it")
    if not OLDEST_FLOW <= flow <= FLOW_VERSION:
        raise UnknownVersionError(f"flow_version={flow} is none of this program's ({OLDEST_FLOW} to {FLOW_VERSION})")
    while version < known:
        if version not in upcasters:
            raise UnknownVersionError(f"schema_version={version} can't be read any more")
        found = upcasters[version](found)
        version += 1
        found["schema_version"] = version
    return found
