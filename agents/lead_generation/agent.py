"""``LeadGeneration``: the first hop of a campaign.

Stages: discover (searches, given sites, files) → scrape (sites that search found) → enrich (company facts and missing
addresses) → resolve (mail domains) → verify (addresses); cleaning, merging and scoring are pure and happen between
them. Invariant: a stage depends on the stages before it only, so that planning it again gives the same units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from agents.base import BaseAgent, thread
from agents.lead_generation import discover, enrich, gather
from agents.messages import ORCHESTRATOR, MessageType, message
from agents.names import AD_MANAGEMENT, CONTENT_CREATION, LEAD_GENERATION
from agents.ports import UnitContext
from agents.routes import Edge
from agents.scoring import LeadCriteria
from agents.state import MarketingAgentState
from agents.unit import Stage, StageResult, Unit

Results = Sequence[StageResult]

RUNNERS: Mapping[str, Callable[[Unit, UnitContext], dict[str, Any]]] = {
    "search": discover.run_search,
    "site": discover.run_site,
    "file": discover.run_file,
    "companies": enrich.run_companies,
    "find": enrich.run_find,
    "resolve": enrich.run_resolve,
    "verify": enrich.run_verify,
}


def _discover(state: MarketingAgentState, results: Results) -> list[Unit]:
    del results
    return discover.discover_units(state)


def _scrape(state: MarketingAgentState, results: Results) -> list[Unit]:
    found = _stage(results, "discover")
    return discover.scrape_units(state, found) if found else []


def _enrich(state: MarketingAgentState, results: Results) -> list[Unit]:
    wanted = state.campaign_config.enrichment
    return enrich.enrich_units(gather.people(results).candidates, wanted, gather.silent_sites(results))


def _resolve(state: MarketingAgentState, results: Results) -> list[Unit]:
    return enrich.resolve_units(gather.people(results).candidates, state.campaign_config.enrichment)


def _verify(state: MarketingAgentState, results: Results) -> list[Unit]:
    refused = [domain for domain, status in gather.verified(results).domains.items() if status == "refuses"]
    spent = enrich.paid_lookups(_stage(results, "enrich"))
    return enrich.verify_units(gather.people(results).candidates, state.campaign_config.enrichment, refused, spent)


#: the stages of the hop in their order
STAGES: Mapping[str, Callable[[MarketingAgentState, Results], list[Unit]]] = {
    "discover": _discover,
    "scrape": _scrape,
    "enrich": _enrich,
    "resolve": _resolve,
    "verify": _verify,
}


def _content_wanted(state: MarketingAgentState) -> bool:
    return bool(state.qualified_leads) and state.campaign_config.content_required


def _only_ads_wanted(state: MarketingAgentState) -> bool:
    return bool(state.qualified_leads and state.ad_platforms) and not state.campaign_config.content_required


class LeadGeneration(BaseAgent):
    """Finds people, completes what is known about them, verifies their addresses and scores them."""

    name: ClassVar[str] = LEAD_GENERATION
    edges: ClassVar[tuple[Edge, ...]] = (
        Edge(source=None, target=LEAD_GENERATION),
        Edge(source=LEAD_GENERATION, target=CONTENT_CREATION, when=_content_wanted),
        Edge(source=LEAD_GENERATION, target=AD_MANAGEMENT, when=_only_ads_wanted),
    )

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """What this agent is for; its rules are code, so no model is asked."""
        del state
        return "Find people of the target audience in public sources; never address those who objected."

    def build_input(self, state: MarketingAgentState) -> Mapping[str, Any]:
        """The audience, the sources and the bounds of a search for leads."""
        config = state.campaign_config
        return {
            "target_audience": state.target_audience.model_dump(mode="json"),
            "sources": [source.type for source in config.lead_sources],
            "enrichment": config.enrichment.model_dump(mode="json"),
        }

    def plan(self, state: MarketingAgentState, results: Results) -> Stage | None:
        """The first stage after the finished ones that has anything to do."""
        order = list(STAGES)
        after = 1 + max((order.index(stage.name) for stage in results), default=-1)
        for name in order[after:]:
            units = STAGES[name](state, results)
            if units:
                return Stage(name=name, units=units)
        return None

    def run(self, unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        """Do one unit."""
        return RUNNERS[unit.kind](unit, ctx)

    def update_state(self, state: MarketingAgentState, result: Results, now: datetime) -> MarketingAgentState:
        """Leads, the qualified among them, and a message saying what was set aside."""
        leads, rejected = gather.leads(
            gather.people(result),
            gather.verified(result),
            LeadCriteria.of(state.target_audience),
            campaign_id=state.campaign_id,
            now=now,
        )
        sources = Counter(source.partition(":")[0] for lead in leads for source in lead.sources)
        report = message(
            sender=self.name,
            receiver=ORCHESTRATOR,
            message_type=MessageType.STATUS_UPDATE,
            payload={"set_aside": rejected, "leads_by_source": dict(sorted(sources.items()))},
            correlation_id=thread(state),
            now=now,
            ordinal=len(state.agent_messages),
        )
        return state.evolve(
            leads=leads,
            qualified_leads=tuple(lead for lead in leads if lead.qualified_at is not None),
            agent_messages=(*state.agent_messages, report),
        )

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, Any]:
        """Figures of the hop."""
        del before
        reports = [
            m for m in after.agent_messages if m.message_type is MessageType.STATUS_UPDATE and m.sender == self.name
        ]
        return {
            "leads": len(after.leads),
            "qualified_leads": len(after.qualified_leads),
            "with_email": sum(lead.email is not None for lead in after.leads),
            "email_status": dict(sorted(Counter(lead.email_status for lead in after.leads if lead.email).items())),
            **(dict(reports[-1].payload) if reports else {}),
        }


def _stage(results: Results, name: str) -> StageResult | None:
    return next((stage for stage in results if stage.name == name), None)
