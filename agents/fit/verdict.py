"""What is said of one fact against what was asked for: yes, no or unknown, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a fact is what was asked for, ``unknown`` when it is missing or too vague to tell."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @staticmethod
    def of(answer: bool | None) -> Verdict:
        """Return the verdict for an answer that may be open."""
        return Verdict.UNKNOWN if answer is None else Verdict.YES if answer else Verdict.NO


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with its reason in words."""

    verdict: Verdict
    reason: str


def best(answers: Iterable[bool | None]) -> bool | None:
    """Return the best of several answers: yes before unknown before no."""
    found = set(answers)
    return True if True in found else None if None in found else False
