"""Making of a campaign's lookalike audience at one platform, of the customer list that has been filled for it.

It is made as the list is: looked for by its key, intended, made, journalled. Invariants: a list too short for one is
not even made; where the platform counts too few people on the list (not everybody on it is known there, and matching
takes a day), it is asked again for :data:`MATCHED_S`, then the list goes and the ads are placed without, with the
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agents.ad_management.units import Deploy
from agents.effects import EffectSteps
from agents.unit import effect_key
from integrations.ads.audience import AudienceSpec
from integrations.ads.lookalike import Lookalike, MakesLookalikes
from integrations.ads.platform import once
from integrations.errors import MAX_DELAY_S, BadRequestError, ListTooShortError, StillWorkingError

if TYPE_CHECKING:
    from agents.ports import UnitContext

STEP = "lookalike"  #: of the journal, and in the remote ids of a creative
#: Meta, "Customer File Custom Audiences": matching takes up to 24 hours.
MATCHED_S = 86_400.0
_SINCE = "lookalike_since"  #: journal entry: when the platform counted too few people for the first time
_WITHOUT = "lookalike_without"  #: journal entry: why there is none


def too_short(wanted: Lookalike, left: int, spec: AudienceSpec) -> str:
    """Return why no lookalike audience is made of a list that would have ``left`` people, "" when one is."""
    if left >= spec.lookalike_least:
        return ""
    return (
        f"no lookalike audience: it takes a list of {spec.lookalike_least} people or more, and {left} of the "
        "campaign's leads may be on one"
    )


def given_up(ctx: UnitContext) -> str:
    """Return why an earlier attempt goes without a lookalike audience, "" when none has decided so."""
    found = ctx.journaled(_WITHOUT)
    return found if isinstance(found, str) else ""


def lookalike_of(seed_id: str, wanted: Lookalike, given: Deploy, ctx: UnitContext, steps: EffectSteps) -> str | None:
    """Return the id of the lookalike audience of a filled list, or None where the platform has none to make of it.

    :func:`given_up` says why then. Raises StillWorkingError while it may yet count more people on the list.
    """
    audiences = ctx.providers.audiences(given.platform)
    if not isinstance(audiences, MakesLookalikes):
        raise BadRequestError(
            given.platform, "makes no lookalike audiences; write customer_list.use: target or exclude"
        )
    key = effect_key(ctx.campaign_id, given.platform, STEP)
    found = audiences.find_by_key(key, wire=steps.wire) if steps.get(STEP) is None else None
    maker, name = audiences, given.spec.name
    try:
        return once(steps, STEP, found, lambda: maker.create_lookalike(name, key, seed_id, wanted, wire=steps.wire))
    except ListTooShortError as error:
        _wait(error, ctx)
        ctx.journal(_WITHOUT, f"no lookalike audience: {error.message}")
        return None


def forgotten(journal: Mapping[str, object]) -> dict[str, None]:
    """Return the journal entries after the list has been deleted."""
    return {entry: None for entry in (_SINCE, _WITHOUT) if entry in journal}


def _wait(error: ListTooShortError, ctx: UnitContext) -> None:
    """Raise StillWorkingError until the platform has had its time to match the list."""
    now, since = ctx.clock.now(), ctx.journaled(_SINCE)
    if since is None:
        since = now.isoformat()
        ctx.journal(_SINCE, since)
    left = (datetime.fromisoformat(since) + timedelta(seconds=MATCHED_S) - now).total_seconds()
    if left > 0:
        text = f"may still be matching the customer list ({error.message})"
        raise StillWorkingError(error.provider, text, retry_after=min(left, MAX_DELAY_S))
