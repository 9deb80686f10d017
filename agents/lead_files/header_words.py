"""What the header of a column means: the names that exports and people give to our fields, in eight languages.

A header is looked up whole, then without the words around its meaning ("E-mail 1 - Value", "Person - Job title",
"Firmenwebsite"), then for a word that says it whatever stands beside it ("Guessed email"). Words such as "owner",
"status" or "previous" make something else of any header. Invariant: what comes out depends on the header alone. The
words are in ``header_words.json``: per field the phrases of each language, the preferred ones with the lowest rank.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

#: Fields that a file may fill, in the order in which they are shown.
FIELDS = (
    "name", "first_name", "particle", "last_name", "email", "job_title", "company", "domain", "industry",
    "company_size", "location", "city", "region", "country", "phone", "profile_url", "legal_basis", "opted_out",
)  # fmt: skip
#: Fields of a company: "Account.NumberOfEmployees" is one of them, "Company LinkedIn" none of the person's.
_OF_COMPANY = frozenset(
    {"job_title", "domain", "industry", "company_size", "location", "city", "region", "country", "phone", "email"}
)
_MAX_HEADER = 120  #: characters of a header that are read
_WORDS_AROUND = ("company", "work", "private", "other", "neutral")
_LENIENT = 4  #: rank of a header that holds a known word among others
_RANKS = {"work": -1, "company": 3, "other": 4, "private": 5}
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "ð": "d", "’": " ", "'": " ", "#": " number "}
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EAST = "\u3040-\u30ff\u3400-\u9fff々ー\uac00-\ud7af"  #: letters of Chinese, Japanese and Korean
_CJK = re.compile(rf"[{_EAST}]")
#: a number, or letters of one kind of script: "LinkedInのURL" has three words
_WORD = re.compile(rf"\d+|[{_EAST}]+|(?:(?![{_EAST}])[^\W\d_])+")
_BRAND = re.compile("linked ?in", re.I)
_ASIDE = re.compile(r"[(\[（［【<].*?(?:[)\]）］】>]|$)")
_BRACKETS = "()[]<>{}（）［］【】 "
#: what may stand in brackets behind the whole that it is a part of
_PARTS = {"first_name": "name", "last_name": "name", "city": "location", "region": "location", "country": "location"}
#: second forms of German words and articles: "Weiteres/r Ort", "Mitarbeiter/-innen", "Name des/der Vorgesetzten"
_SECOND_FORM = re.compile(r"(?<=[^\W\d_]{3})/-?(?:innen|in|en|er|es|e|r|n|s|der|die|das|des|dem|den)\b")
_ALTERNATIVES = re.compile(r"[/,、／・]|\bor\b|\band\b|\bund\b|\boder\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a header says that its column holds."""

    field: str  #: one of FIELDS
    rank: int  #: of columns of one field the lowest is preferred
    group: str = ""  #: which address city, region and country are of: ``work``, ``company``, ``private 2``, ...
    another: bool = False  #: it is about another person of the row: "Contact 2 Email", "Buyer Name"


@dataclass(frozen=True, slots=True)
class _Words:
    """Vocabulary, by the letters of a phrase."""

    phrases: Mapping[str, tuple[str, int]]  #: -> field, rank
    around: Mapping[str, frozenset[str]]
    blocked: re.Pattern[str]
    heads: Mapping[str, re.Pattern[str]]  #: field -> words that say it whatever stands beside them
    another: re.Pattern[str]  #: what makes a column one of another person


@lru_cache(maxsize=20_000)
def meaning(header: str) -> Meaning | None:
    """Return what a header says that its column holds, or None when it is not known."""
    found = _meaning(header)
    words = " ".join(words_of(header[:_MAX_HEADER]))
    return replace(found, another=True) if found is not None and vocabulary().another.search(words) else found


