"""A cache of cleaned people, so that a hop's later stages don't merge the same records anew.

Thread-safe and pure: a result is found by the records that it was made of, never by a campaign or a moment, so that a
campaign can't get another one's people. Invariant: the results that are kept were made of at most ``most`` records
together; what is larger by itself is never kept.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from agents.lead_generation.clean import Cleaned, CompanyFacts, Record, clean

MOST_RECORDS = 60_000  #: about 100 MB; one lead file has 50,000 rows at most


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the stages of a hop have brought so far."""

    records: tuple[Record, ...]
    companies: tuple[CompanyFacts, ...]
    barred: frozenset[str]

    @property
    def weight(self) -> int:
        """Number of records and facts."""
        return len(self.records) + len(self.companies)


class CleanedCache:
    """A bounded cache of :func:`clean`, keyed by the findings themselves."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._most = most
        self._weight = 0
        self._kept: OrderedDict[Findings, Cleaned] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def clean(self, findings: Findings) -> Cleaned:
        """Return ``clean`` of the findings."""
        with self._lock:
            known = self._kept.get(findings)
            if known is not None:
                self._kept.move_to_end(findings)
                return known
        made = clean(findings.records, findings.companies, findings.barred)
        if findings.weight <= self._most:
            with self._lock:
                if findings not in self._kept:
                    self._kept[findings] = made
                    self._weight += findings.weight
                while self._weight > self._most:
                    gone, _ = self._kept.popitem(last=False)
                    self._weight -= gone.weight
        return made
