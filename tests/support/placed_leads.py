"""Leads as they are taken off places: by what is known once their address is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integrations.address_hash import address_hash
from integrations.placed_lead import PlacedLead


def placed(remote_id: str | None, key: str = "k1", email: str = "", ago_s: float = 0.0) -> PlacedLead:
    """Return a lead that was sent some seconds ago; with ``None`` its answer was lost."""
    now = datetime.now(UTC)
    sent_at = now - timedelta(seconds=ago_s)
    hashed = address_hash(email) if email else ""
    return PlacedLead(key=key, remote_id=remote_id, address=hashed, sent_at=sent_at, arrived_by=sent_at)
