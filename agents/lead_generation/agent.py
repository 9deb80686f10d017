"""``LeadGeneration``: the first hop of a campaign.

Stages: discover (what the sources plan) → scrape (what that leads to, such as sites that search found) → enrich
(company facts and missing addresses), enrich_2 and so on (what the next enricher of the waterfall is asked for) →
resolve (mail domains) → verify (addresses); cleaning, merging and scoring are pure and happen between them. Invariant:
a stage depends on the stages before it only, so that planning it again gives the same units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from agents import own_rows
from agents.base import BaseAgent, thread
from agents.config import MAX_ENRICHERS, CampaignConfig
from agents.lead_generation import gather, overview, verify, waterfall
from agents.messages import ORCHESTRATOR, MessageType, message
from agents.names import AD_MANAGEMENT, CONTENT_CREATION, LEAD_GENERATION
from agents.overview import Section
from agents.routes import Edge
from agents.scoring import LeadCriteria
from agents.state import MarketingAgentState
from agents.unit import Stage, StageResult, Unit
from agents.unit_kind import AnyKind

Results = Sequence[StageResult]


def _discover(state: MarketingAgentState, results: Results) -> list[Unit]:
    del results
    configs = state.campaign_config.lead_sources
    return _each_once(unit for config in configs for unit in config.plugin.units(config, state.target_audience))


def _scrape(state: MarketingAgentState, results: Results) -> list[Unit]:
    found = _stage(results, "discover")
    sources = {config.type: config.plugin for config in state.campaign_config.lead_sources}.values()
    return _each_once(
        unit for source in sources if source.follow_up is not None and found for unit in source.follow_up(found)
    )


def _enrich(state: MarketingAgentState, results: Results) -> list[Unit]:
    wanted = state.campaign_config.enrichment
    found = gather.people(results).candidates
    titles = state.target_audience.job_titles
    return waterfall.units(found, wanted, gather.silent_sites(results), _lookups(results), titles)


def _resolve(state: MarketingAgentState, results: Results) -> list[Unit]:
    return verify.resolve_units(gather.people(results).candidates, state.campaign_config.enrichment)


def _verify(state: MarketingAgentState, results: Results) -> list[Unit]:
    refused = [domain for domain, status in gather.verified(results).domains.items() if status == "refuses"]
    spent = waterfall.paid_lookups(_lookups(results))
    found, titles = gather.people(results).candidates, state.target_audience.job_titles
    return verify.verify_units(found, state.campaign_config.enrichment, refused, spent, titles)


#: one stage of look-ups for each enricher of the longest waterfall
LOOKUPS = ("enrich", *(f"enrich_{number}" for number in range(2, MAX_ENRICHERS + 1)))
#: the stages of the hop in their order
STAGES: Mapping[str, Callable[[MarketingAgentState, Results], list[Unit]]] = {
    "discover": _discover,
    "scrape": _scrape,
    **dict.fromkeys(LOOKUPS, _enrich),
    "resolve": _resolve,
    "verify": _verify,
}


def _leads_wanted(state: MarketingAgentState) -> bool:
    return bool(state.campaign_config.lead_sources)


def _content_alone(state: MarketingAgentState) -> bool:
    return not _leads_wanted(state) and state.campaign_config.content_required


def _ads_alone(state: MarketingAgentState) -> bool:
    return not _leads_wanted(state) and not state.campaign_config.content_required and bool(state.ad_platforms)


def content_wanted(state: MarketingAgentState) -> bool:
    """Return whether texts are written for qualified leads."""
    return bool(state.qualified_leads) and state.campaign_config.content_required


def only_ads_wanted(state: MarketingAgentState) -> bool:
    """Return whether qualified leads get ads without texts of the campaign's own."""
    return bool(state.qualified_leads and state.ad_platforms) and not state.campaign_config.content_required


