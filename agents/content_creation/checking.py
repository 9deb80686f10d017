"""Units that check a version: ``calculate_seo_score``, and ``check_brand_guidelines`` with a judge where no rule fits.

The judge is one model call for all guidelines without a rule; it sees these and the text, nothing else, and answers in
a closed form. Invariant: a verdict against a text counts only with a sentence that stands in the text, or with none
because something is missing; what no judge has answered stays open, and the rules' verdicts stand by themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from agents import prompts
from agents.answer_form import AnswerForm, at_most, first
from agents.brand.guideline import Verdict
from agents.content_creation import house_rules
from agents.content_creation.drafts import text_of
from agents.content_creation.units import BrandChecked, CheckBrand, Found, Score, Scored
from agents.model_call import ask
from agents.names import CONTENT_CREATION
from agents.readability import plain, reading_ease
from agents.seo.assess import assess
from agents.seo.text import Finding, Text
from agents.state import GuidelineVerdict
from agents.unit_kind import UnitKind
from agents.untrusted import Untrusted
from integrations.errors import InvalidAnswerError, PolicyRefusedError

if TYPE_CHECKING:
    from agents.ports import UnitContext

PACKAGE = "agents.content_creation"
MAX_QUESTIONS = 20  #: guidelines that one call judges
MAX_JUDGED_CHARS = 40_000  #: of a text
_ANSWER_TOKENS = 120  #: of one verdict


class JudgedGuideline(AnswerForm):
    """Answer of the judge about one guideline."""

    number: Annotated[int, Field(ge=1, le=MAX_QUESTIONS)]
    kept: Literal["yes", "no", "unclear"]
    sentence: Annotated[str, at_most(300), Field(max_length=300)] = ""


class Judgements(AnswerForm):
    """What the judge answers with."""

    verdicts: Annotated[list[JudgedGuideline], first(MAX_QUESTIONS), Field(max_length=MAX_QUESTIONS)]


def calculate_seo_score(given: Score, ctx: UnitContext) -> Scored:
    """Work out the score of a version and what the checks say."""
    del ctx
    return scored(given)


def scored(given: Score) -> Scored:
    """Return the score of a version and what the checks say."""
    text = text_of(given.written, given.requirement, given.brand, [one.reveal() for one in given.sources])
    report = assess(text, given.requirement.content_type)
    return Scored(
        label=given.label,
        seo_score=report.score,
        readability=reading_ease(plain(text.body), text.language),
        findings=tuple(_found(one) for one in report.findings if one.message),
    )


def check_brand_guidelines(given: CheckBrand, ctx: UnitContext) -> BrandChecked:
    """Hold a version against words, guidelines and tone: by rules, and by a judge where there is none."""
    text = text_of(given.written, given.requirement, given.brand)
    answers = _judged(given, text, ctx) if given.asked else ()
    return brand_checked(given, text, answers)


def brand_checked(given: CheckBrand, text: Text, answers: tuple[Verdict, ...] = ()) -> BrandChecked:
    """Return what rules and the judge's answers say of a text."""
    verdicts = house_rules.verdicts(text, given.brand.guidelines, answers)
    findings = [*house_rules.check(text, given.requirement, given.brand), *house_rules.broken(verdicts)]
    asked = house_rules.tone_question(given.requirement.tone)
    wrong = next((one for one in answers if one.guideline == asked and one.kept is False), None)
    if wrong is not None and all(one.check != "tone" for one in findings):
        findings.append(house_rules.tone_finding(given.requirement.tone, "the text", wrong.sentence))
    return BrandChecked(
        label=given.label,
        findings=tuple(_found(one) for one in findings),
        verdicts=tuple(
            GuidelineVerdict(guideline=one.guideline, kept=one.kept, sentence=one.sentence, by=one.by)
            for one in verdicts
        ),
    )


def _judged(given: CheckBrand, text: Text, ctx: UnitContext) -> tuple[Verdict, ...]:
    asked = given.asked[:MAX_QUESTIONS]
    facts = prompts.brief(
        {
            "task": "check_guidelines",
            "guidelines": {str(number): guideline for number, guideline in enumerate(asked, 1)},
            "text": Untrusted(
                "\n\n".join(filter(None, (text.title, text.body, text.call_to_action)))[:MAX_JUDGED_CHARS]
            ),
        }
    )
    try:
        answer = ask(
            ctx,
            given,
            agent=CONTENT_CREATION,
            prompt=prompts.render(prompts.load(PACKAGE, "check_brand_guidelines"), brief=facts),
            output=Judgements,
            max_tokens=200 + _ANSWER_TOKENS * len(asked),
        )
    except (InvalidAnswerError, PolicyRefusedError):
        return ()  # the guidelines stay open; a judge that can't be used is no reason to lose the piece
    return tuple(
        verdict
        for one in answer.value.verdicts
        if one.number <= len(asked) and (verdict := _verdict(asked[one.number - 1], one, text)) is not None
    )


def _verdict(guideline: str, answer: JudgedGuideline, text: Text) -> Verdict | None:
    if answer.kept == "unclear":
        return None
    if answer.kept == "yes":
        return Verdict(guideline=guideline, kept=True, by="judge")
    sentence = answer.sentence.strip()
    if sentence and _letters(sentence) not in _letters(text.whole):
        return None  # it quotes what the text doesn't say
    return Verdict(guideline=guideline, kept=False, sentence=sentence, by="judge")


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().lower()


def _found(finding: Finding) -> Found:
    return Found(check=finding.check, points=finding.points, message=finding.message)


SCORE = UnitKind(name="calculate_seo_score", input=Score, output=Scored, run=calculate_seo_score)
CHECK_BRAND = UnitKind(name="check_brand_guidelines", input=CheckBrand, output=BrandChecked, run=check_brand_guidelines)
