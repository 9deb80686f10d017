"""Report of a campaign's leads: one row each, with why it scores so and what became of it, and the rows of own files.

Rows are made of what is stored, by pure functions, and are the same on the screen, in CSV and in JSON. Invariant: a row
says nothing that the state, the campaign's exclusions, or what places have answered do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath

from agents.config import FileSourceConfig
from agents.erasure import person_hashes
from agents.own_rows import DIGITS, newest_report, outcomes
from agents.state import Lead, MarketingAgentState
from orchestration.ledger.database import Database
from orchestration.reports.campaigns import Reports
from orchestration.stores.deliveries import AtPlace, CampaignDeliveries
from orchestration.stores.exclusions import CampaignExclusions, Exclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """One lead of a campaign, with the columns of a CSV file as its fields, in their order."""

    lead_id: str
    name: str | None
    job_title: str | None
    company: str | None
    domain: str | None
    industry: str | None
    company_size: int | str | None
    location: str | None
    email: str | None
    email_status: str | None  #: valid | accept_all | unknown | unverified | role; None without an address
    other_emails: tuple[str, ...]
    phone: str | None
    profile_url: str | None
    score: float | None  #: 0..1
    qualified: bool
    score_reasons: tuple[str, ...]
    sources: tuple[str, ...]
    source_url: str | None
    rows: tuple[str, ...]  #: of own files, as ``file:number`` (:mod:`agents.own_rows`)
    legal_basis: str
    collected_at: datetime | None
    notice_due_at: datetime | None  #: when the person has to be told at the latest
    delivered: tuple[str, ...]  #: where it has been put, as ``deliver`` of the campaign names it
    unconfirmed: tuple[str, ...]  #: where it was sent, and no answer has said that it arrived
    refused: tuple[str, ...]  #: where it was not taken, with the place's code: ``hubspot: VALIDATION_ERROR``
    excluded: str | None  #: the reason for which it is excluded by hand, "" for none; None: it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilter:
    """Which leads are wanted: all that hold in each respect that is named."""

    qualified: bool | None = None
    delivered: bool | None = None  #: anywhere
    excluded: bool | None = None
    source: str = ""  #: "file", or more of it: "file:leads.csv"
    min_score: float | None = None  #: 0..1; a lead without a score has 0
    company: str = ""  #: a part of the company's name or domain, in whichever case

    def takes(self, row: LeadRow) -> bool:
        """Return whether a lead is wanted."""
        source, company = self.source.strip().casefold(), self.company.strip().casefold()
        named = [one.casefold() for one in row.sources]
        return (
            self.qualified in (None, row.qualified)
            and self.delivered in (None, bool(row.delivered))
            and self.excluded in (None, row.excluded is not None)
            and (not source or any(one == source or one.startswith(f"{source}:") for one in named))
            and (self.min_score is None or (row.score or 0.0) >= self.min_score)
            and (not company or company in (row.company or "").casefold() or company in (row.domain or "").casefold())
        )


EVERYONE = LeadFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """What became of one row of a file of the user's, with the columns of a CSV file as its fields."""

    file: str  #: its name
    row: int
    outcome: str  #: kept | merged | set aside
    lead_id: str  #: that it is, or was merged into; "" when it was set aside
    lead: str | None  #: name of that lead
    reason: str  #: why it was set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRows:
    """What became of the rows of a campaign's own files."""

    rows: tuple[FileRow, ...]
    #: file -> reason -> number of rows that its reading has left out at submit, which are not among ``rows``
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def leads_of(database: Database, campaign_id: str, wanted: LeadFilter = EVERYONE) -> list[LeadRow]:
    """Return the leads of a campaign that are wanted, the best first.

    Raises CampaignNotFoundError when there is no such campaign.
    """
    state = Reports(database).row(campaign_id).state
    exclusions = CampaignExclusions(database, campaign_id).listed()
    rows = lead_rows(state.leads, exclusions, CampaignDeliveries(database, campaign_id).listed())
    return [row for row in rows if wanted.takes(row)]


def file_rows_of(database: Database, campaign_id: str) -> FileRows:
    """Return what became of the rows of a campaign's own files, in the order of files and rows.

    Raises CampaignNotFoundError when there is no such campaign.
    """
    return file_rows(Reports(database).row(campaign_id).state)


def lead_rows(
    leads: Sequence[Lead], exclusions: Sequence[Exclusion] = (), places: Sequence[AtPlace] = ()
) -> list[LeadRow]:
    """Return the rows of leads, the best first."""
    known: dict[str, list[AtPlace]] = {}
    for one in places:
        known.setdefault(one.lead_id, []).append(one)
    return [
        _row(lead, _excluded(lead, exclusions), known.get(lead.lead_id, ()))
        for lead in sorted(leads, key=lambda one: -(one.score or 0.0))
    ]


def file_rows(state: MarketingAgentState) -> FileRows:
    """Return what became of the rows of own files, and how many their reading left out."""
    sources = [one for one in state.campaign_config.lead_sources if isinstance(one, FileSourceConfig)]
    names = {(one.file_id or "")[:DIGITS]: PurePath((one.path or one.file_id or "").replace("\\", "/")).name
             for one in sources}  # fmt: skip
    people = {lead.lead_id: lead.name for lead in state.leads}
    found = []
    for name, outcome in outcomes(state).items():
        file, _, number = name.rpartition(":")
        found.append(
            FileRow(
                file=names.get(file, file),
                row=int(number),
                outcome=outcome.what,
                lead_id=outcome.lead_id,
                lead=people.get(outcome.lead_id),
                reason=outcome.reason,
            )
        )
    told = newest_report(state).get("files")
    left_out = {
        str(name): dict(about["left_out"])
        for name, about in (told.items() if isinstance(told, Mapping) else ())
        if about.get("left_out")
    }
    return FileRows(rows=tuple(sorted(found, key=lambda one: (one.file, one.row))), left_out=left_out)


def _row(lead: Lead, excluded: str | None, places: Sequence[AtPlace]) -> LeadRow:
    values = {name: getattr(lead, name) for name in _AS_THEY_ARE}
    there = (*lead.delivered, *(one.label for one in places if one.remote_id is not None))
    return LeadRow(
        **values,
        email_status=lead.email_status if lead.email else None,
        qualified=lead.qualified_at is not None,
        delivered=tuple(dict.fromkeys(there)),
        unconfirmed=tuple(one.label for one in places if one.remote_id is None and one.refused is None),
        refused=tuple(f"{one.label}: {one.refused}" for one in places if one.refused is not None),
        excluded=excluded,
    )


_AS_THEY_ARE = frozenset(LeadRow.__dataclass_fields__) & frozenset(Lead.model_fields) - {"delivered", "email_status"}


def _excluded(lead: Lead, exclusions: Sequence[Exclusion]) -> str | None:
    """Return why a lead is excluded, None when it is not."""
    if not exclusions:
        return None
    hashes = person_hashes(lead.model_dump(mode="json", include={"name", "email", "other_emails", *_NAMING}))
    return next((one.reason for one in exclusions if one.lead_id == lead.lead_id or one.hashes & hashes), None)


_NAMING = ("company", "domain", "profile_url")  #: fields of a lead by which it is known beside name and address
