"""Titles that a campaign asks for, against the titles that people have: by function, seniority and occupation.

"Marketing Manager" is a function and a seniority, and meets a "Responsable marketing". "Nurse" is an occupation, and
meets nurses below management. "HR" is a function alone, and meets everybody in it. "Executives" or "decision makers"
are a seniority alone. Invariant: a title that says too little to tell is unknown, not wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from agents.fit.text import folded
from agents.fit.titles import EXECUTIVES, LEVELS, Role, roles
from agents.fit.verdict import best

#: Seniority asked for -> what of it a title may say to be it.
_ACCEPTED: dict[str, frozenset[str]] = {
    "owner": frozenset({"owner"}),
    "executive": frozenset({"executive"}),
    "vp": frozenset({"vp"}),
    "director": frozenset({"director"}),
    "head": frozenset({"head"}),
    "manager": frozenset({"manager", "head"}),
    "lead": frozenset({"lead"}),
    "senior": frozenset({"senior", "lead"}),
    "staff": frozenset({"staff", "senior", "lead"}),
    "trainee": frozenset({"trainee"}),
}
_ANY = frozenset(LEVELS) - {"trainee"}
_DOING = _ACCEPTED["staff"]  #: an occupation: those who do it rather than lead it
#: What means a group of seniorities, in words around which a function may stand.
_GROUPS = (
    (re.compile(r"\b(?:c level|c suite|cxos?|chief officers|c levels)\b"), frozenset({"executive"})),
    (
        re.compile(
            r"\b(?:executives|executive level|top management|senior management"
            r"|senior leadership|leadership|leaders|fuhrungskrafte?n?|fuhrungskraft|geschaftsleitung und direktion"
            r"|dirigeants|cadres dirigeants|directivos|alta direccion|dirigenti|alta direzione|bestuurders"
            r"|directieleden"
            r"|executivos"
            r"|diretoria|alta gestao|dirigentes)\b|役員|経営層|経営幹部"
        ),
        EXECUTIVES,
    ),
    (
        re.compile(
            r"\b(?:decision[- ]makers?|entscheider(?:in)?(?:nen)?|entscheidungstrager(?:innen)?|decideurs?|decideuses?"
            r"|tomadores de decision(?:es)?|responsables de la toma de decisiones|decisori|responsabili delle decisioni"
            r"|beslissers?|tomadores de decisao|decisores)\b|意思決定者|決裁者"
        ),
        EXECUTIVES | {"head"},
    ),
    (
        re.compile(
            r"\b(?:professionals?|people|staff|teams?|specialists and managers|employees|workers in|personnel of"
            r"|department|abteilung|mitarbeitende|fachleute|equipe|personnel du|departement|departamento|equipo|reparto"
            r"|ufficio|afdeling|medewerkers|profissionais|profesionales|professionisti)\b"
        ),
        _ANY,
    ),
)
#: Occupations that campaigns mean as a class, whatever the field is called.
_CLASSES = {"engineer": frozenset({"engineering", "software"})}
#: Occupations of many fields with the one that they have when no field is named.
_OWN = {
    "consultant": "consulting",
    "assistant": "administration",
    "administrator": "administration",
    "analyst": "data",
    "technician": "engineering",
    "operator": "production",
    "inspector": "quality",
    "driver": "transport",
    "sales_representative": "sales",
}
#: Executives of companies, who may be asked for as such whatever the field of the company.
_RUNNING = frozenset({"owner", "executive"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a campaign's title asks for."""

    functions: frozenset[str]
    levels: frozenset[str]
    occupation: str | None = None
    noun: str | None = None
    text: str = ""  #: folded

    @property
    def empty(self) -> bool:
        """Whether no word of it is known."""
        return not self.functions and self.occupation is None and self.noun is None and self.levels == _ANY


