"""Hidden truth behind the sandbox's ad platforms: how a campaign of given texts and budget does.

Response of a platform to one day of one revision (all figures before rounding and noise):

    impressions = 1000 / cpm · s / (1 + s / half_spend)      Hill curve in the day's spend s, exponent 1
    clicks      = impressions · ctr · m                      m = platform quality · (0.35 + text quality)
    conversions = clicks · cvr · sqrt(m)

with log-normal noise of about ``noise`` (10 %) per day and figure. The text quality is a rule over what
people would read (:func:`text_quality`), so better texts truly do better.

Every revision has lived :data:`FIRST_DAYS` simulated days when its report is first read; ``advance`` adds
days to the newest one of campaigns that run. Invariants: the same (seed, platform, effect key, revision,
texts, budget, day) give the same figures, whatever was asked before; reading changes nothing.

``POST /_sandbox/reset`` with ``{"world": {"platforms": {"facebook_ads": {...}}}}`` overrides parameters of a platform's
:class:`~integrations.ads.curve.Curve` (``"*"`` for all): ``quality`` (1 = a typical market; below about 0.7 even good
texts stay under the benchmarks), ``ctr``, ``cvr``, ``cpm``, ``half_spend``, ``noise``. Besides,
``{"currency": "EUR"}`` gives the ad accounts a currency, which they then insist on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from hashlib import sha256
from statistics import NormalDist
from typing import Any

from integrations.ads import registry as ads
from integrations.ads.curve import Curve

FIRST_DAYS = 7


_SPREAD = 0.05  #: how far a seed moves each platform's quality


def curve(platform: str, seed: int, world: Mapping[str, Any] | None) -> Curve:
    """Return the platform's curve in this world.

    Raises ValueError naming a parameter that doesn't exist.
    """
    base = ads.platform(platform).curve
    if base is None:
        raise ValueError(f"{platform} has no curve in its spec")
    moved = base.quality * (1 + _SPREAD * (2 * _uniform("quality", seed, platform) - 1))
    found = replace(base, quality=moved)
    overrides = (world or {}).get("platforms") or {}
    known = {item.name for item in fields(Curve)}
    for name in ("*", platform):
        given = overrides.get(name) or {}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"world.platforms.{name}.{unknown[0]} is unknown; use {', '.join(sorted(known))}")
        found = replace(found, **{key: float(value) for key, value in given.items()})
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AdText:
    """What one ad says, and to whom."""

    headline: str
    description: str
    button: str = ""  #: the platform's call-to-action type
    headline_width: int = 40  #: how much of the headline the platform shows
    description_width: int = 125
    audience: tuple[str, ...] = ()  #: words for the people and interests it is aimed at


_VERBS = re.compile(
    r"\b(book|start|try|get|download|request|join|sign up|register|compare|claim|see|plan|cut|save|reserve|talk)\b"
)
_SPAM = re.compile(
    r"\b(best|amazing|revolutionary|world[- ]class|ultimate|incredible|unbelievable|guaranteed|number one)\b|#1|!!"
)
_SHOUT = re.compile(r"\b[A-Z]{5,}\b")
_WEAK_BUTTONS = frozenset({"", "LEARN_MORE", "NO_BUTTON", "SEE_MORE"})
_STOP = frozenset({"the", "and", "for", "with", "your", "you", "that", "from", "of", "to", "in", "on", "a", "an"})


def text_quality(ad: AdText, siblings: Sequence[AdText] = ()) -> float:
    """Return how well an ad's text works, from 0 to 1.

    0.30 for being there; 0.15 a concrete number; 0.15 a clear call to action (half for the button, half
    for a verb in the text); 0.20 for speaking of the audience or its keywords (half in the headline, half
    in the description); 0.10 a headline unlike its siblings'; 0.10 texts that use 40-100 % of the shown
    width; minus 0.15 for superlatives, shouting and "!!".
    """
    head, body = ad.headline.lower(), ad.description.lower()
    aimed = _words(" ".join(ad.audience))
    found = 0.30
    found += 0.15 * bool(re.search(r"\d", ad.headline + ad.description))
    found += 0.075 * (ad.button not in _WEAK_BUTTONS) + 0.075 * bool(_VERBS.search(f"{head} {body}"))
    found += 0.10 * bool(_words(head) & aimed) + 0.10 * bool(_words(body) & aimed)
    others = [_words(other.headline) for other in siblings if other is not ad]
    found += 0.10 * all(_alike(_words(head), other) <= 0.5 for other in others)
    found += 0.05 * _fits(ad.headline, ad.headline_width) + 0.05 * _fits(ad.description, ad.description_width)
    if _SPAM.search(f"{head} {body}") or _SHOUT.search(f"{ad.headline} {ad.description}"):
        found -= 0.15
    return max(0.0, min(1.0, found))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """One ad on one day."""

    day: date
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal


@dataclass(slots=True, kw_only=True)
class Generation:
    """Ads of one set of texts, the days they have lived, and the budget from each of these days on."""

    token: str  #: which texts (see integrations.ads.naming)
    budgets: list[tuple[int, str]]
    extra: int = 0  #: days beyond the first ones
    ran: bool = False  #: was the campaign enabled while they were its ads?

    @property
    def days(self) -> int:
        """Days lived."""
        return FIRST_DAYS + self.extra if self.ran else 0

    def budget(self, day: int) -> Decimal:
        """Return the daily budget on that day of its life."""
        return Decimal(next(amount for since, amount in reversed(self.budgets) if since <= day))


@dataclass(slots=True, kw_only=True)
class Life:
    """What happened to one ad campaign, in simulated days from ``start``."""

    start: date
    budget: str  #: the daily budget of now
    enabled: bool = False
    generations: list[Generation] = field(default_factory=list)

    def ad_added(self, token: str) -> None:
        """Note an ad of these texts, which ends the life of those of other texts."""
        if all(token != generation.token for generation in self.generations):
            self.generations.append(Generation(token=token, budgets=[(0, self.budget)], ran=self.enabled))

    def budget_changed(self, amount: str) -> None:
        """Change the campaign's budget from the next simulated day on."""
        self.budget = amount
        if self.generations:
            newest = self.generations[-1]
            newest.budgets = [entry for entry in newest.budgets if entry[0] < newest.days]
            newest.budgets.append((newest.days, amount))

    def switched(self, enabled: bool) -> None:
        """Enable or pause the campaign."""
        self.enabled = enabled
        if enabled and self.generations:
            self.generations[-1].ran = True

    def advance(self, days: int) -> None:
        """Let simulated days go by."""
        if self.enabled and self.generations:
            self.generations[-1].extra += days

    def to_json(self) -> dict[str, Any]:
        """JSON form, for the sandbox's state file."""
        return {
            "start": self.start.isoformat(),
            "budget": self.budget,
            "enabled": self.enabled,
            "generations": [
                {"token": g.token, "budgets": [list(b) for b in g.budgets], "extra": g.extra, "ran": g.ran}
                for g in self.generations
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Life:
        """Read what :meth:`to_json` wrote."""
        return Life(
            start=date.fromisoformat(data["start"]),
            budget=data["budget"],
            enabled=data["enabled"],
            generations=[
                Generation(
                    token=g["token"],
                    budgets=[(day, amount) for day, amount in g["budgets"]],
                    extra=g["extra"],
                    ran=g["ran"],
                )
                for g in data["generations"]
            ],
        )


def report(
    life: Life, token: str, ads: Mapping[str, AdText], *, market: Curve, seed: int, platform: str, key: str
) -> dict[str, list[DayFigures]]:
    """Return the days of each ad of one set of texts.

    ``ads``: all of these ads by name (they share the budget).
    """
    first = life.start
    for generation in life.generations:
        if generation.token == token:
            texts = list(ads.values())
            return {
                name: _days(
                    generation,
                    first,
                    market=market,
                    place=(at, len(ads)),
                    effect=market.quality * (0.35 + text_quality(ad, texts)),
                    noise=(seed, platform, key, token, at, ad.headline, ad.description),
                )
                for at, (name, ad) in enumerate(sorted(ads.items()))
            }
        first += timedelta(days=generation.days)
    return {name: [] for name in ads}


def _days(
    generation: Generation, first: date, *, market: Curve, place: tuple[int, int], effect: float, noise: tuple[Any, ...]
) -> list[DayFigures]:
    found = []
    share = 1 / place[1]
    # The ads of a campaign round at different places, so that together they round like one.
    phase = (place[0] + 0.5) / place[1]
    sums = {"impressions": 0.0, "clicks": 0.0, "conversions": 0.0}
    for day in range(generation.days):

        def drawn(name: str, day: int = day) -> float:
            return _lognormal(market.noise, *noise, day, name)

        budget = generation.budget(day)
        spent = budget * Decimal(share) * Decimal(min(1.0, 0.96 * drawn("spend")))
        spend = spent.quantize(Decimal("0.01"), rounding=ROUND_DOWN)
        total = float(spend) / share
        impressions = share * 1000 / market.cpm * total / (1 + total / market.half_spend) * drawn("impressions")
        clicks = impressions * min(0.5, market.ctr * effect * drawn("clicks"))
        conversions = clicks * min(0.9, market.cvr * math.sqrt(effect) * drawn("conversions"))
        # Whole events: what is left over goes to the next day, so that small campaigns aren't rounded away.
        counts = {}
        for name, value in (("impressions", impressions), ("clicks", clicks), ("conversions", conversions)):
            before = math.floor(sums[name] + phase)
            sums[name] += value
            counts[name] = math.floor(sums[name] + phase) - before
        found.append(DayFigures(day=first + timedelta(days=day), spend=spend, **counts))
    return found


def _fits(text: str, width: int) -> bool:
    return 0.4 * width <= len(text) <= width


def _words(text: str) -> set[str]:
    return {stem for word in re.findall(r"[^\W\d_]{2,}", text.lower()) if (stem := word.rstrip("s")) not in _STOP}


def _alike(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


def _uniform(*parts: Any) -> float:
    digest = sha256("\x1f".join(map(str, parts)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64


def _lognormal(sigma: float, *parts: Any) -> float:
    return math.exp(sigma * NormalDist().inv_cdf(_uniform(*parts)) - sigma * sigma / 2)
