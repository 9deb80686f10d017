"""Register of the leads that campaigns have put at places outside, or may have, and of who has to be taken off there.

A person leaves a place in two steps, as they leave a customer list: an erasure writes down here which leads have to go,
and any process then tells the places (:mod:`orchestration.execution.place_removals`). Invariants: the register
holds no address, and outlives the people of its campaign, for what is at a place does, too; a lead is registered before
it is sent, so one whose answer was lost is found all the same; what was asked while a batch was on its way stays
written down until none is. It holds by the order: leads are registered, then the suppression list is asked, then the
batch is sent; an erasure puts the address on the suppression list before it looks here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.ports import SentLead
from integrations.placed_lead import PlacedLead
from orchestration.ledger.database import Database, Transaction, encode
from orchestration.stores.attempts import NEXT_ATTEMPT

SENDING_S = 600.0  #: seconds after which a batch has surely arrived, or never will
BATCH = 200  #: removals of one look


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPlace:
    """What is known of one lead at one place."""

    lead_id: str
    label: str  #: of the place, as the campaign names it
    remote_id: str | None  #: None as long as nothing says that it arrived
    refused: str | None  #: the place's code for why it was not taken


class CampaignDeliveries:
    """Leads of one campaign at places, as :class:`agents.ports.Deliveries` has them."""

    def __init__(self, database: Database, campaign_id: str) -> None:
        self._database = database
        self._campaign_id = campaign_id

    def sending(self, label: str, target: str, path: str, leads: Sequence[SentLead]) -> None:
        """Record that a batch is about to be sent."""
        given = [
            {
                "key": one.key,
                "lead_id": one.lead_id,
                "address": one.address,
                "hashes": sorted(one.hashes),
                "was_there": one.was_there,
            }
            for one in sorted(leads, key=lambda lead: lead.key)
        ]
        self._database.run(
            "INSERT INTO marketing.deliveries AS d (campaign_id, label, target, path, key, lead_id, address, hashes, "
            "was_there, sending_until) SELECT %s, %s, %s, %s, g.key, g.lead_id, g.address, "
            "ARRAY(SELECT jsonb_array_elements_text(g.hashes)), g.was_there, now() + make_interval(secs => %s) "
            "FROM jsonb_to_recordset(%s) AS g(key text, lead_id text, address text, hashes jsonb, was_there boolean) "
            "ON CONFLICT (campaign_id, label, key) DO UPDATE SET sending_until = excluded.sending_until, "
            "refused = NULL",
            self._campaign_id, label, target, path, SENDING_S, encode(given),
        )  # fmt: skip

    def answered(self, label: str, placed: Mapping[str, str], refused: Mapping[str, str]) -> None:
        """Record by key what became of leads."""
        keys = sorted({*placed, *refused})
        self._database.run(
            "UPDATE marketing.deliveries d SET remote_id = coalesce(g.remote_id, d.remote_id), refused = g.refused, "
            "sending_until = NULL FROM unnest(%s::text[], %s::text[], %s::text[]) AS g(key, remote_id, refused) "
            "WHERE d.campaign_id = %s AND d.label = %s AND d.key = g.key",
            keys, [placed.get(key) for key in keys], [refused.get(key) for key in keys], self._campaign_id, label,
        )  # fmt: skip

    def take_off(self, label: str, keys: Collection[str]) -> None:
        """Write down that leads have to be taken off, as far as they may be there by the campaign's doing."""
        self._database.run(
            f"UPDATE marketing.deliveries SET {_ASK} WHERE campaign_id = %s AND label = %s AND key = ANY(%s) "
            "AND NOT was_there AND refused IS NULL",
            self._campaign_id, label, sorted(keys),
        )  # fmt: skip

    def gone(self, label: str, keys: Collection[str]) -> None:
        """Strike out leads that have been taken off."""
        self._database.run(
            "DELETE FROM marketing.deliveries WHERE campaign_id = %s AND label = %s AND key = ANY(%s)",
            self._campaign_id, label, sorted(keys),
        )  # fmt: skip

    def listed(self) -> list[AtPlace]:
        """Return what is known of the campaign's leads at places, in the order of places and leads."""
        return self._database.records(
            AtPlace,
            "SELECT lead_id, label, remote_id, refused FROM marketing.deliveries WHERE campaign_id = %s "
            "AND removal_due_at IS NULL ORDER BY label, key",
            self._campaign_id,
        )