class LeadGeneration(BaseAgent):
    """Agent of the first hop, which finds people, completes what is known, verifies addresses and scores."""

    name: ClassVar[str] = LEAD_GENERATION
    kinds: ClassVar[Mapping[str, AnyKind]] = gather.unit_kinds()
    edges: ClassVar[tuple[Edge, ...]] = (
        Edge(source=None, target=LEAD_GENERATION, when=_leads_wanted),
        Edge(source=None, target=CONTENT_CREATION, when=_content_alone),
        Edge(source=None, target=AD_MANAGEMENT, when=_ads_alone),
        Edge(source=LEAD_GENERATION, target=CONTENT_CREATION, when=content_wanted),
        Edge(source=LEAD_GENERATION, target=AD_MANAGEMENT, when=only_ads_wanted),
    )

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the providers of the campaign's sources, and of completing and verifying addresses."""
        sources = (name for source in config.lead_sources for name in source.plugin.needs(source))
        enrichers = config.enrichment.providers if config.enrichment.find_emails else ()
        return (*sources, *enrichers, *(["hunter"] * (config.enrichment.verify == "hunter")))

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Say what this agent is for.

        Its rules are code, so no model is asked.
        """
        del state
        return "Find people of the target audience in public sources; never address those who objected."

    def build_input(self, state: MarketingAgentState) -> Mapping[str, object]:
        """Return the audience, the sources and the bounds of a search for leads."""
        config = state.campaign_config
        return {
            "target_audience": state.target_audience.model_dump(mode="json"),
            "sources": [source.type for source in config.lead_sources],
            "enrichment": config.enrichment.model_dump(mode="json"),
        }

    def plan(self, state: MarketingAgentState, results: Results) -> Stage | None:
        """Return the first stage after the finished ones that has anything to do."""
        order = list(STAGES)
        after = 1 + max((order.index(stage.name) for stage in results), default=-1)
        for name in order[after:]:
            units = STAGES[name](state, results)
            if units:
                return Stage(name=name, units=units)
        return None

    def update_state(self, state: MarketingAgentState, result: Results, now: datetime) -> MarketingAgentState:
        """Write leads, the qualified among them, and a message saying what was set aside."""
        found = gather.leads(
            gather.people(result),
            gather.verified(result),
            LeadCriteria.of(state.target_audience, state.campaign_config.qualification),
            campaign_id=state.campaign_id,
            now=now,
            bases={source.type: source.legal_basis for source in reversed(state.campaign_config.lead_sources)},
            weights=state.lead_weights,
        )
        sources = Counter(source.partition(":")[0] for lead in found.leads for source in lead.sources)
        completed = Counter(source.partition(":")[0] for lead in found.leads for source in lead.company_facts_from)
        report = message(
            sender=self.name,
            receiver=ORCHESTRATOR,
            message_type=MessageType.STATUS_UPDATE,
            payload={
                "set_aside": found.rejected,
                "leads_by_source": dict(sorted(sources.items())),
                "company_facts_from": dict(sorted(completed.items())),
                "stand_ins": gather.stand_ins(result),
                "files": gather.about_files(result),
                "sites_not_read": gather.sites_not_read(result),
                own_rows.SET_ASIDE: own_rows.set_aside((*gather.suppressed_rows(result), *found.rows_set_aside)),
            },
            correlation_id=thread(state),
            now=now,
            ordinal=len(state.agent_messages),
        )
        return state.evolve(
            leads=found.leads,
            qualified_leads=tuple(lead for lead in found.leads if lead.qualified_at is not None),
            agent_messages=(*state.agent_messages, report),
        )

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, object]:
        """Return the figures of the hop."""
        del before
        told = {name: value for name, value in own_rows.newest_report(after).items() if name != own_rows.SET_ASIDE}
        return {
            "leads": len(after.leads),
            "qualified_leads": len(after.qualified_leads),
            "with_email": sum(lead.email is not None for lead in after.leads),
            "email_status": dict(sorted(Counter(lead.email_status for lead in after.leads if lead.email).items())),
            **told,
            **(
                {}
                if after.qualified_leads or not after.leads
                else {"nobody_qualified": overview.missing(after).figures()}
            ),
        }

    def end_reason(self, state: MarketingAgentState) -> str | None:
        """Say why a campaign ended without a qualified lead."""
        if state.qualified_leads or not state.campaign_config.lead_sources:
            return None
        why = "; ".join(overview.missing(state).words())
        return f"no lead qualified of {len(state.leads):,} found" + (f": {why}" if why else "")

    def overview(self, state: MarketingAgentState) -> Sequence[Section]:
        """Tell how many leads there are, and the best or what they are short of."""
        return overview.sections(state)


def _each_once(units: Iterable[Unit]) -> list[Unit]:
    """Keep the first unit of each key, since two sources may ask for the same thing."""
    found: dict[str, Unit] = {}
    for unit in units:
        found.setdefault(unit.key, unit)
    return list(found.values())


def _lookups(results: Results) -> list[StageResult]:
    return [stage for stage in results if stage.name in LOOKUPS]


def _stage(results: Results, name: str) -> StageResult | None:
    return next((stage for stage in results if stage.name == name), None)
