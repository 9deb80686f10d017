"""Campaigns with few calls, for tests that are about the fleet: a file of one lead, one e-mail, ads on one platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.config import CampaignConfig

PLATFORMS = ("facebook_ads",)
_LEADS = "email,company,job_title,industry,company_size\nceo@acme.example,Acme,CEO,saas,200\n"


def cheap(folder: Path, **more: Any) -> CampaignConfig:
    """The configuration of one; ``folder`` gets the file."""
    folder.mkdir(parents=True, exist_ok=True)
    leads = folder / "leads.csv"
    leads.write_text(_LEADS)
    return CampaignConfig.parse(
        {
            "name": "Cheap",
            "target_audience": {"industry": "saas", "titles": ["CEO"]},
            "lead_sources": [{"type": "file", "path": str(leads)}],
            "enrichment": {"find_emails": False, "verify": "none"},
            "content_requirements": [{"content_type": "email", "topic": "Launch", "target_length": 60}],
            "ad_platforms": ["facebook"],
            "budget": 1000,
            **more,
        }
    )
