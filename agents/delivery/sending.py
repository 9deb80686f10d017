"""Effect of the agent: a batch of leads is put in one place, each once.

Whether an attempt whose answer was lost has been carried out is not asked: it is made again under the same keys, at
which a target changes nothing that it has taken before (:class:`integrations.delivery.target.DeliveryTarget`).
Invariants: the suppression list is asked right before a batch is sent and again right after, and the campaign's
exclusions right before; who is sent is registered before both are asked for the last time, so that an erasure finds
them (:class:`agents.ports.Deliveries`); what was taken is journalled before the unit goes on; a target that stays
silent again and again waits for a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from agents.delivery.units import Batch, Delivered, Person
from agents.effects import EffectSteps
from agents.erasure import person_hashes, record_hashes
from agents.ports import SentLead
from agents.unit import short_hash
from agents.unit_kind import UnitKind
from integrations.address_hash import address_hash
from integrations.delivery.target import DeliveryTarget, Item
from integrations.errors import NeedsAttentionError, OutcomeUnknownError
from integrations.placed_lead import PlacedLead

if TYPE_CHECKING:
    from agents.ports import UnitContext

_ANSWER = "answer"  #: journal entry: what the target answered to the batch
_PRESENT = "present"  #: journal entry: leads that were there before, by whomever they were put there
_SILENT = "silent"  #: journal entry: how many times it was sent without an answer
MAX_SILENT = 5  #: a batch that was sent so often without an answer is a person's business


def send_batch(given: Batch, ctx: UnitContext) -> Delivered:
    """Deliver one batch.

    Raises IntegrationError: OutcomeUnknownError while it is not known whether it arrived.
    """
    target, steps = ctx.providers.place(given.to), EffectSteps(ctx, given.to)
    answered = ctx.journaled(_ANSWER)
    if answered is None:
        allowed, barred = _allowed(given.people, ctx)
        if barred:  # an earlier attempt may have sent them
            ctx.deliveries.take_off(given.label, [lead_key(ctx.campaign_id, one.lead_id) for one in barred])
        people = _without_excluded(allowed, ctx)
        sent = _sent(target, given, people, ctx, steps) if people else _Answer()
        answered = {
            "placed": sent.placed,
            "refused": sent.refused,
            "suppressed": len(barred) + sent.barred,
            "excluded": len(allowed) - sent.barred - sent.leads,
        }
        ctx.journal(_ANSWER, answered)
    delivered = Delivered(label=given.label, **answered)
    return _without_suppressed(delivered, target, given, ctx, steps)


def lead_key(campaign_id: str, lead_id: str) -> str:
    """Return the idempotency key of a lead, the same for every target and attempt."""
    return short_hash(campaign_id, lead_id)


class _Answer(NamedTuple):
    """What a target has said to a batch, by lead."""

    leads: int = 0  #: that were sent
    barred: int = 0  #: who were suppressed at the last moment
    placed: Mapping[str, str] = {}
    refused: Mapping[str, str] = {}


def _sent(target: DeliveryTarget, given: Batch, people: list[Person], ctx: UnitContext, steps: EffectSteps) -> _Answer:
    leads = {lead_key(ctx.campaign_id, person.lead_id): person for person in people}
    if ctx.journaled(_PRESENT) is None:
        there = target.present(_items(given, leads), wire=steps.wire)
        ctx.journal(_PRESENT, [leads[key].lead_id for key in there])
    leads, barred = _registered(given, leads, ctx)
    if not leads:
        return _Answer(barred=barred)
    batch = short_hash(ctx.campaign_id, given.label, *leads)
    try:
        outcome = target.deliver(_items(given, leads), path=given.path, key=batch, wire=steps.wire)
    except OutcomeUnknownError as error:
        silent = (ctx.journaled(_SILENT) or 0) + 1
        ctx.journal(_SILENT, silent)
        if silent % MAX_SILENT:
            wait = max(ctx.effects.probe_delay_s, ctx.unit.policy.first_delay_s * 2.0 ** (silent % MAX_SILENT - 1))
            raise OutcomeUnknownError(given.to, error.message, detail=error.detail, retry_after=wait) from None
        text = f"a batch was sent {silent} times without an answer; the last: {error.message}"
        raise NeedsAttentionError(given.to, text, detail=error.detail) from None
    placed = {key: found for key, found in outcome.placed.items() if key in leads}
    refused = {key: why for key, why in outcome.refused.items() if key in leads}
    ctx.deliveries.answered(given.label, placed, refused)
    return _Answer(
        leads=len(leads),
        barred=barred,
        placed={leads[key].lead_id: found for key, found in placed.items()},
        refused={leads[key].lead_id: why for key, why in refused.items()},
    )


def _items(given: Batch, leads: Mapping[str, Person]) -> list[Item]:
    return [Item(key=key, email=person.email, values=person.values(given.fields)) for key, person in leads.items()]


def _registered(given: Batch, leads: Mapping[str, Person], ctx: UnitContext) -> tuple[dict[str, Person], int]:
    """Register leads that are about to be sent, and return those who may still be, and how many were suppressed.

    An erasure suppresses first and looks into the register after: so either it is seen here, or it sees what is sent.
    An exclusion does the same.
    """
    before = set(ctx.journaled(_PRESENT) or ())
    known = [
        SentLead(
            key=key,
            lead_id=person.lead_id,
            address=address_hash(person.email) if person.email else "",
            hashes=frozenset(person_hashes(person.model_dump(mode="json"))),
            was_there=person.lead_id in before,
        )
        for key, person in leads.items()
    ]
    ctx.deliveries.sending(given.label, given.to, given.path, known)
    allowed, barred = _allowed(leads.values(), ctx)
    kept = {person.lead_id for person in _without_excluded(allowed, ctx)}
    return {key: person for key, person in leads.items() if person.lead_id in kept}, len(barred)


def _allowed(asked: Collection[Person], ctx: UnitContext) -> tuple[list[Person], list[Person]]:
    """Split people into those who may be addressed and those who may not."""
    named = {person.lead_id: record_hashes(person.model_dump(mode="json")) for person in asked}
    emails = sorted({person.email for person in asked if person.email})
    suppressed = ctx.suppression.suppressed(emails)
    barred = ctx.suppression.barred(frozenset().union(*named.values()))
    people: tuple[list[Person], list[Person]] = ([], [])
    for person in asked:
        people[person.email in suppressed or bool(named[person.lead_id] & barred)].append(person)
    return people


def _without_excluded(people: list[Person], ctx: UnitContext) -> list[Person]:
    """Leave out people who are excluded by hand, but for those who are excluded once the batch is sent."""
    named = {person.lead_id: person_hashes(person.model_dump(mode="json")) for person in people}
    excluded = ctx.exclusions.excluded(frozenset().union(*named.values()))
    return [person for person in people if named[person.lead_id].isdisjoint(excluded)] if excluded else people


def _without_suppressed(
    delivered: Delivered, target: DeliveryTarget, given: Batch, ctx: UnitContext, steps: EffectSteps
) -> Delivered:
    """Take off who has been suppressed while the batch was under way, but for those who were there before."""
    gone = {person.lead_id for person in _allowed(given.people, ctx)[1]} & delivered.placed.keys()
    for lead_id in sorted(gone.difference(ctx.journaled(_PRESENT) or ())):
        key, now = lead_key(ctx.campaign_id, lead_id), ctx.clock.now()
        placed = PlacedLead(key=key, remote_id=delivered.placed[lead_id], address="", sent_at=now, arrived_by=now)
        target.remove(placed, path=given.path, wire=steps.wire)
        ctx.deliveries.gone(given.label, [key])
    kept = {lead_id: found for lead_id, found in delivered.placed.items() if lead_id not in gone}
    return delivered.model_copy(update={"placed": kept, "suppressed": delivered.suppressed + len(gone)})


SEND = UnitKind(name="deliver", input=Batch, output=Delivered, run=send_batch)
