"""What the brand and the requirement ask of a text besides SEO: words, guidelines, tone, the call to action.

Contacts are not judged here but where a text is written, see :mod:`agents.contacts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.brand import tone
from agents.brand.guideline import Verdict, judged_by_rules, rules_of
from agents.config import Brand, ContentRequirement
from agents.languages.language import code_of
from agents.seo.keyphrase import uses
from agents.seo.text import Finding, Text

FAILED = 2  #: points of a broken house rule (see agents.seo.text)
SHORT = 60  #: words; in shorter texts required words needn't find a place
DEFAULT_TONE = "professional"
#: Checks of the brand and the requirement; the others are about search and readers.
CHECKS = ("banned_words", "required_words", "guidelines", "tone", "asked_action")
_TONE_LANGUAGES = ("en", "de")  #: in which words of a tone are known


def check(text: Text, requirement: ContentRequirement, brand: Brand) -> tuple[Finding, ...]:
    """Return the house rules that a text breaks, but for guidelines."""
    whole = text.whole
    found = [*_words(whole, requirement, brand), *_tone(text, requirement.tone)]
    asked = requirement.call_to_action
    if asked and asked.lower().strip(" .!") not in whole.lower():
        found.append(Finding("asked_action", FAILED, f"the asked-for call to action {asked!r} is missing"))
    return tuple(found)


def questions(requirement: ContentRequirement, brand: Brand) -> tuple[str, ...]:
    """Return what only a judge can say of a text: guidelines without a rule, and a tone that counts can't tell."""
    asked = [guideline for guideline in brand.guidelines if not rules_of(guideline)]
    by_counts = tone.families(requirement.tone) and code_of(requirement.language) in _TONE_LANGUAGES
    if requirement.tone != DEFAULT_TONE or not by_counts:
        asked.append(tone_question(requirement.tone))
    return tuple(asked)


def tone_question(asked: str) -> str:
    """Return the tone as a guideline."""
    return f"The tone is {asked}."


def verdicts(text: Text, guidelines: Sequence[str], answers: Sequence[Verdict] = ()) -> tuple[Verdict, ...]:
    """Return the verdict on each guideline: of its rules, or else of the judge."""
    judged = {answer.guideline: answer for answer in answers}
    return tuple(
        judged.get(one.guideline, one) if one.by == "nobody" else one for one in judged_by_rules(text, guidelines)
    )


def broken(given: Iterable[Verdict]) -> tuple[Finding, ...]:
    """Return the guidelines that a text breaks, each with the sentence."""
    return tuple(_finding(one) for one in given if one.kept is False)


def _finding(verdict: Verdict) -> Finding:
    quoted = f' ("{verdict.sentence}")' if verdict.sentence else ""
    return Finding("guidelines", FAILED, f"the brand's guideline is not kept: {verdict.guideline}{quoted}")


def tone_finding(asked: str, why: str, sentence: str) -> Finding:
    """Return what is told of a wrong tone."""
    quoted = f' ("{sentence}")' if sentence else ""
    return Finding("tone", FAILED, f"{why} doesn't fit a {asked} tone{quoted}")


def _tone(text: Text, asked: str) -> Iterable[Finding]:
    if code_of(text.language) in _TONE_LANGUAGES:
        for breach in tone.breaches(text, asked):
            yield tone_finding(asked, breach.why, breach.sentence[:300])


def _words(whole: str, requirement: ContentRequirement, brand: Brand) -> Iterable[Finding]:
    banned = [word for word in brand.banned_words if uses(whole, word)]
    if banned:
        yield Finding("banned_words", FAILED, f"banned words are used: {', '.join(map(repr, banned))}")
    if requirement.target_length >= SHORT:
        missing = [word for word in brand.required_words if not uses(whole, word)]
        if missing:
            yield Finding("required_words", FAILED, f"required words are missing: {', '.join(map(repr, missing))}")
