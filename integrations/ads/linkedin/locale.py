"""Languages that LinkedIn shows ads in, each with the one country that its locale is written with.

Pure. Source: "Language Codes" of the LinkedIn API reference tables. Invariant: what leaves :func:`locale_of` is a pair
that LinkedIn knows; another one (German with the country US) is refused by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: LinkedIn's own codes: Indonesian is ``in``, Norwegian ``no``.
_COUNTRIES: Mapping[str, str] = {
    "ar": "AE",
    "cs": "CZ",
    "da": "DK",
    "de": "DE",
    "en": "US",
    "es": "ES",
    "fr": "FR",
    "in": "ID",
    "it": "IT",
    "ja": "JP",
    "ko": "KR",
    "ms": "MY",
    "nl": "NL",
    "no": "NO",
    "pl": "PL",
    "pt": "BR",
    "ro": "RO",
    "ru": "RU",
    "sv": "SE",
    "th": "TH",
    "tl": "PH",
    "tr": "TR",
    "zh": "CN",
}
_OWN_CODES: Mapping[str, str] = {"id": "in", "nb": "no", "nn": "no", "fil": "tl"}
_TAIWAN = re.compile(r"^zh[-_](?:tw|hk|hant)\b")
_CODE = re.compile(r"^([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*$")


@dataclass(frozen=True, slots=True)
class Locale:
    """A language in the country that LinkedIn writes it with."""

    language: str
    country: str

    @property
    def urn(self) -> str:
        """Return its name in targeting criteria."""
        return f"urn:li:locale:{self.language}_{self.country}"

    def to_dict(self) -> dict[str, str]:
        """Return its form in a campaign."""
        return {"country": self.country, "language": self.language}


def locale_of(language: str) -> Locale | None:
    """Return LinkedIn's locale of a language (``de``, ``pt-PT``), None when it shows no ads in it."""
    given = language.strip().lower()
    if _TAIWAN.match(given):
        return Locale("zh", "TW")
    found = _CODE.match(given)
    code = _OWN_CODES.get(found[1], found[1]) if found else ""
    return Locale(code, _COUNTRIES[code]) if code in _COUNTRIES else None


def known(country: object, language: object) -> bool:
    """Return whether LinkedIn knows this pair."""
    return (language, country) == ("zh", "TW") or (isinstance(language, str) and _COUNTRIES.get(language) == country)


def locale_problem(language: str) -> str | None:
    """Return why ads in a language can't be shown, None when they can."""
    if locale_of(language) is not None:
        return None
    codes = ", ".join(_COUNTRIES)
    return f"shows no ads in the language {language[:40]!r}; give content_requirements.language as one of {codes}"
