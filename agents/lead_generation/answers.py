"""What units of lead generation answer: the people and companies they bring, and who must not be addressed.

The agent reads every answer, a plug-in source's too, through :class:`Answer`. Invariant: an answer's JSON holds no key
without a value at its top level, and no empty field of a person, so that thousands of records stay small in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated

from pydantic import PlainSerializer, SerializerFunctionWrapHandler, model_serializer

from agents.lead_generation.clean import CompanyFacts, Record
from agents.unit_kind import Part

_FIELDS = tuple(field.name for field in fields(Record))


def _compact(records: Sequence[Record]) -> list[dict[str, str]]:
    found = []
    for record in records:
        row: dict[str, str] = {}
        for name in _FIELDS:
            value: str | None = getattr(record, name)
            if value is not None:
                row[name] = value
        found.append(row)
    return found


Records = Annotated[tuple[Record, ...], PlainSerializer(_compact)]


class Answer(Part):
    """Base of every unit's output in lead generation, which by itself brings nothing."""

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        dumped: dict[str, object] = handler(self)
        return {name: value for name, value in dumped.items() if value is not None}

    def people(self) -> Sequence[Record]:
        """Return what the answer says about people."""
        return ()

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return what the answer says about companies."""
        return ()

    def barred(self) -> Sequence[str]:
        """Return the identity hashes of people who must not be addressed."""
        return ()


class Screened(Answer):
    """People who passed the suppression list, and hashes of those who did not, as ``screen`` gives them."""

    records: Records = ()
    suppressed: tuple[str, ...] = ()

    def people(self) -> Sequence[Record]:
        """Return the people who may be addressed."""
        return self.records

    def barred(self) -> Sequence[str]:
        """Return the identity hashes of people who must not be addressed."""
        return self.suppressed


class Company(Part):
    """What one source says about one company."""

    company: str | None = None
    domain: str | None = None
    industry: str | None = None
    company_size: str | None = None
    location: str | None = None

    def facts(self, source: str) -> CompanyFacts:
        """Return the facts under the name of their source."""
        return CompanyFacts(
            source=source,
            company=self.company,
            domain=self.domain,
            industry=self.industry,
            company_size=self.company_size,
            location=self.location,
        )
