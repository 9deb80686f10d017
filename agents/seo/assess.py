"""Score of a text: its kind's checks, sum / (9 x checks), and at most what the worst of its caps allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from agents.seo import keyphrases, pages, style, substance
from agents.seo.kinds import kind_of
from agents.seo.text import BEST, Finding, Report, Text


def assess(text: Text, content_type: str) -> Report:
    """Judge ``text`` by the norms of its kind."""
    checks = NORMS[kind_of(content_type, text.target_length)]
    findings = tuple(found for name in checks if (found := CHECKS[name](name, text)) is not None)
    if not findings:
        return Report(0.0, ())
    score = sum(finding.points for finding in findings) / (BEST * len(findings))
    most = min(finding.cap for finding in findings)
    return Report(round(min(most, max(0.0, score)), 4), findings)


CHECKS: Mapping[str, Callable[[str, Text], Finding | None]] = MappingProxyType(
    {
        "repetition": substance.repetition,
        "sense": substance.sense,
        "language": substance.in_language,
        "coverage": substance.coverage,
        "length": style.length,
        "page_length": style.page_length,
        "meta_description": pages.meta_description,
        "keyword_in_meta": pages.keyphrase_in_meta,
        "title_width": pages.title_width,
        "subject_length": pages.subject_length,
        "slug": pages.keyphrase_in_slug,
        "image_alt": pages.image_alt,
        "links": pages.links,
        "keyword_in_title": keyphrases.in_title,
        "keyword_in_introduction": keyphrases.in_introduction,
        "keyword_in_subheadings": keyphrases.in_subheadings,
        "keyword_density": keyphrases.density,
        "keyword_distribution": keyphrases.distribution,
        "keywords_used": keyphrases.all_used,
        "keyword_present": keyphrases.present,
        "one_heading": style.one_heading,
        "subheadings": style.subheadings,
        "paragraph_length": style.paragraph_length,
        "sentence_length": style.sentence_length,
        "sentence_openings": style.sentence_openings,
        "passive_voice": style.passive_voice,
        "transition_words": style.transition_words,
        "readability": style.readability,
        "call_to_action": style.call_to_action,
    }
)
_SUBSTANCE = ("repetition", "sense", "language", "coverage")
_READABLE = ("paragraph_length", "sentence_length", "sentence_openings", "passive_voice", "readability")
#: Which checks judge which kind of content.
NORMS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "page": (
            *_SUBSTANCE,
            "length",
            "page_length",
            "meta_description",
            "keyword_in_meta",
            "title_width",
            "slug",
            "image_alt",
            "links",
            "keyword_in_title",
            "keyword_in_introduction",
            "keyword_in_subheadings",
            "keyword_density",
            "keyword_distribution",
            "keywords_used",
            "one_heading",
            "subheadings",
            "transition_words",
            "call_to_action",
            *_READABLE,
        ),
        "email": (*_SUBSTANCE, "length", "subject_length", "keyword_present", "call_to_action", *_READABLE),
        "social": (
            *_SUBSTANCE,
            "length",
            "keyword_present",
            "call_to_action",
            "sentence_length",
            "readability",
        ),
        "ad": (*_SUBSTANCE, "length", "keyword_present", "call_to_action", "sentence_length"),
    }
)
