"""A rule that a text keeps or breaks, and where sentences are looked for that break it.

Invariant: what breaks a rule is quoted as it stands in the text, so that a person finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agents.languages.language import code_of
from agents.readability import headings, plain, sentences
from agents.seo.text import Text

MISSING = ""  #: found by a rule when a text lacks something: there is no sentence to quote

#: Find the sentence that breaks a rule, :data:`MISSING` where something lacks, None when it is kept.
Find = Callable[[Text], str | None]

NOT = (
    r"(?:\b(?:no|not|never|avoid\w*|don[’']?t|do not|without|bans?|banned|forbid\w*|forbidden|skip|refrain\w* from|"
    r"(?:keep|stay|steer) (?:away|clear) (?:from|of)|leave out|zero|limit|minimi[sz]e|hold back|drop|cut|"
    r"kein\w*|nie|niemals|nicht|ohne|vermeide\w*|verzicht\w*|pas d[eu’']|jamais|sans|évite\w*|nunca|sin|evita\w*|"
    r"mai|senza|niente|geen|nooit|zonder|vermijd\w*)\b)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a guideline."""

    name: str
    find: Find


def forbids(guideline: str, topic: str) -> bool:
    """Return whether a guideline forbids what the pattern ``topic`` names: "no emojis", "emoji-free"."""
    before = re.search(rf"{NOT}[^.;]{{0,60}}?(?<!\w)(?:{topic})", guideline, re.IGNORECASE)
    after = rf"(?:{topic})\w*(?:-free|\s+free\b|-frei|\s+(?:are|is) (?:forbidden|banned|not|never)|\s+(?:vermeiden|verboten))"
    return before is not None or re.search(after, guideline, re.IGNORECASE) is not None


def names(guideline: str, topic: str) -> bool:
    """Return whether a guideline is about what the pattern ``topic`` names."""
    return re.search(rf"(?<!\w)(?:{topic})", guideline, re.IGNORECASE) is not None


def parts(text: Text) -> Iterator[str]:
    """Yield what people read, sentence by sentence: the title, headings, body, meta description, call to action."""
    if text.title.strip():
        yield text.title.strip()
    yield from headlines(text)[1:]
    yield from sentences(plain(text.body))
    for line in (text.meta_description, text.call_to_action):
        yield from sentences(line)


def headlines(text: Text) -> Sequence[str]:
    """Return the title and the headings of the body."""
    return (text.title.strip(), *headings(text.body))


def body_sentences(text: Text) -> list[str]:
    """Return the sentences of the body."""
    return sentences(plain(text.body))


def spoken(text: Text) -> str:
    """Return the code of the text's language."""
    return code_of(text.language)


def having(pattern: str, *, flags: int = re.IGNORECASE) -> Find:
    """Make a rule that the first sentence with ``pattern`` breaks."""
    compiled = re.compile(pattern, flags)
    return lambda text: next((one for one in parts(text) if compiled.search(one)), None)


def lacking(pattern: str, *, flags: int = re.IGNORECASE, least_words: int = 0) -> Find:
    """Make a rule that a text without ``pattern`` breaks, when its body has ``least_words`` words."""
    compiled = re.compile(pattern, flags)

    def find(text: Text) -> str | None:
        return MISSING if not compiled.search(text.whole) and len(text.body.split()) >= least_words else None

    return find