def _meaning(header: str) -> Meaning | None:
    whole = unicodedata.normalize("NFKC", header[:_MAX_HEADER])
    if "." in whole.strip(". ") and " " not in whole.strip():
        return _of_path(whole.strip(".").split("."))
    whole = _SECOND_FORM.sub("", whole)
    bare = _ASIDE.sub(" ", whole)
    words, parts = words_of(whole), _ALTERNATIVES.split(bare)
    if _is_blocked(words):
        # of "Title, Function, Notes" the first word counts, of "Name (kana)" none
        return None if bare != whole or len(parts) == 1 else _first_of(parts)
    aside = _ASIDE.search(whole)
    part = meaning(aside[0].strip(_BRACKETS)) if aside and bare.strip() else None
    if part is not None and part.field in _PARTS:
        bare_known = _known(words_of(bare))
        if bare_known is not None and bare_known.field == _PARTS[part.field]:
            return part  # 住所（市区町村）, "Name (Nachname)"
    return _known(words) or _known(words_of(bare)) or (_first_of(parts) if len(parts) > 1 else None) or _by_head(words)


def _first_of(parts: Sequence[str]) -> Meaning | None:
    """Return the meaning of the first of several headers in one, such as "Company / Account"."""
    for number, words in enumerate(map(words_of, parts)):
        known = None if _is_blocked(words) else _known(words)
        if known:
            return replace(known, rank=known.rank + (1 if number else 0))
    return None


def _of_path(parts: Sequence[str]) -> Meaning | None:
    """Return the meaning of a key inside others: ``Account.Name``, ``company.domainName.primaryLinkUrl``."""
    if any(_is_blocked(words_of(part)) for part in parts):
        return None
    of_company = vocabulary().around["company"]
    inside = any(word in of_company for part in parts[:-1] for word in words_of(part))
    for piece in (parts, parts[-2:], parts[-1:], parts[:-1], parts[-3:-1]):
        words = words_of(" ".join(piece))
        if inside and not any(word in of_company for word in words):
            words = ("company", *words)
        known = _known(words)
        if known:
            return known
    return _by_head(words_of(" ".join(parts)))


