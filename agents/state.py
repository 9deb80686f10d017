"""``MarketingAgentState``: everything a campaign knows, and the only thing agents pass on.

Invariant: frozen and versioned. An agent never changes it in place; it returns a copy with its own
keys replaced, so a step can be replayed and its checkpoint compared. Lists are tuples for the same
reason. Old rows are upcast when read (:func:`MarketingAgentState.load`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.action_log import ActionRecord, Effect
from agents.config import CampaignConfig, ContentRequirement, TargetAudience
from agents.config_problems import UNKNOWN_AGENT, UNKNOWN_ENRICHER, UNKNOWN_PLATFORM, UNKNOWN_SOURCE
from agents.gates import UNKNOWN_GATE
from agents.learning.weights import Weights
from agents.legal_basis import LEGITIMATE_INTEREST, LegalBasis
from agents.messages import AgentMessage
from agents.versions import FLOW_VERSION, SCHEMA_VERSION, UnknownVersionError, upcast
from agents.wanted import Counted

#: Parts of a stored configuration that only some installations have, by the type of the error without them.
_PLUGGED_IN = {
    UNKNOWN_PLATFORM: "ad platform",
    UNKNOWN_SOURCE: "lead source",
    UNKNOWN_ENRICHER: "enricher",
    UNKNOWN_GATE: "approval gate",
    UNKNOWN_AGENT: "an agent of",
}


class Frozen(BaseModel):
    """Base of every value in the state: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lead(Frozen):
    """One person at one company whom the campaign may address."""

    lead_id: str = ""  #: stable within the campaign (derived from the natural key)
    email: str | None = None
    email_status: str = "unverified"  #: valid | accept_all | unknown | unverified | role
    other_emails: tuple[str, ...] = ()  #: of other mailboxes of the same person
    name: str | None = None
    job_title: str | None = None
    company: str | None = None
    domain: str | None = None  #: the company's domain, without "www."
    industry: str | None = None
    company_size: int | str | None = None  #: employees: a count, or a range as written ("51-200")
    location: str | None = None
    phone: str | None = None
    profile_url: str | None = None
    sources: tuple[str, ...] = ()  #: where it was found, e.g. ("file:leads.csv", "search")
    company_facts_from: tuple[str, ...] = ()  #: sources of industry and size beside these, e.g. ("clearbit",)
    rows: tuple[str, ...] = ()  #: of the user's own files (``agents.own_rows``), the one first that leads
    source_url: str | None = None
    collected_at: datetime | None = None
    legal_basis: LegalBasis = LEGITIMATE_INTEREST  #: of processing the person's data (GDPR Art. 6(1))
    notice_due_at: datetime | None = None  #: when the person has to be told at the latest (GDPR Art. 14(3)(a))
    score: float | None = None  #: 0..1; None = not scored yet
    score_reasons: tuple[str, ...] = ()
    #: of a yes, 0..1, by the version of weights below it; None = nothing had been learned
    likelihood: float | None = Field(default=None, exclude_if=lambda value: value is None)
    weights_version: int | None = Field(default=None, exclude_if=lambda value: value is None)
    qualified_at: datetime | None = None
    delivered: tuple[str, ...] = ()  #: where it was put, as ``deliver`` of the campaign names it


class GuidelineVerdict(Frozen):
    """Whether a piece keeps one guideline of the brand."""

    guideline: str
    kept: bool | None = None  #: None: no rule fits, and no judge could say
    sentence: str = ""  #: of the piece, that breaks it; "" where something is missing
    by: Literal["rule", "judge", "nobody"]


class ContentPiece(Frozen):
    """One written piece of content, at one revision."""

    piece_id: str  #: the same over all revisions
    revision: int = 1
    content_type: str
    topic: str
    title: str
    body: str
    meta_description: str = ""
    call_to_action: str = ""
    keywords: tuple[str, ...] = ()
    tone: str = ""
    target_length: int = 0  #: words asked for
    word_count: int = 0
    seo_score: float = 0.0  #: 0..1
    readability: float | None = None  #: reading ease by the language's formula, about 0..100
    slug: str = ""  #: last part of a page's address
    checks: tuple[str, ...] = ()  #: findings in words, e.g. "keyword density 0.2 % is below 0.5 %"
    verdicts: tuple[GuidelineVerdict, ...] = ()  #: on each guideline of the brand
    sources: tuple[str, ...] = ()  #: ids of knowledge chunks used
    produced_by: str = ""  #: the path that made it, e.g. "openai:gpt-4.1-mini"
    generated_at: datetime | None = None


