"""``qualification`` of a campaign file: how leads are judged there, beside what ``target_audience`` asks for.

Invariant: a criterion that is named here and that the audience says nothing of is judged by the default rule, or
refused where that has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from agents.config_problems import Section, choice
from agents.config_values import listed
from agents.fit.criteria import Criterion

THRESHOLD = 0.7  #: of a lead that is worth addressing
MAX_WEIGHT = 100
_SPELLINGS = {
    **dict.fromkeys(("titles", "job_title", "job_titles"), Criterion.TITLE),
    **dict.fromkeys(("company_size", "sizes"), Criterion.SIZE),
    **dict.fromkeys(("industries",), Criterion.INDUSTRY),
    **dict.fromkeys(("places", "location", "locations"), Criterion.PLACE),
    **dict.fromkeys(("keywords",), Criterion.KEYWORD),
}


def _criterion(value: object) -> Criterion:
    name = _SPELLINGS.get(value, value) if isinstance(value, str) else value
    try:
        return Criterion(name)  # type: ignore[arg-type]
    except ValueError:
        raise ValueError(f"{value!r} is no criterion; use {choice([*Criterion])}") from None


_Criterion = Annotated[Criterion, BeforeValidator(_criterion)]
_Weight = Annotated[float, Field(ge=0, le=MAX_WEIGHT)]


class Qualification(Section):
    """Which leads are worth addressing: least score, weights of the criteria, and those that a lead has to meet."""

    threshold: float = Field(default=THRESHOLD, gt=0, le=1)
    weights: Mapping[_Criterion, _Weight] = Field(
        default_factory=dict,
        exclude_if=lambda value: not value,
        description="by default title 0.4, keyword 0.1, others 0.3",
    )
    must: Annotated[tuple[_Criterion, ...], BeforeValidator(listed)] | None = Field(
        default=None, description="criteria that a lead has to meet; by default none that was asked for may be missed"
    )

    @property
    def named(self) -> frozenset[Criterion]:
        """Criteria that are named here."""
        return frozenset({*self.weights, *(self.must or ())})
