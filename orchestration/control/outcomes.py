"""Taking reports of outcomes: the leads that they mean are found, and what is known of them goes along.

Invariants: a report is stored with the traits of its lead and never with a name; one that means no lead, or leads of
several campaigns, is refused in words, and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents.config import Brand, TargetAudience
from agents.learning.audience import account_key, audience_key
from agents.learning.reported import Reported
from agents.learning.traits import traits
from agents.qualification import Qualification
from agents.scoring import LeadCriteria, lead_score
from agents.state import Lead
from orchestration.ledger.database import Database, Transaction
from orchestration.stores.outcomes import FoundLead, Report, leads_of, record

BATCH = 1000  #: reports of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of reports."""

    new: int
    known: int  #: had been reported before
    refused: Mapping[int, str]  #: place of a report -> what is wrong with it


def take_reports(database: Database, given: Sequence[Reported], *, actor: str) -> Recorded:
    """Store reports, each once, and return what became of them."""
    new = known = 0
    refused: dict[int, str] = {}
    for start in range(0, len(given), BATCH):
        part = given[start : start + BATCH]
        work = partial(_take, part=part, actor=actor)
        stored, problems = database.transaction(work)
        new += stored
        known += len(part) - stored - len(problems)
        refused |= {start + place: problem for place, problem in problems.items()}
    return Recorded(new=new, known=known, refused=refused)


def _take(tx: Transaction, part: Sequence[Reported], actor: str) -> tuple[int, dict[int, str]]:
    ids = sorted({one.lead_id for one in part if one.lead_id})
    emails = sorted({one.email for one in part if one.email})
    campaigns = [one.campaign for one in part]
    named = sorted({name for name in campaigns if name}) if all(campaigns) else []
    by_name: dict[str, list[FoundLead]] = {}
    for found in leads_of(tx, ids, emails, named):
        for name in _names(found.lead):
            by_name.setdefault(name, []).append(found)
    reports: list[Report] = []
    problems: dict[int, str] = {}
    for place, one in enumerate(part):
        meant = _meant(one, by_name.get(one.email or one.lead_id or "", ()))
        if isinstance(meant, str):
            problems[place] = meant
        else:
            reports.append(_report(one, meant))
    return record(tx, reports, actor=actor) if reports else 0, problems


def _names(lead: Mapping[str, Any]) -> set[str]:
    addresses = (lead.get("email"), *lead.get("other_emails", ()))
    return {str(lead["lead_id"]), *(str(one).lower() for one in addresses if one)}


def _meant(one: Reported, found: Sequence[FoundLead]) -> FoundLead | str:
    """Return the lead that a report means, or what is wrong."""
    what = "this address" if one.email else f"the id {one.lead_id!r}"
    among = [lead for lead in found if one.campaign in (None, lead.campaign_id)]
    own = [lead for lead in among if str(lead.lead.get("email") or "").lower() == one.email] or among
    if len(own) == 1:
        return own[0]
    if own:
        campaigns = list(dict.fromkeys(lead.campaign_id for lead in own))
        if len(campaigns) == 1:
            return f"lead: several leads of campaign {campaigns[0]} have {what}; name one by its id"
        listed = ", ".join(campaigns[:5]) + (f" and {len(campaigns) - 5} more" if len(campaigns) > 5 else "")
        return f"lead: campaigns {listed} have a lead with {what}; name one of them as campaign"
    where = f"campaign {one.campaign!r} has no lead" if one.campaign else "no campaign has a lead"
    return f"lead: {where} with {what}; `campaigns export ID` has the leads of a campaign"


def _report(one: Reported, meant: FoundLead) -> Report:
    config, lead = meant.config, Lead.model_validate(meant.lead)
    audience = TargetAudience.model_validate(config["target_audience"])
    criteria = LeadCriteria.of(audience, Qualification.model_validate(config.get("qualification") or {}))
    score = lead_score(lead, criteria)
    return Report(
        campaign_id=meant.campaign_id,
        lead_id=lead.lead_id,
        outcome=one.outcome,
        at=one.at,
        mode=meant.mode,
        account=account_key(Brand.model_validate(config.get("brand") or {})),
        audience=audience_key(audience),
        rule=score.value,
        traits=traits(lead, score.verdicts),
    )
