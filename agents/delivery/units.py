"""Unit of the agent: one batch of leads for one target.

People stand in a list, each with their address beside their other fields, so that an erasure takes the whole of one
(:mod:`agents.erasure`); the answer holds no more than ids.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from agents.unit_kind import Part


class Person(Part):
    """A lead with the fields that targets may be sent, by their own names."""

    lead_id: str
    email: str | None
    email_status: str
    name: str | None
    first_name: str | None
    last_name: str | None
    job_title: str | None
    company: str | None
    domain: str | None
    industry: str | None
    company_size: int | str | None
    location: str | None
    phone: str | None
    profile_url: str | None
    score: float | None
    score_reasons: tuple[str, ...]
    sources: tuple[str, ...]
    legal_basis: str
    collected_at: str | None
    notice_due_at: str | None

    def values(self, names: Mapping[str, str]) -> Mapping[str, JsonValue]:
        """Return the fields that are known, by the target's names for them."""
        own = self.model_dump(mode="json")
        return {theirs: own[field] for field, theirs in names.items() if own[field] not in (None, "", [])}


class Batch(Part):
    """Leads to put in one place."""

    to: str  #: name of the target
    label: str  #: of the entry of ``deliver``
    path: str  #: below the target's address
    fields: Mapping[str, str]  #: of a lead -> the target's name for it
    people: tuple[Person, ...]


class Delivered(Part):
    """What became of a batch, by lead."""

    label: str
    placed: Mapping[str, str]  #: lead -> id at the target
    refused: Mapping[str, str]  #: lead -> the target's code for why
    suppressed: int  #: people who may not be addressed any more, and were not sent
    excluded: int  #: people who are excluded from the campaign by hand, and were not sent
