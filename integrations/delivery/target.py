"""What a place to deliver leads to is: its batch, what it needs of a lead, and a client that puts leads there.

Invariant: delivering the same lead again, under the same key, changes nothing there, so an attempt whose answer was
lost may be repeated. A lead that the target refuses says why and leaves the others of its batch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from integrations.ads.platform import Wire
from integrations.placed_lead import PlacedLead
from integrations.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One lead as it is delivered."""

    key: str  #: idempotency key: the same for the same lead of the same campaign, whenever it is sent
    email: str | None
    values: Mapping[str, JsonValue]  #: by the names that the target has for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the leads of one batch, by key."""

    placed: Mapping[str, str] = field(default_factory=dict)  #: key -> id at the target
    refused: Mapping[str, str] = field(default_factory=dict)  #: key -> the target's code for why


class DeliveryTarget(Protocol):
    """Client of one place."""

    def present(self, items: Sequence[Item], *, wire: Wire) -> Sequence[str]:
        """Return the keys of those who are there already, by whomever they were put there.

        Raises IntegrationError.
        """
        ...

    def deliver(self, items: Sequence[Item], *, path: str, key: str, wire: Wire) -> Outcome:
        """Put a batch of leads there, or bring them up to date where they are there.

        ``key`` is the same for the same batch. Raises IntegrationError, OutcomeUnknownError without an answer.
        """
        ...

    def remove(self, placed: PlacedLead, *, path: str, wire: Wire) -> None:
        """Take off one lead that was put there by us, or do nothing when it is gone already or never arrived.

        Raises IntegrationError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """A kind of target."""

    name: str  #: of its provider, and in ``deliver``
    title: str
    batch: int  #: leads of one call at most
    needs_email: bool  #: whether it knows people by their address
    fields: Mapping[str, str]  #: fields of a lead that are sent by default -> the target's names for them
    build: Callable[[Settings], DeliveryTarget]
