"""A written piece from the model's answer to the state: cleaned, judged, the better version chosen.

Invariant: pure. The same outputs give the same pieces, whenever and wherever they are folded in.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from agents.config import Brand
from agents.content_creation.assignments import Assignment
from agents.content_creation.house_rules import check
from agents.content_creation.units import Written
from agents.readability import flesch, plain, word_count
from agents.seo import Finding, Text, assess
from agents.state import ContentPiece

RULE_COST = 0.2  #: of the quality, for each broken house rule; the SEO score itself is not touched


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One version of a piece with what the checks say about it."""

    text: Text
    seo_score: float  #: 0..1
    findings: tuple[Finding, ...]  #: all that is worth saying, broken rules first
    quality: float  #: seo_score less the cost of broken house rules; for choosing between versions
    sources: tuple[str, ...]
    produced_by: str

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What a revision should mend."""
        return tuple(finding for finding in self.findings if not finding.ok)


def judge(written: Written, assignment: Assignment, brand: Brand) -> Draft:
    """Check one version of a piece."""
    wanted = assignment.requirement
    title = _line(written.title).lstrip("#").strip()
    text = Text(
        title=title,
        body=_body(written.body, title),
        meta_description=_line(written.meta_description),
        call_to_action=_line(written.call_to_action),
        keywords=wanted.keywords,
        target_length=wanted.target_length,
        language=wanted.language,
    )
    report = assess(text, wanted.content_type)
    rules = check(text, wanted, brand)
    return Draft(
        text=text,
        seo_score=report.score,
        findings=(*rules, *(finding for finding in report.findings if finding.message)),
        quality=report.score - RULE_COST * len(rules),
        sources=written.sources,
        produced_by=written.produced_by,
    )


def better(draft: Draft, revised: Draft | None) -> Draft:
    """Return the version to keep: the revision, unless the checks like the draft more."""
    return draft if revised is None or revised.quality < draft.quality else revised


def piece(draft: Draft, assignment: Assignment, now: datetime) -> ContentPiece:
    """Return the piece as it is kept."""
    wanted, text = assignment.requirement, draft.text
    language_known = text.language.lower().startswith("en")
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
        readability=flesch(plain(text.body)) if language_known else None,
        checks=tuple(finding.message for finding in draft.findings),
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
