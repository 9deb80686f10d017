"""Rules about signs: punctuation, capitals, emoji, lists, links, and how numbers are written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.brand.rule import Find, Rule, body_sentences, forbids, having, headlines, lacking, names
from agents.seo.text import Text

EMOJI = r"[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b06]"
_SIGNS = {
    "exclamation marks": (
        r"exclamation|ausrufe\w*|points? d.exclamation|exclamaci\w+|esclamativ\w*|uitroeptekens?",
        "!|¡",
    ),
    "emoji": (r"emojis?|emoticons?|smileys?", EMOJI),
    "hashtags": (r"hashtags?", r"(?<!\w)#\w+"),
    "ellipses": (r"ellips[ei]s|three dots|auslassungspunkte\w*", r"\.\.\.|…"),
    "semicolons": (r"semicolons?|semikol\w+|strichpunkt\w*", ";"),
    "dashes": (r"(?:em[- ]?|en[- ]?)?dash(?:es)?|gedankenstrich\w*", r"[—–]|\s--\s|\s-\s"),
    "brackets": (r"parenthes[ei]s|brackets|klammern?", r"[(\[](?!sandbox)[^\])]*[\])](?!\()"),
    "ampersands": (r"ampersands?|[\"'“]?&[\"'”]?", r"(?<=\s)&(?=\s)"),
    "links": (r"(?:hyper)?links?|urls?|web addresses", r"https?://|www\.|\]\("),
    "quotation marks": (r"quotation marks|quotes|anführungszeichen", '["“”„«»]'),
    "italics or bold": (r"bold\w*|italics?", r"\*\*|__|(?<!\w)[*_]\w"),
}
_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_WORDS_OF_NUMBERS = (
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|hundert)\b"
)


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about signs from a guideline."""
    for name, (topic, sign) in _SIGNS.items():
        if most := re.search(
            rf"(?:at most|max\w*|no more than|up to|only|höchstens)\s+(\w+)\s+(?:{topic})", guideline, re.I
        ):
            yield Rule(f"few {name}", _at_most(_number(most[1]), sign))
        elif forbids(guideline, topic):
            yield Rule(f"no {name}", having(sign))
    if forbids(guideline, r"all[- ]?caps|capital letters|capitals|upper ?case|shouting|großbuchstaben"):
        yield Rule("no capitals", _capitals)
    if forbids(guideline, r"(?:rhetorical )?questions?(?: marks?)?|fragen|fragezeichen"):
        yield Rule("no questions", _question_headline if names(guideline, _HEADLINE) else having(r"\?"))
    if names(guideline, r"(?:oxford|serial) comma"):
        yield Rule(
            "serial comma",
            having(r", \w+(?: \w+)?,(?: and| or) ") if forbids(guideline, "(?:oxford|serial)") else _SERIAL,
        )
    if names(guideline, r"bullet(?:s|ed| points?)?(?: lists?)?|bullet points|aufzählung\w*"):
        yield Rule(
            "lists",
            _list if forbids(guideline, "bullet|aufzählung") else lacking(r"^\s*(?:[-*+]|\d+[.)])\s", flags=re.M),
        )
    yield from _numbers(guideline)


_HEADLINE = r"headlines?|headings?|titles?|subheadings?|überschriften?|titeln?|subject lines?"
_SERIAL: Find = having(r"\b[\w-]+, [\w-]+(?: [\w-]+)? (?:and|or) [\w-]+")


def _numbers(guideline: str) -> Iterator[Rule]:
    if names(
        guideline,
        r"(?:spell|write) out (?:all )?(?:the )?numbers?|numbers? (?:\w+ ){0,6}in words|zahlen (?:\w+ ){0,5}aus(?:schreiben)?",
    ):
        below = re.search(r"\b(?:below|under|up to|to|unter|bis)\s+(\w+)", guideline, re.I)
        top = _number(below[1], 10) if below else 10
        inclusive = bool(re.search(r"\b(?:up to|to|bis)\s", guideline, re.I))
        yield Rule("numbers in words", _digits_below(top + 1 if inclusive else top))
    elif names(
        guideline,
        r"numbers? (?:\w+ ){0,4}(?:as|in) (?:digits|numerals|figures)|(?:use|write) (?:digits|numerals)|ziffern",
    ):
        yield Rule("numbers in digits", having(_WORDS_OF_NUMBERS))
    elif forbids(guideline, r"(?:numbers|statistics|figures|percentages|digits|statistiken|zahlen)\b"):
        yield Rule("no numbers", having(r"\d"))
    if names(
        guideline,
        r"(?:include|give|mention|use|contain\w*|add)\s+(?:at least one |a |one )(?:\w+ )?(?:number|figure|statistic)",
    ):
        yield Rule("a number", lacking(r"\d"))
    if names(guideline, r"metric(?: units| system)?"):
        yield Rule(
            "metric units",
            having(
                r"\b\d+(?:[.,]\d+)?\s*(?:miles?|feet|foot|inch(?:es)?|pounds?|lbs?|ounces?|oz|gallons?|yards?|°F)\b"
            ),
        )
    if names(guideline, r"percent sign|[\"'“]?%[\"'”]?") and not forbids(guideline, r"percent sign|[\"'“]?%"):
        yield Rule("per cent as a sign", having(r"\bper ?cent\b"))


def _number(word: str, otherwise: int = 1) -> int:
    if word.isdigit():
        return int(word)
    listed = [*_ONES, "ten", "eleven", "twelve"]
    german = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"]
    word = word.lower()
    for names_of in (listed, german):
        if word in names_of:
            return names_of.index(word) + 1
    return otherwise


def _at_most(most: int, sign: str) -> Find:
    def find(text: Text) -> str | None:
        found = re.findall(sign, text.whole)
        return having(sign)(text) if len(found) > most else None

    return find


def _digits_below(top: int) -> Find:
    pattern = re.compile(r"(?<![\w.,:/$€£#-])(\d{1,2})(?![\w.,:/%-]*\d)(?!\s?%)(?![)\]])\b")

    def find(text: Text) -> str | None:
        for one in body_sentences(text):
            if any(int(found[1]) < top for found in pattern.finditer(one)):
                return one
        return None

    return find


def _capitals(text: Text) -> str | None:
    known = {word for phrase in (*text.keywords, text.context, text.topic) for word in phrase.split()}
    for one in (text.title, *body_sentences(text), text.call_to_action):
        shouted = [w for w in re.findall(r"\b[A-ZÄÖÜ]{3,}\b", one) if w not in known]
        if any(len(word) > 4 for word in shouted) or len(shouted) > 1:
            return one
    return None


def _question_headline(text: Text) -> str | None:
    return next((one for one in headlines(text) if "?" in one), None)


def _list(text: Text) -> str | None:
    found = re.search(r"^\s*(?:[-*+•]|\d+[.)])\s+(.+)$", text.body, re.MULTILINE)
    return found[1] if found else None
