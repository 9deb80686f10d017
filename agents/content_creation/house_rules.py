"""What the brand and common sense ask of a text besides SEO: words, tone, guidelines.

Guidelines are written for people; those with a form that a rule can read are checked, the others stand in the prompt
only. Contacts are not judged here but where a text is written, see :mod:`agents.contacts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agents.config import Brand, ContentRequirement
from agents.readability import plain
from agents.seo import Finding, Text, uses

FAILED = 2  #: points of a broken house rule (see agents.seo)

_QUOTED = r"[\"'“‘](?P<phrase>[^\"'”’]{2,60})[\"'”’]"
_NAMED = r"(?: the (?:word|phrase|term))?"
_NOT = r"(?:avoid|no|never|don'?t|do not|without)(?: (?:use|say|write|mention|using|saying))?" + _NAMED
_MUST = r"(?:always|must|mention|include|use|say)(?: (?:use|say|write|mention|include))?" + _NAMED
_FORBIDS = re.compile(rf"\b{_NOT} {_QUOTED}", re.IGNORECASE)
_DEMANDS = re.compile(rf"\b{_MUST} {_QUOTED}", re.IGNORECASE)
_NO_EXCLAMATION = re.compile(rf"\b{_NOT} exclamation", re.IGNORECASE)
_NO_EMOJI = re.compile(rf"\b{_NOT} emojis?\b", re.IGNORECASE)
_EMOJI = re.compile(r"[\U0001f300-\U0001faff\u2600-\u27bf]")
_SLANG = re.compile(
    r"\b(?:hey|gonna|wanna|gotta|awesome|super|lol|omg|yeah|yep|cool|crazy|insane|dude|guys)\b", re.IGNORECASE
)
_YOU = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)
_FORMAL = frozenset({"professional", "formal", "serious", "authoritative", "corporate"})
_CLOSE = frozenset({"friendly", "casual", "conversational", "warm", "playful"})
SHORT = 60  #: words; in shorter texts required words needn't find a place


def check(text: Text, requirement: ContentRequirement, brand: Brand) -> tuple[Finding, ...]:
    """Return the house rules that a text breaks."""
    whole = "\n".join((text.title, text.body, text.meta_description, text.call_to_action))
    found = [
        *_words(whole, requirement, brand),
        *_guidelines(whole, brand.guidelines),
        *_tone(text, requirement.tone),
    ]
    asked = requirement.call_to_action
    if asked and asked.lower().strip(" .!") not in whole.lower():
        found.append(Finding("asked_action", FAILED, f"the asked-for call to action {asked!r} is missing"))
    return tuple(found)


def _words(whole: str, requirement: ContentRequirement, brand: Brand) -> Iterable[Finding]:
    banned = [word for word in brand.banned_words if uses(whole, word)]
    if banned:
        yield Finding("banned_words", FAILED, f"banned words are used: {', '.join(map(repr, banned))}")
    if requirement.target_length >= SHORT:
        missing = [word for word in brand.required_words if not uses(whole, word)]
        if missing:
            yield Finding("required_words", FAILED, f"required words are missing: {', '.join(map(repr, missing))}")


def _guidelines(whole: str, guidelines: Iterable[str]) -> Iterable[Finding]:
    for rule in guidelines:
        forbidden = [m["phrase"] for m in _FORBIDS.finditer(rule)]
        demanded = [m["phrase"] for m in _DEMANDS.finditer(rule) if m["phrase"] not in forbidden]
        broken = (
            any(uses(whole, phrase) for phrase in forbidden)
            or any(not uses(whole, phrase) for phrase in demanded)
            or (_NO_EXCLAMATION.search(rule) is not None and "!" in whole)
            or (_NO_EMOJI.search(rule) is not None and _EMOJI.search(whole) is not None)
        )
        if broken:
            yield Finding("guidelines", FAILED, f"the brand's guideline is not kept: {rule}")


def _tone(text: Text, tone: str) -> Iterable[Finding]:
    if not text.language.lower().startswith("en"):
        return
    asked = set(re.findall(r"[a-z]+", tone.lower()))
    body = plain(text.body)
    if asked & _FORMAL and not asked & _CLOSE:
        slang = sorted({word.lower() for word in _SLANG.findall(body)})
        if slang:
            yield Finding("tone", FAILED, f"{', '.join(map(repr, slang))} doesn't fit a {tone} tone")
        if body.count("!") > 1:
            yield Finding("tone", FAILED, f"{body.count('!')} exclamation marks don't fit a {tone} tone")
    if asked & _CLOSE and not _YOU.search(body):
        yield Finding("tone", FAILED, f"a {tone} tone speaks to the reader, but the text never says 'you'")
