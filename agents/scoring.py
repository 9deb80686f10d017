"""How good a lead is for a campaign, with the reasons (and, beside it, how good a campaign is).

A campaign's audience says what its leads are judged by: ``job_titles``, ``company_size``, ``locations``,
``industries`` and ``keywords``. Each criterion is met (yes), missed (no) or open (unknown: the fact is missing or too
vague).

- **What was asked for decides.** The score is the weight of what is met out of the weight of all that was asked for
  (title 0.4, size, industry and place 0.3 each, keyword 0.1). What was not asked for is not judged.
- **A clear no disqualifies**, however good the rest is: the score stays 0.1 below the threshold. A keyword can't be
  missed.
- **What is unknown gives nothing.** One gap in size or industry beside two facts that fit still qualifies; without a
  title or a place that is known to be the one asked for nobody does.
- **Without titles, size or places asked for** (industries and keywords at most, which the default rule knows or can't
  judge) the default rule applies: more than 50 employees 0.3, an executive's title 0.4, a target industry 0.3 (the
  campaign's own, else technology, SaaS and finance). There a miss costs its weight and no more.
- ``qualification`` in the campaign file changes threshold and weights. With ``must`` the criteria named there have to
  be met (unknown isn't enough), and a miss of another costs its weight; then what was asked for decides in every
  case. A criterion that has a weight there or is named in ``must``, and that was not asked for, is judged as in the
  default rule.
- **Consumers** (:mod:`agents.fit.consumers`) come from a list of the user's own: they are taken as they are, unless
  their place is not one asked for.

A lead qualifies from 0.7 on. Invariant: computed in whole thousandths, so that 0.3 + 0.4 is 0.7 and never 0.6999.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agents.config import DEFAULT_INDUSTRIES, TargetAudience
from agents.fit import criteria as judge
from agents.fit.company_size import Employees, wanted_size
from agents.fit.consumers import consumers
from agents.fit.criteria import Criterion
from agents.fit.verdict import Judged, Verdict
from agents.performance_score import overall_score
from agents.qualification import THRESHOLD, Qualification
from agents.state import Lead
from integrations.ads.keywords import unmarked

__all__ = ["Criterion", "LeadCriteria", "LeadScore", "Verdict", "lead_score", "overall_score"]

QUALIFIED_SCORE = THRESHOLD
MISSED = 0.1  #: below the threshold stays who clearly isn't what was asked for
WEIGHTS: Mapping[Criterion, float] = MappingProxyType(
    {Criterion.SIZE: 0.3, Criterion.TITLE: 0.4, Criterion.INDUSTRY: 0.3, Criterion.PLACE: 0.3, Criterion.KEYWORD: 0.1}
)
KNOWN = frozenset({Criterion.TITLE, Criterion.PLACE})  #: what has to be known of a lead where it was asked for
DEFAULT_RULE = (Criterion.SIZE, Criterion.TITLE, Criterion.INDUSTRY)
_PARTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCriteria:
    """What a good lead is for one campaign, by itself the default rule."""

    industries: tuple[str, ...] = DEFAULT_INDUSTRIES
    more_employees_than: int = 50
    titles: tuple[str, ...] = ()
    company_size: Employees | None = None
    places: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    judged: tuple[Criterion, ...] = DEFAULT_RULE
    must: frozenset[Criterion] = frozenset()  #: has to be met
    not_missed: frozenset[Criterion] = frozenset()  #: may be unknown, but not missed
    weights: Mapping[Criterion, float] = field(default_factory=lambda: WEIGHTS)
    threshold: float = QUALIFIED_SCORE
    own_people: bool = False  #: consumers of the user's own list, who are taken unless they are elsewhere

    @staticmethod
    def of(audience: TargetAudience, qualification: Qualification | None = None) -> LeadCriteria:
        """Return the criteria of a campaign."""
        wanted = qualification or Qualification()
        private = consumers(audience) is not None
        asked = frozenset(_asked(audience))
        beyond = asked - {Criterion.INDUSTRY, Criterion.KEYWORD}
        default = not beyond and wanted.must is None and not private
        judged = DEFAULT_RULE if default else tuple(one for one in Criterion if one in asked | wanted.named)
        return LeadCriteria(
            industries=audience.industries or DEFAULT_INDUSTRIES,
            titles=audience.job_titles,
            company_size=wanted_size(audience.company_size),
            places=audience.locations,
            keywords=unmarked(audience.keywords),
            judged=judged,
            must=frozenset(wanted.must or ()) if wanted.must is not None or default or private else asked & KNOWN,
            not_missed=frozenset() if default or wanted.must is not None else asked - {Criterion.KEYWORD},
            weights={**WEIGHTS, **wanted.weights},
            threshold=wanted.threshold,
            own_people=private,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadScore:
    """``value`` in 0..1 and, for each criterion, the verdict and why."""

    value: float
    reasons: tuple[str, ...]
    verdicts: Mapping[Criterion, Verdict] = field(default_factory=dict)
    threshold: float = QUALIFIED_SCORE

    @property
    def qualified(self) -> bool:
        """Whether it is worth addressing."""
        return self.value >= self.threshold


def lead_score(lead: Lead, criteria: LeadCriteria | None = None) -> LeadScore:
    """Score a lead by the module's rule, as a pure function."""
    criteria = criteria or LeadCriteria()
    got = most = 0
    reasons: list[str] = []
    verdicts: dict[Criterion, Verdict] = {}
    for one in criteria.judged:
        judged = _judge(one, lead, criteria)
        parts = round(criteria.weights[one] * _PARTS)
        most += parts
        verdicts[one] = judged.verdict
        met = judged.verdict is Verdict.YES
        got += parts if met else 0
        reasons.append(f"{judged.reason} (+{criteria.weights[one]:g})" if met else judged.reason)
    value = round(got / most, 4) if most else 1.0
    if criteria.own_people and Verdict.NO not in verdicts.values():
        value = 1.0
        reasons.append("from a list of your own")
    if _disqualified(verdicts, criteria):
        value = min(value, max(0.0, round(criteria.threshold - MISSED, 4)))
    return LeadScore(value=value, reasons=tuple(reasons), verdicts=verdicts, threshold=criteria.threshold)


def _disqualified(verdicts: Mapping[Criterion, Verdict], criteria: LeadCriteria) -> bool:
    return any(
        verdict is not Verdict.YES if one in criteria.must else verdict is Verdict.NO and one in criteria.not_missed
        for one, verdict in verdicts.items()
    )


def _judge(criterion: Criterion, lead: Lead, criteria: LeadCriteria) -> Judged:
    match criterion:
        case Criterion.TITLE:
            return judge.title(lead, criteria.titles) if criteria.titles else judge.executive(lead)
        case Criterion.SIZE if criteria.company_size is not None:
            return judge.size(lead, criteria.company_size)
        case Criterion.SIZE:
            return judge.more_employees(lead, criteria.more_employees_than)
        case Criterion.PLACE:
            return judge.place(lead, criteria.places)
        case Criterion.KEYWORD:
            return judge.keyword(lead, criteria.keywords)
        case Criterion.INDUSTRY:
            return judge.industry(lead, criteria.industries)


def _asked(audience: TargetAudience) -> Iterator[Criterion]:
    for criterion, asked in (
        (Criterion.TITLE, audience.job_titles),
        (Criterion.SIZE, audience.company_size),
        (Criterion.PLACE, audience.locations),
        (Criterion.INDUSTRY, audience.industries),
        (Criterion.KEYWORD, unmarked(audience.keywords)),
    ):
        if asked:
            yield criterion
