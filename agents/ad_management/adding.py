"""Unit that adds one more ad to texts that run, which go on as they are.

Invariant: it is looked for by its name before it is made, and its intent is journalled, so it is made once
(:mod:`agents.effects`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.ad_management import specs
from agents.ad_management.creative import Texts
from agents.ad_management.running import creative_on, own_remote_ids
from agents.ad_management.units import OnPlatform
from agents.contacts import KnownContacts, check_texts
from agents.contacts.brief import brief_contacts
from agents.effects import EffectSteps
from agents.state import MarketingAgentState
from agents.unit import Unit, effect_key
from agents.unit_kind import Part, UnitKind
from integrations.ads.changes import AD_STEPS, NewAd
from integrations.ads.platform import AdSpec
from integrations.errors import BadRequestError

if TYPE_CHECKING:
    from agents.ports import UnitContext


class AddAd(OnPlatform):
    """An ad that a platform shall show beside those that run."""

    spec: AdSpec  #: as the campaign was made there, or last updated
    remote_ids: Mapping[str, str]
    ad: NewAd
    angle: str = ""  #: what its text builds on
    known: KnownContacts = KnownContacts()  #: the contacts that it may name


class Added(Part):
    """What the campaign's objects are now."""

    remote_ids: Mapping[str, str]  #: step name -> id at the platform
    step: str  #: step name of the ad that was added


def add(given: AddAd, ctx: UnitContext) -> Added:
    """Make the platform show one more ad.

    Raises BadRequestError, before anything is sent, when it names a contact that the brief lacks.
    """
    texts = {"headlines": "\n".join(given.ad.headlines), "descriptions": "\n".join(given.ad.descriptions)}
    try:
        check_texts(texts, given.known)
    except ValueError as error:
        raise BadRequestError(given.platform, f"the ad is not sent: {error}") from None
    platform, steps = ctx.providers.ads(given.platform), EffectSteps(ctx, given.platform)
    remote = platform.get(given.remote_ids["campaign"], wire=steps.wire)
    after = platform.add_ad(remote, given.spec, given.ad, wire=steps.wire, steps=steps)
    return Added(remote_ids={**given.remote_ids, **after.ids}, step=step_of(after.ids, given.ad.variant))


def step_of(ids: Mapping[str, str], variant: int) -> str:
    """Return the step name of an ad's number: the one of what is switched, where an ad has several objects."""
    found = [step for step in ids if step.startswith(AD_STEPS) and step.endswith(f".{variant}")]
    return min(found, default="")


def next_variant(ids: Mapping[str, str]) -> int:
    """Return the number of the next ad, above those of all that there are."""
    numbers = [int(step.rsplit(".", 1)[1]) for step in ids if step.startswith(AD_STEPS) and step[-1].isdigit()]
    return max(numbers, default=0) + 1


ADD_AD = UnitKind(name="add_ad", input=AddAd, output=Added, run=add)


def add_unit(
    state: MarketingAgentState,
    key: str,
    platform: str,
    headlines: tuple[str, ...],
    descriptions: tuple[str, ...],
    angle: str = "",
) -> Unit:
    """Plan one more ad of the campaign on a platform, which may fail without failing the hop."""
    creative, known = creative_on(state, platform), own_remote_ids(state, platform)
    if creative is None or not known or creative.daily_budget is None:
        raise ValueError(f"the campaign has no ads on {platform}")
    texts = Texts(
        headlines=creative.headlines,
        descriptions=creative.descriptions,
        call_to_action=creative.call_to_action,
        angles=creative.angles,
    )
    given = AddAd(
        platform=platform,
        spec=specs.spec(state, platform, texts, creative.daily_budget),
        remote_ids=known,
        ad=NewAd(variant=next_variant(known), headlines=headlines, descriptions=descriptions),
        angle=angle,
        known=brief_contacts(state.campaign_config),
    )
    owner = effect_key(state.campaign_id, platform)
    return ADD_AD.unit(key, given, provider=platform, effect_key=owner, essential=False)
