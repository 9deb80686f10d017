"""Agent that writes: research → write → check → mend → check → ...

*research* asks the knowledge base, one unit per piece (a piece is written without it when it has nothing); *write*
makes one model call per piece; *check* works out its score and holds it against the brand's guidelines; *mend* takes
the one step that the best version of a piece asks for (:mod:`agents.content_creation.versions`), until none is left.
Invariant: planning is pure. Versions are judged from the ledger's outputs, so a replay plans the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from agents import prompts
from agents.angles.angle import EXPLAINED
from agents.angles.learned import learned, winner
from agents.approval import Question
from agents.base import BaseAgent
from agents.config import CampaignConfig
from agents.contacts.brief import brief_contacts
from agents.content_creation import approval, editing, house_rules, overview
from agents.content_creation.assignments import AGENT, Assignment, assignments, piece_id, requirements
from agents.content_creation.checking import CHECK_BRAND, SCORE
from agents.content_creation.drafts import piece
from agents.content_creation.units import (
    Brief,
    CheckBrand,
    Complaint,
    Excerpt,
    Existing,
    FitLength,
    Gap,
    Retrieve,
    Score,
    Wanted,
    Write,
)
from agents.content_creation.versions import History, Step, Version, histories
from agents.content_creation.writing import (
    ADJUST_LENGTH,
    ADJUST_TONE,
    FIT_LENGTH,
    OPTIMIZE_SEO,
    PACKAGE,
    RETRIEVE,
    REWRITE,
    WRITE,
)
from agents.fallbacks import TEMPLATE, model_policy
from agents.messages import MessageType
from agents.model_call import PROVIDER, choice
from agents.names import AD_MANAGEMENT
from agents.overview import Section
from agents.readability import word_count
from agents.routes import Edge
from agents.seo.kinds import kind_of
from agents.seo.text import Text
from agents.state import ContentPiece, MarketingAgentState
from agents.unit import Stage, StageResult, Unit
from agents.unit_kind import AnyKind, kinds
from agents.untrusted import Untrusted
from agents.wanted import counted

LONGEST_HISTORY = 3


class ContentCreation(BaseAgent):
    """Agent that writes every required piece, and in an optimisation round rewrites the weak ones."""

    name: ClassVar[str] = AGENT
    gate: ClassVar[str] = approval.GATE
    edges: ClassVar[tuple[Edge, ...]] = (Edge(source=AGENT, target=AD_MANAGEMENT),)
    kinds: ClassVar[Mapping[str, AnyKind]] = kinds(
        RETRIEVE, WRITE, REWRITE, SCORE, CHECK_BRAND, OPTIMIZE_SEO, ADJUST_LENGTH, ADJUST_TONE, FIT_LENGTH
    )
    tools: ClassVar[tuple[str, ...]] = ("query_knowledge",)

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the language models' provider."""
        del config
        return (PROVIDER,)

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Persona, brand voice and the rules of the house."""
        brand = state.campaign_config.brand
        rules = [f"- Guideline of the brand: {rule}" for rule in brand.guidelines]
        if brand.banned_words:
            rules.append(f"- Never use these words: {', '.join(brand.banned_words)}.")
        if brand.required_words:
            rules.append(f"- Use each of these words at least once: {', '.join(brand.required_words)}.")
        return prompts.render(
            prompts.load(PACKAGE, "system"),
            speaker=brand.name or "a marketing team",
            voice=brand.voice or "clear and trustworthy",
            audience=", ".join(state.target_audience.industries) or "business readers",
            house_rules="\n".join(rules),
        )

    def build_input(self, state: MarketingAgentState) -> Mapping[str, object]:
        """Return campaign, brand and audience, and what the last rounds brought, but no leads, so no personal data."""
        config = state.campaign_config
        results = [m.payload for m in self.memory(state) if m.message_type is MessageType.TASK_RESULT]
        return {
            "campaign": config.name,
            "brand": config.brand.model_dump(mode="json", exclude_defaults=True),
            "audience": state.target_audience.model_dump(mode="json", exclude_defaults=True),
            "earlier_rounds": [dict(payload) for payload in results[-LONGEST_HISTORY:]],
        }

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        """research, then write, then check and mend in turn until no check asks for a step."""
        due = assignments(state)
        if not due:
            return None
        done = {stage.name: stage for stage in results}
        if "research" not in done:
            name = state.campaign_config.brand.name or ""
            return Stage(name="research", units=[_research_unit(one, name) for one in due])
        passages = {found.label: found.passages for _, found in RETRIEVE.answers([done["research"]])}
        if "write" not in done:
            units = [self._write_unit(state, one, passages.get(one.label, ())) for one in due]
            return Stage(name="write", units=units)
        number = sum(stage.name.startswith("check") for stage in results) + 1
        known = histories(due, results)
        checks = [unit for one in known for unit in self._check_units(state, one, passages)]
        if checks:
            return Stage(name=f"check-{number}", units=sorted(checks, key=lambda unit: unit.key))
        brand = state.campaign_config.brand
        steps = [(one, step) for one in known if (step := one.next_step(brand)) is not None]
        units = [self._mend_unit(state, one, step, passages) for one, step in steps]
        return Stage(name=f"mend-{number - 1}", units=sorted(units, key=lambda unit: unit.key)) if units else None

    def review(self, state: MarketingAgentState) -> Question | None:
        """Describe all pieces, as they will be published."""
        return approval.review(state)

    def edited(
        self, state: MarketingAgentState, subject: str, texts: Mapping[str, str], by: str, now: datetime
    ) -> MarketingAgentState | None:
        """Return the state in which a person has given a piece other texts."""
        return editing.edited(state, subject, texts, by, now)

    def rework(self, state: MarketingAgentState, reason: str, step: int, now: datetime) -> MarketingAgentState:
        """Return the state in which every piece is written anew, with the reason told to the writers."""
        return approval.rework(state, reason, step, now)

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        """Return the state with the new pieces in the order of the requirements, and the others as they are."""
        pieces = {old.piece_id: old for old in state.generated_content}
        order = [*pieces]
        for history in histories(assignments(state), result):
            one = history.assignment
            if not history.versions:  # failed: recorded as an error; an older revision stays
                continue
            pieces[one.piece_id] = piece(history.best(state.campaign_config.brand), one, now)
            if one.piece_id not in order:
                order.append(one.piece_id)
        return state.evolve(generated_content=tuple(sorted(pieces.values(), key=lambda p: _place(state, p, order))))

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, object]:
        """Return how many pieces there are, how long and how good."""
        old = {(p.piece_id, p.revision) for p in before.generated_content}
        new = [p for p in after.generated_content if (p.piece_id, p.revision) not in old]
        scores = [p.seo_score for p in after.generated_content]
        return {
            "pieces": len(after.generated_content),
            "written": len(new),
            "rewritten": sum(p.revision > 1 for p in new),
            "words": sum(p.word_count for p in new),
            "mean_seo_score": round(sum(scores) / len(scores), 4) if scores else None,
            "errors": len(after.errors) - len(before.errors),
        }

    def overview(self, state: MarketingAgentState) -> Sequence[Section]:
        """Tell which pieces there are."""
        return overview.sections(state)

    def _write_unit(self, state: MarketingAgentState, one: Assignment, passages: Sequence[Excerpt]) -> Unit:
        if one.previous is None:
            kind, brief = WRITE, self._brief(state, one, task="write_piece")
        else:
            complaints = (*one.reasons, *one.previous.checks)
            kind = REWRITE
            brief = self._brief(
                state,
                one,
                task="revise_piece",
                piece=_existing(one.previous),
                findings=[Complaint(check="performance", message=Untrusted(text)) for text in complaints],
                suggestions=_suggested(one.suggestions or ("Make it clearer, more concrete and more useful.",)),
            )
        return kind.unit(
            f"write:{one.label}",
            self._input(state, one, brief, passages),
            provider=PROVIDER,
            # In an optimisation round there is content already: a failed rewrite must not end a live campaign.
            essential=state.optimization_attempts == 0,
            policy=model_policy(
                state.campaign_config.models,
                essential=state.optimization_attempts == 0,
                template=one.previous is None,
            ),
        )

    def _check_units(
        self, state: MarketingAgentState, history: History, passages: Mapping[str, Sequence[Excerpt]]
    ) -> list[Unit]:
        """Plan the checks of a piece's newest version, none when they have run."""
        one, version = history.assignment, history.unchecked
        if version is None:
            return []
        brand, models = state.campaign_config.brand, state.campaign_config.models
        label, wanted, number = one.label, one.requirement, len(history.versions)
        shown = tuple(passage.text for passage in passages.get(label, ()))
        score = Score(label=label, written=version.written, requirement=wanted, brand=brand, sources=shown)
        asked = house_rules.questions(wanted, brand) if _worth_a_judge(version) else ()
        check = CheckBrand(
            label=label,
            written=version.written,
            requirement=wanted,
            brand=brand,
            asked=asked,
            system=prompts.load(PACKAGE, "judge"),
            **choice(models),
        )
        return [
            SCORE.unit(_key(SCORE.name, label, number), score, provider="local", essential=False),
            CHECK_BRAND.unit(
                _key(CHECK_BRAND.name, label, number),
                check,
                provider=PROVIDER if asked else "local",
                essential=False,
                policy=model_policy(models, essential=False),
            ),
        ]

    def _mend_unit(
        self, state: MarketingAgentState, history: History, step: Step, passages: Mapping[str, Sequence[Excerpt]]
    ) -> Unit:
        """Plan one step for a piece."""
        one, brand = history.assignment, state.campaign_config.brand
        best = history.best(brand)
        key = _key(step.value, one.label, history.tried.count(step) + 1)
        if step is Step.FIT:
            given = FitLength(
                label=one.label,
                written=history.best_version(brand).written,
                requirement=one.requirement,
                brand=brand,
                spare=tuple(version.text.body for version in reversed(history.drafts(brand))),
                known=brief_contacts(state.campaign_config),
            )
            return FIT_LENGTH.unit(key, given, provider="local", essential=False)
        words, wanted = word_count(best.text.body), one.requirement.target_length
        ask = history.words_to_ask(brand) if step is Step.LENGTH else wanted
        brief = self._brief(
            state,
            one,
            task=step.value,
            requirement=_wanted(one).model_copy(update={"target_length": ask}),
            piece=_existing(best.text),
            findings=[Complaint(check=f.check, message=Untrusted(f.message)) for f in best.problems],
            suggestions=_suggested(one.suggestions),
            length=Gap(words_now=words, words_wanted=wanted, difference=wanted - words) if not best.fits else None,
        )
        return _STEPS[step].unit(
            key,
            self._input(state, one, brief, passages.get(one.label, ())),
            provider=PROVIDER,
            essential=False,  # there is a draft already
            policy=model_policy(state.campaign_config.models, essential=False),
        )

    def _brief(self, state: MarketingAgentState, one: Assignment, **task: object) -> Brief:
        facts = self.build_input(state)
        won = winner(learned(state.campaign_performance.daily, counted(state.campaign_config)))
        return Brief.model_validate(
            {
                **facts,
                "requirement": _wanted(one),
                "revision": one.revision,
                "ads_won_with": f"{won}: {EXPLAINED[won]}" if won else None,
                **task,
            }
        )

    def _input(self, state: MarketingAgentState, one: Assignment, brief: Brief, passages: Sequence[Excerpt]) -> Write:
        return Write(
            label=one.label,
            piece_id=one.piece_id,
            system=self.get_system_prompt(state),
            brief=brief,
            passages=tuple(passages),
            known=brief_contacts(state.campaign_config),
            max_tokens=2000 + 6 * brief.requirement.target_length,
            **choice(state.campaign_config.models),
        )


