"""Text as people read it: paragraphs, sentences, words, syllables, and how easy it is to read.

Rules instead of a language library: they are deterministic, cost nothing and explain themselves. The
counts are those of English; for other languages words and sentences still hold, syllables do not.
Invariant: markup (Markdown signs, link targets) is never counted as text.
"""

from __future__ import annotations

import re

# Chinese, Japanese and Korean are written without spaces: each character counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’\-][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|approx|Mr|Mrs|Ms|Dr|Inc|Ltd|Co|No|St|U\.S)\.", re.IGNORECASE)
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+.*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SIGNS = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)]|>)\s+|[*_`~]{1,3}", re.MULTILINE)
_VOWELS = re.compile(r"[aeiouy]+")


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


def syllables(word: str) -> int:
    """Count the syllables of an English word, by its vowel groups, at least 1."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    if not letters:
        return 1
    count = len(_VOWELS.findall(letters))
    silent_e = letters.endswith("e") and not letters.endswith(("le", "ee", "ye", "oe", "ie"))
    silent_ed = letters.endswith("ed") and not letters.endswith(("ted", "ded", "eed", "ied"))
    silent_es = letters.endswith("es") and not letters.endswith(
        ("ses", "ces", "zes", "xes", "shes", "ches", "ges", "ies", "oes")
    )
    if silent_e or silent_ed or silent_es:
        count -= 1
    count += len(re.findall(r"i[ao](?!u)|[aeo]ing$|uou|^creat", letters)) - len(re.findall(r"[tcsg]i[aou]", letters))
    return max(1, count)


def flesch(text: str) -> float | None:
    """Return the reading ease of running English text, about 0 (hard) to 100 (easy), or None without words.

    206.835 - 1.015 x words per sentence - 84.6 x syllables per word (R. Flesch, "A new readability yardstick", Journal
    of Applied Psychology 32, 1948).
    """
    found = words(text)
    if not found:
        return None
    per_sentence = len(found) / max(1, len(sentences(text)))
    per_word = sum(map(syllables, found)) / len(found)
    return round(206.835 - 1.015 * per_sentence - 84.6 * per_word, 1)
