"""Labelled titles, industries and leads of tests/data, and the figures of a judgement against them.

The half of a list that was never looked at while the rules were made is told by a checksum, so that it can't drift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from agents.fit.titles import functions, level
from agents.state import Lead

DATA = Path(__file__).parent.parent / "data"


def unseen(text: str) -> bool:
    """Whether a labelled text is of the half that rules were never made by."""
    return crc32(text.encode()) % 2 == 1


def _lines(name: str) -> Iterator[list[str]]:
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")


@dataclass(frozen=True, slots=True)
class LabelledTitle:
    """A title, its language, and what is right of it; of alternatives any one is."""

    language: str
    title: str
    levels: tuple[str, ...]
    functions: tuple[tuple[str, ...], ...]


def titles() -> list[LabelledTitle]:
    """All labelled titles."""
    return [
        LabelledTitle(
            language,
            title,
            tuple(levels.split("/")),
            tuple(tuple(one.split("/")) for one in expected.split("+")),
        )
        for language, levels, expected, listed in _lines("title_labels.tsv")
        for title in listed.split("; ")
    ]


def industries() -> list[tuple[str, str, bool]]:
    """All labelled industries as (target, text, whether it belongs to the target)."""
    return [
        (target, text, right == "1")
        for target, right, listed in _lines("industry_labels.tsv")
        for text in listed.split("; ")
    ]


@dataclass(frozen=True, slots=True)
class LabelledLead:
    """A lead with what is true of it; "?" is what its source doesn't say."""

    level: str
    function: str
    employees: str
    country: str
    industry: str
    lead: Lead


def leads() -> list[LabelledLead]:
    """All labelled leads."""
    found = []
    for kind, employees, country, industry, title, size, place, trade in _lines("fit_leads.tsv"):
        level_, _, function = kind.partition(":")
        lead = Lead(job_title=title, company_size=size or None, location=place or None, industry=trade or None)
        found.append(LabelledLead(level_, function, employees, country, industry, lead))
    return found


@dataclass(slots=True)
class Figures:
    """What was said and how much of it is good, what would have been right and how much of it was found."""

    said: int = 0
    good: int = 0
    right: int = 0
    found: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of what was said that is right."""
        return self.good / self.said if self.said else 1.0

    @property
    def recall(self) -> float:
        """Share of what is right that was said."""
        return self.found / self.right if self.right else 1.0

    def add(self, *, said: int, good: int, right: int, found: int) -> None:
        """Count one more answer."""
        self.said += said
        self.good += good
        self.right += right
        self.found += found

    def __str__(self) -> str:
        """Return the figures and the first mistakes, for a failing test."""
        return f"precision {self.precision:.3f}, recall {self.recall:.3f} of {self.right}; wrong: {self.wrong[:25]}"


def title_figures(labelled: Iterable[LabelledTitle]) -> dict[tuple[str, str], Figures]:
    """Figures by language (and "all") and "seniority" or "function"."""
    found: defaultdict[tuple[str, str], Figures] = defaultdict(Figures)
    for one in labelled:
        said, fields = level(one.title), functions(one.title)
        for language in (one.language, "all"):
            seniority, function = found[language, "seniority"], found[language, "function"]
            seniority.add(said=said is not None, good=said in one.levels, right=1, found=said in one.levels)
            if said not in one.levels:
                seniority.wrong.append(f"{one.title}: {said}, not {'/'.join(one.levels)}")
            good = sum(any(name in names for names in one.functions) for name in fields)
            hits = sum(any(name in fields for name in names) for names in one.functions)
            function.add(said=len(fields), good=good, right=len(one.functions), found=hits)
            if good < len(fields) or hits < len(one.functions):
                function.wrong.append(f"{one.title}: {sorted(fields)}, not {one.functions}")
    return dict(found)


def figures(
    labelled: Iterable[tuple[bool, bool, str]],
) -> Figures:
    """Figures of (said, right, what) triples."""
    found = Figures()
    for said, right, what in labelled:
        found.add(said=said, good=said and right, right=right, found=said and right)
        if said is not right:
            found.wrong.append(f"{what}: {said}, not {right}")
    return found


Truth = Callable[[LabelledLead], bool | None]  #: whether a lead is right for an audience; None: its source doesn't say
