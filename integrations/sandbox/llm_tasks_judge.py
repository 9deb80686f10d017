"""Judge of texts in the sandbox's model: it counts what a guideline names, and says "unclear" beyond that.

What a guideline forbids is broken by a sentence that has a word of it. What it asks for is kept by one. A tone is held
against few features: short forms, exclamation marks, long words, long sentences. Invariant: it knows no rule of the
program that asks it; an answer depends on guideline and text only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from integrations.sandbox.protocol import JsonObject

_FORBIDS = re.compile(r"\b(?:no|not|never|avoid\w*|don['’]t|without|nothing|kein\w*|nie|nicht|ohne)\b", re.IGNORECASE)
_SMALL = frozenset(
    {
        "the",
        "and",
        "for",
        "with",
        "our",
        "your",
        "their",
        "that",
        "this",
        "from",
        "into",
        "than",
        "when",
        "where",
        "which",
        "who",
        "what",
        "how",
        "must",
        "should",
        "always",
        "never",
        "avoid",
        "don",
        "use",
        "using",
        "write",
        "say",
        "mention",
        "keep",
        "make",
        "every",
        "each",
        "any",
        "all",
        "are",
        "is",
        "it",
        "its",
        "be",
        "to",
        "of",
        "in",
        "on",
        "at",
        "a",
        "an",
        "as",
        "or",
        "not",
        "no",
        "without",
        "text",
        "texts",
        "reader",
        "readers",
        "brand",
        "sound",
        "like",
        "more",
        "less",
        "very",
        "about",
        "them",
        "they",
        "you",
        "we",
        "back",
        "out",
        "leave",
    }
)
_LOOSE = frozenset(
    {
        "casual",
        "friendly",
        "playful",
        "warm",
        "conversational",
        "informal",
        "relaxed",
        "fun",
        "witty",
        "cheeky",
    }
)
_STRICT = frozenset(
    {
        "formal",
        "professional",
        "serious",
        "authoritative",
        "academic",
        "corporate",
        "official",
        "respectful",
    }
)


def check_guidelines(brief: JsonObject, seed: int) -> dict[str, object]:
    """Judge a text by each of the numbered guidelines: {verdicts: [{number, kept, sentence}]}."""
    del seed
    asked = brief.get("guidelines")
    listed: Mapping[str, object] = asked if isinstance(asked, Mapping) else {}
    sentences = _sentences(str(brief.get("text", "")))
    verdicts = []
    for number, guideline in listed.items():
        kept, sentence = _judged(str(guideline), sentences)
        verdicts.append({"number": int(number), "kept": kept, "sentence": sentence})
    return {"verdicts": verdicts}


TASKS = {"check_guidelines": check_guidelines}


def _judged(guideline: str, sentences: Sequence[str]) -> tuple[str, str]:
    if found := re.match(r"The tone is (.+)\.$", guideline):
        return _tone(found[1].lower(), sentences)
    wanted = {_stem(word) for word in re.findall(r"[^\W\d_]{3,}", guideline.lower()) if word not in _SMALL}
    having = [one for one in sentences if wanted & {_stem(word) for word in re.findall(r"[^\W\d_]{3,}", one.lower())}]
    if _FORBIDS.search(guideline):
        return ("no", having[0]) if having else ("yes", "")
    return ("yes" if having else "unclear"), ""


def _tone(asked: str, sentences: Sequence[str]) -> tuple[str, str]:
    text = " ".join(sentences)
    words = re.findall(r"[^\W\d_]+", text) or ["a"]
    loose = len(re.findall(r"\w['’](?:t|re|ve|ll|s|m)\b", text)) + 2 * text.count("!")
    heavy = sum(len(word) > 9 for word in words) / len(words) + len(words) / max(1, len(sentences)) / 100
    said = set(re.findall(r"[a-z]+", asked))
    if said & _STRICT and loose / len(words) > 0.06:
        return "no", next((one for one in sentences if "!" in one), sentences[0] if sentences else "")
    if said & _LOOSE and heavy > 0.45:
        return "no", max(sentences, key=len, default="")
    return ("yes" if said & (_STRICT | _LOOSE) else "unclear"), ""


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip()]


def _stem(word: str) -> str:
    return re.sub(r"(?:ies|ing|ed|es|s|e)$", "", word) if len(word) > 4 else word
