"""Agent that measures, pauses losing ads and moves money: measure → insights (→ pause_ads → lower → raise).

*measure*: one report per platform with a running creative. *insights*: one model call for suggestions; the rules'
suggestions are there without it. *pause_ads*: one effect for each ad that surely brings less than another. *lower*,
*raise*: one effect per platform whose daily budget changes. Invariants: planning is pure; the score is always set, in
[0, 1], by the documented formula; every round and every day is kept, so that rounds can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import JsonValue

from agents import prompts
from agents.actions import PauseAd, ShiftBudget
from agents.ad_figures import reported
from agents.ad_management.approval import GATE
from agents.analytics import overview
from agents.analytics.ad_choice import PAUSE_ADS, losers, pause_records, pause_stage, with_paused
from agents.analytics.changing import CHANGE
from agents.analytics.measurement import (
    performance,
    piece_performance,
    platform_metrics,
)
from agents.analytics.refused_ads import known_refusals, with_refusals
from agents.analytics.schedule import measuring, next_optimization
from agents.analytics.shifting import LOWER, RAISE, lower, raised, record, shift, with_budgets
from agents.analytics.suggestions import (
    CONTENT,
    Suggestion,
    merged,
    rule_based,
)
from agents.analytics.units import MEASURE, SUGGEST, Measure, Suggest
from agents.approval import Question
from agents.base import BaseAgent, thread
from agents.config import CampaignConfig
from agents.contacts.brief import brief_contacts
from agents.fallbacks import model_policy
from agents.messages import AgentMessage, MessageType, message
from agents.model_call import PROVIDER, choice
from agents.names import CONTENT_CREATION
from agents.overview import Section
from agents.performance_score import GOOD
from agents.routes import MAX_OPTIMIZATION_ATTEMPTS, Edge
from agents.state import AdCreative, AdDay, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.unit import Stage, StageResult, Unit, effect_key
from agents.unit_kind import AnyKind, kinds
from agents.untrusted import Untrusted
from agents.waiting import Wait
from agents.yardstick import benchmark

AGENT = "analytics"
PACKAGE = "agents.analytics"


def _below_the_bar(state: MarketingAgentState) -> bool:
    found = state.campaign_performance
    if found.judgement is not None:
        return found.judgement.needs_optimization
    return (found.overall_score or 0.0) < GOOD


class Analytics(BaseAgent):
    """Measures the campaign, scores it and suggests what to change."""

    name: ClassVar[str] = AGENT
    gate: ClassVar[str] = GATE  #: of the ads, whose budgets it changes
    edges: ClassVar[tuple[Edge, ...]] = (
        Edge(source=AGENT, target=CONTENT_CREATION, when=_below_the_bar, starts_round=True),
    )
    kinds: ClassVar[Mapping[str, AnyKind]] = kinds(MEASURE, SUGGEST, CHANGE)

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the language models' provider."""
        del config
        return (PROVIDER,)

    def acts(self, config: CampaignConfig) -> bool:
        """Return whether the campaign has ads, whose budgets are changed."""
        return bool(config.ad_platforms)

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Persona and rules."""
        return prompts.render(
            prompts.load(PACKAGE, "system"), speaker=state.campaign_config.brand.name or "a marketing team"
        )

    def build_input(self, state: MarketingAgentState) -> Mapping[str, object]:
        """Return what runs and whom it is for, but no leads, so no personal data."""
        return {
            "campaign": state.campaign_config.name,
            "audience": state.target_audience.model_dump(mode="json", exclude_defaults=True),
            "creatives": [
                {
                    "platform": c.platform,
                    "headlines": [Untrusted(text) for text in c.headlines],
                    "descriptions": [Untrusted(text) for text in c.descriptions],
                    "call_to_action": Untrusted(c.call_to_action),
                }
                for c in _running(state)
            ],
            "content": [
                {
                    "title": Untrusted(p.title),
                    "seo_score": p.seo_score,
                    "findings": [Untrusted(text) for text in p.checks[:5]],
                }
                for p in state.generated_content
            ],
        }

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        """measure when ads run, insights when there is anything to speak about, then lower and raise budgets."""
        done = {stage.name: stage for stage in results}
        running = _running(state)
        if running and "measure" not in done:
            return Stage(name="measure", units=[_measure_unit(state, creative) for creative in running])
        if "insights" not in done and (running or state.generated_content):
            return Stage(name="insights", units=[self._insights_unit(state, _measured(done.get("measure")))])
        return self._changes(state, done)

    def wait(self, state: MarketingAgentState, came_from: str | None, now: datetime) -> Wait | None:
        """Return the wait for figures of ads that have just been placed or changed."""
        return measuring(state, came_from, now)

    def next_cycle(self, state: MarketingAgentState, now: datetime) -> Wait | None:
        """Return the wait for the next optimisation, while the schedule runs."""
        return next_optimization(state, now)

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        """Return the state with figures, scores, weak pieces, and suggestions as messages to those concerned."""
        done = {stage.name: stage for stage in result}
        platforms = _measured(done.get("measure"))
        measured = _performance(state, done)
        pieces = piece_performance(state, platforms, measured.overall_score or 0.0)
        answers = SUGGEST.answers([done["insights"]]) if "insights" in done else []
        model = answers[0][1] if answers else None
        judged = [metrics for metrics in platforms if metrics.judged]
        found = merged(rule_based(state, judged, pieces), model, [m.platform for m in platforms])
        sent = _messages(state, found, [p.piece_id for p in pieces if p.weak], now)
        move = _shift(state, measured) if done.keys() & {LOWER, RAISE} else None
        moved = (record(state, move, done, measured.daily, now),) if move else ()
        paused = pause_records(state, _losers(state, measured), done.get(PAUSE_ADS), now)
        after = with_paused(with_budgets(with_refusals(state, platforms, now), done), done.get(PAUSE_ADS))
        return after.evolve(
            actions=(*state.actions, *paused, *moved),
            campaign_performance=measured.model_copy(
                update={"suggestions": tuple(one.text for one in found), "measured_at": now}
            ),
            content_performance=pieces,
            agent_messages=(*state.agent_messages, *sent),
        )

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, object]:
        """Return the scores and what was measured."""
        found = after.campaign_performance
        refused: dict[str, JsonValue] = {m.platform: dict(m.refused) for m in found.platforms if m.refused}
        return {
            **({"refused": refused} if refused else {}),
            "overall_score": found.overall_score,
            "content_score": found.content_score,
            "platforms": {m.platform: _shown(m) for m in found.platforms},
            "weak_pieces": sum(p.weak for p in after.content_performance),
            "suggestions": len(found.suggestions),
            "errors": len(after.errors) - len(before.errors),
        }

    def overview(self, state: MarketingAgentState) -> Sequence[Section]:
        """Tell what was measured, and the score."""
        return overview.sections(state)

    def question(self, state: MarketingAgentState, stage: Stage) -> Question | None:
        """Ask nothing: money moves inside the budget that was approved, and no more of it than that allows."""
        del state, stage
        return None

    def _changes(self, state: MarketingAgentState, done: Mapping[str, StageResult]) -> Stage | None:
        """Plan pauses of ads, then the move of money between platforms: those that give first, then those that get."""
        measured = _performance(state, done)
        if PAUSE_ADS not in done and not done.keys() & {LOWER, RAISE}:
            pauses = pause_stage(state, _losers(state, measured))
            if pauses is not None:
                return pauses
        move = _shift(state, measured)
        if move is None or RAISE in done:
            return None
        if LOWER not in done and (first := lower(state, move)) is not None:
            return first
        return raised(state.evolve(campaign_performance=measured), move, done.get(LOWER))

    def _insights_unit(self, state: MarketingAgentState, platforms: Sequence[PlatformMetrics]) -> Unit:
        models = state.campaign_config.models
        facts = {
            "task": "suggest",
            **self.build_input(state),
            "figures": {m.platform: {**_shown(m), "benchmark": _benchmark(m.platform)} for m in platforms},
            "earlier_scores": [one.overall_score for one in state.campaign_performance.rounds],
        }
        prompt = prompts.render(prompts.load(PACKAGE, "suggest"), brief=prompts.brief(facts))
        return SUGGEST.unit(
            "suggest",
            Suggest(
                system=self.get_system_prompt(state),
                prompt=prompt,
                known=brief_contacts(state.campaign_config),
                **choice(models),
            ),
            provider=PROVIDER,
            essential=False,
            policy=model_policy(models, essential=False),
        )


def _running(state: MarketingAgentState) -> list[AdCreative]:
    """Return the creatives with something at their platform to measure."""
    return [c for c in state.ad_creatives if c.remote_ids and c.status in ("active", "paused")]


def _measure_unit(state: MarketingAgentState, creative: AdCreative) -> Unit:
    return MEASURE.unit(
        f"measure:{creative.platform}",
        Measure(
            platform=creative.platform,
            remote_ids=creative.remote_ids,
            revision=creative.revision,
            own=creative.effect_key == effect_key(state.campaign_id, creative.platform),
            currency=creative.currency,
            # A day earlier, for accounts whose day begins later than ours.
            since=state.created_at.date() - timedelta(days=1),
            known_refusals=known_refusals(state, creative),
        ),
        provider=creative.platform,
    )


def _measured(stage: StageResult | None) -> list[PlatformMetrics]:
    """Return the figures per platform, in the order of planning, without platforms whose report failed."""
    found = []
    for given, answer in MEASURE.answers([stage]) if stage else []:
        found.append(platform_metrics(answer.platform, answer.days, given.currency, answer.refused))
    return found


def _performance(state: MarketingAgentState, done: Mapping[str, StageResult]) -> CampaignPerformance:
    measured = done.get("measure")
    return performance(state, _measured(measured), _daily(measured))


def _losers(state: MarketingAgentState, measured: CampaignPerformance) -> tuple[PauseAd, ...]:
    """Return the ads to pause after a measurement, none before a round that replaces them."""
    return () if _rewrites(state, measured) else losers(state, measured)


def _rewrites(state: MarketingAgentState, measured: CampaignPerformance) -> bool:
    """Return whether a round follows that writes the ads anew."""
    judged = measured.judgement
    return bool(judged and judged.needs_optimization and state.optimization_attempts < MAX_OPTIMIZATION_ATTEMPTS)


def _shift(state: MarketingAgentState, measured: CampaignPerformance) -> ShiftBudget | None:
    """Return the move of money after a measurement, None before a round that rewrites the ads and splits it anew."""
    return None if _rewrites(state, measured) else shift(state, measured)


def _daily(stage: StageResult | None) -> list[AdDay]:
    """Return the reported days per ad."""
    return [
        day
        for given, answer in (MEASURE.answers([stage]) if stage else [])
        for day in reported(answer.platform, given.revision, answer.days)
    ]


def _messages(
    state: MarketingAgentState, found: Sequence[Suggestion], weak: Sequence[str], now: datetime
) -> list[AgentMessage]:
    """Write one message to each agent that can act on a suggestion."""
    sent: list[AgentMessage] = []
    about_ads: list[JsonValue] = [one.to_dict() for one in found if one.about != CONTENT]
    payloads: dict[str, dict[str, JsonValue]] = {
        "content_creation": {"suggestions": [one.text for one in found], "piece_ids": list(weak)},
        "ad_management": {"suggestions": about_ads},
    }
    for receiver, payload in payloads.items():
        if payload["suggestions"]:
            sent.append(
                message(
                    sender=AGENT,
                    receiver=receiver,
                    message_type=MessageType.OPTIMIZATION_SUGGESTION,
                    payload=payload,
                    correlation_id=thread(state),
                    now=now,
                    ordinal=len(state.agent_messages) + len(sent),
                )
            )
    return sent


def _shown(metrics: PlatformMetrics) -> dict[str, JsonValue]:
    return metrics.model_dump(mode="json", exclude={"platform", "refused"})


def _benchmark(platform: str) -> dict[str, float | None]:
    found = benchmark(platform)
    return {"ctr": found.ctr, "cvr": found.cvr, "cpa_usd": found.cpa}
