"""Text as people read it: paragraphs, sentences, words, and how easy it is to read.

Rules instead of a language library: they are deterministic, cost nothing and explain themselves. (textstat was tried:
its English needs a dictionary that it downloads on first use, so that it fails without a network.) Invariant: markup
(Markdown signs, link targets) is never counted as text.
"""

from __future__ import annotations

import re

from agents.languages.language import language

# Chinese, Japanese and Korean are written without spaces: each character counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’\-][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_ABBREVIATION = re.compile(
    r"\b(e\.g|i\.e|etc|vs|approx|Mr|Mrs|Ms|Dr|Inc|Ltd|Co|No|St|U\.S|"
    r"z\. ?B|d\. ?h|u\. ?a|bzw|ca|Nr|Abs|p\. ?ex|Sr|Sra|Dott|bijv|o\.a)\.",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+.*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SIGNS = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)]|>)\s+|[*_`~]{1,3}", re.MULTILINE)


def plain(markdown: str) -> str:
    """Return the running text, with headings and markup taken out and the words of links kept."""
    text = _HEADING.sub("", markdown)
    return _SIGNS.sub("", _LINK.sub(r"\1", text)).strip()


def paragraphs(markdown: str) -> list[str]:
    """Return the blocks of running text, split at blank lines and headings."""
    blocks = re.split(r"\n\s*\n", _HEADING.sub("\n\n", markdown))
    return [text for block in blocks if (text := plain(block))]


def sections(markdown: str) -> list[str]:
    """Return the texts between headings of any level, and before the first one, without empty ones."""
    return [text for part in _HEADING.split(markdown) if (text := plain(part))]


def sentences(text: str) -> list[str]:
    """Return the sentences of running text, which a line break between blocks ends, too."""
    masked = _ABBREVIATION.sub(lambda found: found.group().replace(".", "\u2024"), text)
    found = [
        part.strip().replace("\u2024", ".") for block in re.split(r"\n+", masked) for part in _SENTENCE_END.split(block)
    ]
    return [sentence for sentence in found if words(sentence)]


def words(text: str) -> list[str]:
    """Return the words of running text, as written."""
    return _WORD.findall(text)


def word_count(markdown: str) -> int:
    """Count the words of a piece, headings included, markup not."""
    return len(words(_SIGNS.sub("", _LINK.sub(r"\1", markdown))))


def headings(markdown: str) -> list[str]:
    """Return the headings of a text, without their signs."""
    return [found.strip().lstrip("#").strip() for found in _HEADING.findall(markdown)]


def reading_ease(text: str, code: str = "en") -> float | None:
    """Return the reading ease of running text, about 0 (hard) to 100 (easy), by its language's formula.

    Flesch 1948 for English, Amstad 1978 for German, Kandel and Moles 1958 for French, Szigriszt 1993 for Spanish,
    Franchina and Vacca 1986 for Italian, Douma 1960 for Dutch. None without words, and in other languages.
    """
    found, rules = words(text), language(code)
    return rules.reading_ease(found, len(sentences(text))) if found and rules else None
