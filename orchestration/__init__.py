"""What happens next: the campaign row, the unit ledger, advance, routing and the client.

Invariant: the row is the truth, a message is only a wake-up call. Whatever is lost, doubled or
late on the broker, the ledger says what has been done and what comes next.
"""

from __future__ import annotations

from agents.config import CampaignConfig, ConfigError
from orchestration.client import CampaignHandle, Campaigns
from orchestration.control.submission import IdempotencyConflictError
from orchestration.reports.campaigns import CampaignNotFoundError

__all__ = [
    "CampaignConfig",
    "CampaignHandle",
    "CampaignNotFoundError",
    "Campaigns",
    "ConfigError",
    "IdempotencyConflictError",
]
