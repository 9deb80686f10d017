"""Rules about length: of sentences, paragraphs, headlines and the whole text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from agents.brand.rule import MISSING, Find, Rule, body_sentences
from agents.readability import paragraphs, plain, sentences, words
from agents.seo.text import Text

_STRICT = r"under|below|shorter than|less than|fewer than|unter|weniger als|kürzer als"
_MOST = (
    r"at most|no more than|not more than|no longer than|not longer than|never longer than|never (?:exceed|more than)|"
    r"max(?:imum|imal|\.)?(?: of)?|up to|limit\w*(?: \w+)? to|not exceed(?:ing)?|within|höchstens|bis zu|nicht (?:länger|mehr) als"
)
_LEAST = r"at least|min(?:imum|destens|\.)?(?: of)?|no (?:fewer|less) than|longer than|more than|mindestens"
_UNIT = r"(words?|characters?|chars|letters|sentences?|wörter\w*|worte\w*|zeichen|sätze\w*)"
_COUNT = re.compile(
    rf"(?:(?P<least>{_LEAST})|(?P<strict>{_STRICT})|(?P<most>{_MOST}))\s+(?P<number>\w+)\s+{_UNIT}", re.I
)
_WORD_LIMIT = re.compile(rf"(?P<number>\d+)[- ]{_UNIT}(?: (?:limit|max\w*|or (?:less|fewer)|per|pro))", re.I)
_OF: Sequence[tuple[str, str]] = (
    ("sentence", r"sentences?\b|sätze\w*|satz\b"),
    ("paragraph", r"paragraphs?|absätze?\w*|absatz"),
    ("headline", r"headlines?|titles?|headings?|subject(?: lines?)?|überschrift\w*|titel|betreff\w*"),
    ("meta", r"meta descriptions?"),
    ("text", r"texts?|posts?|posting|pieces?|copy|bod(?:y|ies)|e-?mails?|articles?|everything|text\w*|beitr\w+"),
)
SHORT_SENTENCE, SHORT_PARAGRAPH = 25, 90  #: words, where a guideline says "short" and no number
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about length from a guideline."""
    found = _COUNT.search(guideline) or _WORD_LIMIT.search(guideline)
    if found is None:
        if re.search(
            r"\bshort(?:er)? sentences\b|\bsentences (?:\w+ )?(?:short|concise|brief)\b|kurze\w* sätze", guideline, re.I
        ):
            yield Rule("short sentences", _longer(body_sentences, _words, SHORT_SENTENCE))
        if re.search(r"\bshort(?:er)? paragraphs\b|\bparagraphs (?:\w+ )?short\b|kurze\w* absätze", guideline, re.I):
            yield Rule("short paragraphs", _longer(_paragraphs, _words, SHORT_PARAGRAPH))
        return
    groups = found.groupdict()
    number, unit = _number(groups["number"]), found[found.lastindex or 0].lower()
    about = next((name for name, pattern in _OF if _about(pattern, guideline, unit)), "text")
    measure = _measure(unit)
    if number is None:
        return
    places = {"sentence": body_sentences, "paragraph": _paragraphs, "headline": _title, "meta": _meta, "text": _body}
    if groups.get("least"):
        yield Rule(f"{about}s of at least {number} {unit}", _shorter(places[about], measure, number))
    else:
        most = number - 1 if groups.get("strict") else number
        yield Rule(f"{about}s of at most {most} {unit}", _longer(places[about], measure, most))


def _about(pattern: str, guideline: str, unit: str) -> bool:
    # "paragraphs of at most three sentences" is about paragraphs: the unit is not what it is about.
    rest = re.sub(rf"\d+\s+{re.escape(unit)}|\b(?:{'|'.join(_NUMBERS)})\s+{re.escape(unit)}", "", guideline, flags=re.I)
    return re.search(rf"\b(?:{pattern})", rest, re.I) is not None


def _number(word: str) -> int | None:
    if word.isdigit():
        return int(word)
    return _NUMBERS.index(word.lower()) + 1 if word.lower() in _NUMBERS else None


def _words(part: str) -> int:
    return len(words(part))


def _measure(unit: str) -> Callable[[str], int]:
    if unit.startswith(("char", "letter", "zeichen")):
        return len
    if unit.startswith(("sentence", "sätze", "satz")):
        return lambda part: len(sentences(part))
    return _words


def _title(text: Text) -> list[str]:
    return [text.title.strip()]


def _meta(text: Text) -> list[str]:
    return [text.meta_description.strip()]


def _body(text: Text) -> list[str]:
    return [plain(text.body)]


def _paragraphs(text: Text) -> list[str]:
    return paragraphs(text.body)


def _longer(place: Callable[[Text], list[str]], measure: Callable[[str], int], most: int) -> Find:
    def find(text: Text) -> str | None:
        return next((_first(part) for part in place(text) if measure(part) > most), None)

    return find


def _shorter(place: Callable[[Text], list[str]], measure: Callable[[str], int], least: int) -> Find:
    def find(text: Text) -> str | None:
        return next((_first(part) or MISSING for part in place(text) if measure(part) < least), None)

    return find


def _first(part: str) -> str:
    found = sentences(part)
    return found[0] if found else part