def fits_title(title: str, asked: Iterable[str], industry: str | None = None) -> bool | None:
    """Tell whether a title is one of those asked for, or None when it says too little.

    The industry tells what an "Owner" owns where a "restaurant owner" is asked for.
    """
    verdict = best(_fits(title, one) for one in asked)
    if verdict is None and industry and all(_runs(role) for role in roles(title)):
        return best(_fits(f"{title}, {industry}", one) for one in asked)
    return verdict


@lru_cache(maxsize=2_000)
def asked_roles(asked: str) -> tuple[Asked, ...]:
    """Read a title that a campaign asks for, as roles of which one is enough."""
    text = _spaced(asked)
    for pattern, levels in _GROUPS:
        if found := pattern.search(text):
            rest = roles(pattern.sub(" ", text)) if found[0] != text else ()
            functions = frozenset(function for role in rest for function in role.functions if not _runs(role))
            if rest and functions and levels is _ANY and rest[0].levels:
                break  # "nursing staff manager"
            if functions or not rest:
                return (Asked(functions, levels, text=text),) if functions or levels is not _ANY else (_nothing(text),)
    return tuple(_asked(role, text) for role in roles(asked)) or (_nothing(text),)


def _asked(role: Role, text: str) -> Asked:
    if role.levels and not (role.occupation and role.levels == ("staff",)):
        levels = frozenset().union(*(_ACCEPTED[level] for level in role.levels))
    elif role.occupation or role.noun:
        levels = _DOING
    else:
        levels = _ANY
    return Asked(role.functions, levels, role.occupation, role.noun, text)


def _nothing(text: str) -> Asked:
    return Asked(frozenset(), _ANY, text=text)


@lru_cache(maxsize=50_000)
def _fits(title: str, asked: str) -> bool | None:
    text = _spaced(title)
    wanted = asked_roles(asked)
    if text == wanted[0].text:
        return True
    found = roles(title)
    if wanted[0].empty:
        return f" {wanted[0].text} " in f" {text} " or f" {_singular(wanted[0].text)} " in f" {text} "
    if not found:
        return None
    return best(_is(role, one) for role in found for one in wanted)


def _is(role: Role, asked: Asked) -> bool | None:
    # Of everybody at a level, those for whom it is the likeliest reading; in one field, those who may be meant.
    anywhere = not asked.functions and asked.occupation is None
    levels = frozenset({role.level}) if anywhere else frozenset(role.levels or ("staff",))
    if not levels & asked.levels:
        return False
    return _does(role, asked)


def _does(role: Role, asked: Asked) -> bool | None:
    """Tell whether a role is in the field or occupation asked for."""
    if asked.occupation is not None:
        if role.occupation is not None:
            return role.occupation == asked.occupation
        return None if role.functions & asked.functions and role.noun in (None, asked.noun) else False
    if asked.noun is not None and asked.noun in _CLASSES and asked.functions == frozenset({"engineering"}):
        return bool(role.functions & _CLASSES[asked.noun]) or (
            role.noun == asked.noun and "sales" not in role.functions
        )
    if asked.noun is not None and asked.functions == {_OWN.get(asked.noun)}:
        return role.noun == asked.noun or bool(role.functions & asked.functions)
    if asked.functions == {"general"} and asked.levels == {"owner"}:
        return True
    if asked.functions:
        if role.functions & asked.functions:
            return True
        running = _runs(role) and not asked.functions <= {"general"} and asked.levels <= _RUNNING
        return None if not role.functions or (running and asked.levels == {"owner"}) else False
    if asked.noun is not None:
        return role.noun == asked.noun
    return True


def _runs(role: Role) -> bool:
    """Tell whether a role is to run a company, without a field of its own."""
    return role.level in _RUNNING and role.functions <= {"general"}


def _spaced(text: str) -> str:
    return " ".join(re.sub(r"[^\w&+/]", " ", folded(text)).split())


def _singular(text: str) -> str:
    return text.removesuffix("s")
