"""Who of the sandbox's people says yes: a hidden preference for each seed, drawn anew from what is publicly known.

A seed likes some seniorities, fields of work, sizes, industries and countries, each to a degree that it draws, one
combination of two, and a little something that no lead shows. It reads titles by words of its own, as this layer knows
no agent: what learns from the answers is measured against a truth that it had no part in. Whether a person says yes is
drawn by the resulting chance, and stays the same for the seed. ``POST /_sandbox/reset`` takes
``{"world": {"preferences": SEED}}``.

Seeds 1 to 199 are for development; those from 201 on were not looked at while the learning was made, and its tests are
of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from integrations.sandbox.staff import MANAGING_DIRECTOR, OFFICES, OWNER, TRADES
from integrations.sandbox.world import Company, Person, World, chance

SPREAD = 3.0  #: standard deviation of what a seed's likes add up to, in logits
BIAS = -1.0  #: logit of a person about whom nothing is liked or disliked
WON = 0.5  #: of those who say yes
UNSEEN = 0.6  #: logits by which it goes by what no lead shows, here the form of an address: no one can learn it
_FACTS = ("level", "field", "industry", "country", "size")
_LEVELS = (
    ("assistant", r"\bassistant\b(?! vice)|\bcoordinator\b|\brepresentative\b"),
    ("founder", r"founder|owner|inhaber"),
    ("chief", r"\bc[etfom]o\b|\bchief\b(?! of staff)|managing director|president(?<!vice president)"),
    ("vp", r"\bs?vp\b|vice president"),
    ("director", r"director"),
    ("head", r"\bhead\b"),
    ("manager", r"manager|\blead\b"),
)
_FIELDS = (
    ("marketing", r"marketing|growth|content|brand|\bcmo\b"),
    ("sales", r"sales|account executive|customer success"),
    ("money", r"\bcfo\b|financ|account(?!\s+exec)|bookkeep"),
    ("technology", r"\bcto\b|technology|engineer|software|data|active directory|system"),
    ("product", r"product|design|\bart\b"),
    ("operations", r"\bcoo\b|operat|procure|buyer|office|project"),
    ("people", r"\bhr\b|recruit"),
)
_STAFF = {
    title.lower(): job
    for job in (OWNER, MANAGING_DIRECTOR, *OFFICES, *(one for trade in TRADES.values() for one in trade))
    for title in job.titles.values()
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person, as the hidden preference reads it."""

    level: str
    field: str
    industry: str
    country: str
    size: float  #: natural logarithm of the number of employees, 0 where it is unknown
    mailbox: str

    @staticmethod
    def of(person: Mapping[str, object]) -> Known:
        """Read the fields of a lead, by the names that a campaign has for them."""
        title, email = str(person.get("job_title") or ""), str(person.get("email") or "")
        job = _STAFF.get(title.lower())
        local = email.partition("@")[0]
        return Known(
            level=job.level if job else _first(_LEVELS, title),
            field=job.function if job else _first(_FIELDS, title),
            industry=str(person.get("industry") or "").lower(),
            country=str(person.get("location") or "").rpartition(", ")[2],
            size=_logarithm(person.get("company_size")),
            mailbox="none" if not email else "dotted" if "." in local else "short",
        )


class Preferences:
    """Hidden preference of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        random = Random(f"preferences/{seed}")
        weights = [random.gammavariate(0.8, 1.0) for _ in _FACTS]
        norm = math.sqrt(sum(weight**2 for weight in weights))
        self._weights = {fact: SPREAD * weight / norm for fact, weight in zip(_FACTS, weights, strict=True)}
        self._weights["mailbox"] = UNSEEN
        self._best_size, self._width = random.uniform(2.0, 8.0), random.uniform(1.0, 2.5)
        self._pair = (random.choice(("founder", "chief", "vp", "director", "manager")), random.random() < 0.5)
        self._together = random.gauss(0.0, 1.0)

    def chance(self, person: Mapping[str, object]) -> float:
        """Return how likely a person is to say yes."""
        known = Known.of(person)
        logit = BIAS
        for fact in ("level", "field", "industry", "country", "mailbox"):
            logit += self._weights[fact] * _liking(self.seed, fact, getattr(known, fact))
        if known.size:
            logit += self._weights["size"] * (1.0 - ((known.size - self._best_size) / self._width) ** 2 / 2)
        level, small = self._pair
        if known.level == level and (known.size < math.log(60)) is small:
            logit += self._together
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))

    def says_yes(self, person: Mapping[str, object], key: object) -> bool:
        """Return the answer of the person with this key, always the same."""
        return chance("answer", self.seed, key) < self.chance(person)


def outcomes(
    deliveries: Iterable[Mapping[str, object]], world: World, preferences: Preferences
) -> list[dict[str, str]]:
    """Return what came of delivered leads, each once: half of those who say yes are won, the others want a meeting."""
    found: dict[str, str] = {}
    for row in deliveries:
        email = str(row.get("email") or "")
        if email in world.by_email:
            yes = preferences.says_yes(facts(*world.by_email[email]), email)
            won = chance("won", preferences.seed, email) < WON
            found[email] = ("won" if won else "meeting") if yes else "lost"
    return [{"lead": email, "outcome": outcome} for email, outcome in found.items()]


def facts(company: Company, person: Person) -> dict[str, object]:
    """Return what is true of a person of the world, by the names that a lead has for it."""
    return {
        "email": person.email,
        "job_title": person.title,
        "industry": company.industry,
        "company_size": company.size,
        "location": company.city,
    }


@lru_cache(maxsize=20_000)
def _liking(seed: int, fact: str, value: str) -> float:
    return Random(f"liking/{seed}/{fact}/{value}").gauss(0.0, 1.0)


def _first(table: tuple[tuple[str, str], ...], title: str) -> str:
    return next((name for name, pattern in table if re.search(pattern, title.lower())), "other")


def _logarithm(size: object) -> float:
    bounds = [max(1, int(number)) for number in re.findall(r"\d+", str(size or "").replace(",", ""))][:2]
    return sum(map(math.log, bounds)) / len(bounds) if bounds else 0.0
