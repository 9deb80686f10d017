"""Audiences of consumers ("runners in Berlin"), for whom there are no business leads to find.

Decided from what the audience asks for: interests, or a description in words for private people, and neither industry
nor job title nor company size.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.fit.industries import named_industry
from agents.fit.text import folded
from agents.fit.titles import roles

if TYPE_CHECKING:
    from agents.config import TargetAudience

_PRIVATE = re.compile(
    r"\b(?:consumers?|private (?:people|persons|customers)|shoppers?|runners?|joggers?|cyclists?|hikers?"
    r"|gamers?|parents?"
    r"|mothers?|moms?|mums?|dads?|fathers?|families|family|kids|children|teenagers?|teens|students|pupils|seniors|retirees"
    r"|pensioners|commuters?|homeowners?|tenants?|renters?|pet owners?|dog owners?|cat owners?|travellers?"
    r"|travelers?|tourists?"
    r"|brides?|couples?|singles?|foodies|vegans?|vegetarians?|yoga lovers?|gardeners at home|hobby\w*|fans?"
    r"|enthusiasts?|lovers?"
    r"|verbraucher\w*|privatpersonen|privatkunden|laufer\w*|radfahrer\w*|eltern|mutter|familien|kinder|studenten"
    r"|studierende|rentner\w*|senioren|hundebesitzer\w*|mieter\w*|hausbesitzer\w*|urlauber\w*"
    r"|consommateurs?|particuliers?|coureurs?|coureuses?|familles?|etudiants?|retraites?|locataires?|joueurs?"
    r"|consumidores|particulares|corredores|familias|estudiantes|jubilados|padres|madres|inquilinos|ciclistas"
    r"|consumatori|privati|famiglie|studenti|pensionati|genitori|mamme|inquilini|ciclisti"
    r"|consumenten|particulieren|hardlopers?|fietsers?|gezinnen|ouders|gepensioneerden|huurders|wandelaars?"
    r"|consumidor|corredor\w*|estudantes|aposentados|pais e maes|inquilinos|ciclistas)\b"
    r"|消費者|ランナー|家族|学生|主婦|親子|高齢者|ゲーマー"
)
_BUSINESS = re.compile(
    r"\b(?:business(?:es)?|b2b|compan(?:y|ies)|firms?|enterprises?|smes?|smbs?|startups?|agenc(?:y|ies)|employers?|employees"
    r"|unternehmen|firmen|betriebe?|mittelstand|kmu|entreprises?|societes?|pme|empresas?|pymes?|negocios|aziende|imprese|pmi"
    r"|bedrijven|mkb|companhias|pmes|vendors?|suppliers?|teams?|founders?|owners of|inhaber)\b|企業|会社|法人"
)


def consumers(audience: TargetAudience) -> str | None:
    """Return what makes an audience one of consumers, in words, or None for one of businesses and their people."""
    if audience.industries or audience.job_titles or audience.company_size is not None:
        return None
    if audience.interests:
        return f"interests {', '.join(audience.interests[:3])}"
    if audience.keywords or not audience.description:
        return None
    text = folded(audience.description)
    found = _PRIVATE.search(text)
    if (
        found is None
        or _BUSINESS.search(text)
        or named_industry(text)
        or any(role.levels for role in roles(text[:300]))
    ):
        return None
    return f"description {found[0]}"
