"""Which language a text is in, by the library lingua in its low-accuracy mode (trigrams: 20 MB and 0.1 s once).

Loaded by the first text that is judged. Invariant: deterministic; a text of fewer than :data:`LEAST_WORDS` words is in
no language that could be told.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lingua import LanguageDetector

LEAST_WORDS = 4
#: What is told apart: the languages that we have rules for, those that are taken for them, and Latin, because of
#: dummy texts ("lorem ipsum").
TOLD = (
    "ENGLISH", "GERMAN", "FRENCH", "SPANISH", "ITALIAN", "DUTCH", "PORTUGUESE", "LATIN", "SWEDISH", "DANISH",
    "BOKMAL", "POLISH", "CZECH", "CATALAN", "ROMANIAN", "FINNISH", "HUNGARIAN", "TURKISH", "RUSSIAN", "UKRAINIAN",
    "GREEK", "ARABIC", "JAPANESE", "CHINESE", "KOREAN",
)  # fmt: skip


class Told(NamedTuple):
    """Language of a text."""

    code: str  #: two letters, ISO 639-1
    name: str  #: in English
    confidence: float  #: 0..1


@cache
def known() -> frozenset[str]:
    """Return the codes of the languages that can be told apart."""
    from lingua import Language

    return frozenset(getattr(Language, name).iso_code_639_1.name.lower() for name in TOLD)


def told(text: str) -> Told | None:
    """Return the most likely language of a text, None for one that is too short."""
    if len(text.split()) < LEAST_WORDS:
        return None
    values = _detector().compute_language_confidence_values(text)
    if not values or values[0].value <= 0:
        return None
    first = values[0].language
    return Told(first.iso_code_639_1.name.lower(), first.name.capitalize(), float(values[0].value))


@cache
def _detector() -> LanguageDetector:
    from lingua import Language, LanguageDetectorBuilder

    wanted = [getattr(Language, name) for name in TOLD]
    return LanguageDetectorBuilder.from_languages(*wanted).with_low_accuracy_mode().build()
