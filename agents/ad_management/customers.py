"""Who is on a campaign's customer list at a platform: those of its leads that may be.

Pure. Invariants: an address goes no further than this module, which gives on the hash of its mailbox, by which the
suppression list knows it in every spelling, and the platform's own form of it; nobody is chosen whose data is processed
on another legal basis than the campaign names.
"""

from __future__ import annotations

from agents.ad_management.units import Customers
from agents.email_address import mailbox_hash
from agents.legal_basis import CONSENT
from agents.state import MarketingAgentState
from integrations.ads.audience import ListUse
from integrations.ads.registry import platform

_FILE = "file:"  #: begins the names of sources that are files of the advertiser's own


def customers(state: MarketingAgentState, name: str) -> Customers | None:
    """Return who shall be on the customer list at the platform ``name``, None for a campaign without one.

    Ads are shown to qualified leads, or to people who are like those; they are kept from all leads, whether they
    qualify or not.
    """
    wanted = state.campaign_config.customer_list
    audiences = platform(name).audiences
    if wanted is None or audiences is None:
        return None
    leads = state.leads if wanted.use is ListUse.EXCLUDE else state.qualified_leads
    chosen = [lead for lead in leads if lead.email and lead.legal_basis in wanted.legal_basis]
    return Customers(
        use=wanted.use,
        members={mailbox_hash(lead.email): audiences.member(lead.email) for lead in chosen if lead.email},
        found=any(not any(source.startswith(_FILE) for source in lead.sources) for lead in chosen),
        consented=all(lead.legal_basis == CONSENT for lead in chosen),
        lookalike=wanted.lookalike(state.campaign_config.target_audience.locations),
    )
