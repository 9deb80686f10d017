"""Job titles read as functions and seniorities, by words in their context, in eight languages.

"ConstruCTOr", "instruCTOr" and "COOrdinator" contain titles of officers, and "Assistant to the CEO" names one without
being one: over tens of thousands of real titles, substring matching was wrong for 4,291 of 4,294 hits of "cto". So a
title is cut into its parts, words are looked for as words (in compounds of German and Dutch as their parts), the
longest match counts, and what only mentions somebody else is left out.

Decided by specification: directors, vice presidents, presidents, founders and members of a board are executives;
"head of", assistant and associate vice presidents, chiefs of staff and artistic directors are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from agents.fit.lexicon import LANGUAGES, Meaning, longest, titles
from agents.fit.patterns import Found
from agents.fit.text import folded, has_cjk

#: Seniority from the top. A title without any word for it is of the staff.
LEVELS = ("owner", "executive", "vp", "director", "head", "manager", "lead", "senior", "staff", "trainee")
EXECUTIVES = frozenset({"owner", "executive", "vp", "director"})
MAX_TITLE = 300  #: characters that are read

_RANK = {level: rank for rank, level in enumerate((*LEVELS, "junior"))}
_ROMANCE = frozenset({"fr", "es", "it", "pt"})
#: Whom the rest of the title is about, in English, where the noun doesn't stand beside it.
_SERVED = re.compile(
    r"\b(?P<keep>assistant|secretary|aide|adviser|advisor|pa|ea|liaison|consultant|counsel|recruiter|coach|partner|manager"
    r"|analyst|coordinator|support)?\s*\b(?:to|reporting to|reports to|under|for) (?:the |our )?"
    r"(?:ceo|cto|cfo|coo|cmo|cio|cxo|president|director|founder|chair|board|chief|vp|vice president|executive|managing"
    r"|owner|head)s?\b.*$"
)
_MENTIONED = tuple(
    re.compile(pattern)
    for pattern in (
        r"\breporting to .*$",
        r"\boffice of (?:the )?.*$",
        r"\b(?:former|formerly|ex|retired|aspiring|future|past|previously|incoming|ehemalig\w*|ancien(?:ne)?|antiguo"
        r"|antigua|exdirector\w*|gia|voormalig\w*|oud|ex-\w+) .*?(?=[,|/;(]|$)",
        r"\bi help .*$|\bhelping .*?(?=[,|]|$)",
        r"\b(?:ceo|cto|cfo|coo|cmo|cio|ciso|cro|cpo|cdo|cxo)(?:'?s)? (?:office|services|search|advisory|practice)\b.*?"
        r"(?=,|$)",
        r"\bchief (?:petty|warrant|probation|medical records|flight) officer\b",
        r"\b(?:student|student body|class|club|fraternity|sorority|pta|pto|hoa) (?:vice )?president\b",
        r"\bpresident'?s club\b.*?(?=,|$)",
        r"\b(?:founders?'?s?|president'?s?|director'?s?|managing director'?s) (?:office|club)\b",
        r"\bexecutive search\b.*$",
        r"^(?:元|前)(?=社長|会長|取締役|代表)\w*",
    )
)
#: Occupations that stay what they are in most fields, with the fields in which they don't.
_KEEPS = {
    "engineer": frozenset({"software", "it", "data", "sales", "quality", "research", "security", "engineering"}),
}
#: Without any of these no pattern above matches.
_HINT = re.compile(
    r"report|office|form|ex|retire|aspir|future|past|previous|incoming|ehemalig|ancien|antigu|gia|voormalig|oud|help|c[a-z]o"
    r"|ciso|chief|president|founder|director|search|^[元前]|\b(?:to|under|for)\b"
)
_MARKERS = re.compile(
    r"\((?:[a-z]{1,3}\.?[/|*,. ]+){1,4}[a-z]{1,7}\.?\)|\(all genders?\)|\b(?:m/w/d|w/m/d|m/f/d|h/f|f/h|m/f|m/v/x|m/v)\b"
    r"|(?<=\w)[*:_·](?:in|innen|r|n)\b|(?<=\w)/-?(?:in|innen)\b|(?<=\w)\((?:in|e|a|o|as|os|es|ne|trice|euse|ra|s)\)"
    r"|(?<=\w)[·.](?:e|ne|trice|euse|rice|ere)s?\b|(?<=[orn])/-?a\b|(?<=\w)-/in\b"
)
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}")
_EMPLOYER = re.compile(r"(?<=\w) (?:@|at|bei|chez|presso|bij) (?!law\b|large\b)(?=\S).*$")
#: A word, or what separates the parts of a title: "and" and the like join, the rest begins something new.
_TOKEN = re.compile(r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[&+/・、兼]|[,;:|•·()\[\]–—@]|(?<=\s)-(?=\s)")
_ROMANCE_WORDS = re.compile(r"\b(?:de|du|des|del|della|dei|di|da|do|dos|das|d|la|le|para|pour)\b")
_AND = frozenset({"&", "+", "/", "and", "und", "et", "y", "e", "ed", "・", "、", "兼"})
_BREAKS = frozenset(",;:|•·()[]–—@-")
_CHIEF = re.compile(r"\bchief (?!executive )(?P<of>(?:[\w&]+ ){1,4}?)officer\b")
_ASSISTANT_MANAGER = re.compile(r"\b(?:assistant|deputy) (?P<of>(?:\w+ ){1,2})manager\b")
_FAMILIAR = re.compile(r"\bv\.?p\.?(?=[ ,/]|$)|\bvice-?president\b|\bvice pres\b\.?")


@dataclass(frozen=True, slots=True)
class Role:
    """One thing that a title says of its holder."""

    functions: frozenset[str]
    levels: tuple[str, ...]  #: likeliest first; empty: the title doesn't say
    occupation: str | None = None  #: what exactly, such as "nurse"
    noun: str | None = None  #: an occupation that is at home in several functions, such as "engineer"

    @property
    def level(self) -> str:
        """Likeliest seniority."""
        return self.levels[0] if self.levels else "staff"


@dataclass(slots=True)
class _Segment:
    """A part of a title between separators."""

    found: list[Found[Meaning]]
    joined: bool  #: whether an "and" goes before it


@lru_cache(maxsize=50_000)
def roles(title: str) -> tuple[Role, ...]:
    """Return what a title says, the most senior first, or nothing when no word of it is known."""
    text = _cleared(title)
    tokens = list(_TOKEN.finditer(text))
    found, language = _found(text, tokens)
    segments = _segments(tokens, found, language == "nl")
    read = [_role(segment.found, language) for segment in segments]
    joined = _join([(role, segment.joined) for role, segment in zip(read, segments, strict=True) if role])
    return tuple(sorted(joined, key=lambda role: _RANK[role.level]))


@lru_cache(maxsize=50_000)
def is_executive(title: str) -> bool:
    """Tell whether a title makes its holder an executive."""
    return any(role.level in EXECUTIVES for role in roles(title))


def level(title: str) -> str | None:
    """Return the seniority that a title says, or None when no word of it is known."""
    found = roles(title)
    return found[0].level if found else None


def functions(title: str) -> frozenset[str]:
    """Return the fields of work that a title names."""
    return frozenset(function for role in roles(title) for function in role.functions)


@lru_cache(maxsize=50_000)
def names_job(text: str) -> bool:
    """Tell whether a text is a title and nothing else: each of its words is one of work ("Jefe de Compras").

    Surnames that are trades ("Anna Bauer", "Peter Koch") have a word beside them that isn't.
    """
    plain = _cleared(text)
    tokens = list(_TOKEN.finditer(plain))
    found = [one for one in longest(titles().find(plain, tokens)) if not one.meanings[0].nothing]
    words = [one for one in tokens if len(one[0]) > 2 and not _ROMANCE_WORDS.fullmatch(one[0])]
    return bool(found) and all(
        any(one.start < word.end() and word.start() < one.end for one in found) for word in words
    )


@lru_cache(maxsize=50_000)
def known_words(title: str) -> tuple[str, ...]:
    """Return the words by which a title is read, in order: "head", "growth" of "Head of Growth bei Ida Bauer".

    They are folded, and as the lexicon has them: no name or number that stands beside them is among them.
    """
    text = _cleared(title)
    found, _ = _found(text, list(_TOKEN.finditer(text)))
    said = (text[one.start : one.end] for one in found if not one.meanings[0].nothing)
    words = ["chief" if word == "cxo" else word for part in said for word in re.findall(r"\w+", part)]
    return tuple(dict.fromkeys(word for word in words if len(word) > 2 or has_cjk(word)))


def _found(text: str, tokens: list[re.Match[str]]) -> tuple[list[Found[Meaning]], str]:
    """Return the words of a title that has been cleared, the longest of those that overlap, and its language."""
    every = titles().find(text, tokens)
    if not every:
        return [], "en"
    language = _language(every, text)
    return longest(every, frozenset() if language == "en" else frozenset({language, "en"})), language


def _cleared(title: str) -> str:
    text = folded(title[:MAX_TITLE])
    text = _DOTTED.sub(lambda found: found[0].replace(".", ""), text)
    text = _MARKERS.sub(" ", text)
    text = _FAMILIAR.sub("vice president", text)
    text = re.sub(r"(?<=\w)-(?=\w)", " ", text)
    text = re.sub(r"\bstaff(?= (?:\w+ )?(?:engineer|developer|data|software|machine))", "senior", text)
    text = _ASSISTANT_MANAGER.sub(r"assistant manager \g<of>", text)
    if _HINT.search(text):
        for pattern in _MENTIONED:
            text = pattern.sub(" ", text)
        text = _CHIEF.sub(r"cxo \g<of>", text)
        text = _SERVED.sub(lambda found: found["keep"] or "", text)
    return _EMPLOYER.sub("", text)


def _language(found: Sequence[Found[Meaning]], text: str) -> str:
    """Return the language that has most letters of the title, each beginning of a match counted once."""
    most: dict[tuple[str, int], int] = {}
    for start, _, letters, meanings in found:
        for meaning in meanings:
            place = (meaning.language, start)
            if letters > most.get(place, 0):
                most[place] = letters
    counts = dict.fromkeys(LANGUAGES, 0)
    for (language, _), letters in most.items():
        counts[language] += letters
    if _ROMANCE_WORDS.search(text):
        for language in _ROMANCE:
            counts[language] *= 2
    return max(LANGUAGES, key=counts.__getitem__)


def _segments(tokens: Sequence[re.Match[str]], found: Sequence[Found[Meaning]], dutch: bool) -> list[_Segment]:
    cuts: list[tuple[int, bool]] = []
    for token in tokens:
        word = token[0]
        soft = word in _AND or (dutch and word == "en")
        if (soft or word in _BREAKS) and not any(one.start <= token.start() < one.end for one in found):
            cuts.append((token.start(), soft))
    segments = [_Segment([], joined=False)]
    waiting = list(cuts)
    for one in found:
        while waiting and waiting[0][0] < one.start:
            _, soft = waiting.pop(0)
            if segments[-1].found:
                segments.append(_Segment([], joined=soft))
            else:
                segments[-1].joined = soft and segments[-1].joined
        segments[-1].found.append(one)
    return [segment for segment in segments if segment.found]


def _role(found: Sequence[Found[Meaning]], language: str) -> Role | None:
    said = [_chosen(one.meanings, language) for one in found]
    said = [one for one in said if not one.nothing]
    if language not in _ROMANCE:
        said = [one for place, one in enumerate(said) if not _modifies(one, said[place + 1 :])]
    if not said:
        return None
    served = next((one for one in said if one.serves), None)
    strong = [one for one in said if one.person and not one.weak]
    fields = [one for one in said if one.functions and not one.person]
    weak = [one for one in said if one.weak]
    first = language in _ROMANCE
    if served is not None and not any(
        one.functions and not one.serves and one.levels for one in said if not one.levels
    ):
        return Role(frozenset(served.functions), served.levels or ("staff",), served.occupation)
    levels = _levels([one for one in said if one.levels])
    noun = weak[0 if first else -1].occupation if weak else None
    if strong:
        one = strong[0 if first else -1]
        return Role(frozenset(one.functions), levels, one.occupation, noun)
    if fields:
        one = fields[0 if first else -1]
        if weak and noun in _KEEPS and not _KEEPS[noun] & set(one.functions):
            one = weak[0 if first else -1]
        return Role(frozenset(one.functions), levels, None, noun)
    if weak:
        one = weak[0 if first else -1]
        return Role(frozenset(one.functions), levels, None, noun)
    return Role(frozenset(), levels)


def _modifies(one: Meaning, following: Sequence[Meaning]) -> bool:
    """Tell whether an executive is only whom the person after it works for: "CEO coach", "CTO recruiter"."""
    return _executive(one) and any(other.person and not _executive(other) for other in following)


def _executive(one: Meaning) -> bool:
    return bool(one.levels) and one.levels[0] in EXECUTIVES


def _levels(said: Sequence[Meaning]) -> tuple[str, ...]:
    """Return the highest seniority among the words, but that of a trainee goes before all."""
    if not said:
        return ()
    trainee = next((one for one in said if one.levels[0] == "trainee"), None)
    junior = any(one.levels[0] == "junior" for one in said)
    top = min(said, key=lambda one: _RANK[one.levels[0]]).levels
    return trainee.levels if trainee else ("staff",) if junior and _RANK[top[0]] > _RANK["head"] else top


def _chosen(meanings: Sequence[Meaning], language: str) -> Meaning:
    return next((one for one in meanings if one.language == language), meanings[0])


def _join(read: Sequence[tuple[Role, bool]]) -> list[Role]:
    """Complete parts of a title by their neighbours: "Director, Product", "Marketing and Sales Manager"."""
    result: list[Role] = []
    fields: list[Role] = []  # parts without seniority that wait for the next one that has it
    for role, joined in read:
        bare = not role.levels and role.occupation is None and role.noun is None
        last = result[-1] if result else None
        if bare and last is not None and not last.functions and last.levels:
            result[-1] = Role(role.functions, last.levels, last.occupation, last.noun)
        elif bare and joined and last is not None and last.functions and last.occupation is None:
            result[-1] = Role(last.functions | role.functions, last.levels, last.occupation, last.noun)
        elif bare:
            fields.append(role)
        else:
            waiting = fields if role.levels and (joined or not role.functions) else []
            extra = frozenset(function for one in waiting for function in one.functions)
            result.append(Role(role.functions | extra, role.levels, role.occupation, role.noun))
            fields = [] if waiting else fields
    if not result and fields:
        result = [Role(frozenset(function for one in fields for function in one.functions), ())]
    told = {role.level for role in result if role.functions}
    return [_general(role) for role in result if role.functions or role.level not in told]


def _general(role: Role) -> Role:
    """Give owners and executives without a field the field of running a company."""
    if role.functions or role.level not in {"owner", "executive"}:
        return role
    return Role(frozenset({"general"}), role.levels, role.occupation, role.noun)
