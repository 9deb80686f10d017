"""``Delivery``: the hop that puts a campaign's qualified leads where people work with them.

One stage, *deliver*: a unit for each batch of each target, side by side. It is an agent of its own behind lead
generation, so that a person who is asked first can look at the leads (they are in the state by then), and so that it is
repeated without anything being looked for or paid again. Invariants: a batch is a function of the state; a lead that a
target refuses, or a batch that fails, leaves the others alone; a campaign goes on unless nothing could be delivered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from agents.approval import Question
from agents.base import BaseAgent, thread
from agents.chunks import chunks
from agents.config import CampaignConfig
from agents.delivery import approval, overview
from agents.delivery.config import Target, Webhook
from agents.delivery.sending import SEND
from agents.delivery.units import Batch, Person
from agents.lead_generation.agent import content_wanted, only_ads_wanted
from agents.messages import ORCHESTRATOR, MessageType, message
from agents.names import AD_MANAGEMENT, CONTENT_CREATION, DELIVERY, LEAD_GENERATION
from agents.overview import Section
from agents.routes import Edge
from agents.state import Lead, MarketingAgentState
from agents.unit import Stage, StageResult, Unit, effect_key
from agents.unit_kind import AnyKind, kinds

STAGE = "deliver"


def _wanted(state: MarketingAgentState) -> bool:
    return any(_recipients(state, target) for target in state.campaign_config.deliver)


class Delivery(BaseAgent):
    """Puts qualified leads at the targets that the campaign names."""

    name: ClassVar[str] = DELIVERY
    title: ClassVar[str] = "Delivery of leads"
    gate: ClassVar[str] = approval.GATE
    edges: ClassVar[tuple[Edge, ...]] = (
        Edge(source=LEAD_GENERATION, target=DELIVERY, when=_wanted, priority=10),
        Edge(source=DELIVERY, target=CONTENT_CREATION, when=content_wanted),
        Edge(source=DELIVERY, target=AD_MANAGEMENT, when=only_ads_wanted),
    )
    kinds: ClassVar[Mapping[str, AnyKind]] = kinds(SEND)

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the campaign's targets."""
        return tuple(dict.fromkeys(target.to for target in config.deliver))

    def problems(self, config: CampaignConfig) -> Sequence[str]:
        """Return targets that are named twice."""
        counts = Counter(target.label for target in config.deliver)
        return [
            f"deliver: {label} is named {number} times; once is right" for label, number in counts.items() if number > 1
        ]

    def acts(self, config: CampaignConfig) -> bool:
        """Return whether the campaign delivers anything."""
        return bool(config.deliver)

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Say what this agent, which asks no model, is for."""
        del state
        return "Put each qualified lead where the campaign wants it, once."

    def build_input(self, state: MarketingAgentState) -> Mapping[str, object]:
        """Return where leads are put, and how many, without personal data."""
        return {target.label: len(_recipients(state, target)) for target in state.campaign_config.deliver}

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        """Plan all batches of all targets, then nothing."""
        units = [] if results else [unit for target in state.campaign_config.deliver for unit in _units(state, target)]
        return Stage(name=STAGE, units=units) if units else None

    def question(self, state: MarketingAgentState, stage: Stage) -> Question | None:
        """Say to whom, how many leads and which of their fields."""
        return approval.question(state, stage)

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        """Write at each lead where it is, and a message that says what was refused."""
        where: dict[str, list[str]] = {}
        refused: dict[str, Counter[str]] = {}
        suppressed: Counter[str] = Counter()
        excluded: Counter[str] = Counter()
        for _, answer in SEND.answers(result):
            for lead_id in answer.placed:
                where.setdefault(lead_id, []).append(answer.label)
            refused.setdefault(answer.label, Counter()).update(answer.refused.values())
            suppressed[answer.label] += answer.suppressed
            excluded[answer.label] += answer.excluded
        report = message(
            sender=self.name,
            receiver=ORCHESTRATOR,
            message_type=MessageType.STATUS_UPDATE,
            payload={
                "refused": {label: dict(sorted(codes.items())) for label, codes in refused.items() if codes},
                "suppressed": {label: number for label, number in suppressed.items() if number},
                "excluded": {label: number for label, number in excluded.items() if number},
                "without_address": {
                    target.label: missing
                    for target in state.campaign_config.deliver
                    if (missing := len(state.qualified_leads) - len(_recipients(state, target)))
                },
            },
            correlation_id=thread(state),
            now=now,
            ordinal=len(state.agent_messages),
        )
        return state.evolve(
            leads=_marked(state.leads, where),
            qualified_leads=_marked(state.qualified_leads, where),
            agent_messages=(*state.agent_messages, report),
        )

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, object]:
        """Return how many leads are where, and what was refused."""
        reports = [
            m for m in after.agent_messages if m.message_type is MessageType.STATUS_UPDATE and m.sender == self.name
        ]
        placed = Counter(label for lead in after.qualified_leads for label in lead.delivered)
        return {
            "leads": len(after.qualified_leads),
            "delivered": dict(sorted(placed.items())),
            "errors": len(after.errors) - len(before.errors),
            **(dict(reports[-1].payload) if reports else {}),
        }

    def overview(self, state: MarketingAgentState) -> Sequence[Section]:
        """Tell where leads are."""
        return overview.sections(state)


def _recipients(state: MarketingAgentState, target: Target) -> list[Lead]:
    return [lead for lead in state.qualified_leads if lead.email or not target.spec.needs_email]


def _units(state: MarketingAgentState, target: Target) -> Iterator[Unit]:
    for number, leads in chunks(_recipients(state, target), target.spec.batch):
        given = Batch(
            to=target.to,
            label=target.label,
            path=target.path if isinstance(target, Webhook) else "",
            fields=target.sent,
            people=tuple(map(person, leads)),
        )
        key = effect_key(state.campaign_id, target.label, f"leads-{number + 1}")
        yield SEND.unit(f"{target.label}:{number + 1}", given, provider=target.to, effect_key=key)


def person(lead: Lead) -> Person:
    """Return what of a lead may be sent."""
    first, _, last = (lead.name or "").strip().rpartition(" ")
    return Person(
        first_name=first or None,
        last_name=last or None,
        collected_at=lead.collected_at.isoformat() if lead.collected_at else None,
        notice_due_at=lead.notice_due_at.isoformat() if lead.notice_due_at else None,
        **lead.model_dump(
            include=set(Person.model_fields) - {"first_name", "last_name", "collected_at", "notice_due_at"}
        ),
    )


def _marked(leads: Sequence[Lead], where: Mapping[str, Sequence[str]]) -> tuple[Lead, ...]:
    """Return the leads with the places at which they are now, after those at which they were before."""
    return tuple(
        lead.model_copy(update={"delivered": tuple(dict.fromkeys((*lead.delivered, *where[lead.lead_id])))})
        if lead.lead_id in where
        else lead
        for lead in leads
    )
