"""Rules about words that a guideline names itself: never "cheap", always "customers", this instead of that.

A name is quoted, or it follows "never say", "avoid the word" and the like. Invariant: what a rule looks for stands in
the guideline, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.brand.rule import MISSING, NOT, Find, Rule, parts
from agents.seo.keyphrase import uses
from agents.seo.text import Text

_QUOTED = re.compile(r"[\"“„«](?P<a>[^\"”“»]{1,60})[\"”“»]|(?<!\w)['‘](?P<b>[^'’]{1,60})['’](?!\w)")
_NOT_BEFORE = re.compile(
    rf"(?:{NOT}|\b(?:instead of|rather than|over|statt|anstatt|nicht)\b)[^\"“„«'‘.;]{{0,45}}$", re.IGNORECASE
)
_MUST_BEFORE = re.compile(
    r"\b(?:always|must|mention|include|use|say|write|call|name|refer\w*|spell\w*|prefer|schreib\w*|nenn\w*|sag\w*|immer|verwende\w*)\b"
    r"[^\"“„«.;]{0,45}$",
    re.IGNORECASE,
)
_AND = re.compile(r"^\s*(?:,|and|or|und|oder|/|\s)*\s*$", re.IGNORECASE)
_VERBS = (
    r"(?:use|using|say|saying|write|writing|mention|mentioning|name|naming|talk about|discuss|refer to|call \w+|call)"
)
_BARE = re.compile(
    rf"{NOT}\s+(?:{_VERBS}\s+)?(?P<named>(?:the|any) (?:words?|phrases?|terms?|names?|expressions?)\s+)(?P<list>[^.;()]{{2,80}})|"
    rf"{NOT}\s+{_VERBS}\s+(?P<said>[^.;()]{{2,60}})",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    r"\b(?:say|use|write|call \w+|prefer)\s+(?P<good>[\w-]+(?: [\w-]+)?)\s*,?\s*(?:not|never|instead of|rather than|over)\s+"
    r"(?:say |use |write )?(?P<bad>[\w-]+(?: [\w-]+)?)",
    re.IGNORECASE,
)
_CASED = re.compile(r"\b(?:capitali[sz]e|spell|write|spelled|written)\b[^\"“'‘]{0,40}", re.IGNORECASE)
_MENTION = re.compile(
    r"\b(?:always|must)\s+(?:mention|include|say|name|refer to)\s+(?:(?:our|the|that|a|an)\s+)*(?P<phrase>[^.,;]{3,50})",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"\b(?:benefit|example|number|source|proof|customer|reader|evidence|reason|result|value|advantage|call to action|step|"
    r"figure|date|place|next|who|why|how|what|when|where)",
    re.IGNORECASE,
)


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about words that a guideline names."""
    bad, good = _quoted(guideline)
    if not bad and not good:
        bad = [*_bare(guideline)]
        instead = _INSTEAD.search(guideline)
        if instead is not None and not bad:
            bad = [instead["bad"]]
    for phrase in bad:
        yield Rule(f"never {phrase!r}", _never(phrase))
    if good and not bad:
        for phrase in good:
            yield Rule(f"always {phrase!r}", _always(phrase))
    if not bad and not good:
        wanted = _MENTION.search(guideline)
        if wanted is not None and not _GENERIC.search(wanted["phrase"]):
            phrase = re.split(r"\s+(?:in|at|on|of every|when|whenever|once|somewhere|before|with)\s", wanted["phrase"])[
                0
            ]
            yield Rule(f"always {phrase!r}", _always(phrase.strip()))
    if _CASED.search(guideline):
        for phrase in good:
            yield Rule(f"{phrase!r} as it is written", _as_written(phrase))


def _quoted(guideline: str) -> tuple[list[str], list[str]]:
    bad: list[str] = []
    good: list[str] = []
    last: list[str] | None = None
    end = 0
    for found in _QUOTED.finditer(guideline):
        before = guideline[: found.start()]
        between = before[end:]
        if last is not None and _AND.match(between):
            chosen: list[str] | None = last
        elif _NOT_BEFORE.search(between if last is not None else before):
            chosen = bad
        elif _MUST_BEFORE.search(before):
            chosen = good
        else:
            after = guideline[found.end() :]
            chosen = bad if re.match(r"\s*(?:is|are)\s+(?:banned|forbidden|not|never|out)", after) else None
        if chosen is not None:
            chosen.append((found["a"] or found["b"]).strip(" .,;"))
        last, end = chosen, found.end()
    return bad, good


def _bare(guideline: str) -> Iterator[str]:
    found = _BARE.search(guideline)
    if found is None:
        return
    listed = found["list"] or found["said"]
    pieces = re.split(r"\s*,\s*(?:and |or )?|\s+(?:and|or|nor)\s+", listed.strip())
    for piece in pieces:
        phrase = re.sub(r"^(?:the|our|a|an|any|word|like)\s+", "", piece.strip(" \"'“”‘’!"), flags=re.IGNORECASE)
        phrase = re.split(r"\s+(?:in|at|on|for|when|unless|to|as|by|with|anywhere)\s", phrase)[0]
        if len(phrase) > 1 and len(phrase.split()) <= 3:
            yield phrase


def _never(phrase: str) -> Find:
    def find(text: Text) -> str | None:
        return next((one for one in parts(text) if uses(one, phrase)), None)

    return find


def _always(phrase: str) -> Find:
    def find(text: Text) -> str | None:
        return None if uses(text.whole, phrase) else MISSING

    return find


def _as_written(phrase: str) -> Find:
    def find(text: Text) -> str | None:
        for one in parts(text):
            found = re.findall(rf"(?<!\w){re.escape(phrase)}(?!\w)", one, re.IGNORECASE)
            if any(form != phrase for form in found):
                return one
        return None

    return find
