"""Traits of a lead: what may make it likelier to say yes, as short words that hold nothing personal.

A trait is ``kind=value`` ("seniority=owner") or, of numbers, ``kind>bound`` ("size>50"), which is true of all that is
larger, so that neighbours share what is learned. A value belongs to what it is part of as well: fintech is finance, an
owner is an executive. Invariant: no name, address, domain, title or place as it was written is a trait; of a title
there are the words that the lexicon of titles has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import TYPE_CHECKING

from agents.fit.company_size import parse_size
from agents.fit.criteria import Criterion
from agents.fit.industries import kin
from agents.fit.places import place
from agents.fit.titles import EXECUTIVES, known_words, roles
from agents.fit.verdict import Verdict
from agents.lead_generation.mailboxes import is_webmail

if TYPE_CHECKING:
    from agents.state import Lead

SIZES = (10, 50, 200, 500, 1000, 5000, 10_000)  #: employees, as the bounds of most directories
UNKNOWN = "unknown"


def traits(lead: Lead, verdicts: Mapping[Criterion, Verdict]) -> tuple[str, ...]:
    """Return the traits of a lead that has been judged with these verdicts, each once."""
    return tuple(dict.fromkeys((*_work(lead), *_company(lead), *_reach(lead), *_asked(verdicts))))


def _work(lead: Lead) -> Iterator[str]:
    found = roles(lead.job_title) if lead.job_title else ()
    if not found:
        yield f"seniority={UNKNOWN}"
        return
    yield f"seniority={found[0].level}"
    if found[0].level in EXECUTIVES:
        yield "seniority=executives"
    yield from sorted(f"function={name}" for role in found for name in role.functions)
    if found[0].occupation:
        yield f"occupation={found[0].occupation}"
    yield from (f"word={word}" for word in known_words(lead.job_title or ""))


def _company(lead: Lead) -> Iterator[str]:
    employees = parse_size(lead.company_size)
    if employees is None:
        yield f"size={UNKNOWN}"
    else:
        middle = sqrt(employees.least * (employees.most or 2 * employees.least))
        yield from (f"size>{bound}" for bound in SIZES if middle > bound)
    families = kin(lead.industry) if lead.industry else ()
    yield from (f"industry={name}" for name in families or (UNKNOWN,))
    where = place(lead.location) if lead.location else None
    yield f"country={where.country if where else UNKNOWN}"
    if where and where.region:
        yield f"region={where.region}"


def _reach(lead: Lead) -> Iterator[str]:
    yield from sorted(f"source={source.partition(':')[0]}" for source in lead.sources)
    if not lead.email:
        yield "mailbox=no"
    else:
        private = is_webmail(lead.email.rpartition("@")[2])
        yield f"mailbox={'shared' if lead.email_status == 'role' else 'private' if private else 'personal'}"
        yield f"address={lead.email_status}"
    yield from (f"known={name}" for name, value in (("phone", lead.phone), ("profile", lead.profile_url)) if value)


def _asked(verdicts: Mapping[Criterion, Verdict]) -> Iterator[str]:
    said = {Verdict.NO: "not as asked", Verdict.UNKNOWN: UNKNOWN}
    yield from (f"asked={one} {said[verdict]}" for one, verdict in verdicts.items() if verdict in said)
