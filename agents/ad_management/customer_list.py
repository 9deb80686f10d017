"""Filling of a campaign's customer list at one platform, before the ads that are aimed at it.

The order is look, make (or adopt), register, fill in batches, ask for the name that ads can use. Invariants: the list
is registered before it has members (:class:`agents.ports.CustomerLists`), so that who is erased later can be taken off
it; who is suppressed or excluded is left out of each batch, and taken off again when that happened while the batch was
under way;
a list that ads can't be shown to is not made. Each step may be repeated by another attempt. Of a list for a lookalike
audience (:mod:`agents.ad_management.lookalike`) that is made last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from agents.ad_management import lookalike
from agents.ad_management.units import Customers, Deploy
from agents.chunks import chunks
from agents.effects import EffectSteps
from agents.unit import effect_key
from integrations.ads.audience import AudienceSpec, ListTerms, ListUse
from integrations.ads.platform import AimedList, once
from integrations.ads.registry import platform
from integrations.errors import BadRequestError, StillWorkingError

if TYPE_CHECKING:
    from agents.ports import UnitContext

STEP = "customer_list"  #: of the journal, and in the remote ids of a creative
_MADE_AT = "list_made_at"  #: journal entry: when the list was made, or found
_MEMBERS = "members:"  #: + number of a batch: journal entry that says how far it is
_BEGUN, _DONE = "begun", "done"
#: A list that the platform is still at work on is asked for again after so many seconds; matching can take days.
MATCHING_S = 300.0


class Filled(NamedTuple):
    """A customer list that ads can be aimed at."""

    ids: Mapping[str, str]  #: step -> id of the list, and of the lookalike audience where there is one
    aimed: AimedList
    members: int  #: people on it, as far as we put them there


class Without(NamedTuple):
    """Why ads are placed without the list that the campaign asks for."""

    reason: str


def filled_list(given: Deploy, ctx: UnitContext, steps: EffectSteps) -> Filled | Without | None:
    """Return the campaign's customer list, made and filled, or None where it has none.

    Raises BadRequestError for a list that is too short to show ads to, and StillWorkingError while the platform
    prepares it.
    """
    wanted = given.customers
    if wanted is None:
        return None
    audiences, spec = ctx.providers.audiences(given.platform), _spec(given.platform)
    known = steps.get(STEP)
    if wanted.lookalike is not None:
        left = len(wanted.members) - len(_barred(wanted.members, ctx))
        short = lookalike.too_short(wanted.lookalike, left, spec) if known is None else ""
        if reason := lookalike.given_up(ctx) or short:
            return _without(reason, given.platform, known, ctx)
    if known is None and not _worth_making(given.platform, wanted, spec, ctx):
        return None
    key = effect_key(ctx.campaign_id, given.platform, STEP)
    terms = ListTerms(found=wanted.found, consented=wanted.consented)
    found = audiences.find_by_key(key, wire=steps.wire) if known is None else None
    list_id = once(steps, STEP, found, lambda: audiences.create(given.spec.name, key, terms, wire=steps.wire))
    ctx.customer_lists.opened(given.platform, list_id)
    _settle(given.platform, spec, ctx)
    for number, batch in chunks([*wanted.members.items()], spec.batch):
        if ctx.journaled(f"{_MEMBERS}{number}") != _DONE:
            _fill(given.platform, list_id, number, dict(batch), terms, ctx, steps)
    ctx.customer_lists.filled(given.platform, list_id)
    reference = _usable(given.platform, list_id, ctx, steps)
    members = len(wanted.members) - len(_barred(wanted.members, ctx))
    if wanted.lookalike is None:
        return Filled({STEP: list_id}, AimedList(reference=reference, use=wanted.use), members)
    alike = lookalike.lookalike_of(list_id, wanted.lookalike, given, ctx, steps)
    if alike is None:
        return _without(lookalike.given_up(ctx), given.platform, list_id, ctx)
    country = wanted.lookalike.country
    aimed = AimedList(
        reference=_usable(given.platform, alike, ctx, steps), use=wanted.use, seed=reference, country=country
    )
    return Filled({STEP: list_id, lookalike.STEP: alike}, aimed, members)


def take_off(name: str, list_id: str, ctx: UnitContext) -> None:
    """Delete a list that this campaign has made.

    Raises IntegrationError.
    """
    ctx.providers.audiences(name).delete(list_id, wire=EffectSteps(ctx, name).wire)
    ctx.customer_lists.closed(name, list_id)


def forgotten(journal: Mapping[str, object]) -> dict[str, None]:
    """Return the journal entries after the list has been deleted: one that is made later is filled from the start."""
    own = {entry: None for entry in journal if entry.startswith(_MEMBERS) or entry == _MADE_AT}
    return {**own, **lookalike.forgotten(journal)}


def _usable(name: str, list_id: str, ctx: UnitContext, steps: EffectSteps) -> str:
    """Return by which name ads can be aimed at a list.

    Raises StillWorkingError while the platform prepares it.
    """
    reference = ctx.providers.audiences(name).reference(list_id, wire=steps.wire)
    if reference is None:
        raise StillWorkingError(name, "is still matching the customer list", retry_after=MATCHING_S)
    return reference


def _without(reason: str, name: str, list_id: str | None, ctx: UnitContext) -> Without:
    """Take a list off that nothing is made of, and return why."""
    if list_id is not None:
        take_off(name, list_id, ctx)
    return Without(reason)


def _spec(name: str) -> AudienceSpec:
    found = platform(name).audiences
    if found is None:
        raise BadRequestError(name, "has no customer lists in this version; leave customer_list out")
    return found


def _worth_making(name: str, wanted: Customers, spec: AudienceSpec, ctx: UnitContext) -> bool:
    """Return whether there are people left to put on the list.

    Raises BadRequestError when ads shall be shown to fewer people than the platform shows ads to.
    """
    left = len(wanted.members) - len(_barred(wanted.members, ctx))
    if wanted.use is ListUse.TARGET and left < spec.least:
        raise BadRequestError(
            name,
            f"shows ads to customer lists of {spec.least} people or more, and {left} of the campaign's leads may be on "
            "this one; leave customer_list out, or name more of their legal bases in it",
        )
    return left > 0


def _settle(name: str, spec: AudienceSpec, ctx: UnitContext) -> None:
    """Wait for the time that a new list needs before its first members.

    Raises StillWorkingError until then.
    """
    if not spec.settle_s:
        return
    now, made_at = ctx.clock.now(), ctx.journaled(_MADE_AT)
    if made_at is None:
        made_at = now.isoformat()
        ctx.journal(_MADE_AT, made_at)
    left = (datetime.fromisoformat(made_at) + timedelta(seconds=spec.settle_s) - now).total_seconds()
    if left > 0:
        raise StillWorkingError(name, "prepares the new customer list", retry_after=left)


def _fill(
    name: str,
    list_id: str,
    number: int,
    batch: Mapping[str, str],
    terms: ListTerms,
    ctx: UnitContext,
    steps: EffectSteps,
) -> None:
    """Put one batch on the list, without who is suppressed or excluded."""
    audiences, entry = ctx.providers.audiences(name), f"{_MEMBERS}{number}"
    repeated = ctx.journaled(entry) is not None
    ctx.intend(entry, _BEGUN)
    ctx.customer_lists.filling(name, list_id)
    barred = _barred(batch, ctx)
    members = [form for address, form in batch.items() if address not in barred]
    if members:
        audiences.add(list_id, members, terms, wire=steps.wire)
    now_barred = _barred(batch, ctx)
    sent = now_barred if repeated else now_barred - barred
    if sent:
        audiences.remove(list_id, [batch[address] for address in sent], wire=steps.wire)
    ctx.journal(entry, _DONE)


def _barred(members: Mapping[str, str], ctx: UnitContext) -> frozenset[str]:
    """Return those of the members who are suppressed, or excluded from the campaign by hand."""
    return ctx.suppression.barred(members) | ctx.exclusions.excluded(members)
