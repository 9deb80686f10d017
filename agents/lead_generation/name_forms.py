"""Names of people and companies in plain letters, and whether two names at one mailbox are one person's.

Pure. A name with letters that ASCII lacks is written in two ways where it has to do without them: ``Müller`` as Muller
and as Mueller. Both forms are the same name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Letters that Unicode doesn't take apart.
_ALONE = str.maketrans(
    {"ß": "ss", "ẞ": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}
    | {"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "þ": "th", "Þ": "th", "ı": "i", "ħ": "h", "Ħ": "h", "ŧ": "t"}
)
#: How German and the Nordic languages write letters that are not to be had.
_WRITTEN_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue", "ø": "oe", "Ø": "oe", "å": "aa", "Å": "aa"}
)
#: Short forms of first names that are no beginning of the long one.
_SHORT = {
    frozenset((short, long))
    for long, all_short in {
        "robert": "bob bobby",
        "william": "bill billy will",
        "richard": "dick rick",
        "michael": "mike",
        "james": "jim jimmy",
        "john": "jack",
        "margaret": "peggy maggie",
        "elizabeth": "liz beth betty",
        "katherine": "kate",
        "catherine": "kate",
        "anthony": "tony",
        "anton": "toni",
        "edward": "ted ned",
        "charles": "chuck",
        "henry": "hank",
        "andrew": "andy drew",
        "andreas": "andy",
        "alexander": "sasha sascha",
        "rebecca": "becky",
        "josef": "sepp",
        "johannes": "hans",
        "friedrich": "fritz",
        "ulrich": "uli",
        "stefanie": "steffi",
        "jose": "pepe",
        "francisco": "paco",
        "ignacio": "nacho",
    }.items()
    for short in all_short.split()
}


@lru_cache(maxsize=100_000)
def name_forms(name: str | None) -> tuple[str, ...]:
    """Return the plain forms of a name, without accents, case and punctuation: one or two, none for no name."""
    text = name or ""
    if text.isascii():
        return _form(text)
    composed = unicodedata.normalize("NFC", text)
    plain, written_out = _form(composed), _form(composed.translate(_WRITTEN_OUT))
    return tuple(dict.fromkeys((*plain, *written_out)))


def name_key(name: str | None) -> str:
    """Return a name without accents, case and punctuation."""
    return next(iter(name_forms(name)), "")


@lru_cache(maxsize=100_000)
def person_forms(name: str | None) -> tuple[str, ...]:
    """Return the plain forms of a person's name, without the initials in its middle."""
    return tuple(dict.fromkeys(_without_initials(form) for form in name_forms(name)))


def one_person(name: str, other: str, *, shared: bool = False) -> bool:
    """Tell whether two names at one mailbox are the same person's.

    They are when they share the last name, and the first name or its initial or short form: "I. Stone" is Ida Stone,
    Ben Stone is somebody else. Where several people use the mailbox (``shared``), Ida Reed is not Ida Stone under
    another last name.
    """
    return any(_alike(one.split(), two.split(), shared) for one in name_forms(name) for two in name_forms(other))


def _alike(one: list[str], two: list[str], shared: bool) -> bool:
    if not one or not two or sorted(one) == sorted(two):
        return True
    if len(one) == 1 or len(two) == 1:  # a first or a last name alone
        return bool(set(one) & set(two))
    if set(one) <= set(two) or set(two) <= set(one):
        return True
    first, other = one[0], two[0]
    if first == other and len(first) > 1 and not shared:
        return True
    return one[-1] == two[-1] and _short_of(first, other)


def _short_of(one: str, two: str) -> bool:
    short, long = sorted((one, two), key=len)
    begins = long.startswith(short) and (len(short) == 1 or len(short) > 2)
    return begins or frozenset((one, two)) in _SHORT


def _form(text: str) -> tuple[str, ...]:
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_ALONE))
        text = unicodedata.normalize("NFC", "".join(char for char in text if not unicodedata.combining(char)))
    found = " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=\w)['’`´](?=\w)", "", text.lower())))
    return (found,) if found else ()


def _without_initials(form: str) -> str:
    words = form.split()
    return " ".join(word for place, word in enumerate(words) if len(word) > 1 or place in (0, len(words) - 1))