_ASK = "removal_due_at = now(), attempts = 0"


class Found(NamedTuple):
    """A lead that an erasure has found in the register."""

    campaign_id: str
    label: str
    key: str
    target: str
    stays: bool  #: the place had the person before us, and keeps them


def ask_forgetting(tx: Transaction, hashes: Collection[str], campaign_id: str | None = None) -> list[Found]:
    """Write down that people have to be taken off wherever they may be by our doing, and forget where they are not.

    ``campaign_id`` limits it to one campaign's leads.
    """
    given = sorted(hashes), campaign_id, campaign_id
    where = "hashes && %s::text[] AND (%s::text IS NULL OR campaign_id = %s)"
    asked = tx.rows(
        f"UPDATE marketing.deliveries SET {_ASK} WHERE {where} AND NOT was_there AND refused IS NULL "
        "RETURNING campaign_id, label, key, target, false",
        *given,
    )
    left = tx.rows(
        f"DELETE FROM marketing.deliveries WHERE {where} AND (was_there OR refused IS NOT NULL) "
        "RETURNING campaign_id, label, key, target, refused IS NULL",
        *given,
    )
    return [Found(*row) for row in (*asked, *left)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """One lead that has to be taken off one place now."""

    campaign_id: str
    label: str
    target: str
    path: str
    lead: PlacedLead
    arriving: bool  #: it may arrive there yet, or once more


class LeavingBook:
    """Leads that one database has written down to be taken off places."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self) -> list[Leaving]:
        """Return who is due, and is not due again for a time that grows with each attempt."""
        rows = self._database.rows(
            "UPDATE marketing.deliveries d SET attempts = attempts + 1, "
            f"removal_due_at = {NEXT_ATTEMPT} "
            "FROM (SELECT campaign_id, label, key FROM marketing.deliveries WHERE removal_due_at <= now() "
            "ORDER BY removal_due_at LIMIT %s FOR UPDATE SKIP LOCKED) AS n "
            "WHERE (d.campaign_id, d.label, d.key) = (n.campaign_id, n.label, n.key) "
            "RETURNING d.campaign_id, d.label, d.target, d.path, d.key, d.remote_id, d.address, d.sent_at, "
            "coalesce(d.sending_until, now()), coalesce(d.sending_until > now(), false)",
            BATCH,
        )  # fmt: skip
        return [
            Leaving(
                campaign_id=campaign_id,
                label=label,
                target=target,
                path=path,
                lead=PlacedLead(key=key, remote_id=remote_id, address=address, sent_at=sent_at, arrived_by=arrived_by),
                arriving=arriving,
            )
            for campaign_id, label, target, path, key, remote_id, address, sent_at, arrived_by, arriving in rows
        ]

    def done(self, one: Leaving) -> None:
        """Strike out who has been taken off, unless they may arrive there yet."""
        if not one.arriving:
            self._database.run(
                "DELETE FROM marketing.deliveries WHERE (campaign_id, label, key) = (%s, %s, %s)",
                one.campaign_id, one.label, one.lead.key,
            )  # fmt: skip

    def failed(self, one: Leaving, reason: str) -> None:
        """Write down why it could not be done this time."""
        self._database.run(
            "UPDATE marketing.deliveries SET error = %s WHERE (campaign_id, label, key) = (%s, %s, %s)",
            reason[:500], one.campaign_id, one.label, one.lead.key,
        )  # fmt: skip

    def left(self) -> dict[str, str]:
        """Return the providers of places where something has still to be done, each with why it failed last, or ""."""
        rows = self._database.rows(
            "SELECT target, coalesce(max(error), '') FROM marketing.deliveries WHERE removal_due_at IS NOT NULL "
            "GROUP BY target ORDER BY target"
        )
        return {str(target): str(error) for target, error in rows}