def is_blocked(header: str) -> bool:
    """Tell whether a header is about another person or about a field: "Lead Owner", "Email Status"."""
    return _is_blocked(words_of(unicodedata.normalize("NFKC", header[:_MAX_HEADER])))


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a header without case and accents: ``numberOfEmployees`` has three."""
    folded = unicodedata.normalize("NFKD", _CAMEL.sub(" ", _BRAND.sub("linkedin", text)).lower().translate(_LETTERS))
    plain = unicodedata.normalize("NFC", "".join(char for char in folded if not "\u0300" <= char <= "\u036f"))
    return tuple(_WORD.findall(plain))


def _known(words: Sequence[str]) -> Meaning | None:
    found = vocabulary().phrases.get("".join(words))
    if found:
        return Meaning(field=found[0], rank=found[1])
    return next(_without_words_around(words), None)


def _by_head(words: Sequence[str]) -> Meaning | None:
    """Return the meaning of a header that holds a word for a field among others that are not known: "Guessed email"."""
    text = " ".join(words)
    for field, pattern in vocabulary().heads.items():
        if pattern.search(text):
            around = vocabulary().around
            said = {kind for word in words for kind in _RANKS if word in around[kind]}
            if field == "profile_url" and "company" in said:
                return None
            numbers = [int(word) for word in words if word.isdigit() and len(word) < 3]
            rank = _LENIENT + sum(_RANKS[kind] for kind in said) + 10 * (max([1, *numbers]) - 1)
            which = next((kind for kind in ("work", "company", "private", "other") if kind in said), "")
            return Meaning(field=field, rank=rank, group=which)
    return None


def _without_words_around(words: Sequence[str]) -> Iterator[Meaning]:
    """Yield what a header means without its numbers and the words around its meaning."""
    around = vocabulary().around
    number = next((int(word) for word in words if word.isdigit() and len(word) < 3), 1)
    rest = [part for word in words if not word.isdigit() for part in _parts(word)]
    kinds = {kind for word in rest for kind in _WORDS_AROUND if word in around[kind]}
    company = [word for word in rest if word in around["company"]]
    # the fewest words are taken away first: "name of the company" is no "name"
    for taken in (("company",), ("neutral",), ("neutral", "work", "private", "other"), _WORDS_AROUND):
        left = [word for word in rest if not any(word in around[kind] for kind in taken)]
        said = kinds.intersection(taken) - {"neutral"}
        if not left or len(left) == len(rest) == len(words):
            continue
        found = vocabulary().phrases.get("".join(left))
        if found is None:
            continue
        field, rank = found
        if "company" in said:
            if field == "name":
                field = "company"
            elif field in _OF_COMPANY or field == "company":
                pass
            else:
                continue
        if "company" in said and field == "phone" and all(word in around["work"] for word in company):
            said = said - {"company"} | {"work"}  # "Business Phone" is the person's, "Company Phone" is not
        of_company = "company" in said and found[0] not in ("name", "company", "job_title", "company_size", "industry")
        rank += sum(_RANKS[kind] for kind in said if kind != "company") + (_RANKS["company"] if of_company else 0)
        rank += 10 * (max(number, 1) - 1)
        which = next((kind for kind in ("work", "company", "private", "other") if kind in said), "")
        yield Meaning(field=field, rank=rank, group=which if number == 1 else f"{which} {number}")
    bare = rest and all(any(word in around[kind] for kind in ("company", "neutral")) for word in rest)
    if bare and "company" in kinds:  # "Associated company", "Person - Organization"
        yield Meaning(field="company", rank=2 + 10 * (max(number, 1) - 1))


def _parts(word: str) -> tuple[str, ...]:
    """Take a compound apart that begins with a word around a meaning: ``firmenwebsite``, ``OTHERCITY``, 会社メール."""
    around, phrases = vocabulary().around, vocabulary().phrases
    if word in phrases or any(word in words for words in around.values()):
        return (word,)
    for cut in range(len(word) - 1, 0, -1):
        head, tail = word[:cut], word[cut:]
        known = any(head in words for words in around.values())
        if known and (len(head) > 3 or _CJK.match(head)) and tail in phrases:
            return (head, tail)
    return (word,)


def _is_blocked(words: Sequence[str]) -> bool:
    if "".join(words) in vocabulary().phrases:
        return False
    blocked = vocabulary().blocked
    return blocked.search(" ".join(words)) is not None or (len(words) == 1 and _is_blocked_compound(words[0]))


def _is_blocked_compound(word: str) -> bool:
    """Tell whether a word is written together of a blocked one and a field's: ``OWNEREMAIL``, ``ASSISTANTNAME``."""
    blocked, phrases = vocabulary().blocked, vocabulary().phrases
    return word.isascii() and any(
        word[cut:] in phrases and blocked.fullmatch(word[:cut]) for cut in range(5, len(word) - 3)
    )


@cache
def vocabulary() -> _Words:
    """Return the words of ``header_words.json``."""
    data = json.loads((Path(__file__).parent / "header_words.json").read_text("utf-8"))
    phrases: dict[str, tuple[str, int]] = {}
    for field, ranks in data["fields"].items():
        for entry in ranks:
            for language, listed in entry.items():
                if language != "rank":
                    for phrase in listed.split("|"):
                        phrases.setdefault("".join(words_of(phrase)), (field, entry["rank"]))
    around = {kind: frozenset("".join(words_of(word)) for word in data[kind].split("|")) for kind in _WORDS_AROUND}
    blocked = _any_of(data["blocked"].split("|"))
    heads = {field: _any_of(listed.split("|")) for field, listed in data["heads"].items()}
    person = _any_of(data["person"].split("|")).pattern
    another = re.compile(rf"(?:{person}) ?(?:[2-9]|\d\d)\b|{_any_of(data['another'].split('|')).pattern}")
    return _Words(phrases=phrases, around=around, blocked=blocked, heads=heads, another=another)


def _any_of(heads: Sequence[str]) -> re.Pattern[str]:
    """Return the pattern of any of these words, where a star at a word's end stands for any ending."""
    patterns = []
    for head in heads:
        text = re.escape(" ".join(words_of(head.replace("*", "")))) + (r"\w*" if head.endswith("*") else "")
        patterns.append(text if _CJK.search(head) else rf"\b{text}\b")
    return re.compile("|".join(patterns))
