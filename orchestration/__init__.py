"""Orchestration of campaigns: the client for programs that enqueue them, and the wings behind it.

``flow`` decides, ``ledger`` commits, ``spend`` and ``stores`` keep what campaigns share, ``execution`` carries them out
in workers, ``reports`` tells, ``control`` takes what people want, :mod:`orchestration.client` is for programs. Each
imports only those before it. Invariant: the row is the truth, a message is only a wake-up call. When messages are lost,
doubled or late on the broker, the ledger says what has been done and what comes next.
"""

from __future__ import annotations

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.state import MarketingAgentState
from integrations.settings import Settings, SettingsError
from orchestration.client import Campaigns
from orchestration.control.excluding import NoSuchLeadError
from orchestration.control.resolve import NoSuchUnitError
from orchestration.control.submission import IdempotencyConflictError
from orchestration.control.verbs import VerbRefusedError
from orchestration.flow.lineage import NoSuchStepError
from orchestration.handle import CampaignHandle
from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.reports.campaigns import CampaignEvent, CampaignNotFoundError, CampaignSummary
from orchestration.reports.leads import LeadFilter, LeadRow

__all__ = [
    "CampaignConfig",
    "CampaignEvent",
    "CampaignHandle",
    "CampaignNotFoundError",
    "CampaignSummary",
    "Campaigns",
    "ConfigError",
    "DatabaseUnavailableError",
    "IdempotencyConflictError",
    "LeadFilter",
    "LeadRow",
    "MarketingAgentState",
    "NoSuchLeadError",
    "NoSuchStepError",
    "NoSuchUnitError",
    "Settings",
    "SettingsError",
    "VerbRefusedError",
]
