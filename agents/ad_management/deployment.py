"""Effect of the agent: one campaign on one platform, made once, changed in place ever after.

The order is look, make (or adopt, or update), enable. Every intent to create and every remote id is journalled before
the next call (:mod:`agents.effects`), so an attempt that died anywhere is carried on, and what only the platform knows
is found by its key. Invariant: a campaign that this campaign already has is never made anew; one that a person has
paused is not switched on again by an update; a creation that fails for good leaves nothing behind, or says what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agents.ad_management.customer_list import STEP as LIST
from agents.ad_management.customer_list import Filled, Without, filled_list, forgotten, take_off
from agents.ad_management.lookalike import STEP as LOOKALIKE
from agents.ad_management.units import Deploy, Deployed, Validate, Validated
from agents.contacts import check_texts
from agents.effects import REMOTE, EffectSteps, made, taken_off
from agents.unit_kind import UnitKind
from integrations.ads.platform import ACTIVE, AdPlatform, AdSpec, Wire
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NeedsAttentionError,
    NotNowError,
    OutcomeUnknownError,
    TransientError,
)

if TYPE_CHECKING:
    from agents.ports import UnitContext

_ENABLING, _ENABLED = "enabling", "enabled"
_LISTS = (LOOKALIKE, LIST)  #: steps of what is no ad, in the order in which they are taken off


def wire_of(ctx: UnitContext, provider: str) -> Wire:
    """Return a wire that makes each call of a platform a call of the unit: admitted, bounded and counted.

    An attempt that no longer holds the unit makes none.
    """
    return EffectSteps(ctx, provider).wire


def validate(given: Validate, ctx: UnitContext) -> Validated:
    """Make a dry run.

    Raises BadRequestError with what the platform would refuse, and before it is asked when the ad names a contact that
    the brief lacks.
    """
    _check_contacts(given)
    platform = ctx.providers.ads(given.platform)
    problems = platform.validate(_started(ctx, given.spec), wire=lambda send: ctx.call(platform.name, send))
    if problems:
        raise BadRequestError(platform.name, f"would refuse the ad: {'; '.join(problems)}")
    return Validated()


def deploy(given: Deploy, ctx: UnitContext) -> Deployed:
    """Make the platform run the ad.

    Raises, before anything is sent, OverBudgetError when a cap on ad money has no room for it, and BadRequestError when
    it names a contact that the brief lacks.
    """
    _check_contacts(given)
    platform, spec = ctx.providers.ads(given.platform), given.spec
    restore = ctx.ad_budget.reserve(spec)
    try:
        deployed = _deployed(ctx, platform, given)
    except IntegrationError:
        if not given.remote_ids and ctx.journaled(_ENABLING) is None:
            restore()  # the ad was never enabled, so it spends nothing
        raise
    ctx.ad_budget.placed(spec)
    return deployed


def _deployed(ctx: UnitContext, platform: AdPlatform, given: Deploy) -> Deployed:
    spec, known = given.spec, given.remote_ids
    steps = EffectSteps(ctx, platform.name)
    wire = steps.wire
    if campaign := known.get("campaign"):
        remote = platform.get(campaign, wire=wire)
        remote = platform.update(remote, spec, wire=wire, steps=steps)
        return Deployed(remote_ids={**_listed_in(known), **remote.ids}, status=remote.status)
    customers = filled_list(given, ctx, steps)
    listed = customers if isinstance(customers, Filled) else None
    wanted = _started(ctx, spec).model_copy(update={"customers": listed.aimed if listed else None})
    found = platform.find_by_key(spec.effect_key, wire=wire)
    if found is None:
        remote = platform.create(wanted, wire=wire, steps=steps)
    else:
        remote = platform.update(found, wanted, wire=wire, steps=steps)
    if remote.status != ACTIVE and ctx.journaled(_ENABLED) is None:
        ctx.intend(_ENABLING, remote.id)  # the call that begins to spend: surely ours, and surely not cancelled
        platform.enable(remote, wire=wire)
        remote = replace(remote, status=ACTIVE)
    ctx.journal(_ENABLED, remote.id)
    return Deployed(
        remote_ids={**(listed.ids if listed else {}), **remote.ids},
        status=remote.status,
        listed=listed.members if listed else None,
        unlisted=customers.reason if isinstance(customers, Without) else None,
    )


def withdraw(given: Deploy, error: IntegrationError, ctx: UnitContext) -> IntegrationError:
    """Take off the platform what this unit has made there before it fails, and return an error that says so.

    A campaign that was there before stays, with what was added to it. Raises IntegrationError: TransientError and the
    like while the platform can't do it now, NeedsAttentionError that names what is left when it won't.
    """
    steps = made(ctx.entries)
    if not steps:
        return error
    platform, told = ctx.providers.ads(given.platform), _listed(steps)
    adopted = "campaign" not in steps and ctx.journaled(f"{REMOTE}campaign") is not None
    if given.remote_ids or adopted:
        return _telling(error, f"before that was made, and is part of the campaign: {told}")
    try:
        if ads := {step: made_id for step, made_id in steps.items() if step not in _LISTS}:
            platform.remove(ads, wire=wire_of(ctx, platform.name))
        for step in _LISTS:
            if step in steps:
                take_off(platform.name, steps[step], ctx)
    except (TransientError, OutcomeUnknownError, NotNowError) as later:
        text = f"{error.message.rstrip('.')}; what was made before that has to be removed: {later.message}"
        raise IntegrationError.from_dict({**later.to_dict(), "message": text}) from None
    except IntegrationError as left:
        said = error.message.rstrip(".")
        text = f"{said}; what was made before that is still there: {told} ({left.message})"
        raise NeedsAttentionError(platform.name, text, detail=error.detail) from None
    for entry, value in {**taken_off(ctx.entries), **forgotten(ctx.entries), _ENABLING: None, _ENABLED: None}.items():
        ctx.journal(entry, value)
    ctx.ad_budget.stopped(given.spec.effect_key)
    return _telling(error, f"what was made before that has been removed: {told}")


VALIDATE = UnitKind(name="validate", input=Validate, output=Validated, run=validate)
DEPLOY = UnitKind(name="deploy", input=Deploy, output=Deployed, run=deploy, undo=withdraw)


def _check_contacts(given: Validate) -> None:
    """Raise BadRequestError when an ad names a contact that the brief lacks, wherever its texts come from."""
    spec = given.spec
    texts = {"headlines": "\n".join(spec.headlines), "descriptions": "\n".join(spec.descriptions)}
    try:
        check_texts({**texts, "call_to_action": spec.call_to_action}, given.known)
    except ValueError as error:
        raise BadRequestError(given.platform, f"the ad is not sent: {error}") from None


def _listed_in(known: Mapping[str, str]) -> dict[str, str]:
    """Return the customer list and its lookalike audience among remote ids, which an update leaves as they are."""
    return {step: remote_id for step, remote_id in known.items() if step in _LISTS}


def _listed(steps: Mapping[str, str]) -> str:
    return ", ".join(f"{step} {remote_id}" for step, remote_id in steps.items())[:300]


def _telling(error: IntegrationError, more: str) -> IntegrationError:
    """Return the same error with more to say."""
    return IntegrationError.from_dict({**error.to_dict(), "message": f"{error.message.rstrip('.')}; {more}"})


def _started(ctx: UnitContext, spec: AdSpec) -> AdSpec:
    """With a start that is not in the past."""
    return spec.model_copy(update={"start": max(spec.start, ctx.clock.now())})
