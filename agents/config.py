"""``CampaignConfig``: what a user writes to ask for a campaign, checked before anything is stored.

Invariant: an unknown key or a bad value never gets past this module, and the refusal names the key,
the value and what would be right (:class:`ConfigError`). What the user left out gets the documented
default, so that ``target_audience: {industry: saas}`` alone is a campaign that works.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from agents.config_keys import section_at
from agents.config_problems import (
    UNKNOWN_AGENT,
    UNKNOWN_ENRICHER,
    UNKNOWN_PLATFORM,
    ConfigError,
    Section,
    choice,
    explain,
)
from agents.config_values import (
    Currency,
    Duration,
    FilePath,
    HttpUrl,
    Identifier,
    Identifiers,
    LongText,
    Money,
    Name,
    Text,
    Texts,
    listed,
    oversized,
)
from agents.customer_list import CustomerList
from agents.delivery.config import MAX_TARGETS, DeliverTo
from agents.fit.company_size import wanted_size
from agents.fit.consumers import consumers
from agents.fit.criteria import Criterion
from agents.gates import Gate
from agents.legal_basis import LEGITIMATE_INTEREST, LegalBasis
from agents.qualification import Qualification
from agents.wanted import target_problems

if TYPE_CHECKING:
    from agents.lead_generation.source import AnySource

from integrations.ads.goal import Goal
from integrations.ads.registry import canonical, platforms
from integrations.values import MAX_INTEGER

DEFAULT_INDUSTRIES = ("technology", "saas", "finance")
MAX_ENRICHERS = 5  #: of one waterfall
MAX_EMPLOYEES = 5_000_000  #: nobody employs more
MAX_PIECES = 50
MAX_SOURCES = 50


class TargetAudience(Section):
    """People a campaign is for, described by at least one of the fields."""

    industries: Texts = Field(default=(), validation_alias=AliasChoices("industries", "industry"))
    job_titles: Texts = Field(default=(), validation_alias=AliasChoices("job_titles", "job_title", "titles", "title"))
    company_size: str | int | None = Field(default=None, description="such as 51-200, or a least number of employees")
    locations: Texts = Field(default=(), validation_alias=AliasChoices("locations", "location"))
    keywords: Texts = Field(default=(), description='for search ads as at Google: [exact], "phrase", -negative')
    interests: Texts = ()
    description: LongText | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        said = (self.industries, self.job_titles, self.company_size, self.locations, self.keywords, self.interests)
        if not any((*said, self.description)):
            raise ValueError('is empty; say whom to reach, for example {"industry": "saas"}')
        return self

    @field_validator("company_size")
    @classmethod
    def _size(cls, value: str | int | None) -> str | int | None:
        if isinstance(value, int) and not 1 <= value <= MAX_EMPLOYEES:
            raise ValueError(f"write a number of employees from 1 to {MAX_EMPLOYEES:,}")
        if isinstance(value, str) and (len(value) > 100 or wanted_size(value) is None):
            raise ValueError('write a number of employees or a range such as "51-200" or "500+"')
        return value


class SourceConfig(Section):
    """Base of an entry of ``lead_sources``, whose ``type`` names the source."""

    type: str
    legal_basis: LegalBasis = LEGITIMATE_INTEREST

    @property
    def plugin(self) -> AnySource:
        """Installed source that the entry is of."""
        from agents.lead_generation import source_registry

        return source_registry.source(self.type)


class FileSourceConfig(SourceConfig):
    """Base of a source with a file of the user's, which the client reads at submit and stores as ``file_id``."""

    path: FilePath | None = None
    file_id: Identifier | None = None
    columns: dict[Identifier, Identifier] = Field(
        default_factory=dict, max_length=50, description="the file's header of a field, where its own words mislead"
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.path and not self.file_id:
            raise ValueError("needs the path of a file (CSV, TSV, xlsx, JSON, JSON lines or vCard)")
        return self

    @property
    def unread(self) -> str | None:
        """Path of a file that has yet to be read, None once it is stored."""
        return self.path if self.file_id is None else None


def _source(value: object) -> SourceConfig:
    from agents.lead_generation import source_registry

    return source_registry.read(value)


class _ChosenByType:
    """A marker that has an entry checked by the source that its ``type`` names."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        # The sources are looked up when a value is checked: their modules import this one.
        return core_schema.no_info_plain_validator_function(_source)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        from agents.lead_generation import source_registry

        return handler(source_registry.config_schema())


def _web_search() -> tuple[SourceConfig, ...]:
    return (_source({"type": "search"}),)


class ContentRequirement(Section):
    """One piece of content to write."""

    content_type: Text = Field(default="blog_post", validation_alias=AliasChoices("content_type", "type"))
    topic: Text | None = Field(default=None, description="default: derived from the audience and the brand")
    keywords: Texts = ()
    tone: Text = "professional"
    target_length: int = Field(default=400, ge=20, le=5000, description="words")
    audience: Text | None = None
    language: Text = "en"
    call_to_action: Text | None = None


class Brand(Section):
    """Sender of the campaign and how it wants to sound."""

    name: Text | None = None
    product: Text | None = None
    description: LongText | None = None
    website: HttpUrl | None = Field(default=None, validation_alias=AliasChoices("website", "url", "landing_url"))
    voice: Text | None = None
    guidelines: Texts = ()
    banned_words: Texts = ()
    required_words: Texts = ()


class Models(Section):
    """Language models to use, by default the one of LLM_MODEL."""

    default: Identifier | None = None
    fallbacks: Identifiers = Field(default=(), description="tried in this order while the one before can't be reached")
    template_after: Duration = Field(
        default=timedelta(hours=1), description="a piece from the brief alone when no model was there for this long"
    )
    temperature: float = Field(default=0.2, ge=0, le=2)
    seed: int = Field(default=7, ge=-MAX_INTEGER, le=MAX_INTEGER)


class Enrichment(Section):
    """How leads are completed and their e-mail is verified."""

    find_emails: bool = Field(default=True, description="false: nothing is looked up")
    providers: Annotated[Identifiers, Field(max_length=MAX_ENRICHERS)] = Field(
        default=("hunter",), description="the waterfall: each is asked for what those before it don't know"
    )
    verify: Literal["hunter", "dns", "none"] = "hunter"
    max_lookups: int = Field(default=1000, ge=0, le=100_000, description="paid look-ups at most")

    @field_validator("providers")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from agents.lead_generation import enricher_registry

        installed = enricher_registry.names()
        for name in value:
            if name not in installed:
                text = f"{name!r} completes no leads; use {choice(installed)}"
                raise PydanticCustomError(UNKNOWN_ENRICHER, "{text}", {"text": text, "name": name})
        return tuple(dict.fromkeys(value))


class Schedule(Section):
    """Time over which the ads run and the budget is spread."""

    days: int = Field(default=30, ge=1, le=365)


class Approval(Section):
    """Points at which a person has to agree before the campaign goes on."""

    gate: Gate | None = Field(None, description="None: asks before every effect in live mode, 'none' in the sandbox")
    expires_after: Duration | None = None
    on_expiry: Literal["cancel", "approve"] = "cancel"


class Limits(Section):
    """Caps on money: ``llm`` in USD, ``ads`` and ``ads_per_day`` in the campaign's currency."""

    llm: Money | None = None
    ads: Money | None = None
    ads_per_day: Money | None = None


class CampaignConfig(Section):
    """Whole campaign, in which every key but ``target_audience`` has a default."""

    name: Name = "Campaign"
    target_audience: TargetAudience
    lead_sources: Annotated[
        tuple[Annotated[SourceConfig, _ChosenByType()], ...], BeforeValidator(listed), Field(max_length=MAX_SOURCES)
    ] = Field(default_factory=_web_search, description="default: a web search for the audience")
    ad_platforms: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(), validation_alias=AliasChoices("ad_platforms", "platforms")
    )
    budget: Money | None = Field(default=None, description="total over the schedule")
    currency: Currency = "USD"
    goal: Goal | None = Field(
        default=None,
        description="what the ads shall bring: visits (traffic), leads or sales; left out: visits that convert",
    )
    target_cpa: Money | None = Field(default=None, description="what one conversion may cost, in the currency")
    target_roas: Decimal | None = Field(
        default=None, gt=0, le=1000, allow_inf_nan=False, description="revenue per money spent, such as 4"
    )
    conversion_value: Money | None = Field(default=None, description="revenue of one conversion, in the currency")
    qualification: Qualification = Qualification()
    customer_list: CustomerList | None = None
    deliver: Annotated[tuple[DeliverTo, ...], BeforeValidator(listed), Field(max_length=MAX_TARGETS)] = Field(
        default=(), description="where qualified leads are put"
    )
    content_required: bool = True
    content_requirements: Annotated[
        tuple[ContentRequirement, ...], BeforeValidator(listed), Field(max_length=MAX_PIECES)
    ] = ()
    brand: Brand = Brand()
    models: Models = Models()
    enrichment: Enrichment = Enrichment()
    schedule: Schedule = Schedule()
    approval: Approval = Approval()
    limits: Limits = Limits()
    optimize_every: Duration | None = None
    measure_after: Duration | None = None
    retention: Duration | None = None
    agents: Mapping[str, Mapping[str, JsonValue]] = Field(
        default_factory=dict, exclude_if=lambda value: not value, description="keys of agents' own, by agent"
    )

    @field_validator("agents")
    @classmethod
    def _agents(cls, value: Mapping[str, Mapping[str, JsonValue]]) -> Mapping[str, Mapping[str, JsonValue]]:
        return {name: _options(name, given) for name, given in value.items()}

    @field_validator("ad_platforms")
    @classmethod
    def _platforms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(_platform, value)))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ad_platforms and self.budget is None:
            raise ValueError("budget is needed where ad_platforms are given: the total to spend over the schedule")
        if self.budget is not None and self.limits.ads is not None and self.budget > self.limits.ads:
            raise ValueError(f"budget {self.budget} is above limits.ads {self.limits.ads}")
        if self.customer_list is not None and not self.ad_platforms:
            raise ValueError("customer_list is for ads; name ad_platforms, or leave it out")
        if self.customer_list and (problem := self.customer_list.problem(self.target_audience.locations)):
            raise ValueError(problem)
        for problem in target_problems(self):
            raise ValueError(problem)
        private = consumers(self.target_audience)
        if private is None and not self.lead_sources:
            raise ValueError("lead_sources is empty; leave it out for a web search, or name a source")
        if private is not None and not all(isinstance(source, FileSourceConfig) for source in self.lead_sources):
            raise ValueError(
                f"target_audience is of consumers ({private}; no industry, job title or company size): there are no "
                "business leads to find for it. Write lead_sources: [] for content and ads without leads (ads are "
                "aimed by interests and locations), or name a file with people of your own (lead_sources: [{type: "
                "file, path: people.csv}]), or say industries, job_titles or company_size to reach businesses"
            )
        for one in self.qualification.named & {Criterion.PLACE, Criterion.KEYWORD}:
            key = {Criterion.PLACE: "locations", Criterion.KEYWORD: "keywords"}[one]
            if not getattr(self.target_audience, key):
                raise ValueError(
                    f"qualification names {one}, but target_audience has no {key}; add them, or leave it out"
                )
        return self

    @property
    def ads_goal(self) -> Goal:
        """What the platforms are told that the ads are for: a target says it where ``goal`` is left out."""
        if self.goal is not None:
            return self.goal
        if self.target_roas is not None:
            return Goal.SALES
        return Goal.LEADS if self.target_cpa is not None else Goal.TRAFFIC

    @classmethod
    def parse(cls, data: object) -> Self:
        """Check a mapping that a user wrote.

        Raises ConfigError listing everything that is wrong.
        """
        if not isinstance(data, Mapping):
            raise ConfigError([f"a campaign is a mapping of keys, not {type(data).__name__}"])
        if problem := oversized(data):
            raise ConfigError([problem])
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            raise ConfigError(explain(error, lambda keys: section_at(cls, keys, data))) from None


def _platform(given: str) -> str:
    """Return the own name of an ad platform, which has to be installed."""
    name = canonical(given)
    if name is None:
        text = f"{given!r} is not an ad platform; use {choice([*platforms()])}"
        raise PydanticCustomError(UNKNOWN_PLATFORM, "{text}", {"text": text, "name": given})
    return name


def _options(name: str, given: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return an agent's own keys as its model has them, once it has checked them."""
    from agents.registry import agents

    model = {agent.name: agent.options for agent in agents().values() if agent.options is not None}
    if name not in model:
        text = f"{name!r} is no agent with keys of its own; there are: {', '.join(model) or 'none is installed'}"
        raise PydanticCustomError(UNKNOWN_AGENT, "{text}", {"text": text})
    try:
        checked: Mapping[str, JsonValue] = model[name].model_validate(dict(given)).model_dump(mode="json")
    except ValidationError as error:
        problems = [f"{name}.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise ValueError("; ".join(problems)) from None
    return checked
