"""What a campaign file says under ``deliver``: where its qualified leads are put, and which of their fields.

Invariant: an entry names a target that there is, and fields that a lead has; what a target gets by default stands in
its spec (:mod:`integrations.delivery.registry`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from agents.config_problems import Section, choice
from agents.config_values import Identifier
from integrations.delivery.registry import FIELDS, TARGETS
from integrations.delivery.target import TargetSpec

MAX_TARGETS = 5
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?", re.ASCII)
#: What may be written as ``to`` by people who look for something that is elsewhere, and where it is.
_ELSEWHERE = {
    "csv": "a file is written where you ask for it, at any time: campaigns leads ID --csv",
    "audience": "customer_list puts leads on lists at the ad platforms: customer_list: {use: target}",
}


class Target(Section):
    """Base of an entry: a target, and the fields that it gets."""

    to: str
    fields: Mapping[str, Identifier] = Field(
        default_factory=dict,
        description="field of a lead: the target's name for it; default: all that it has names for",
    )

    @property
    def spec(self) -> TargetSpec:
        """What is known of the target."""
        return TARGETS[self.to]

    @property
    def sent(self) -> Mapping[str, str]:
        """Fields of a lead that are sent, each with the target's name for it."""
        return self.fields or self.spec.fields

    @property
    def label(self) -> str:
        """Name of the entry, of which no other in the campaign has the same."""
        return self.to

    @field_validator("fields", mode="before")
    @classmethod
    def _chosen(cls, value: object) -> object:
        """Let fields be chosen by a list of them, which keep the target's own names."""
        if not isinstance(value, list | tuple):
            return value
        names = TARGETS[cls.model_fields["to"].default].fields
        return {str(name): names.get(str(name), str(name)) for name in value}

    @field_validator("fields")
    @classmethod
    def _known(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name in value:
            if name not in FIELDS:
                raise ValueError(f"{name!r} is no field of a lead; use {choice(FIELDS)}")
        return value


class Webhook(Target):
    """A receiver of signed JSON at WEBHOOK_BASE_URL."""

    to: Literal["webhook"] = "webhook"
    path: Annotated[str, Field(max_length=500)] = Field(default="", description="below WEBHOOK_BASE_URL")

    @field_validator("path")
    @classmethod
    def _below(cls, value: str) -> str:
        if value and not _PATH.fullmatch(value):
            raise ValueError("write a path below WEBHOOK_BASE_URL, such as /hooks/leads")
        return value

    @property
    def label(self) -> str:
        """Name with the path: a campaign may have several."""
        return f"{self.to}:{self.path}" if self.path else self.to


class HubSpot(Target):
    """Contacts of the account of HUBSPOT_ACCESS_TOKEN, each known by their address."""

    to: Literal["hubspot"] = "hubspot"


class Salesforce(Target):
    """Leads of the organisation at SALESFORCE_BASE_URL, each known by the hash of their address."""

    to: Literal["salesforce"] = "salesforce"


_SECTIONS: Mapping[str, type[Target]] = {"webhook": Webhook, "hubspot": HubSpot, "salesforce": Salesforce}


def _entry(value: object) -> object:
    """Let an entry be written as the name of its target alone, and refuse those that are none."""
    entry: object = {"to": value} if isinstance(value, str) else value
    if isinstance(entry, Mapping):
        name = entry.get("to")
        if isinstance(name, str) and name in _ELSEWHERE:
            raise ValueError(f"to={name}: {_ELSEWHERE[name]}")
        if not isinstance(name, str) or name not in _SECTIONS:
            raise ValueError(f"to={name!r}: leads are delivered to {choice([*_SECTIONS])}")
    return entry


def target_section(section: type[Section], key: str) -> type[Target] | None:
    """Return the section of an entry of ``deliver`` by the name of its target, which stands among the keys."""
    return _SECTIONS.get(key) if issubclass(section, Target) else None


DeliverTo = Annotated[Webhook | HubSpot | Salesforce, Field(discriminator="to"), BeforeValidator(_entry)]
