"""Exclusion of single leads by hand, from what their campaign still does.

Who is excluded stays a lead, and is left out of batches that are sent from now on and taken off the campaign's customer
lists. Invariant: the row that says so is committed with its event, and before anybody is told; doing it again changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.email_address import mailbox, normal_email
from agents.erasure import addresses_of, person_hashes
from agents.state import Lead
from integrations.values import clean_text
from orchestration.control.verbs import STATUSES, VerbRefusedError, Verbs
from orchestration.ledger.changes import lock, note
from orchestration.ledger.database import Transaction
from orchestration.reports.leads import lead_rows
from orchestration.stores.customer_lists import ask_removal
from orchestration.stores.deliveries import CampaignDeliveries
from orchestration.stores.exclusions import CampaignExclusions, remove_exclusions, write_exclusion

MAX_REASON = 200  #: characters that are kept of a reason


class NoSuchLeadError(LookupError):
    """Raised when a campaign has no such lead, or several with one address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """What came of an exclusion."""

    lead_id: str
    new: bool  #: False: the lead was excluded before
    delivered: tuple[str, ...]  #: where the lead has been put already, and stays
    unconfirmed: tuple[str, ...]  #: where it was sent, and may be


def exclude(verbs: Verbs, campaign_id: str, lead: str, *, actor: str, reason: str = "") -> Excluded:
    """Keep a lead, named by its id or an address, out of what the campaign still does.

    Raises CampaignNotFoundError, WrongWorldError and VerbRefusedError as every verb does, NoSuchLeadError when the
    campaign has no such lead, and NoSuchLeadError with their ids when two leads have the address.
    """
    row = verbs.admit(campaign_id)
    verbs.refuse_swept(campaign_id)
    found = named_lead(row.state.leads, lead)
    record, why = found.model_dump(mode="json"), clean_text(reason).strip()[:MAX_REASON]

    def write(tx: Transaction) -> bool:
        new = write_exclusion(tx, campaign_id, record, reason=why, by=actor)
        if new:
            _note(tx, campaign_id, "lead_excluded", {"lead": found.lead_id, "reason": why}, actor)
            ask_removal(tx, campaign_id, addresses_of(record))
        return new

    database = verbs.ledger.database
    new = database.transaction(write)
    # Looked at once the exclusion stands, so that what is sent from now on is sent without the lead.
    (now,) = lead_rows([found], (), CampaignDeliveries(database, campaign_id).listed())
    return Excluded(lead_id=now.lead_id, new=new, delivered=now.delivered, unconfirmed=now.unconfirmed)


def include(verbs: Verbs, campaign_id: str, lead: str, *, actor: str) -> bool:
    """Take an exclusion back, and return whether there was one.

    The lead takes part in what is planned or sent from then on; a customer list that it was taken off stays without
    it. Raises as :func:`exclude` does.
    """
    row = verbs.admit(campaign_id)
    verbs.refuse_swept(campaign_id)
    database = verbs.ledger.database
    listed = CampaignExclusions(database, campaign_id).listed()
    if lead in {one.lead_id for one in listed}:
        lead_id, hashes = lead, frozenset[str]()
    else:
        found = named_lead(row.state.leads, lead)
        lead_id, hashes = found.lead_id, frozenset(person_hashes(found.model_dump(mode="json")))
    gone = [one.lead_id for one in listed if one.lead_id == lead_id or one.hashes & hashes]

    def write(tx: Transaction) -> bool:
        there = remove_exclusions(tx, campaign_id, gone)
        if there:
            _note(tx, campaign_id, "lead_included", {"lead": lead_id}, actor)
        return there

    return database.transaction(write)


def named_lead(leads: tuple[Lead, ...], name: str) -> Lead:
    """Return the lead with an id, or with an address in any of its spellings.

    Raises NoSuchLeadError.
    """
    for lead in leads:
        if lead.lead_id == name.strip():
            return lead
    address = normal_email(name) if "@" in name else None
    wanted = mailbox(address) if address else None
    found = [lead for lead in leads if wanted and wanted in {mailbox(one) for one in _addresses(lead)}]
    if len(found) > 1:
        ids = ", ".join(lead.lead_id for lead in found)
        raise NoSuchLeadError(f"{len(found)} leads have this address; name one by its id: {ids}")
    if not found:
        raise NoSuchLeadError(
            "the campaign has no lead with this " + ("address" if "@" in name else "id; `campaigns leads ID` shows ids")
        )
    return found[0]


def _note(tx: Transaction, campaign_id: str, kind: str, data: Mapping[str, str], actor: str) -> None:
    """Write an event of a campaign, whose row stays locked.

    Raises VerbRefusedError when the campaign is of another world by now.
    """
    at = lock(tx, campaign_id, STATUSES)
    if at is None:
        raise VerbRefusedError(f"campaign {campaign_id} has become one of another world")
    note(tx, at, kind, data, actor=actor)


def _addresses(lead: Lead) -> tuple[str, ...]:
    return (lead.email, *lead.other_emails) if lead.email else lead.other_emails
