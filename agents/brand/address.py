"""Rules about who speaks to whom: the polite or the familiar form, "you", "we", "I", people without a gender."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from agents.brand.rule import MISSING, Rule, body_sentences, forbids, having, lacking, names, parts, spoken
from agents.seo.text import Text

#: Words of the polite and of the familiar form, by language.
POLITE: Mapping[str, re.Pattern[str]] = {
    "de": re.compile(r"(?<![.!?:]\s)(?<!^)\b(?:Sie|Ihnen|Ihr(?:e[rmns]?)?)\b"),
    "fr": re.compile(r"\b(?:vous|votre|vos|vôtres?)\b", re.IGNORECASE),
    "es": re.compile(r"\busted(?:es)?\b", re.IGNORECASE),
    "it": re.compile(r"(?<![.!?]\s)(?<!^)\b(?:Lei|Le|Suo|Sua|Suoi|Sue)\b"),
    "nl": re.compile(r"\b(?:u|uw|uzelf)\b", re.IGNORECASE),
}
FAMILIAR: Mapping[str, re.Pattern[str]] = {
    "de": re.compile(r"\b(?:du|dich|dir|dein(?:e[rmns]?)?|euch|euer|eure[rmns]?)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:tu|te|toi|ton|tes|t['’]\w+)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:tú|tu|tus|te|ti|contigo|vosotr[oa]s)\b", re.IGNORECASE),
    "it": re.compile(r"\b(?:tu|ti|te|tuo|tua|tuoi|tue)\b", re.IGNORECASE),
    "nl": re.compile(r"\b(?:jij|je|jou|jouw|jullie)\b", re.IGNORECASE),
}
YOU: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:you|your|yours|yourself)\b", re.IGNORECASE),
    **{
        code: re.compile(f"(?:{POLITE[code].pattern})|(?:{FAMILIAR[code].pattern})", re.IGNORECASE) for code in FAMILIAR
    },
}
WE: Mapping[str, str] = {
    "en": r"\b(?:we|our|ours|us)\b", "de": r"\b(?:wir|uns|unser\w*)\b", "fr": r"\b(?:nous|notre|nos)\b",
    "es": r"\b(?:nosotr[oa]s|nuestr[oa]s?)\b", "it": r"\b(?:noi|nostr[oaie])\b", "nl": r"\b(?:wij|we|ons|onze)\b",
}  # fmt: skip
I_FORMS = r"\b(?:I|I['’](?:m|ve|ll|d)|my|mine|myself)\b|\b(?:ich|mein\w*|mich|mir)\b"
_POLITE_ASKED = r"[\"'“„]?(?:Sie)[\"'”“]?(?!\w)|siez\w*|sie-form|vouvo\w+|[\"'“„]?vous[\"'”“]?|usted|[\"'“„]Lei[\"'”“]|polite form|formal (?:you|address|form)|formally"
_FAMILIAR_ASKED = (
    r"(?<!\w)[\"'“„]?(?:du|tu|tú)[\"'”“]?(?!\w)|duz\w*|du-form|tuto\w+|informal (?:you|address|form)|familiar form"
)
_READER = r"address|speak to|talk to|readers?|leser\w*|anrede|sprich|sprechen|form|customers?|kunden|immer|always|use|people|forma"
_YOU_ASKED = r"second person|speak (?:directly )?to the reader|talk (?:directly )?to the reader|address (?:the )?readers? (?:directly|as)|as [\"'“]you[\"'”]|[\"'“]you[\"'”]|use you\b"


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about who speaks to whom from a guideline."""
    about_readers = names(guideline, _READER)
    polite = re.search(_POLITE_ASKED, guideline) if about_readers else None
    familiar = re.search(_FAMILIAR_ASKED, guideline) if about_readers else None
    if polite or familiar:
        wants_polite = bool(polite) and not (familiar is None and forbids(guideline, _POLITE_ASKED))
        if polite and familiar:  # "Sie, not du"
            wants_polite = polite.start() < familiar.start()
        elif familiar is not None:
            wants_polite = forbids(guideline, _FAMILIAR_ASKED)
        yield Rule("polite form" if wants_polite else "familiar form", polite_form if wants_polite else familiar_form)
        return
    if names(guideline, _YOU_ASKED):
        yield Rule(
            "never you" if forbids(guideline, _YOU_ASKED) else "you",
            _no_you if forbids(guideline, _YOU_ASKED) else _you,
        )
    if names(guideline, r"first[- ]person singular|[\"'“]I[\"'”]|\bich-form"):
        if forbids(guideline, r"first[- ]person singular|[\"'“]I[\"'”]|ich-form"):
            yield Rule("never I", having(I_FORMS, flags=0))
    elif names(guideline, r"first[- ]person plural|[\"'“]we[\"'”]|as we\b|[\"'“„]wir[\"'”“]"):
        if forbids(guideline, r"first[- ]person plural|[\"'“„]we|[\"'“„]wir"):
            yield Rule("never we", _no_we)
        else:
            yield Rule("we", _we)
    elif names(guideline, r"first[- ]person\b"):
        if forbids(guideline, "first[- ]person"):
            yield Rule("no first person", lambda text: _no_we(text) or having(I_FORMS, flags=0)(text))
        else:
            yield Rule("first person", _we)
    if names(guideline, r"third[- ]person") and not forbids(guideline, "third[- ]person"):
        yield Rule("third person", lambda text: _no_we(text) or _no_you(text))
    if names(guideline, r"gender[- ](?:neutral|inclusive|fair)|inclusive language|gendered|geschlechtsneutral|gendern"):
        yield Rule("no gendered words", having(_GENDERED))


_GENDERED = (
    r"\b(?:chairm[ae]n|salesm[ae]n|businessm[ae]n|spokesm[ae]n|foreman|manpower|mankind|man-made|manned|craftsm[ae]n|"
    r"policem[ae]n|firem[ae]n|middlem[ae]n|workm[ae]n|stewardess(?:es)?|cameraman|freshman|"
    r"he|his|him|himself|she|her|hers|guys|gentlemen|ladies)\b"
)


def polite_form(text: Text) -> str | None:
    """Find a sentence in the familiar form, or miss the polite one."""
    return _form(text, FAMILIAR, POLITE)


def familiar_form(text: Text) -> str | None:
    """Find a sentence in the polite form, or miss the familiar one."""
    return _form(text, POLITE, FAMILIAR)


def _form(text: Text, wrong: Mapping[str, re.Pattern[str]], right: Mapping[str, re.Pattern[str]]) -> str | None:
    code = spoken(text)
    if code not in wrong:
        return None
    for one in parts(text):
        if wrong[code].search(one):
            return one
    return MISSING if len(body_sentences(text)) >= 3 and not right[code].search(text.whole) else None


def _you(text: Text) -> str | None:
    code = spoken(text)
    return MISSING if code in YOU and not YOU[code].search(text.body) else None


def _no_you(text: Text) -> str | None:
    code = spoken(text)
    return next((one for one in parts(text) if code in YOU and YOU[code].search(one)), None)


def _we(text: Text) -> str | None:
    pattern = WE.get(spoken(text))
    return lacking(pattern)(text) if pattern else None


def _no_we(text: Text) -> str | None:
    pattern = WE.get(spoken(text))
    return having(pattern)(text) if pattern else None
