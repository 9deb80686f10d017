"""What a campaign file says under ``customer_list``: what the list is for, whose data it is made of, and what is alike.

Invariant: where a lookalike audience is asked for, it is of one country, which the file names or its places tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from agents.config_problems import Section
from agents.config_values import Text, listed
from agents.fit.places import wanted
from agents.legal_basis import CONSENT, CONTRACT, LegalBasis
from integrations.ads.audience import ListUse
from integrations.ads.lookalike import LARGEST, Lookalike

SMALLEST = 1  #: percent of a country's people who are most alike, which is the default


def _percent(value: object) -> object:
    """Read ``3``, ``"3"`` and ``"3 %"`` as a number of percent, and leave the rest as it is."""
    bare = value.strip().removesuffix("%").strip() if isinstance(value, str) else ""
    number = int(bare) if bare.isascii() and bare.isdecimal() else value
    if isinstance(number, bool) or not isinstance(number, int) or not SMALLEST <= number <= LARGEST:
        raise ValueError(f"write a whole number of percent from {SMALLEST} (those most alike) to {LARGEST}")
    return number


class CustomerList(Section):
    """Leads who become a customer list at each ad platform, by hashes of their addresses."""

    use: ListUse = Field(
        description="target: ads are shown to them only; exclude: ads are not shown to them; lookalike: ads are shown "
        "to people who are like them, and not to them"
    )
    legal_basis: Annotated[tuple[LegalBasis, ...], BeforeValidator(listed), Field(min_length=1)] = Field(
        default=(CONSENT, CONTRACT), description="only leads whose data is processed on one of these"
    )
    country: Text | None = Field(
        default=None, description="of a lookalike audience; default: the one that the audience's locations are in"
    )
    ratio: Annotated[int, BeforeValidator(_percent)] | None = Field(
        default=None, description=f"of a lookalike audience: percent of the country's people, 1 to {LARGEST}; default 1"
    )

    @field_validator("country")
    @classmethod
    def _country(cls, value: str | None) -> str | None:
        if value is None:
            return None
        code = country_of([value.upper() if len(value) == 2 else value], whole=True)
        if code is None:
            raise ValueError("is no country; write one, such as DE or Germany")
        return code

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        named = [key for key in ("country", "ratio") if getattr(self, key) is not None]
        if named and self.use is not ListUse.LOOKALIKE:
            raise ValueError(f"{' and '.join(named)}: are for use: lookalike, not for use: {self.use}; leave them out")
        return self

    def lookalike(self, locations: Iterable[str]) -> Lookalike | None:
        """Return which lookalike audience is made, given the places of the campaign's audience.

        None is for a list of another use, or with places that tell no country.
        """
        country = self.country or country_of(locations)
        if self.use is not ListUse.LOOKALIKE or country is None:
            return None
        return Lookalike(country=country, percent=self.ratio or SMALLEST)

    def problem(self, locations: Iterable[str]) -> str | None:
        """Return why no lookalike audience can be made for people in these places, None when it can."""
        if self.use is not ListUse.LOOKALIKE:
            return None
        places = list(locations)
        told = ", ".join(places)[:200]
        if self.country is None and country_of(places) is None:
            where = f"target_audience.locations ({told}) tell no single one" if places else "there are no locations"
            return (
                f"customer_list.country: is missing, and {where}; a lookalike audience is of one, such as country: DE"
            )
        known = [found for place in places if (found := _countries(place))]
        elsewhere = bool(places) and len(known) == len(places) and not any(self.country in found for found in known)
        if self.country is not None and elsewhere:
            return (
                f"customer_list.country={self.country}: the ads are shown in target_audience.locations ({told}), where "
                "nobody of a lookalike audience of that country is; write the country of those, or leave it out"
            )
        return None


def country_of(places: Iterable[str], *, whole: bool = False) -> str | None:
    """Return the ISO 3166 code of the one country that places are in, None for none, for several or for unknown ones.

    ``whole``: each has to be a country itself.
    """
    found: set[str] = set()
    for place in places:
        read = wanted(place)
        countries = (
            (read.countries if read and not read.regions and not read.city else None) if whole else _countries(place)
        )
        if not countries:
            return None
        found |= countries
    return found.pop() if len(found) == 1 else None


def _countries(place: str) -> frozenset[str]:
    """Return the countries that a place is or may be in, none for one that isn't known."""
    read = wanted(place)
    if read is None:
        return frozenset()
    if read.city is not None:
        return frozenset({read.city.country})
    return read.countries | {region[:2] for region in read.regions}
