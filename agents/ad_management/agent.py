"""Agent that places ads: creatives → validate → deploy (→ raise).

*creatives*: one model call per platform, fed with the content, the audience, the brand, and in an optimisation round
with what analytics suggests. *validate*: one dry run per platform. *deploy*: one effect per platform; when budget moves
between platforms, those that give go first and *raise* follows with what is really free, so that a failure in between
can't make all together spend too much. Invariants: planning is pure; one platform that fails leaves the others alone
and shows up as a failed creative with the reason; what runs from an earlier round goes on running when its update
fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from agents import prompts
from agents.ad_management import account, approval, daily_budgets, overview, specs
from agents.ad_management.budget_problems import budget_problems
from agents.ad_management.creative import (
    AGENT,
    brief,
    source_pieces,
    suggestions_for,
    texts,
)
from agents.ad_management.customers import customers
from agents.ad_management.deployment import DEPLOY, VALIDATE
from agents.ad_management.running import creative_on, own_remote_ids
from agents.ad_management.stopping import STOP, last_figures, stopped
from agents.ad_management.units import Creative, Deploy, OnPlatform, SwitchAd, Validate, WriteCreative
from agents.ad_management.variants import Variants
from agents.ad_management.writing import UNSUPPORTED, WRITE_CREATIVE
from agents.approval import Question
from agents.base import BaseAgent
from agents.config import CampaignConfig
from agents.contacts.brief import brief_contacts
from agents.fallbacks import model_policy
from agents.messages import receive
from agents.model_call import PROVIDER, choice
from agents.names import ANALYTICS
from agents.overview import Section
from agents.routes import Edge
from agents.state import AdCreative, MarketingAgentState
from agents.stopping import END, Wanted
from agents.unit import Stage, StageResult, Unit, UnitResult, effect_key, short_hash
from agents.unit_kind import AnyKind, kinds
from agents.untrusted import Untrusted
from integrations.ads.platform import AdSpec
from integrations.ads.registry import available
from integrations.retry import RetryPolicy

PACKAGE = "agents.ad_management"
STOP_WAIT_S = 3600.0  #: a platform that is down is waited for this long by a cancel


class AdManagement(BaseAgent):
    """Places the campaign's ads and keeps them up to date."""

    name: ClassVar[str] = AGENT
    gate: ClassVar[str] = approval.GATE
    outside: ClassVar[str] = "the ads"
    edges: ClassVar[tuple[Edge, ...]] = (Edge(source=AGENT, target=ANALYTICS),)
    kinds: ClassVar[Mapping[str, AnyKind]] = kinds(
        account.CHECK_ACCOUNT, WRITE_CREATIVE, UNSUPPORTED, VALIDATE, DEPLOY, STOP
    )

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the language models' provider and the campaign's platforms."""
        return (PROVIDER, *config.ad_platforms)

    def problems(self, config: CampaignConfig) -> Sequence[str]:
        """Return what is wrong with the money."""
        return budget_problems(config)

    def acts(self, config: CampaignConfig) -> bool:
        """Return whether the campaign has ads."""
        return bool(config.ad_platforms)

    def checks(self, state: MarketingAgentState) -> Sequence[Unit]:
        """Return one look at the ad account per platform."""
        return account.checks(state)

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Persona, brand voice and the rules of advertising."""
        brand = state.campaign_config.brand
        rules = [f"- Guideline of the brand: {rule}" for rule in brand.guidelines]
        if brand.banned_words:
            rules.append(f"- Never use these words: {', '.join(brand.banned_words)}.")
        return prompts.render(
            prompts.load(PACKAGE, "system"),
            speaker=brand.name or "a marketing team",
            voice=brand.voice or "clear and trustworthy",
            house_rules="\n".join(rules),
        )

    def build_input(self, state: MarketingAgentState) -> Mapping[str, object]:
        """Return brand, audience and content, but no leads, so no personal data."""
        config = state.campaign_config
        return {
            "campaign": config.name,
            "brand": config.brand.model_dump(mode="json", exclude_defaults=True),
            "audience": state.target_audience.model_dump(mode="json", exclude_defaults=True),
            "content": [
                {
                    "title": Untrusted(piece.title),
                    "meta_description": Untrusted(piece.meta_description),
                    "call_to_action": Untrusted(piece.call_to_action),
                    "keywords": list(piece.keywords),
                }
                for piece in source_pieces(state)
            ],
        }

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        """Plan creatives, then validate, then deploy, or return None at once without platforms."""
        if not state.ad_platforms:
            return None
        done = {stage.name: stage for stage in results}
        if "creatives" not in done:
            return Stage(name="creatives", units=self._creative_units(state))
        if "validate" not in done:
            written = _written(done["creatives"])
            daily = daily_budgets.budgets(state, tuple(written))
            units = [_validate_unit(state, self._spec(state, name, out, daily), name) for name, out in written.items()]
            return Stage(name="validate", units=units) if units else None
        written = _written(done["creatives"])
        wanted = daily_budgets.targets(state, _platforms(done["validate"]))
        lowered = daily_budgets.lowered(state, wanted)
        if "deploy" not in done:
            first = (
                {name: wanted[name] for name in lowered} if lowered else daily_budgets.within_budget(state, wanted, {})
            )
            return self._deployment("deploy", state, written, first)
        if "raise" not in done and lowered and len(lowered) < len(wanted):
            settled = {name: wanted[name] for name in _platforms(done["deploy"])}
            more = {name: daily for name, daily in wanted.items() if name not in lowered}
            return self._deployment("raise", state, written, daily_budgets.within_budget(state, more, settled))
        return None

    def question(self, state: MarketingAgentState, stage: Stage) -> Question | None:
        """Describe each ad as it will be shown, and the money."""
        return approval.question(state, stage)

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        """Plan one effect per platform, which pauses the ads of this campaign there or switches them on again.

        At the end of the schedule they are measured for the last time, too.
        """
        units = [
            STOP.unit(
                f"{wanted or 'stop'}:{name}",
                SwitchAd(platform=name, wanted=wanted, last=last_figures(state, name) if wanted == END else None),
                provider=name,
                effect_key=effect_key(state.campaign_id, name),
                # Somebody waits for the cancel to be over: what can't be reached is said, and cancelled again.
                policy=RetryPolicy(max_wait_s=STOP_WAIT_S, attend=False),
            )
            for name in state.ad_platforms
            if name in available()
        ]
        return Stage(name="wind_down", units=units) if units else None

    def stopped(self, state: MarketingAgentState, results: Sequence[UnitResult]) -> MarketingAgentState:
        """Return the state in which the creatives are as the platforms have them now."""
        return stopped(state, results)

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        """Return the state with one creative per wanted platform, running or failed with the reason."""
        last: dict[str, UnitResult] = {}
        for stage in result:
            last |= {_given(r.unit).platform: r for r in stage.results}
        written = _written(result[0]) if result else {}
        creatives = [
            self._creative(state, name, last[name], written.get(name)) for name in state.ad_platforms if name in last
        ]
        others = [c for c in state.ad_creatives if c.platform not in last]
        return state.evolve(ad_creatives=(*creatives, *others))

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, object]:
        """Return how many platforms run, and what they may cost a day."""
        running = [c for c in after.ad_creatives if c.status == "active"]
        return {
            "platforms": [c.platform for c in after.ad_creatives],
            "active": len(running),
            "failed": sum(c.status == "failed" for c in after.ad_creatives),
            "daily_budget": str(sum((c.daily_budget or Decimal(0) for c in running), Decimal(0))),
            "currency": after.campaign_config.currency,
            "errors": len(after.errors) - len(before.errors),
        }

    def overview(self, state: MarketingAgentState) -> Sequence[Section]:
        """Tell which ads there are."""
        return overview.sections(state)

    def _creative_units(self, state: MarketingAgentState) -> list[Unit]:
        unread, _ = receive(state.agent_messages, self.name)
        units = []
        for name in state.ad_platforms:
            if name not in available():
                units.append(UNSUPPORTED.unit(f"creative:{name}", OnPlatform(platform=name), provider="local"))
                continue
            units.append(self.creative_unit(state, name, suggestions_for(unread, name)))
        return units

    def creative_unit(
        self, state: MarketingAgentState, name: str, suggestions: Sequence[str], wanted: Variants | None = None
    ) -> Unit:
        """Plan the request for the texts of one platform's ads: of all, or of those ``wanted``."""
        prompt = prompts.render(
            prompts.load(PACKAGE, "write_creative"),
            platform=name.removesuffix("_ads"),
            brief=prompts.brief(brief(state, self.build_input(state), name, suggestions, wanted)),
        )
        models, runs = state.campaign_config.models, _runs(state, name)
        given = WriteCreative(
            platform=name,
            system=self.get_system_prompt(state),
            prompt=prompt,
            known=brief_contacts(state.campaign_config),
            **choice(models),
        )
        # What runs goes on running when its new texts fail: that must not end the campaign.
        policy = model_policy(models, essential=not runs)
        return WRITE_CREATIVE.unit(f"creative:{name}", given, provider=PROVIDER, essential=not runs, policy=policy)

    def _spec(self, state: MarketingAgentState, name: str, written: Creative, daily: Mapping[str, Decimal]) -> AdSpec:
        return specs.spec(state, name, texts(written, state, name), daily[name])

    def _deployment(
        self,
        stage: str,
        state: MarketingAgentState,
        written: Mapping[str, Creative],
        daily: Mapping[str, Decimal],
    ) -> Stage | None:
        units = [_deploy_unit(state, self._spec(state, name, written[name], daily), name) for name in daily]
        return Stage(name=stage, units=units) if units else None

    def _creative(
        self, state: MarketingAgentState, name: str, last: UnitResult, written: Creative | None
    ) -> AdCreative:
        previous = creative_on(state, name)
        given = _given(last.unit)
        spec = given.spec if isinstance(given, Validate) else None
        runs = DEPLOY.answer(last) if isinstance(given, Deploy) else None
        if runs is not None and spec is not None:
            # An update leaves the list as it is, and says nothing of it.
            told = previous if runs.listed is None and runs.unlisted is None else runs
            return _described(state, spec, name, written).model_copy(
                update={
                    "status": runs.status,
                    "paused_ads": previous.paused_ads if previous and previous.revision == spec.revision else (),
                    "resting": runs.status == "paused" and previous is not None and previous.resting,
                    "remote_ids": dict(runs.remote_ids),
                    "content_hash": specs.content_hash(spec),
                    "listed": told.listed if told else None,
                    "unlisted": told.unlisted if told else None,
                }
            )
        reason = str((last.error or {}).get("message") or "was not deployed")[:500]
        if previous is not None and own_remote_ids(state, name):
            return previous.model_copy(update={"error": reason})
        failed = _described(state, spec, name, written) if spec else _blank(state, name)
        return failed.model_copy(update={"status": "failed", "error": reason})


