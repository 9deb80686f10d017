"""What is known of a lead that was put at a place outside, once its address is not known any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLead:
    """One lead that we have put somewhere, or may have."""

    key: str  #: idempotency key under which it was sent
    remote_id: str | None  #: None: whether it arrived is not known
    address: str  #: ``integrations.address_hash`` of the address that was sent, "" for none
    sent_at: datetime  #: the first time
    arrived_by: datetime  #: the latest moment at which it may have arrived
