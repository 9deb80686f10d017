"""Lookalike audiences: people whom a platform finds to be like those on a customer list.

The list that one is made of is its seed. Nobody's data but the seed's is given to the platform for it; who is in the
lookalike audience is the platform's secret. It is a list of the account as others are: found by the effect key in its
name, deleted by its id (:class:`integrations.ads.audience.AudienceTarget`), and it goes with its seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from integrations.ads.platform import Wire
    from integrations.ads.spec import PlatformSpec

LARGEST = 20  #: percent


class Lookalike(BaseModel):
    """Which lookalike audience is made of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: str = Field(pattern=r"^[A-Z]{2}$")  #: ISO 3166: where its people are
    percent: int = Field(ge=1, le=LARGEST)  #: of that country's people at the platform; 1: those most alike


@runtime_checkable
class MakesLookalikes(Protocol):
    """What the customer lists of a platform can do beside :class:`integrations.ads.audience.AudienceTarget`."""

    def create_lookalike(self, name: str, effect_key: str, seed_id: str, wanted: Lookalike, *, wire: Wire) -> str:
        """Create the lookalike audience of a list by one wire call, the last that it makes, and return its id.

        Raises ListTooShortError while the platform counts too few people on the list.
        """
        ...


def lookalike_problem(spec: PlatformSpec) -> str | None:
    """Return why a platform makes no lookalike audiences, None when it does."""
    if spec.audiences is None:
        return f"{spec.title} has no customer lists in this version"
    return None if spec.audiences.lookalike_least else f"{spec.title} {spec.audiences.no_lookalike}"
