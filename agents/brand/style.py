"""Rules about style: superlatives, passive, contractions, jargon, how headlines are written, how a text begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from agents.brand import lexicon
from agents.brand.rule import (
    MISSING,
    Find,
    Rule,
    body_sentences,
    forbids,
    having,
    headlines,
    lacking,
    names,
    parts,
    spoken,
)
from agents.languages.language import language
from agents.seo.text import Text

#: list of words -> how guidelines call the style
_STYLES: Mapping[str, str] = {
    "jargon": r"(?:technical |industry |business |marketing |corporate |tech )?(?:jargon|buzz ?words?)|buzzword\w*|fachchinesisch|fachjargon|technical terms|corporate[- ]speak|fachbegriff\w*",
    "hype": r"hype|exaggerat\w+|hyperbol\w+|übertreib\w*|marketing[- ]speak|superlativ\w*|overclaim\w*|big words|sensationali\w+",
    "cliches": r"clich[ée]s?|phrasen|platitudes?|idioms?|floskeln?",
    "slang": r"slang|colloquial\w*|umgangssprach\w*|profanity|swear\w*",
    "filler": r"filler(?: words?)?|intensifiers?|adverbs?|füllwörter\w*|[\"'“]very[\"'”]",
    "hedges": r"hedg\w+|weasel words?|vague\w*|uncertain\w*|tentative\w*",
    "boasts": r"boast\w*|brag\w*|self-praise|eigenlob|arrogan\w+",
    "abbreviations": r"abbreviations?|abkürzung\w*",
    "anglicisms": r"anglicisms?|anglizism\w*|english words",
    "bureaucratic": r"bureaucra\w+|officialese|legalese|amtsdeutsch|behördensprache|formal phrases|stiff\w*",
    "negative": r"negative (?:language|words|wording|phras\w+|sentences)|negations?|negativity",
    "future": r"future tense|[\"'“]will[\"'”]",
}
_SUPERLATIVE: Mapping[str, str] = {
    "en": r"\b(?:most \w{4,}|best|greatest|biggest|fastest|smartest|easiest|largest|cheapest|strongest|finest|simplest|"
    r"highest|lowest|quickest|newest|safest|cleanest|happiest|richest|toughest|boldest|brightest|leading|"
    r"\w{3,}iest|number[- ]one|no\. ?1|#1|unbeatable|unrivall?ed|unmatched|world-class|top-rated|ultimate|perfect)\b",
    "de": r"\b(?:am \w+sten|(?:best|größt|schnellst|schönst|einfachst|günstigst|höchst|stärkst|modernst|neuest|sicherst|"
    r"klügst|beliebtest|meist)e[nrms]?|führend\w*|nummer eins|einzigartig\w*|unschlagbar\w*|perfekt\w*)\b",
    "fr": r"\b(?:les? (?:plus|meilleur\w*|moins)|la plus|la meilleure|leader|numéro un|incomparable)\b",
    "es": r"\b(?:(?:el|la|los|las) (?:más|mejor\w*|menos)|líder|número uno|\w+ísim[oa]s?|inigualable)\b",
    "it": r"\b(?:(?:il|la|i|gli|le) (?:più|miglior\w*|meno)|leader|numero uno|\w+issim[oaie]|imbattibile)\b",
    "nl": r"\b(?:beste|grootste|snelste|mooiste|makkelijkste|goedkoopste|sterkste|meest \w+|toonaangevend\w*|nummer één|onverslaanbaar)\b",
}
_CONTRACTION = r"\b\w+(?:n['’]t|['’](?:re|ve|ll|d|m))\b|\b(?:it|that|there|here|what|who|let|he|she)['’]s\b"
_EXPANDED = r"\b(?:do not|does not|did not|can ?not|will not|is not|are not|would not|it is|we are|you are|they are|that is|I am|we will|you will|we have|you have|should not|could not)\b"


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about style from a guideline."""
    superlatives = r"superlativ\w*|[\"'“]best[\"'”]|exaggerat\w+|overclaim\w*"
    if forbids(guideline, superlatives):
        yield Rule("no superlatives", _superlative)
    for name, called in _STYLES.items():
        if forbids(guideline, called) or (
            name == "jargon"
            and names(guideline, "plain (?:language|english|words)|everyday (?:language|words)|einfache sprache")
        ):
            yield Rule(f"no {name}", _listed(name))
    if forbids(guideline, "passive?|passiv\\w*") or names(
        guideline, r"active (?:voice|verbs)|aktiv (?:formulier|schreib)\w*|actively"
    ):
        yield Rule("no passive", _passive)
    if names(guideline, "contractions?|contracted"):
        yield Rule("contractions", having(_CONTRACTION) if forbids(guideline, "contract") else having(_EXPANDED))
    yield from _headline_rules(guideline)
    yield from _acronyms(guideline)
    yield from _ends(guideline)


def _superlative(text: Text) -> str | None:
    pattern = _SUPERLATIVE.get(spoken(text))
    return having(pattern)(text) if pattern else None


def _listed(name: str) -> Find:
    pattern = lexicon.pattern(name)

    def find(text: Text) -> str | None:
        # What the brief itself is about is no jargon.
        own = " ".join((*text.keywords, text.topic, text.context)).lower()
        for one in parts(text):
            if any(found[0].lower() not in own for found in pattern.finditer(one)):
                return one
        return None

    return find


