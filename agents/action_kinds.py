"""Kinds of actions as people order them: their names, what each does, and its keys.

Everything is read off the models of :mod:`agents.actions`, which are the one source. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import get_args

from pydantic import BaseModel

from agents.actions import Action

CURRENCY = "currency"  #: key that is the campaign's where an order leaves it out
_LAST = "why"  #: of the keys
_UNSAID = ("kind", "best")  #: what the order itself says, and what only a comparison of ads can say


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of action."""

    name: str
    does: str  #: in a sentence
    needed: tuple[str, ...]  #: keys that a person has to give
    free: tuple[str, ...]  #: keys that may be left out

    @property
    def keys(self) -> tuple[str, ...]:
        """Return all keys."""
        return (*self.needed, *self.free)

    @property
    def form(self) -> str:
        """Return the keys as a command line has them: ``platform=  ad=  [why=]``."""
        return "  ".join([*(f"{key}=" for key in self.needed), *(f"[{key}=]" for key in self.free)])


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind of action by its name."""
    found = {}
    for model in _models(get_args(Action)[0]):
        fields = {name: field for name, field in model.model_fields.items() if name not in _UNSAID}
        name = str(model.model_fields["kind"].default)
        needed = [key for key, field in fields.items() if field.is_required() and key != CURRENCY]
        free = sorted((key for key in fields if key not in needed), key=_LAST.__eq__)
        found[name] = Kind(
            name=name,
            does=(model.__doc__ or "").strip().partition("\n")[0],
            needed=tuple(needed),
            free=tuple(free),
        )
    return MappingProxyType(found)


def wrong(kind: str, keys: Mapping[str, object]) -> str | None:
    """Return what is wrong with the name of a kind or with the names of its keys, and what is right, or None."""
    known = kinds().get(kind)
    if known is None:
        return "\n".join([f"kind={kind}: is no kind of action; use one of", *(_line(one) for one in kinds().values())])
    strange = [key for key in keys if key not in known.keys]
    if strange:
        return f"{strange[0]} is no key of {kind}; its keys are {known.form}"
    missing = [key for key in known.needed if key not in keys]
    return f"{kind} needs {missing[0]}=...; its keys are {known.form}" if missing else None


def _line(kind: Kind) -> str:
    return f"{kind.name}: {kind.does}"


def _models(union: object) -> tuple[type[BaseModel], ...]:
    parts = get_args(union)
    if not parts:
        return (union,) if isinstance(union, type) and issubclass(union, BaseModel) else ()
    return tuple(model for part in parts for model in _models(part))
