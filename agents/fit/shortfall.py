"""What leads that don't qualify are short of: which criterion is missed how often, and how many miss one only.

Pure figures over the verdicts of many leads, in words that name no lead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.fit.criteria import Criterion
from agents.fit.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What leads that don't qualify are short of."""

    leads: int
    missed: Mapping[Criterion, int]  #: criterion -> leads that are clearly something else
    unknown: Mapping[Criterion, int]  #: criterion -> leads of which it isn't known
    by_one: Mapping[Criterion, int]  #: criterion -> leads that meet all others

    def figures(self) -> Mapping[str, object]:
        """Return the figures by name, without what is 0."""
        found = {"missed": self.missed, "unknown": self.unknown, "missed_by_one": self.by_one}
        return {name: {str(one): n for one, n in counts.items()} for name, counts in found.items() if counts}

    def words(self) -> list[str]:
        """Return the figures in words, the criterion that keeps most leads out first."""
        lines = []
        for one in sorted(Criterion, key=lambda one: -(self.missed.get(one, 0) + self.unknown.get(one, 0))):
            parts = [
                f"{count:,} {text}"
                for count, text in ((self.missed.get(one, 0), "not as asked"), (self.unknown.get(one, 0), "unknown"))
                if count
            ]
            if parts:
                lines.append(f"{one}: {', '.join(parts)}")
        near = sum(self.by_one.values())
        if near:
            by = ", ".join(f"{one} {count:,}" for one, count in sorted(self.by_one.items(), key=lambda item: -item[1]))
            lines.append(f"{near:,} missed by one criterion ({by})")
        return lines


def shortfall(verdicts: Iterable[Mapping[Criterion, Verdict]]) -> Shortfall:
    """Count over the verdicts of leads that don't qualify."""
    leads = 0
    missed: Counter[Criterion] = Counter()
    unknown: Counter[Criterion] = Counter()
    by_one: Counter[Criterion] = Counter()
    for one in verdicts:
        leads += 1
        missed.update(criterion for criterion, verdict in one.items() if verdict is Verdict.NO)
        unknown.update(criterion for criterion, verdict in one.items() if verdict is Verdict.UNKNOWN)
        short = [
            criterion for criterion, verdict in one.items() if verdict is not Verdict.YES and criterion != "keyword"
        ]
        by_one.update(short if len(short) == 1 else ())
    return Shortfall(leads, missed, unknown, by_one)