def _runs(state: MarketingAgentState, name: str) -> bool:
    """Return whether something of this campaign is on the platform, which goes on running when an update fails."""
    return bool(own_remote_ids(state, name))


def _validate_unit(state: MarketingAgentState, spec: AdSpec, name: str) -> Unit:
    return VALIDATE.unit(
        f"validate:{name}",
        Validate(platform=name, spec=spec, known=brief_contacts(state.campaign_config)),
        provider=name,
        essential=not _runs(state, name),
    )


def _deploy_unit(state: MarketingAgentState, spec: AdSpec, name: str) -> Unit:
    return DEPLOY.unit(
        f"deploy:{name}",
        Deploy(
            platform=name,
            spec=spec,
            known=brief_contacts(state.campaign_config),
            remote_ids=own_remote_ids(state, name),
            customers=None if _runs(state, name) else customers(state, name),
        ),
        provider=name,
        effect_key=spec.effect_key,
        essential=not _runs(state, name),
    )


def _given(unit: Unit) -> OnPlatform:
    """Return the input of any unit of the agent."""
    given: OnPlatform = AdManagement.kinds[unit.kind].given(unit)
    return given


def _written(stage: StageResult) -> dict[str, Creative]:
    """Return the creatives that could be written, by platform, in the order of planning."""
    return {given.platform: answer for given, answer in WRITE_CREATIVE.answers([stage])}


def _platforms(stage: StageResult) -> tuple[str, ...]:
    """Return the platforms whose unit succeeded, in the order of planning."""
    return tuple(_given(result.unit).platform for result in stage.results if result.ok)


def _blank(state: MarketingAgentState, name: str) -> AdCreative:
    previous = creative_on(state, name)
    return AdCreative(
        creative_id=short_hash(state.campaign_id, name, "creative"),
        platform=name,
        revision=previous.revision if previous else 1,
        currency=state.campaign_config.currency,
        effect_key=effect_key(state.campaign_id, name),
    )


def _described(state: MarketingAgentState, spec: AdSpec, name: str, written: Creative | None) -> AdCreative:
    said = texts(written, state, name) if written else None
    return _blank(state, name).model_copy(
        update={
            "revision": spec.revision,
            "headlines": spec.headlines,
            "descriptions": spec.descriptions,
            "angles": said.angles if said else (),
            "control": said.control if said else None,
            "call_to_action": spec.call_to_action,
            "landing_url": spec.landing_url,
            "keywords": spec.keywords,
            "piece_ids": tuple(piece.piece_id for piece in source_pieces(state)),
            "daily_budget": spec.daily_budget,
        }
    )
