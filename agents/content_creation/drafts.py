"""A written piece from the model's answer to the state: cleaned, judged, the better version chosen.

Invariant: pure. The same outputs give the same pieces, whenever and wherever they are folded in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.config import Brand, ContentRequirement
from agents.content_creation import house_rules
from agents.content_creation.assignments import Assignment
from agents.content_creation.units import BrandChecked, Scored, Written
from agents.readability import word_count
from agents.seo.kinds import kind_of
from agents.seo.pages import slug_of
from agents.seo.style import within
from agents.seo.text import Finding, Text
from agents.state import ContentPiece, GuidelineVerdict

RULE_COST = 0.2  #: of the quality, for each broken house rule; the SEO score itself is not touched
LENGTH_COST = 0.3  #: of the quality, for a length that was not asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One version of a piece with what the checks say about it."""

    text: Text
    seo_score: float  #: 0..1
    readability: float | None
    findings: tuple[Finding, ...]  #: all that is worth saying, broken rules first
    verdicts: tuple[GuidelineVerdict, ...]  #: on the guidelines
    sources: tuple[str, ...]
    produced_by: str

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What a revision should mend."""
        return tuple(finding for finding in self.findings if not finding.ok)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """House rules that it breaks."""
        return tuple(finding for finding in self.findings if finding.check in house_rules.CHECKS)

    @property
    def fits(self) -> bool:
        """Whether it has the length asked for."""
        return within(word_count(self.text.body), self.text.target_length)

    @property
    def quality(self) -> float:
        """For choosing between versions: the score less the cost of broken house rules and of a wrong length."""
        return self.seo_score - RULE_COST * len(self.broken) - (0 if self.fits else LENGTH_COST)


def text_of(written: Written, wanted: ContentRequirement, brand: Brand, sources: Sequence[str] = ()) -> Text:
    """Return a version as it is judged and kept."""
    title = _line(written.title).lstrip("#").strip()
    page = kind_of(wanted.content_type, wanted.target_length) == "page"
    return Text(
        title=title,
        body=_body(written.body, title),
        meta_description=_line(written.meta_description),
        call_to_action=_line(written.call_to_action),
        keywords=wanted.keywords,
        target_length=wanted.target_length,
        language=wanted.language,
        topic=wanted.topic or "",
        context=" ".join(filter(None, (wanted.audience, brand.name, brand.product, brand.description))),
        sources=tuple(sources),
        slug=slug_of(title) if page else "",
        website=brand.website or "",
    )


def draft(text: Text, written: Written, scored: Scored | None, checked: BrandChecked) -> Draft:
    """Return a version with what was found, which counts for nothing without a score."""
    found = (*checked.findings, *(scored.findings if scored else ()))
    return Draft(
        text=text,
        seo_score=scored.seo_score if scored else 0.0,
        readability=scored.readability if scored else None,
        findings=tuple(Finding(one.check, one.points, one.message) for one in found),
        verdicts=checked.verdicts,
        sources=written.sources,
        produced_by=written.produced_by,
    )


def better(draft: Draft, revised: Draft | None) -> Draft:
    """Return the version to keep: the revision, unless the checks like the draft more."""
    return draft if revised is None or revised.quality < draft.quality else revised


def piece(draft: Draft, assignment: Assignment, now: datetime) -> ContentPiece:
    """Return the piece as it is kept."""
    wanted, text = assignment.requirement, draft.text
    return ContentPiece(
        piece_id=assignment.piece_id,
        revision=assignment.revision,
        content_type=wanted.content_type,
        topic=wanted.topic or "",
        title=text.title.strip(),
        body=text.body,
        meta_description=text.meta_description.strip(),
        call_to_action=text.call_to_action.strip(),
        keywords=wanted.keywords,
        tone=wanted.tone,
        target_length=wanted.target_length,
        word_count=word_count(text.body),
        seo_score=draft.seo_score,
        readability=draft.readability,
        slug=text.slug,
        checks=tuple(finding.message for finding in draft.findings),
        verdicts=draft.verdicts,
        sources=draft.sources,
        produced_by=draft.produced_by,
        generated_at=now,
    )


def _line(text: str) -> str:
    return " ".join(_visible(text).split())


def _body(text: str, title: str) -> str:
    """Return the body without a repeated title and without characters that can't be seen."""
    lines = _visible(text.replace("\r\n", "\n").replace("\r", "\n")).strip().split("\n")
    if lines[0].startswith("# ") and lines[0][2:].strip().casefold() == title.casefold():
        lines = lines[1:]
    return "\n".join(line.rstrip() for line in lines).strip()


def _visible(text: str) -> str:
    hidden = {"Cc", "Cs", "Co", "Cn"}
    bidi = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return "".join(c for c in text if c in "\n\t" or (unicodedata.category(c) not in hidden and c not in bidi))
