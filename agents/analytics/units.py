"""Units of analytics: a platform's report for each ad, and a request to the model for suggestions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from agents.analytics.refused_ads import question
from agents.analytics.suggestions import ModelSuggestions
from agents.contacts import KnownContacts, check_texts
from agents.model_call import Prompted, ask
from agents.names import ANALYTICS
from agents.unit_kind import Part, UnitKind
from integrations.ads.platform import DayReport, RemoteCampaign
from integrations.ads.search_term import SearchTerm
from integrations.errors import NeedsAttentionError, NotFoundError, TryAgainError

if TYPE_CHECKING:
    from agents.ports import UnitContext

T = TypeVar("T")

ASKED = "asked"  #: journal entry: the refused ads that a person has been asked about


class Measure(Part):
    """An ad whose figures are wanted."""

    platform: str
    remote_ids: Mapping[str, str]  #: step name -> id at the platform
    revision: int  #: of the ad's texts
    own: bool  #: a fork reads its parent's figures; what they cost is counted with the parent
    currency: str  #: of the campaign
    since: date
    terms: bool = False  #: what people searched for is wanted too
    known_refusals: Mapping[str, str] = {}  #: those that a person has been asked about: step name -> reasons


class Measured(Part):
    """What the platform reports of each ad, oldest day first."""

    platform: str
    days: tuple[DayReport, ...]
    terms: tuple[SearchTerm, ...] = ()  #: what people searched for, where the platform answers searches
    refused: Mapping[str, str] = {}  #: ads that the platform's review has refused: step name -> its reasons


class Suggest(Prompted):
    """Input of the unit that asks the model for suggestions."""

    known: KnownContacts = KnownContacts()  #: the contacts that they may name


class Suggested(ModelSuggestions):
    """What the model suggests."""

    produced_by: str  #: the path that made it


def measure(given: Measure, ctx: UnitContext) -> Measured:
    """Read the figures of one platform, and count what the campaign's own ads have cost.

    Raises NeedsAttentionError, once, for ads that the platform's review has refused: what becomes of them is for a
    person to say. The attempt after it takes the answer to be that the campaign goes on without them.
    """
    platform = ctx.providers.ads(given.platform)
    remote = RemoteCampaign(id=given.remote_ids["campaign"], ids=given.remote_ids)

    def wire(send: Callable[[float], T], /) -> T:
        return ctx.call(platform.name, send)

    try:
        days = platform.report(remote, given.since, wire=wire)
        terms = platform.search_terms(remote, given.since, wire=wire) if given.terms else ()
        refused = platform.refusals(remote, wire=wire) if given.own else {}
    except NotFoundError as error:  # an ad made a moment ago may not be known everywhere yet
        raise TryAgainError(error.provider, error.message, detail=error.detail) from None
    if given.own:
        currency = next((day.currency for day in days if day.currency), given.currency)
        ctx.ad_budget.reported(currency, given.revision, days)
    asked = question(refused, {**given.known_refusals, **(ctx.journaled(ASKED) or {})})
    if asked is not None:
        ctx.journal(ASKED, dict(refused))
        raise NeedsAttentionError(platform.name, asked, detail="ad review")
    return Measured(platform=platform.name, days=tuple(days), terms=tuple(terms), refused=refused)


def suggest(given: Suggest, ctx: UnitContext) -> Suggested:
    """Ask the model what would make the campaign better.

    Suggestions with a contact that the brief lacks are asked again, then left out: writers read them.
    """
    answer = ask(
        ctx,
        given,
        agent=ANALYTICS,
        prompt=given.prompt,
        output=ModelSuggestions,
        check=lambda found: check_texts(found.texts(), given.known),
        without=lambda found: found.without_foreign(given.known),
    )
    value = answer.value
    return Suggested(suggestions=value.suggestions, actions=value.actions, produced_by=answer.produced_by)


MEASURE = UnitKind(name="measure", input=Measure, output=Measured, run=measure)
SUGGEST = UnitKind(name="suggest", input=Suggest, output=Suggested, run=suggest)
