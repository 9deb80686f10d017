"""A guideline as a check: the rules that it can be read as, or a question for a judge where there is none.

Guidelines are written for people, so common forms are recognised (``no exclamation marks``, ``never mention prices``,
``say "clients", not "customers"``, ``sentences under 20 words``, ``British spelling``, ``Leser siezen``, ...). Invariant: a
guideline without a rule is never counted as kept: it is put to a judge, and without one it is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agents.brand import address, marks, phrases, sizes, spelling, style, subjects
from agents.brand.rule import Rule
from agents.seo.text import Text

_THEMES = (marks, sizes, spelling, address, style, subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a text keeps a guideline."""

    guideline: str
    kept: bool | None  #: None: nobody could say
    sentence: str = ""  #: of the text, that breaks it; "" where something is missing
    by: Literal["rule", "judge", "nobody"]


@lru_cache(maxsize=1024)
def rules_of(guideline: str) -> tuple[Rule, ...]:
    """Return the rules that a guideline can be read as, none where a judge is needed."""
    found = [rule for theme in _THEMES for rule in theme.rules(guideline)]
    if not found:  # only what no other rule has understood is a word to be looked for
        found = [*phrases.rules(guideline)]
    else:
        found += [
            rule
            for rule in phrases.rules(guideline)
            if _named(guideline) and not found[0].name.endswith(("form", "you"))
        ]
    return tuple(found)


def _named(guideline: str) -> bool:
    return any(mark in guideline for mark in '"“„‘«') or " '" in guideline


def judged_by_rules(text: Text, guidelines: Sequence[str]) -> tuple[Verdict, ...]:
    """Return the verdict on each guideline, None where it has no rule."""
    return tuple(_verdict(text, guideline) for guideline in guidelines)


def _verdict(text: Text, guideline: str) -> Verdict:
    rules = rules_of(guideline)
    if not rules:
        return Verdict(guideline=guideline, kept=None, by="nobody")
    for rule in rules:
        sentence = rule.find(text)
        if sentence is not None:
            return Verdict(guideline=guideline, kept=False, sentence=sentence[:300], by="rule")
    return Verdict(guideline=guideline, kept=True, by="rule")
