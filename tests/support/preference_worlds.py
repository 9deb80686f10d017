"""Leads of the sandbox's worlds, and what comes of them under a hidden preference."""

from __future__ import annotations

from functools import cache
from random import Random

from agents.config import TargetAudience
from agents.learning.fitting import Example
from agents.learning.traits import traits
from agents.scoring import LeadCriteria, lead_score
from agents.state import Lead
from integrations.sandbox.preferences import Preferences
from integrations.sandbox.world import Company, Person, World

#: Seeds of preferences that the learning was not tuned on; nor was it on 301 to 305 and 401 to 440.
UNSEEN = (201, 202, 203, 204, 205)
_KNOWN = {"job_title", "email", "industry", "location", "company_size"}
AUDIENCES = {
    "executives": {"industries": ["saas", "technology", "finance", "healthcare", "manufacturing", "retail"]},
    "titles": {
        "job_titles": ["CEO", "Founder", "CTO", "VP Marketing", "Marketing Manager", "Head of Growth", "CFO", "Owner"]
    },
    "sizes": {"company_size": "5-1000", "industries": ["saas", "technology", "finance", "logistics", "retail"]},
}


def lead(company: Company, person: Person) -> Lead:
    """What sources would say of a person, with gaps."""
    random = Random(f"lead/{person.email}")
    return Lead(
        lead_id=person.email,
        email=person.email if random.random() < 0.9 else None,
        email_status=random.choice(("valid", "accept_all", "unverified")),
        name=person.name,
        job_title=person.title,
        company=company.name,
        domain=company.domain,
        industry=company.industry if random.random() < 0.95 else None,
        company_size=company.headcount if random.random() < 0.9 else None,
        location=company.city if random.random() < 0.9 else None,
        sources=(random.choice(("search", "web:site", "linkedin")),),
    )


@cache
def qualified(audience: str) -> list[tuple[Lead, float, tuple[str, ...]]]:
    """The leads of two worlds who qualify for an audience, with the rule's score and their traits."""
    criteria = LeadCriteria.of(TargetAudience.model_validate(AUDIENCES[audience]))
    people = [
        lead(company, one) for seed in (7, 8) for company in World.build(seed).companies for one in company.people
    ]
    scored = [(one, lead_score(one, criteria)) for one in people]
    return [(one, score.value, traits(one, score.verdicts)) for one, score in scored if score.qualified]


def cases(seed: int, audience: str = "titles", most: int = 1700) -> list[Example]:
    """What comes of up to ``most`` leads of an audience under one hidden preference."""
    hidden = Preferences(seed)
    found = list(qualified(audience))
    Random(f"{seed}/{audience}").shuffle(found)
    del found[most:]
    return [
        Example(rule=rule, traits=own, yes=hidden.says_yes(one.model_dump(include=_KNOWN), one.lead_id))
        for one, rule, own in found
    ]
