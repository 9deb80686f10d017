"""What the ads of each angle have brought against the others beside them.

Pure. An angle's ads are compared with the ads of other angles on the same platform, of the same texts and on the same
days; the ratios are pooled over platforms and rounds (:mod:`agents.evidence.effect`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agents.angles.angle import Angle, known
from agents.evidence.effect import SURE, EffectBelief, effect
from agents.same_days import on_same_days
from agents.state import AdDay
from agents.wanted import Counted


class Verdict(StrEnum):
    """What is sure of an angle."""

    WON = "won"
    LOST = "lost"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What is known of one angle."""

    belief: EffectBelief  #: its results for the money over those of the other angles
    verdict: Verdict


def learned(daily: Sequence[AdDay], what: Counted) -> Mapping[Angle, Learned]:
    """Return what the figures say of each angle that ran beside others, in the order of :class:`Angle`.

    An angle has won, or lost, where that is surer than :data:`agents.evidence.effect.SURE`, divided by the number of
    angles that are judged at once (Bonferroni).
    """
    groups: dict[tuple[str, int], list[AdDay]] = {}
    for one in daily:
        if known(one.angle) is not None:
            groups.setdefault((one.platform, one.revision), []).append(one)
    beliefs = {}
    for angle in Angle:
        pairs = [on_same_days(days, lambda day: day.angle == angle) for days in groups.values()]  # noqa: B023
        if seen := [pair for pair in pairs if pair is not None]:
            beliefs[angle] = effect(seen, what)
    return {
        angle: Learned(belief=belief, verdict=_verdict(belief, (1 - SURE) / len(beliefs)))
        for angle, belief in beliefs.items()
    }


def winner(found: Mapping[Angle, Learned]) -> Angle | None:
    """Return the angle that has surely won, the one that brings most where several have."""
    won = [angle for angle, one in found.items() if one.verdict is Verdict.WON]
    return max(won, key=lambda angle: found[angle].belief.mean, default=None)


def told(found: Mapping[Angle, Learned], what: Counted) -> list[dict[str, str]]:
    """Return what was learned as facts for a writer, the angle that brings most first."""
    ordered = sorted(found, key=lambda angle: (-found[angle].belief.mean, angle))
    return [
        {"angle": angle, "verdict": found[angle].verdict, "figures": _said(found[angle], what)} for angle in ordered
    ]


def _verdict(belief: EffectBelief, error: float) -> Verdict:
    if belief.better >= 1 - error:
        return Verdict.WON
    return Verdict.LOST if belief.better <= error else Verdict.UNCLEAR


def _said(one: Learned, what: Counted) -> str:
    low, high = one.belief.interval
    return f"{one.belief.mean:+.0%} {what} for the money against the other angles, between {low:+.0%} and {high:+.0%}"
