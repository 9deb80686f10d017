"""Telephone numbers in a plain text, written in digits or in words.

Pure. A run of digits is a number to call when it begins like one (``+``, ``00``, ``0``, a bracket), has the form of a
North American one, or stands behind a word that asks to call; dates, prices, versions and counts are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.contacts.contact import PHONE, Contact

_LEAST, _MOST = 7, 15  #: digits, by ITU-T E.164
_RUN = re.compile(r"(?<![\w.,])(?:\+\s?|\(\+?)?\d(?:[\s().\-/\u00a0]{0,3}\d){5,17}(?![\w]|[.,]\d)")
_CALLS = re.compile(
    r"\b(?:call|calls|phone|telephone|tel|dial|ring|text|sms|whatsapp|fax|mobile|cell|hotline|helpline|number"
    r"|reach us(?: at| on)?"
    r"|ruf\w*(?: (?:uns|mich))?(?: an)?|anruf\w*|telefon\w*|handy|mobil|durchwahl|nummer"
    r"|appel\w*|téléphone\w*|tél|portable|numéro|llam\w*|teléfono|móvil|número|chiam\w*|telefono|ligue)\b"
    r"[\s.:(,\-]*(?:(?:us|now|me|at|on|under|unter|an|le|la|al|el|nous|au|jetzt|today|is|ist|est|es)[\s.:]*){0,3}$",
    re.IGNORECASE,
)
_AMERICAN = re.compile(r"(?:\+?1[\s.\-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.\-])\d{3}[\s.\-]\d{4}")
_VANITY = re.compile(
    r"(?<![\w.])(?:\+?1[\s.\-])?\(?8(?:00|33|44|55|66|77|88)\)?[\s.\-](?=[\w\-]*[A-Z])[A-Z0-9][A-Z0-9\-]{5,12}\b"
)
_DATE = re.compile(
    r"\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}(?:[\sT]+\d{1,2})?|\d{4}(?:\s?[\-/ ]\s?\d{4})+"
    r"|\d{1,2}[./\-]\d{1,2}[./\-]\d{2,4}\s*-?\s*\d{1,2}[./\-]\d{1,2}[./\-]\d{2,4}"
)
_GROUPED = re.compile(r"\d{1,3}(?:[\s.]\d{3})+")
_MONEY = re.compile(r"(?:[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|INR))\s?$")
_COUNTED = re.compile(
    r"\s?(?:[€$£¥%₹]|(?:USD|EUR|GBP|CHF|users|customers|people|times|kunden|clients|clientes)\b)", re.IGNORECASE
)
_DIGIT_WORDS = (
    "zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple"
    "|null|eins|ein|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun"
    "|zéro|un|deux|trois|quatre|cinq|sept|huit|neuf|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve"
)
_SPOKEN = re.compile(rf"(?<!\w)(?:(?:{_DIGIT_WORDS})[\s,\-]+){{6,}}(?:{_DIGIT_WORDS})(?!\w)", re.IGNORECASE)
_VALUES = {
    word: str(value)
    for value, words in enumerate(
        (
            "zero oh nought null zéro cero",
            "one eins ein un uno",
            "two zwei zwo deux dos",
            "three drei trois tres",
            "four vier quatre cuatro",
            "five fünf cinq cinco",
            "six sechs seis",
            "seven sieben sept siete",
            "eight acht huit ocho",
            "nine neun neuf nueve",
        )
    )
    for word in words.split()
}


def numbers(text: str) -> Iterator[Contact]:
    """Yield the telephone numbers of a text in plain characters, as their digits."""
    for match in _VANITY.finditer(text):
        yield Contact(PHONE, re.sub(r"\W", "", match[0]))
    for match in _SPOKEN.finditer(text):
        yield Contact(PHONE, "".join(_VALUES.get(word, "") for word in re.findall(r"\w+", match[0].lower())))
    for match in _RUN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _LEAST <= len(digits) <= _MOST and _is_number(match, text, digits):
            yield Contact(PHONE, digits)


def same_number(one: str, other: str) -> bool:
    """Return whether two numbers (digits) are one, written with or without the country's code."""
    long, short = sorted((one.lstrip("0"), other.lstrip("0")), key=len, reverse=True)
    return len(short) >= _LEAST and long.endswith(short) and len(long) - len(short) <= 3


def _is_number(match: re.Match[str], text: str, digits: str) -> bool:
    written = match[0].strip()
    before = text[: match.start()][-40:]
    asked = bool(_CALLS.search(before))
    if _MONEY.search(before) or (_COUNTED.match(text[match.end() :]) and not asked and not written.startswith("+")):
        return False
    if _AMERICAN.fullmatch(written):
        return True
    if not asked and (_DATE.fullmatch(written) or re.fullmatch(r"(?:19|20)\d\d(?:[\s\-/]+(?:19|20)\d\d)+", written)):
        return False
    if re.fullmatch(r"\+?\d*000", written) and not asked:
        return False  # a round figure
    if written.startswith(("+", "00", "(")) or asked:
        return True
    if _GROUPED.fullmatch(written):
        return written.startswith("0")
    if written.startswith("0"):
        return not re.fullmatch(r"0\.\d+", written)
    return written.isdigit() and len(digits) >= 10 and not digits.endswith("000")