class AddedAd(Frozen):
    """An ad that was added to a platform's texts while they ran."""

    headlines: tuple[str, ...]
    descriptions: tuple[str, ...]
    angle: str = ""  #: what its text builds on


class AdCreative(Frozen):
    """What is shown on one platform, cut to its limits, and what became of it there."""

    creative_id: str  #: the same over all revisions
    platform: str
    revision: int = 1
    headlines: tuple[str, ...] = ()  #: split evenly over the ads, in their order
    descriptions: tuple[str, ...] = ()  #: split evenly over the ads, in their order
    angles: tuple[str, ...] = ()  #: what the texts of each ad build on (``agents.angles``), of ad number 1 first
    control: int | None = None  #: number of the ad whose texts stayed when the others were rewritten
    call_to_action: str = ""
    landing_url: str = ""
    keywords: tuple[str, ...] = ()
    piece_ids: tuple[str, ...] = ()  #: content it was cut from
    daily_budget: Decimal | None = None  #: in the campaign's currency
    currency: str = "USD"
    status: str = "planned"  #: planned | active | paused | failed
    paused_ads: tuple[str, ...] = ()  #: step names of ads that rest because others bring more
    added_ads: Mapping[str, AddedAd] = Field(default_factory=dict)  #: step name -> what it says, of this revision
    resting: bool = False  #: paused by us, as its money brings more elsewhere
    effect_key: str = ""  #: carried in the remote campaign's name
    remote_ids: Mapping[str, str] = Field(default_factory=dict)  #: object kind -> id at the platform
    error: str | None = None  #: why it failed, in one sentence
    content_hash: str = ""  #: hash of texts and budget that the platform was last given
    listed: int | None = None  #: people on the customer list that the ads are aimed at, or kept from
    unlisted: str | None = None  #: why the ads are aimed at no such list, although the campaign asks for one

    @property
    def angles_by_number(self) -> tuple[str, ...]:
        """What the text of each ad builds on, of number 1 first, with "" for numbers that no ad has."""
        added = {int(step.rpartition(".")[2]): ad.angle for step, ad in self.added_ads.items()}
        more = range(len(self.angles) + 1, max(added, default=0) + 1)
        return (*self.angles, *(added.get(number, "") for number in more))


class AdDay(Frozen):
    """What one ad did on one day."""

    platform: str
    revision: int  #: of the platform's texts
    ad: str = ""  #: step name of the ad at its platform, "" where ads can't be told apart
    angle: str = ""  #: of the ad's texts, "" where it is not known
    day: date  #: of the ad account's time zone
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    spend: Decimal = Decimal(0)  #: in the currency of the platform's figures


class Yardstick(Frozen):
    """What one result may cost."""

    counts: Counted
    cost: Decimal  #: above 0
    currency: str
    source: Literal["target_cpa", "target_roas", "benchmark", "first_figures"]


class TextsEffect(Effect):
    """What new texts have done to the results for the same money."""

    of: Mapping[str, int] = Field(default_factory=dict)  #: platform -> revision of the texts that it is of
    #: against the best ad before, which stayed beside them; else against all texts before, earlier
    control: bool = False


class Judgement(Frozen):
    """Whether the campaign has to be optimised, and how sure that is."""

    needs_optimization: bool
    why: str  #: one sentence
    below: float | None = None  #: probability that it is below its bar, 0..1; None without figures


class PlatformMetrics(Frozen):
    """What one platform reported, and how good that is."""

    platform: str
    days: int = 0  #: days with a report
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    spend: Decimal = Decimal(0)
    currency: str = "USD"
    ctr: float | None = None  #: clicks / impressions
    cvr: float | None = None  #: conversions / clicks
    cpa: Decimal | None = None  #: spend / conversion
    score: float | None = None  #: 0..1
    refused: Mapping[str, str] = Field(default_factory=dict)  #: ads that the review has refused -> its reasons

    @property
    def judged(self) -> bool:
        """Whether the figures say anything of the ads: not where a review has kept all of them from being shown."""
        return not self.refused or self.impressions > 0


