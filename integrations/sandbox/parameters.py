"""Hidden parameters of a sandbox's world, checked before anything is reset.

``POST /_sandbox/reset`` takes ``{"seed": 7, "world": {...}}``, whose keys are those of :class:`WorldParameters`.
Invariant: an unknown key and a wrong value are refused by name, with what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import Field, ValidationError, model_validator

from integrations.ads import registry as ads
from integrations.ads.curve import Curve, Parameters
from integrations.sandbox.ad_rule import USUAL_RULE, TextRule

M = TypeVar("M", bound=Parameters)

EVERY = "*"  #: stands for every ad platform


class WorldParameters(Parameters):
    """What may differ from world to world."""

    about: str = ""  #: what the world is like, for people
    texts: TextRule = USUAL_RULE  #: which ad texts work
    #: ad platform, or "*" for all -> parameters of its Curve that differ
    platforms: dict[str, dict[str, Any]] = Field(default_factory=dict)
    #: ad platform -> its account (:mod:`integrations.sandbox.ad_accounts`)
    accounts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")  #: of the ad accounts, which they then insist on
    preferences: int | None = Field(default=None, strict=True)  #: :mod:`integrations.sandbox.preferences`
    #: misbehaviour of the model (:mod:`integrations.sandbox.openai`)
    openai: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _platforms_are_known(self) -> WorldParameters:
        known = {name: spec.curve for name, spec in ads.platforms().items() if spec.curve is not None}
        for key, given in (("platforms", self.platforms), ("accounts", self.accounts)):
            right = ((EVERY,) if key == "platforms" else ()) + tuple(known)
            if unknown := next((name for name in given if name not in right), None):
                raise ValueError(f"{key}.{unknown} is unknown; use {', '.join(right)}")
        # "*" alone and together with each platform's own: a bad value is found here and not at the first platform.
        for name, changes in self.platforms.items():
            for base in known.values() if name == EVERY else (known[name],):
                both = {**base.model_dump(), **self.platforms.get(EVERY, {}), **changes}
                checked(Curve, both, f"platforms.{name}")
        return self


class Reset(Parameters):
    """Body of ``POST /_sandbox/reset``."""

    seed: int | None = Field(default=None, strict=True)
    world: WorldParameters | None = None


def checked(model: type[M], given: Mapping[str, Any], place: str = "") -> M:
    """Return ``given`` as parameters.

    ``place`` is where it stands, such as "world". Raises ValueError with the first thing that is wrong: the key, its
    value and what would be right.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)
    first = next((one for one in wrong if one["type"] == "extra_forbidden"), wrong[0])
    path = [str(part) for part in first["loc"]]
    where = ".".join([place, *path] if place else path)
    if first["type"] == "extra_forbidden":
        raise ValueError(f"{where} is unknown; use {', '.join(sorted(_keys(model, path[:-1])))}")
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        raise ValueError(f"{where} is missing")
    if first["type"] == "value_error":  # names its own key
        raise ValueError(f"{where}.{said}" if where else said)
    raise ValueError(f"{where}={first['input']!r}: {said[:1].lower()}{said[1:]}")


def _keys(model: type[Parameters], path: list[str]) -> list[str]:
    """Return the keys of the parameters at ``path`` below ``model``."""
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        inner = [
            one for one in (annotation, *get_args(annotation)) if isinstance(one, type) and issubclass(one, Parameters)
        ]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)
