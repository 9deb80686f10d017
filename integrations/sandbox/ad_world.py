"""Hidden truth behind the sandbox's ad platforms: how a campaign of given texts, budget and setting does.

Figures of one ad on one day (before rounding, each with log-normal noise of about ``noise``):

    impressions = share · curve(spend / share)                  curve: integrations.ads.curve; share: 1 / ads that run
    clicks      = impressions · ctr · quality · text            quality: the platform's, with its drift and its turn
    conversions = clicks · cvr · sqrt(quality) · text'          text, text': integrations.sandbox.ad_rule

and what the campaign's setting of that day adds (:class:`~integrations.sandbox.ad_setting.Setting`, by the curve's
parameters of the same names). So better texts truly do better, and what better means is the world's. Conversions are
reported ``delay`` days after their clicks, on later days, also those on which the ad no longer runs.

Invariants: the same (seed, platform, effect key, revision, texts, budget, setting, day) give the same figures, whatever
was asked before; reading changes nothing; a day that has gone by never changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from hashlib import sha256
from statistics import NormalDist
from typing import Any

from integrations.ads import registry as ads
from integrations.ads.curve import Curve
from integrations.sandbox.ad_life import Generation, Life
from integrations.sandbox.ad_rule import TextRule
from integrations.sandbox.ad_setting import NEUTRAL, Setting, is_exact, plain
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.parameters import WorldParameters, checked

_SPREAD = 0.05  #: how far a seed moves each platform's quality
_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One platform in a world."""

    curve: Curve
    texts: TextRule