class PerformanceRound(Frozen):
    """One measurement, kept so that rounds can be compared."""

    step: int
    overall_score: float
    platforms: tuple[PlatformMetrics, ...] = ()
    effect: TextsEffect | None = None  #: of the newest texts by all figures until now, on the campaign as a whole


class CampaignPerformance(Frozen):
    """Newest measurement and the earlier ones."""

    overall_score: float | None = None  #: 0..1
    content_score: float | None = None  #: 0..1, mean of the pieces
    platforms: tuple[PlatformMetrics, ...] = ()
    rounds: tuple[PerformanceRound, ...] = ()
    daily: tuple[AdDay, ...] = ()  #: every ad and day, each once, as last reported
    yardstick: Yardstick | None = None
    judgement: Judgement | None = None
    suggestions: tuple[str, ...] = ()
    measured_at: datetime | None = None


class PiecePerformance(Frozen):
    """How one piece did: its own quality and what its ads brought."""

    piece_id: str
    revision: int
    score: float  #: 0..1
    weak: bool = False  #: rewritten in an optimisation round
    reasons: tuple[str, ...] = ()


class AgentError(Frozen):
    """An error that a hop went on without, or failed by."""

    agent: str
    step: int
    unit: str = ""
    provider: str = ""
    code: str
    message: str
    at: datetime | None = None


class ApprovalGrant(Frozen):
    """Agreement of a person to these contents and this budget, where anything else asks anew."""

    kind: str  #: content | ads
    contents: tuple[str, ...] = ()  #: hashes of the pieces or creatives
    budget: Decimal | None = None  #: most that may be spent, in the campaign's currency
    by: str = ""
    at: datetime | None = None


class MarketingAgentState(Frozen):
    """State of one campaign between hops, with times in UTC and money as Decimal with a currency."""

    campaign_id: str
    campaign_config: CampaignConfig
    target_audience: TargetAudience
    leads: tuple[Lead, ...] = ()
    qualified_leads: tuple[Lead, ...] = ()
    content_requirements: tuple[ContentRequirement, ...] = ()
    generated_content: tuple[ContentPiece, ...] = ()
    content_performance: tuple[PiecePerformance, ...] = ()
    lead_weights: Weights | None = None  #: what outcomes had taught when the campaign was submitted
    ad_platforms: tuple[str, ...] = ()
    ad_creatives: tuple[AdCreative, ...] = ()
    campaign_performance: CampaignPerformance = CampaignPerformance()
    actions: tuple[ActionRecord, ...] = ()  #: what the optimisation loop has changed on the platforms, oldest first
    current_agent: str | None = None  #: the agent that has just finished, or is at work
    next_agent: str | None = "lead_generation"
    agent_messages: tuple[AgentMessage, ...] = ()
    optimization_attempts: int = 0  #: rounds of the current optimisation cycle
    step: int = 0  #: number of the hop at work
    errors: tuple[AgentError, ...] = ()
    approvals: tuple[ApprovalGrant, ...] = ()
    created_at: datetime
    updated_at: datetime
    schema_version: int = SCHEMA_VERSION
    flow_version: int = FLOW_VERSION

    @classmethod
    def initial(
        cls,
        config: CampaignConfig,
        *,
        campaign_id: str,
        now: datetime | None = None,
        lead_weights: Weights | None = None,
    ) -> Self:
        """Return the state of a campaign on which no work has been done yet."""
        now = now or datetime.now(UTC)
        return cls(
            campaign_id=campaign_id,
            campaign_config=config,
            target_audience=config.target_audience,
            content_requirements=config.content_requirements,
            lead_weights=lead_weights,
            ad_platforms=config.ad_platforms,
            created_at=now,
            updated_at=now,
        )

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """Read a stored state of any known version.

        Raises UnknownVersionError for one from a newer program, and for one with an ad platform, a source of leads, an
        approval gate or an agent's keys that are not installed here.
        """
        try:
            return cls.model_validate(upcast(data))
        except ValidationError as error:
            strange = [item for item in error.errors() if item["type"] in _PLUGGED_IN]
            if strange:
                what = _PLUGGED_IN[strange[0]["type"]]
                named = strange[0].get("ctx", {}).get("name", strange[0]["input"])
                raise UnknownVersionError(f"{what} {named!r} is not installed here") from None
            raise

    def evolve(self, **changes: Any) -> Self:
        """Return a copy with ``changes``, whose values are taken as they are (they come typed from our own code)."""
        return self.model_copy(update=changes)
