"""Rules about subjects that a brand keeps out of its texts, each known by its words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.brand import lexicon
from agents.brand.rule import Find, Rule, forbids, parts
from agents.seo.text import Text

#: list of words -> how guidelines call the subject
_SUBJECTS = {
    "prices": r"(?:concrete |specific |exact |any )?pric(?:es?|ing)|costs?\b|fees\b|amounts? of money|money\b|preise?\w*|prix|precios|prezzi",
    "discounts": r"discounts?|special offers|sales language|rabatte?\w*|deals\b|coupons?",
    "guarantees": r"guarantee\w*|promis\w+|garanti\w*|versprech\w*|absolute claims?",
    "competitors": r"competitors?|competition|rivals?|wettbewerb\w*|konkurren\w*|other vendors",
    "comparisons": r"compar\w+|vergleich\w*",
    "urgency": r"urgency|urgent|pressure|pushy|scarcity|hurry\w*|fomo|hard[- ]sell\w*|druck|dringlich\w*|countdowns?",
    "fear": r"fear\w*|scare\w*|scaring|threat\w*|alarm\w*|angst\w*|doom\w*|worry",
    "war": r"(?:war|military|battle|violent|violence|combat|fighting)\b|krieg\w*|militär\w*|kampf\w*",
    "sport": r"sports?\b|sporting",
    "politics": r"politic\w*|politi\w*|elections?",
    "religion": r"religio\w*|faith\b",
    "health": r"health claims?|medical claims?|medical\b|heilversprechen|healing",
    "alcohol": r"alcohol\w*|alkohol\w*",
    "violence": r"violen\w*|gewalt\w*",
    "layoffs": r"layoffs?|job losses|replac\w+ (?:people|jobs|staff|workers)",
}
_MONEY = r"[$€£]\s?\d|\d\s?(?:[$€£]|USD|EUR|GBP|euros?|dollars?)"


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about forbidden subjects from a guideline."""
    for name, called in _SUBJECTS.items():
        if forbids(guideline, called):
            yield Rule(f"no {name}", _find(name))


def _find(name: str) -> Find:
    money = re.compile(_MONEY, re.IGNORECASE) if name in ("prices", "discounts") else None
    words = lexicon.pattern(name)

    def find(text: Text) -> str | None:
        return next((one for one in parts(text) if words.search(one) or (money and money.search(one))), None)

    return find