_STEPS = {Step.TONE: ADJUST_TONE, Step.SEO: OPTIMIZE_SEO, Step.LENGTH: ADJUST_LENGTH}


def _key(name: str, label: str, number: int) -> str:
    """Return the key of a unit that may come several times in a hop, such as ``adjust_length:01-blog_post:2``."""
    return f"{name}:{label}" if number == 1 else f"{name}:{label}:{number}"


def _worth_a_judge(version: Version) -> bool:
    """Return whether a judge is asked about a version.

    Not about a template's, since no model can be reached, nor about sentences that have been judged before.
    """
    return version.made_by != FIT_LENGTH.name and not version.written.produced_by.startswith(TEMPLATE)


def _research_unit(one: Assignment, brand: str) -> Unit:
    wanted = one.requirement
    question = f"{wanted.topic} for {wanted.audience}"
    variants = (wanted.topic or "", *wanted.keywords[:3])
    given = Retrieve(label=one.label, question=question, variants=variants, brand=brand)
    return RETRIEVE.unit(f"retrieve:{one.label}", given, provider=PROVIDER, essential=False)


def _wanted(one: Assignment) -> Wanted:
    wanted = one.requirement
    return Wanted(
        content_type=wanted.content_type,
        kind=kind_of(wanted.content_type, wanted.target_length),
        topic=wanted.topic or "",
        keywords=wanted.keywords,
        tone=wanted.tone,
        target_length=wanted.target_length,
        audience=wanted.audience or "",
        language=wanted.language,
        call_to_action=wanted.call_to_action,
    )


def _existing(text: Text | ContentPiece) -> Existing:
    return Existing(
        title=Untrusted(text.title),
        body=Untrusted(text.body),
        meta_description=Untrusted(text.meta_description),
        call_to_action=Untrusted(text.call_to_action),
    )


def _suggested(texts: Sequence[str]) -> tuple[Untrusted, ...]:
    return tuple(Untrusted(text) for text in texts)


def _place(state: MarketingAgentState, one: ContentPiece, order: Sequence[str]) -> tuple[int, int]:
    """Return the place of a piece: the order of the requirements, those of earlier requirements last."""
    ids = [piece_id(state.campaign_id, i) for i in range(len(requirements(state)))]
    return (ids.index(one.piece_id) if one.piece_id in ids else len(ids), order.index(one.piece_id))
