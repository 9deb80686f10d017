"""Whether a text has the tone asked for, by what can be counted: forms of address, slang, signs, urgency, jargon, hedges.

A tone belongs to families ("professional" to the formal ones), each with what it can't have and what it can't do
without. Invariant: only a clear breach is told; what these counts can't see is a judge's question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from agents.brand import lexicon
from agents.brand.address import FAMILIAR, POLITE, YOU
from agents.brand.marks import EMOJI
from agents.brand.rule import body_sentences, parts, spoken
from agents.readability import plain, words
from agents.seo.text import Text

#: Families of tones by the words that a brief uses, English and German.
_FAMILIES: Mapping[str, str] = {
    "formal": r"professional|formal|serious|authoritative|corporate|respectful|business-?like|official|academic|dignified|polite|"
    r"professionell|förmlich|formell|seriös|sachlich|höflich",
    "close": r"friendly|warm|conversational|approachable|personal|caring|welcoming|human|freundlich|persönlich|herzlich|nahbar",
    "casual": r"casual|conversational|relaxed|informal|laid-back|chatty|chummy|locker|lässig|informell",
    "playful": r"playful|fun|funny|witty|humou?rous|cheeky|light-?hearted|whimsical|quirky|verspielt|humorvoll|witzig",
    "urgent": r"urgent|pressing|dringend|dringlich",
    "calm": r"calm|reassuring|relaxed|gentle|soothing|measured|understated|patient|serene|ruhig|gelassen|sanft",
    "plain": r"plain|simple|clear|accessible|straightforward|down-to-earth|everyday|easy|einfach|klar|verständlich",
    "confident": r"confident|authoritative|assertive|bold|expert|decisive|selbstbewusst|souverän|bestimmt",
    "sober": r"modest|humble|understated|honest|sober|factual|neutral|objective|balanced|informative|matter-of-fact|unbiased|"
    r"scientific|bescheiden|nüchtern|sachlich|neutral|ehrlich|objektiv",
    "empathetic": r"empath\w+|caring|supportive|compassionate|understanding|kind|einfühlsam|mitfühlend|verständnisvoll",
    "lively": r"enthusiastic|energetic|excited|upbeat|inspir\w+|optimistic|positive|motivat\w+|cheerful|begeistert|optimistisch",
    "brief": r"concise|brief|crisp|punchy|succinct|terse|knapp|prägnant|kurz",
    "elegant": r"elegant|luxur\w+|premium|sophisticated|refined|exclusive|edel|gehoben|exklusiv",
}
_REFUSED: Mapping[str, str] = {
    "hype": r"hype|exaggerat\w+|superlatives", "jargon": r"jargon|buzzwords?|corporate", "slang": r"slang|casual",
    "urgency": r"pushy|salesy|pressure|urgen\w+|aggressive", "boasts": r"boast\w*|arrogan\w+|bragging",
    "bureaucratic": r"stiff|stuffy|bureaucra\w+|formal", "playful": r"jokes?|humou?r|playful|silly",
}  # fmt: skip
_LULLING = re.compile(
    r"\b(?:no rush|no hurry|take your time|whenever (?:you|it)|at your leisure|some ?day|in due course|one of these days|"
    r"there is no need to|sooner or later|eventually|kein(?:e)? (?:eile|hast)|in aller ruhe|irgendwann)\b",
    re.IGNORECASE,
)
_PRESSING = re.compile(
    r"\b(?:now|today|tonight|soon|act|this week|deadline|before|until|last|only|still|jetzt|heute|sofort|nur noch|bis)\b",
    re.IGNORECASE,
)
_SHORT_FORMS = re.compile(r"\b\w+(?:n['’]t|['’](?:re|ve|ll|d|m))\b|\b(?:it|that|there|let|what)['’]s\b", re.IGNORECASE)
_BLAMING = re.compile(
    r"\b(?:your (?:own )?fault|you should have|you failed|you must|stop complaining|deal with it|selbst schuld)\b", re.I
)
_SHOUT = re.compile(r"\b[A-ZÄÖÜ]{4,}\b")


@dataclass(frozen=True, slots=True)
class Breach:
    """What in a text doesn't fit a tone."""

    why: str  #: as it is told to people and writers
    sentence: str = ""  #: of the text, "" where something is missing