def market(platform: str, seed: int, world: Mapping[str, Any] | None) -> Market:
    """Return the platform's market in this world (:class:`~integrations.sandbox.parameters.WorldParameters`).

    Raises ValueError naming a parameter that is unknown or wrong.
    """
    parameters = checked(WorldParameters, world or {}, "world")
    base = ads.platform(platform).curve
    if base is None:
        raise ValueError(f"{platform} has no curve in its spec")
    moved = base.quality * (1 + _SPREAD * (2 * _uniform("quality", seed, platform) - 1))
    given = {**base.model_dump(), "quality": moved}
    for name in ("*", platform):
        given |= parameters.platforms.get(name, {})
    return Market(curve=checked(Curve, given, f"world.platforms.{platform}"), texts=parameters.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """One ad on one day."""

    day: date
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal
    #: search term -> share of the clicks that it had, of terms whose clicks never convert
    bad_terms: Mapping[str, float] = field(default_factory=dict)
    setting: Setting = NEUTRAL  #: of the campaign, on that day


def report(
    life: Life,
    token: str,
    ads: Mapping[str, AdText | Sequence[AdText]],
    *,
    market: Market,
    seed: int,
    platform: str,
    key: str,
) -> dict[str, list[DayFigures]]:
    """Return the days of each ad of one set of texts on which something happened, oldest first.

    ``ads``: all of these ads by the names that ``life`` knows; they share the budget with all others that run. Of
    several texts of an ad the one that does best on a day is shown.
    """
    generation = next((one for one in life.generations if one.token == token), None)
    found: dict[str, list[DayFigures]] = {name: [] for name in ads}
    if generation is None or market.curve.dead == "unseen":
        return found
    begin, running = life.begin(generation), life.running()
    shown = _Shown(ads, market.texts)
    for name in ads:
        if name in generation.ads:
            at, of = _place(generation, name, begin)
            noise = (seed, platform, key, token, at)
            row = _Ad(life=life, market=market, name=name, shown=shown, phase=(at + 0.5) / of, noise=noise)
            found[name] = list(row.days(begin, running))
    return found


def _place(generation: Generation, name: str, begin: int) -> tuple[int, int]:
    """Return an ad's number, and of how many, which later additions don't change."""
    first = sorted(ad for ad, switches in generation.ads.items() if switches[0][0] == begin)
    if name in first:
        return first.index(name), len(first)
    later = [ad for ad in generation.ads if ad not in first]
    return len(first) + later.index(name), len(first) + later.index(name) + 1


class _Shown:
    """What each ad shows to an audience."""

    def __init__(self, ads: Mapping[str, AdText | Sequence[AdText]], rule: TextRule) -> None:
        self._ads = {name: (one,) if isinstance(one, AdText) else tuple(one) for name, one in ads.items()}
        self._rule = rule
        self._found: dict[tuple[str, ...] | None, dict[str, AdText]] = {}

    def to(self, words: tuple[str, ...] | None) -> Mapping[str, AdText]:
        """Return the text of each ad for an aim of these words, None for the texts' own."""
        if words not in self._found:
            self._found[words] = {
                name: self._rule.best([one if words is None else replace(one, audience=words) for one in texts])
                for name, texts in self._ads.items()
            }
        return self._found[words]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ad:
    """One ad whose days are asked for."""

    life: Life
    market: Market
    name: str
    shown: _Shown
    phase: float  #: the ads of a campaign round at different places, so that together they round like one
    noise: tuple[Any, ...]

    def days(self, begin: int, running: Sequence[tuple[int, tuple[str, ...]]]) -> Iterator[DayFigures]:
        """Yield the days from the campaign's day ``begin``."""
        sums = {"impressions": 0.0, "clicks": 0.0, "conversions": 0.0}
        raw = list(self._raw(begin, running))
        late = _spread([day.conversions for day in raw], self.market.curve.delay)
        for at, (day, conversions) in enumerate(zip(raw, late, strict=True)):
            # Whole events: what is left over goes to the next day, so that small campaigns aren't rounded away.
            counts = {}
            for name, value in (("impressions", day.impressions), ("clicks", day.clicks), ("conversions", conversions)):
                before = math.floor(sums[name] + self.phase)
                sums[name] += value
                counts[name] = math.floor(sums[name] + self.phase) - before
            if day.ran or any(counts.values()):
                at_day = self.life.start + timedelta(days=begin + at)
                setting = self.life.setting_on(begin + at)
                yield DayFigures(day=at_day, spend=day.spend, bad_terms=day.bad_terms, setting=setting, **counts)

    def _raw(self, begin: int, running: Sequence[tuple[int, tuple[str, ...]]]) -> Iterator[_Raw]:
        curve, names = self.market.curve, tuple[str, ...]()
        left, seen = list(reversed(running)), [0.0] * (_WEEK - 1)
        texts, known = (1.0, 1.0), None
        for day in range(begin, self.life.clock):
            while left and left[-1][0] <= day:
                names = left.pop()[1]
            setting, made = self.life.setting_on(day), _NOTHING
            if self.name in names and not setting.ended(self.life.start + timedelta(days=day)):
                if known != (names, setting.words):
                    texts, known = self._texts(names, setting), (names, setting.words)
                made = self._day(day, day - begin, 1 / len(names), texts, sum(seen[1 - _WEEK :]))
            if curve.people:
                seen.append(made.seen)
            yield made

    def _texts(self, names: Sequence[str], setting: Setting) -> tuple[float, float]:
        """Return what the text does to the click rate and to the conversion rate beside the ads that run."""
        shown, rule = self.shown.to(setting.words), self.market.texts
        ad, siblings = shown[self.name], [shown[name] for name in names if name in shown]
        return rule.ctr.factor(ad, siblings), rule.cvr.factor(ad, siblings)

    def _day(self, day: int, age: int, share: float, texts: tuple[float, float], seen: float) -> _Raw:
        """Return one day of an ad that was ``seen`` so often per person in the six days before."""
        curve, setting = self.market.curve, self.life.setting_on(day)
        said = self.shown.to(setting.words)[self.name]

        def drawn(name: str) -> float:
            return _lognormal(curve.noise, *self.noise, said.headline, said.description, age, name)

        reach, quality = setting.bid**curve.bid_reach, curve.quality_on(day)
        room = setting.audience * reach * setting.schedule
        part = min(1.0, 0.96 * drawn("spend")) * min(1.0, reach)
        spend = _cents(self.life.budget_on(day) * Decimal(share) * Decimal(part))
        shown = curve.impressions(float(spend) / share, room=room, price=setting.bid**curve.bid_price)
        people = curve.people * setting.audience
        most = setting.frequency_cap * people / _WEEK
        if 0 < most < shown:
            spend, shown = _cents(spend * Decimal(most / shown)), most
        own = share * shown / people if people else 0.0
        impressions = share * shown * drawn("impressions")
        weekday = curve.weekdays[(self.life.start + timedelta(days=day)).weekday()]
        tired = math.exp(-curve.fatigue * max(0.0, seen + own - 1))
        ctr = curve.ctr * quality * texts[0] * weekday * tired * setting.audience**-curve.audience_fit
        cvr = curve.cvr * math.sqrt(quality) * texts[1] * (1 + curve.schedule_gain * (1 - setting.schedule))
        bad = self._bad_terms(setting, said.audience or ("",))
        clicks = impressions * min(0.5, ctr * drawn("clicks"))
        conversions = clicks * (1 - sum(bad.values())) * min(0.9, cvr * drawn("conversions"))
        if curve.dead == "spends":
            clicks = conversions = 0.0
        return _Raw(
            impressions=impressions, clicks=clicks, conversions=conversions, spend=spend, seen=own, bad_terms=bad
        )

    def _bad_terms(self, setting: Setting, keywords: Sequence[str]) -> dict[str, float]:
        """Return the search terms that bring nothing, with their share of the clicks.

        Each is a keyword, but for exact ones, with a bad word, and none that a negative keyword excludes.
        """
        return {
            term: share / len(keywords)
            for word, share in self.market.curve.bad_terms.items()
            for keyword in keywords
            if not is_exact(keyword) and not setting.excludes(term := f"{plain(keyword)} {word}".strip())
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A day before whole events are counted."""

    impressions: float = 0.0
    clicks: float = 0.0
    conversions: float = 0.0  #: of this day's clicks, whenever they are reported
    spend: Decimal = Decimal(0)
    seen: float = 0.0  #: impressions per person
    bad_terms: Mapping[str, float] = field(default_factory=dict)
    ran: bool = True


_NOTHING = _Raw(ran=False)


def _spread(values: Sequence[float], delay: int) -> list[float]:
    """Return each value spread evenly over its own and the next ``2 · delay`` places, as far as there are places."""
    if not delay:
        return list(values)
    width, found, window = 2 * delay + 1, [], 0.0
    for at, value in enumerate(values):
        window += value - (values[at - width] if at >= width else 0.0)
        found.append(max(0.0, window) / width)
    return found


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _uniform(*parts: Any) -> float:
    digest = sha256("\x1f".join(map(str, parts)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64


def _lognormal(sigma: float, *parts: Any) -> float:
    return math.exp(sigma * NormalDist().inv_cdf(_uniform(*parts)) - sigma * sigma / 2)
