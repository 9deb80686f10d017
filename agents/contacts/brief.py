"""What a campaign's own brief gives as contacts.

Pure. The brief is what the user wrote: name, brand, audience, what is to be written; no page, document or model's
answer is part of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from agents.config import CampaignConfig
from agents.contacts.known import KnownContacts


def brief_contacts(config: CampaignConfig) -> KnownContacts:
    """Return the contacts that texts of a campaign may name."""
    parts = (config.brand, config.target_audience, *config.content_requirements)
    texts = [text for part in parts for text in _texts(part.model_dump(mode="json", exclude_defaults=True))]
    return KnownContacts.of("\n".join((config.name, *texts)), website=config.brand.website)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
