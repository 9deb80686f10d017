"""Names of companies, compared without what says nothing about which company it is: legal form, case, accents.

Legal forms are data (``legal_forms.json``): the abbreviations and names of ISO 20275 (Entity Legal Forms) that stand
after a name, before it, or joined to it, without dots. Pure.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from agents.lead_generation.name_forms import name_forms

_FILLER = frozenset({"and", "und", "et", "y", "e", "i", "og", "och", "ja", "the"})


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company's name in the parts by which it is compared."""

    forms: tuple[str, ...]  #: spellings that are this company, the plainest first; none for no name
    words: frozenset[str]  #: of the first form
    letters: str  #: of the first form, without spaces

    @property
    def initials(self) -> str:
        """First letters of its words: ``ibm``."""
        return "".join(word[0] for word in self.forms[0].split()) if self.forms else ""

    def related(self, other: CompanyName) -> bool:
        """Tell whether two names may well be one company's: one is the other with something behind it.

        Names in different scripts can't be compared, and are.
        """
        if not self.letters or not other.letters or self.letters.isascii() is not other.letters.isascii():
            return True
        if not frozenset(self.forms).isdisjoint(other.forms):
            return True
        short, long = sorted((self, other), key=lambda name: len(name.letters))
        if short.words <= long.words or (len(short.letters) > 2 and long.letters.startswith(short.letters)):
            return True
        return short.letters in (long.initials, short.initials) and short.letters == long.initials

    def at_home(self, label: str) -> bool:
        """Tell whether a domain's own label, without hyphens, is made of the name: ``stone`` and Stone Software."""
        if not self.letters.isascii() or len(label) < 2:
            return False
        if label == self.initials:
            return True
        for form in self.forms:
            letters, first = form.replace(" ", ""), form.partition(" ")[0]
            if label in (letters, first):
                return True
            if len(label) > 2 and letters.startswith(label):
                return True
            if (len(letters) > 2 and label.startswith(letters)) or (len(letters) > 3 and letters in label):
                return True
            if len(first) > 3 and label.startswith(first):
                return True
        return False


@lru_cache(maxsize=100_000)
def company_name(company: str | None) -> CompanyName:
    """Return a company's name in its parts."""
    forms = tuple(dict.fromkeys(_without_form(form) for form in name_forms(_without_joined(company or "")) if form))
    return CompanyName(
        forms, frozenset(forms[0].split()) if forms else frozenset(), "".join(forms[:1]).replace(" ", "")
    )


def company_key(company: str | None) -> str:
    """Return a company's name without legal form, case, accents and punctuation."""
    return next(iter(company_name(company).forms), "")


def _without_joined(company: str) -> str:
    """Return a name without the forms that are written without a space."""
    text = company if company.isascii() else unicodedata.normalize("NFKC", company)
    if text.isascii():
        return text
    text = text.replace('"', "").replace("״", "")
    for form in _forms()["joined"]:
        left = text.removeprefix(form).removesuffix(form).strip()
        text = left or text
    return text


def _without_form(form: str) -> str:
    words = list(_joined_letters(form.split()))
    after, before = _sequences("after"), _sequences("before")
    while len(words) > 1:
        size = next((n for n in range(min(5, len(words) - 1), 0, -1) if tuple(words[-n:]) in after), 0)
        if size:
            words = words[:-size]
        elif words[-1] in _FILLER:
            words.pop()
        elif words[0] == "the" or (words[0],) in before:
            words = words[1:]
        elif (size := next((n for n in (4, 3, 2) if len(words) > n and tuple(words[:n]) in before), 0)) > 0:
            words = words[size:]
        else:
            break
    return " ".join(words)


def _joined_letters(words: list[str]) -> Iterator[str]:
    """Join letters that stand alone: "s r l" is ``srl``."""
    letters = ""
    for word in words:
        if len(word) == 1 and word.isalpha() and word not in "&":
            letters += word
            continue
        if letters:
            yield letters
            letters = ""
        yield word
    if letters:
        yield letters


@cache
def _forms() -> dict[str, list[str]]:
    text = files(__package__).joinpath("legal_forms.json").read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found


@cache
def _sequences(place: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(_joined_letters(form.split())) for form in _forms()[place])
