"""What a cell is as a field: whether it fits, how well, and the value that it gives.

Pure. Of several columns of one field the first cell that fits best is taken; what fits no field is left where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from agents.fit.company_size import parse_size
from agents.lead_files.addresses import addresses, without_space_at
from agents.lead_files.cells import cell_text, line_of, name_text
from agents.lead_files.excel_dates import size_of_date
from agents.lead_generation.clean import normal_domain
from agents.lead_generation.person_name import person_name

GOOD, POOR = 2, 1  #: grades: a cell is what the field asks for, or may pass for it


class Value(NamedTuple):
    """What a cell gives, and how well it fits."""

    text: str
    grade: int  #: GOOD, POOR, or 0 when it does not fit


NOTHING = Value("", 0)
_SEVERAL = re.compile(r"\s*:::\s*|\s*[\n|]\s*")
#: what stands in a column "Title" and is none of a job
_SALUTATION = re.compile(
    r"(?:(?:mr|mrs|ms|miss|mx|sir|madam|dr|prof|professor|herrn?|frau|hr|fr|familie|divers|monsieur|madame"
    r"|mademoiselle|mme|mlle|mm|m|se[ñn]or(?:a|ita)?|sr|sra|srta|don|doña|d|dña|signor(?:a|ina)?|sig|sig\.ra|sigra|dott"
    r"|dott\.?ssa|ing|avv|rag|geom|arch|dhr|mevr|mw|mevrouw|meneer|de heer|drs|ir|mag|dipl\.?-?\s?\w+|phd|mba|bsc|msc"
    r"|b\.?a|m\.?a|jr|iii?|med|jur|phil|rer|nat|h\.?c|senhora?|exmo|exma|様|さん|殿|先生|氏)\.?[\s/&,-]*)+",
    re.I,
)
_SOCIAL = re.compile(
    r"(?:^|\.)(?:linkedin|facebook|fb|instagram|twitter|x|youtube|tiktok|xing|crunchbase|pinterest|github|t|wa|whatsapp"
    r"|google|goo|bit|angel|wellfound|glassdoor|indeed|medium|threads|bsky|mastodon|calendly|hubspot|salesforce|apollo)"
    r"\.(?:com|de|me|gl|ly|co|io|app|net|be|social)$"
)
_LINKEDIN = re.compile(
    r"(?:https?://)?(?:[\w-]+\.)*linkedin\.com/(?:mwlite/)?(in|pub|sales|company|school|showcase|talent)/([^/?#\s]*)",
    re.I,
)
_NO_PERSON = frozenset({"company", "account", "school", "showcase"})  #: linkedin.com/company/7, /sales/company/7
_OPAQUE = re.compile(r"AC[ow]\w+")
_PROFILES = re.compile(
    r"(?:https?://)?(?:www\.)?(?:xing\.com/profile/|github\.com/|x\.com/|twitter\.com/)[\w.-]+", re.I
)
#: what stands where a name should in the last row of a report
_TOTALS = frozenset(
    {
        "total", "totals", "sum", "subtotal", "sub total", "grand total", "count", "average", "summe", "gesamt",
        "gesamtsumme", "zwischensumme", "anzahl", "totaux", "somme", "total général", "suma", "total general", "totale",
        "somma", "totale generale", "totaal", "som", "totais", "soma", "total geral", "合計", "小計", "総計",
    }
)  # fmt: skip
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E\+?(\d{1,2})", re.I)
_PHONE = re.compile(
    r"[+(]?[\d(][\d\s()./\-–‐\u00a0]*\d(?:\s*(?:ext|x|extension|durchwahl|poste|dw|int)\.?\s*\d{1,6})?", re.I
)
_PHONE_LABEL = re.compile(
    r"(?:tel|telefon|phone|mobile?|mobil|work|office|cell|fon|t|m|p|d)\s*[.:]+\s*(?=[+(\d])", re.I
)
_TRUE = frozenset(
    {
        "1", "1.0", "true", "yes", "y", "x", "t", "on", "ja", "j", "wahr", "oui", "vrai", "sí", "si", "s", "verdadero",
        "sì", "vero", "waar", "sim", "verdadeiro", "はい", "✓", "✔", "☑", "●", "○", "opted out", "opt out", "opt-out",
        "unsubscribed", "abgemeldet", "désabonné", "baja", "disiscritto", "uitgeschreven", "descadastrado", "停止",
        "不可",
    }
)  # fmt: skip


def read(field: str, raw: str) -> Value:
    """Return what a cell gives for a field."""
    return _READERS[field](raw) if raw else NOTHING


def read_emails(raw: str) -> list[str]:
    """Return the addresses of a cell."""
    if not raw:
        return []
    # a no-break space beside the @ is no part of the address, which a line would turn into a space
    text = raw if raw.isascii() else without_space_at(raw)
    return addresses(line_of(text.replace("\n", " ; ") if "\n" in text else text))


def is_total(text: str) -> bool:
    """Tell whether a text is what stands in the last row of a report where a name should."""
    return text.lower().strip(" :.") in _TOTALS


def is_salutation(text: str) -> bool:
    """Tell whether a text is a form of address or a degree, and no job title."""
    return _SALUTATION.fullmatch(text.strip()) is not None


def _first(text: str) -> str:
    return next((part for part in _SEVERAL.split(text) if part), "") if ":::" in text or "|" in text else text


def _text(raw: str) -> Value:
    text = _first(cell_text(raw))
    return Value(text, GOOD) if text else NOTHING


def _email(raw: str) -> Value:
    found = read_emails(raw)
    return Value(found[0], GOOD) if found else NOTHING


@lru_cache(maxsize=20_000)
def _words(raw: str) -> Value:
    """Read a text that has a letter and is no contact: an industry, a place."""
    found = _text(raw)
    wrong = "@" in found.text or "://" in found.text or not any(map(str.isalpha, found.text))
    return NOTHING if wrong else found


@lru_cache(maxsize=20_000)
def _name(raw: str) -> Value:
    text = _first(name_text(raw))
    name = person_name(text) if text else None
    if not name or is_total(text):
        return NOTHING
    several = len(name.split()) > 1 or not name.isascii()
    return Value(name, GOOD if several and not any(char.isdigit() for char in name) else POOR)


def _name_part(raw: str) -> Value:
    text = _first(line_of(raw))
    return Value(text, GOOD) if text and "@" not in text and any(char.isalpha() for char in text) else NOTHING


@lru_cache(maxsize=20_000)
def _job_title(raw: str) -> Value:
    text = _first(cell_text(raw))
    if not any(char.isalpha() for char in text) or "@" in text or "://" in text or is_salutation(text):
        return NOTHING
    return Value(text, GOOD)


@lru_cache(maxsize=20_000)
def _company(raw: str) -> Value:
    text = cell_text(raw)
    text = _first(text.partition(";")[0] if ";" in text else text).strip().removeprefix("@").strip()
    if not text or "://" in text or addresses(text):
        return NOTHING
    return Value(text, GOOD if any(char.isalpha() for char in text) else POOR)


@lru_cache(maxsize=20_000)
def _domain(raw: str) -> Value:
    for part in re.split(r"[\s;,|]+|:::", cell_text(raw)):
        domain = normal_domain(part) if part and "@" not in part else None
        if domain and not _SOCIAL.search(domain):
            return Value(domain, GOOD)
    return NOTHING


@lru_cache(maxsize=20_000)
def _size(raw: str) -> Value:
    text = cell_text(raw)
    date = size_of_date(text) if text else None
    if date is not None:
        return Value(date, GOOD) if date else NOTHING
    if _SCIENTIFIC.fullmatch(text):
        number = float(text.replace(",", "."))
        text = str(int(number)) if number < 1e9 else ""
    return Value(text, GOOD) if text and parse_size(text) else NOTHING


def _phone(raw: str) -> Value:
    text = line_of(raw.replace("\n", ";") if "\n" in raw else raw)
    for part in re.split(r"\s*(?::::|[;|])\s*|\s+(?:or|oder|ou|o)\s+", text):
        number = _PHONE_LABEL.sub("", part).removesuffix(".0").strip(" ,'")
        if not _SCIENTIFIC.fullmatch(number) and _PHONE.fullmatch(number) and 6 <= sum(map(str.isdigit, number)) <= 22:
            return Value(number, GOOD)
    return NOTHING


def _profile(raw: str) -> Value:
    text = cell_text(raw)
    for part in re.split(r"[\s;,|]+|:::", text):
        found = _LINKEDIN.match(part)
        if found:
            kind, who = found[1].lower(), found[2]
            if not who or kind in _NO_PERSON or who in _NO_PERSON:
                continue
            public = kind in ("in", "pub") and not _OPAQUE.fullmatch(who)
            return Value(part, GOOD if public else POOR)
        if re.fullmatch(r"/?in/[\w%-]+/?", part):
            return Value(f"https://www.linkedin.com/in/{part.strip('/').removeprefix('in/')}", POOR)
        if _PROFILES.match(part):
            return Value(part, POOR)
    return NOTHING


def _opted_out(raw: str) -> Value:
    return Value("yes", GOOD) if line_of(raw).lower() in _TRUE else NOTHING


_READERS: Mapping[str, Callable[[str], Value]] = {
    "email": _email, "name": _name, "first_name": _name_part, "particle": _name_part, "last_name": _name_part,
    "job_title": _job_title, "company": _company, "domain": _domain, "industry": _words, "company_size": _size,
    "location": _words, "city": _words, "region": _words, "country": _words, "phone": _phone, "profile_url": _profile,
    "legal_basis": _text, "opted_out": _opted_out,
}  # fmt: skip
