"""What is judged, and what a check says about it."""

from __future__ import annotations

from dataclasses import dataclass

BEST = 9
ACCEPTABLE = 6  #: below this a check asks for a revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is judged, and what it is to be about."""

    title: str
    body: str  #: Markdown
    meta_description: str = ""
    call_to_action: str = ""
    keywords: tuple[str, ...] = ()  #: the first is the keyphrase, the others are to occur
    target_length: int = 0  #: words; 0 = any
    language: str = "en"
    topic: str = ""
    context: str = ""  #: what else the brief says: audience, product, description of the brand
    sources: tuple[str, ...] = ()  #: passages of the knowledge base that the writer was shown
    slug: str = ""  #: last part of a page's address
    website: str = ""  #: the brand's own; "" = none was given

    @property
    def whole(self) -> str:
        """All that people read of it."""
        return "\n".join((self.title, self.body, self.meta_description, self.call_to_action))


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one check."""

    check: str
    points: int  #: at most 9; negative for what search engines punish
    message: str  #: empty when nothing is to be said
    cap: float = 1.0  #: most that the whole text can score, 0..1

    @property
    def ok(self) -> bool:
        """Whether it is good enough to be left as it is."""
        return self.points >= ACCEPTABLE


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one text."""

    score: float  #: 0..1
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What a revision should mend."""
        return tuple(finding for finding in self.findings if not finding.ok)
