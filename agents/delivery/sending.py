"""Effect of the agent: a batch of leads is put in one place, each once.

Whether an attempt whose answer was lost has been carried out is not asked: it is made again under the same keys, at
which a target changes nothing that it has taken before (:class:`integrations.delivery.target.DeliveryTarget`).
Invariants: the suppression list is asked right before a batch is sent and again right after, and the campaign's
exclusions right before; what was taken is journalled before the unit goes on; a target that stays silent again and
again waits for a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.delivery.units import Batch, Delivered, Person
from agents.effects import EffectSteps
from agents.erasure import person_hashes, record_hashes
from agents.unit import short_hash
from agents.unit_kind import UnitKind
from integrations.delivery.target import DeliveryTarget, Item
from integrations.errors import NeedsAttentionError, OutcomeUnknownError

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
    target, steps = ctx.providers.delivery(given.to), EffectSteps(ctx, given.to)
    answered = ctx.journaled(_ANSWER)
    if answered is None:
        allowed, barred = _allowed(given, ctx)
        people = _without_excluded(allowed, ctx)
        sent = _sent(target, given, people, ctx, steps) if people else {"placed": {}, "refused": {}}
        answered = {**sent, "suppressed": len(barred), "excluded": len(allowed) - len(people)}
        ctx.journal(_ANSWER, answered)
    delivered = Delivered(label=given.label, **answered)
    return _without_suppressed(delivered, target, given, ctx, steps)


def lead_key(campaign_id: str, lead_id: str) -> str:
    """Return the idempotency key of a lead, the same for every target and attempt."""
    return short_hash(campaign_id, lead_id)


def _sent(
    target: DeliveryTarget, given: Batch, people: list[Person], ctx: UnitContext, steps: EffectSteps
) -> dict[str, dict[str, str]]:
    leads = {lead_key(ctx.campaign_id, person.lead_id): person for person in people}
    items = [Item(key=key, email=person.email, values=person.values(given.fields)) for key, person in leads.items()]
    batch = short_hash(ctx.campaign_id, given.label, *leads)
    if ctx.journaled(_PRESENT) is None:
        ctx.journal(_PRESENT, [leads[key].lead_id for key in target.present(items, wire=steps.wire)])
    try:
        outcome = target.deliver(items, path=given.path, key=batch, wire=steps.wire)
    except OutcomeUnknownError as error:
        silent = (ctx.journaled(_SILENT) or 0) + 1
        ctx.journal(_SILENT, silent)
        if silent % MAX_SILENT:
            wait = max(ctx.effects.probe_delay_s, ctx.unit.policy.first_delay_s * 2.0 ** (silent % MAX_SILENT - 1))
            raise OutcomeUnknownError(given.to, error.message, detail=error.detail, retry_after=wait) from None
        text = f"a batch was sent {silent} times without an answer; the last: {error.message}"
        raise NeedsAttentionError(given.to, text, detail=error.detail) from None
    return {
        "placed": {leads[key].lead_id: found for key, found in outcome.placed.items() if key in leads},
        "refused": {leads[key].lead_id: why for key, why in outcome.refused.items() if key in leads},
    }


def _allowed(given: Batch, ctx: UnitContext) -> tuple[list[Person], list[Person]]:
    """Split a batch into those who may be addressed and those who may not."""
    named = {person.lead_id: record_hashes(person.model_dump(mode="json")) for person in given.people}
    emails = sorted({person.email for person in given.people if person.email})
    suppressed = ctx.suppression.suppressed(emails)
    barred = ctx.suppression.barred(frozenset().union(*named.values()))
    people: tuple[list[Person], list[Person]] = ([], [])
    for person in given.people:
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
    gone = {person.lead_id for person in _allowed(given, ctx)[1]} & delivered.placed.keys()
    for lead_id in sorted(gone.difference(ctx.journaled(_PRESENT) or ())):
        target.remove(delivered.placed[lead_id], path=given.path, wire=steps.wire)
    kept = {lead_id: found for lead_id, found in delivered.placed.items() if lead_id not in gone}
    return delivered.model_copy(update={"placed": kept, "suppressed": delivered.suppressed + len(gone)})


SEND = UnitKind(name="deliver", input=Batch, output=Delivered, run=send_batch)
