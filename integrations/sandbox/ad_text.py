"""What people notice in an ad's text, as numbers from 0 to 1: the features that a world's rule weighs.

Words are English and German. Invariant: pure, and each feature is in [0, 1] for every text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AdText:
    """What one ad says, and to whom."""

    headline: str
    description: str
    button: str = ""  #: the platform's call-to-action type
    headline_width: int = 40  #: how much of the headline the platform shows
    description_width: int = 125
    audience: tuple[str, ...] = ()  #: words for the people and interests it is aimed at


_ACTION = re.compile(
    r"\b(book|start|try|get|download|request|join|sign up|register|compare|claim|see|plan|cut|save|reserve|talk"
    r"|buchen|starten|testen|holen|laden|anfordern|anmelden|vergleichen|sichern|ansehen|planen|sprechen)\b"
)
_SUPERLATIVE = re.compile(
    r"\b(best|amazing|revolutionary|world[- ]class|ultimate|incredible|unbelievable|guaranteed|number one"
    r"|beste[nrs]?|einzigartige?[nrs]?|unglaublich\w*|revolutionär\w*|garantiert\w*|nummer eins)\b|#1|!!"
)
_SHOUT = re.compile(r"\b[A-ZÄÖÜ]{5,}\b")
_PROOF = re.compile(
    r"\d\s?%|\b(customers?|clients?|rated|ratings?|reviews?|testimonials?|trusted|case stud(y|ies)|proven|references?"
    r"|kunden|kundinnen|bewertet|bewertung(en)?|referenzen|erfahrungen|vertrauen|bewährt\w*)\b"
)
_PRICE = re.compile(
    r"[$€£]|\b(usd|eur|euros?|dollars?|free|price|prices|pricing|cost|costs|discount|cheap|fee|fees|per month"
    r"|kostenlos\w*|gratis|preise?|kostet|kosten|rabatt|günstig\w*|gebühr(en)?|pro monat)\b"
)
_CALM = re.compile(
    r"\b(calm|calmly|quiet|quietly|no pressure|no rush|at your own pace|take your time|step by step|steady|relaxed"
    r"|in ruhe|ruhig\w*|gelassen\w*|ohne druck|ohne eile|schritt für schritt|entspannt\w*)\b"
)
_URGENT = re.compile(
    r"\b(now|today|hurry|last chance|ends|ending|deadline|only until|limited|don't miss|before it is too late|this week"
    r"|jetzt|heute|nur noch|letzte chance|endet|frist|begrenzt\w*|nicht verpassen|diese woche|sofort)\b"
)
_PLAYFUL = re.compile(
    r"\b(fun|wow|hey|oops|psst|guess what|magic|coffee|smile|party|yay"
    r"|spaß|huch|rate mal|kaffee|lächeln|juhu|zauberei)\b"
)
_WEAK_BUTTONS = frozenset({"", "LEARN_MORE", "NO_BUTTON", "SEE_MORE"})
_STOP = frozenset({"the", "and", "for", "with", "your", "you", "that", "from", "of", "to", "in", "on", "a", "an"})
_STOP_GERMAN = frozenset({"der", "die", "da", "und", "für", "mit", "ihr", "ihre", "von", "zu", "im", "ein", "eine"})


def features(ad: AdText, siblings: Sequence[AdText] = ()) -> Mapping[str, float]:
    """Return each feature of an ad's text, beside the other ads of its campaign, by its name in :data:`FEATURES`."""
    return {name: measured(ad, siblings) for name, measured in FEATURES.items()}


def _said(ad: AdText) -> str:
    return f"{ad.headline} {ad.description}".lower()


def _has(pattern: re.Pattern[str]) -> Callable[[AdText, Sequence[AdText]], float]:
    return lambda ad, _siblings: float(bool(pattern.search(_said(ad))))


def _length(ad: AdText, _siblings: Sequence[AdText]) -> float:
    head, body = len(ad.headline) / ad.headline_width, len(ad.description) / ad.description_width
    return (min(1.0, head) + min(1.0, body)) / 2


def _fit(ad: AdText, _siblings: Sequence[AdText]) -> float:
    return (_fits(ad.headline, ad.headline_width) + _fits(ad.description, ad.description_width)) / 2


def _audience(ad: AdText, _siblings: Sequence[AdText]) -> float:
    aimed = words(" ".join(ad.audience))
    return (bool(words(ad.headline) & aimed) + bool(words(ad.description) & aimed)) / 2


def _action(ad: AdText, _siblings: Sequence[AdText]) -> float:
    return ((ad.button not in _WEAK_BUTTONS) + bool(_ACTION.search(_said(ad)))) / 2


def _superlative(ad: AdText, _siblings: Sequence[AdText]) -> float:
    return float(bool(_SUPERLATIVE.search(_said(ad)) or _SHOUT.search(f"{ad.headline} {ad.description}")))


def _alike(ad: AdText, siblings: Sequence[AdText]) -> float:
    own = words(ad.headline)
    return float(any(_overlap(own, words(other.headline)) > 0.5 for other in siblings if other is not ad))


#: feature -> (ad, ads of its campaign) -> how much of it there is, from 0 to 1
FEATURES: Mapping[str, Callable[[AdText, Sequence[AdText]], float]] = {
    "length": _length,  # share of the shown width that is used
    "fit": _fit,  # uses 40-100 % of the shown width: half for the headline, half for the description
    "question": _has(re.compile(r"\?")),
    "proof": _has(_PROOF),  # customers, ratings, percents
    "price": _has(_PRICE),
    "audience": _audience,  # a word of the audience or its keywords: half for the headline, half for the description
    "number": _has(re.compile(r"\d")),
    "action": _action,  # a call to action: half for the button, half for a verb in the text
    "superlative": _superlative,  # superlatives, shouting, "!!"
    "calm": _has(_CALM),
    "urgent": _has(_URGENT),
    "playful": _has(_PLAYFUL),
    "alike": _alike,  # another ad of the campaign says the same in its headline
}


def words(text: str) -> set[str]:
    """Return the words of a text without endings in s and without small words."""
    found = {word.rstrip("s") for word in re.findall(r"[^\W\d_]{2,}", text.lower())}
    return found - _STOP - _STOP_GERMAN


def _fits(text: str, width: int) -> bool:
    return 0.4 * width <= len(text) <= width


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0