def families(tone: str) -> frozenset[str]:
    """Return the families that a tone belongs to, none for one that only a judge knows."""
    said = re.sub(r"\b(?:no|not|never|without|nicht|ohne|kein\w*)\s+[\w-]+", "", tone.lower())
    return frozenset(name for name, called in _FAMILIES.items() if re.search(rf"(?<![\w-])(?:{called})(?!\w)", said))


def breaches(text: Text, tone: str) -> tuple[Breach, ...]:
    """Return what in a text doesn't fit the tone."""
    counted = _Counted(text)
    found = [breach for name in sorted(families(tone)) for breach in _CHECKS[name](counted)]
    for refused in re.findall(r"\b(?:no|not|never|without|nicht|ohne|kein\w*)\s+([\w-]+)", tone.lower()):
        for name, called in _REFUSED.items():
            if re.fullmatch(called, refused):
                found += counted.over(name, 1)
    return tuple({breach.why: breach for breach in found}.values())


class _Counted:
    """Counts of one text."""

    def __init__(self, text: Text) -> None:
        self.text, self.code = text, spoken(text)
        self.body = plain(text.body)
        self.listed = body_sentences(text)
        self.words = max(1, len(words(self.body)))

    def hits(self, name: str) -> list[str]:
        """Return the words of a list in the text that are not the brief's own."""
        own = " ".join((*self.text.keywords, self.text.topic, self.text.context)).lower()
        found = [one[0].lower() for one in lexicon.pattern(name).finditer(f"{self.text.title}\n{self.body}")]
        return [word for word in found if not re.search(rf"\b{re.escape(word)}\b", own)]

    def over(self, name: str, least: int, per: int = 0) -> Iterator[Breach]:
        """Tell of a list's words when there are ``least`` of them, or one more for every ``per`` words of the text."""
        found = self.hits(name)
        if len(found) >= max(least, self.words // per if per else 0):
            yield Breach(", ".join(map(repr, sorted(set(found))[:4])), self.first(lexicon.pattern(name)))

    def marks(self, least: int) -> Iterator[Breach]:
        """Tell of exclamation marks."""
        if (count := self.body.count("!")) >= max(least, self.words // 150):
            yield Breach(f"{count} exclamation marks", self.first(re.compile("!")))

    def emoji(self) -> Iterator[Breach]:
        """Tell of emoji."""
        if re.search(EMOJI, self.text.whole):
            yield Breach("emoji", self.first(re.compile(EMOJI)))

    def shouts(self) -> Iterator[Breach]:
        """Tell of words in capitals."""
        known = f"{self.text.title} {self.text.context} {' '.join(self.text.keywords)}"
        loud = [word for word in _SHOUT.findall(self.body) if word not in known]
        if len(loud) >= 2:
            yield Breach(f"words in capitals ({', '.join(loud[:3])})", self.first(re.compile(rf"\b{loud[0]}\b")))

    def form(self, wrong: Mapping[str, re.Pattern[str]], what: str) -> Iterator[Breach]:
        """Tell of the wrong form of address."""
        pattern = wrong.get(self.code)
        if pattern is not None and (sentence := self.first(pattern)):
            yield Breach(what, sentence)

    def never_you(self) -> Iterator[Breach]:
        """Tell of a text that doesn't speak to its reader."""
        pattern = YOU.get(self.code)
        if pattern is not None and not pattern.search(f"{self.body} {self.text.call_to_action}"):
            yield Breach("it never speaks to the reader" + (" ('you')" if self.code == "en" else ""))

    def long_sentences(self, mean: int) -> Iterator[Breach]:
        """Tell of a text whose sentences are long on average."""
        if self.listed and self.words / len(self.listed) > mean:
            yield Breach(
                f"sentences of {self.words / len(self.listed):.0f} words on average", max(self.listed, key=len)
            )

    def first(self, pattern: re.Pattern[str]) -> str:
        """Return the first sentence with a pattern."""
        return next((one for one in parts(self.text) if pattern.search(one)), "")


def _formal(it: _Counted) -> Iterator[Breach]:
    yield from it.over("slang", 1)
    yield from it.emoji()
    yield from it.marks(2)
    yield from it.over("playful", 2, 120)
    yield from it.form(FAMILIAR if it.code == "de" else {}, "the familiar form of address")
    yield from it.shouts()


def _close(it: _Counted) -> Iterator[Breach]:
    yield from it.never_you()
    yield from it.over("bureaucratic", 2, 100)
    yield from it.long_sentences(28)


def _casual(it: _Counted) -> Iterator[Breach]:
    yield from it.over("bureaucratic", 1, 150)
    yield from it.form({"de": POLITE["de"]}, "the polite form of address")
    yield from it.long_sentences(24)


def _playful(it: _Counted) -> Iterator[Breach]:
    yield from it.over("bureaucratic", 1, 200)
    yield from it.over("fear", 2)
    lively = (
        it.hits("playful") or it.hits("slang") or re.search(rf"[!?]|{EMOJI}", it.body) or _SHORT_FORMS.search(it.body)
    )
    if not lively and it.words >= 12:
        yield Breach("nothing in it is playful: no play of words, no question, no short form")


def _urgent(it: _Counted) -> Iterator[Breach]:
    if sentence := it.first(_LULLING):
        yield Breach("it tells the reader to take their time", sentence)
    if not it.hits("urgency") and not _PRESSING.search(f"{it.body} {it.text.call_to_action}"):
        yield Breach("nothing in it says why to act now")


def _calm(it: _Counted) -> Iterator[Breach]:
    yield from it.over("urgency", 2 if it.words > 60 else 1)
    yield from it.marks(2)
    yield from it.over("fear", 2)
    yield from it.over("hype", 2)
    yield from it.shouts()


def _plain_words(it: _Counted) -> Iterator[Breach]:
    yield from it.over("jargon", 2, 60)
    yield from it.over("bureaucratic", 2, 100)
    yield from it.long_sentences(28)


def _confident(it: _Counted) -> Iterator[Breach]:
    yield from it.over("hedges", 2, 60)


def _sober(it: _Counted) -> Iterator[Breach]:
    yield from it.over("boasts", 2, 120)
    yield from it.over("hype", 1, 200)
    yield from it.marks(1)
    yield from it.emoji()
    yield from it.shouts()


def _empathetic(it: _Counted) -> Iterator[Breach]:
    yield from it.never_you()
    yield from it.over("bureaucratic", 2, 100)
    yield from it.over("fear", 2, 100)
    if sentence := it.first(_BLAMING):
        yield Breach("it blames the reader", sentence)


def _lively(it: _Counted) -> Iterator[Breach]:
    yield from it.over("bureaucratic", 2, 100)
    yield from it.over("hedges", 3, 40)
    negative = it.hits("negative")
    if len(negative) >= 3 and len(negative) / it.words > 0.06:
        yield from it.over("negative", 3)
    yield from it.over("fear", 3, 60)


def _brief(it: _Counted) -> Iterator[Breach]:
    yield from it.long_sentences(20)
    yield from it.over("filler", 3, 40)


def _elegant(it: _Counted) -> Iterator[Breach]:
    yield from it.over("slang", 1)
    yield from it.over("discounts", 1)
    yield from it.marks(2)
    yield from it.shouts()


_CHECKS: Mapping[str, Callable[[_Counted], Iterator[Breach]]] = {
    "formal": _formal,
    "close": _close,
    "casual": _casual,
    "playful": _playful,
    "urgent": _urgent,
    "calm": _calm,
    "plain": _plain_words,
    "confident": _confident,
    "sober": _sober,
    "empathetic": _empathetic,
    "lively": _lively,
    "brief": _brief,
    "elegant": _elegant,
}
