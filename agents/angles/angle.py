"""Angles that ad texts are written from, each with one line that tells a writer what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Angle(StrEnum):
    """What a text builds on."""

    PLAIN = "plain"
    QUESTION = "question"
    PROOF = "proof"
    PRICE = "price"
    NUMBER = "number"
    AUDIENCE = "audience"
    URGENCY = "urgency"


EXPLAINED: Mapping[Angle, str] = {
    Angle.PLAIN: "says what is offered and to whom, and nothing else",
    Angle.QUESTION: "asks what the readers ask themselves; the headline ends with a question mark",
    Angle.PROOF: "points to customers, reviews or results that the brief names; invents none",
    Angle.PRICE: "speaks of the price or of what is free, with a figure only where the brief has it",
    Angle.NUMBER: "holds a number that the content supports: steps, minutes, points of a list",
    Angle.AUDIENCE: "speaks to the readers by their trade or their job and in their words",
    Angle.URGENCY: "says why to begin now, without a deadline that the brief doesn't name",
}


def known(name: str) -> Angle | None:
    """Return the angle of that name, None for "" and for a name that is none."""
    return Angle(name) if name in set(Angle) else None