def _passive(text: Text) -> str | None:
    rules_of = language(text.language)
    if rules_of is None:
        return None
    listed = body_sentences(text)
    found = [one for one in listed if rules_of.is_passive(one)]
    return found[0] if len(found) > 0.05 * len(listed) else None


_HEADS = r"headlines?|headings?|titles?|subheadings?|subject lines?|überschriften?|titel\w*"


def _headline_rules(guideline: str) -> Iterator[Rule]:
    if names(guideline, r"sentence[- ]case") or (
        names(guideline, r"title[- ]case") and forbids(guideline, "title[- ]case")
    ):
        yield Rule("sentence case", _title_cased)
    elif names(guideline, r"title[- ]case|capitali[sz]e (?:every|each|all) (?:\w+ )?words?"):
        yield Rule("title case", _sentence_cased)
    if forbids(guideline, r"(?:full stops?|periods?|punctuation)\b") and names(guideline, _HEADS):
        yield Rule(
            "no full stop in headlines", lambda text: next((one for one in headlines(text) if one.endswith(".")), None)
        )
    if forbids(guideline, r"(?:colons?)\b"):
        yield Rule("no colons", _colon_headline if names(guideline, _HEADS) else having(r"\w:(?!//)"))
    if forbids(guideline, r"(?:headings?|subheadings?)\b") and not names(
        guideline, r"in (?:the )?head|case|colon|full stop|question"
    ):
        yield Rule("no headings", lambda text: next(iter(headlines(text)[1:]), None))


def _colon_headline(text: Text) -> str | None:
    return next((one for one in headlines(text) if ":" in one), None)


_SMALL = frozenset(
    {
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "from",
        "by",
        "as",
        "is",
        "are",
        "it",
        "its",
        "vs",
        "via",
        "per",
        "nor",
    }
)


def _cases(text: Text, headline: str) -> tuple[int, int]:
    """Count the words after the first that begin with a capital, and with a small letter, without the brief's names."""
    own = {
        word.lower()
        for phrase in (text.context, *text.keywords, text.topic)
        for word in re.findall(r"\w+", phrase)
        if word[:1].isupper()
    }
    plain = re.sub(r"^\[[^\]]*\]\s*", "", headline)
    found = [w for w in re.findall(r"[^\W\d_][\w'’-]*", plain)[1:] if w.lower() not in _SMALL | own and not w.isupper()]
    capital = sum(word[0].isupper() for word in found)
    return capital, len(found) - capital


def _title_cased(text: Text) -> str | None:
    if spoken(text) == "de":  # nouns have capitals there
        return None
    for one in headlines(text):
        capital, small = _cases(text, one)
        if capital >= 2 and capital > small:
            return one
    return None


def _sentence_cased(text: Text) -> str | None:
    return next((one for one in headlines(text) if _cases(text, one)[1] > 0), None)


def _acronyms(guideline: str) -> Iterator[Rule]:
    if not names(guideline, "acronyms?|initialisms?|abkürzung"):
        return
    if forbids(guideline, "acronyms?") and not names(guideline, "without|unless|explain|spell|ohne"):
        yield Rule("no acronyms", _acronym(explained=False))
    else:
        yield Rule("acronyms explained", _acronym(explained=True))


def _acronym(*, explained: bool) -> Find:
    def find(text: Text) -> str | None:
        own = " ".join((*text.keywords, text.topic, text.context))
        for one in parts(text):
            for found in re.findall(r"\b[A-Z][A-Z0-9]{1,5}s?\b", one):
                told = explained and re.search(rf"\({re.escape(found)}\)|{re.escape(found)} \(", text.whole)
                if found not in own and found != "OK" and not told:
                    return one
        return None

    return find


def _ends(guideline: str) -> Iterator[Rule]:
    begin = r"(?:begin|start|open|beginne|starte|eröffne)\w*(?: \w+){0,5} (?:with|mit)(?: a| an| einer)?"
    end = r"(?:end|close|finish|conclude|ende|schließ)\w*(?: \w+){0,5} (?:with|mit|on)(?: a| an| einer| the)?"
    if names(guideline, rf"{begin} (?:question|frage)"):
        yield Rule("begins with a question", lambda text: _at(text, 0) if not _at(text, 0).endswith("?") else None)
    if names(guideline, rf"{end} (?:question|frage)"):
        yield Rule("ends with a question", lambda text: _at(text, -1) if not _at(text, -1).endswith("?") else None)
    if names(guideline, rf"{end} (?:clear )?(?:call[- ]to[- ]action|cta|handlungsauf\w+)"):
        yield Rule("call to action", lambda text: None if text.call_to_action.strip() else MISSING)
    if names(guideline, r"(?:include|give|use|add|contain\w*|mention)\s+(?:at least one |an |one )(?:\w+ )?example"):
        yield Rule(
            "an example", lacking(r"\bfor (?:example|instance)\b|\bsuch as\b|\bzum Beispiel\b|\bz\. ?B\.|\be\.g\.")
        )


def _at(text: Text, place: int) -> str:
    found = body_sentences(text)
    return found[place].rstrip("*_ \"'”") if found else ""
