"""Between values and rows: the state split over its columns, units and results as JSON.

Invariant: what is written and read back is equal, and a patch holds only what changed. Big lists have
columns of their own, so a hop rewrites only those it touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from agents.effects import seconds_awake_or_not
from agents.state import MarketingAgentState
from agents.unit import Stage, StageResult, Unit, UnitResult, UnitStatus
from integrations.retry import RetryPolicy
from integrations.usage import Usage
from orchestration.ledger.claims import ClaimId

BIG_LISTS = ("leads", "qualified_leads", "generated_content", "ad_creatives", "agent_messages")


@dataclass(frozen=True, slots=True)
class Position:
    """The place in a campaign that a result or a transition belongs to."""

    campaign_id: str
    step: int
    stage: int
    epoch: int
    revision: int = 0  #: matters to transitions only
    base_step: int = -1  #: newest checkpoint of the line of work; matters to transitions only


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """A campaign as the orchestrator sees it."""

    campaign_id: str
    name: str
    status: str
    reason: str | None
    agent: str | None
    step: int
    stage: int
    stage_name: str
    stage_size: int
    remaining: int
    revision: int
    epoch: int
    base_step: int  #: newest checkpoint of the present line of work
    hold: Mapping[str, Any] | None  #: what the stage waits for: {kind, contents, budget}
    route: tuple[str, ...]
    state: MarketingAgentState

    @property
    def position(self) -> Position:
        """Where the campaign is, for a compare-and-set."""
        return Position(self.campaign_id, self.step, self.stage, self.epoch, self.revision, self.base_step)


#: Columns of CampaignRow in the order of its fields; the state comes last, in pieces.
CAMPAIGN_COLUMNS = (
    "campaign_id, name, status, reason, agent, step, stage, stage_name, stage_size, remaining, revision, epoch, "
    "base_step, hold, route, state, leads, qualified_leads, generated_content, ad_creatives, agent_messages"
)


def campaign_row(row: Sequence[Any]) -> CampaignRow:
    """A CampaignRow from the columns CAMPAIGN_COLUMNS."""
    plain = dict(zip(CAMPAIGN_COLUMNS.split(", "), row, strict=True))
    lists = {name: plain.pop(name) for name in BIG_LISTS}
    whole = MarketingAgentState.load({**plain.pop("state"), **lists})
    return CampaignRow(**{**plain, "route": tuple(plain["route"]), "state": whole})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A unit that this worker has claimed, with what earlier attempts left behind."""

    campaign_id: str
    unit: Unit
    ordinal: int  #: its place in the plan
    step: int
    stage: int
    agent: str
    epoch: int
    claims: int = 1  #: how often the unit was claimed; with the worker's name it tells one claim from another
    attempts: int = 0
    crashes: int = 0  #: how often its worker died in it
    journal: Mapping[str, Any]
    taken_at: float = field(default_factory=seconds_awake_or_not, compare=False)  #: when we learned that it is ours

    @property
    def place(self) -> tuple[str, int, int, str]:
        """The unit's key in the ledger: campaign, step, stage, key."""
        return self.campaign_id, self.step, self.stage, self.unit.key

    @property
    def id(self) -> ClaimId:
        """Which claim of which unit it is."""
        return ClaimId(*self.place, self.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A campaign as a worker finds it that was woken for it, and what it claimed."""

    row: CampaignRow
    done: Sequence[StageResult]  #: the hop's earlier stages
    claimed: Sequence[Claimed]  #: units of the stage at work, in the order of the plan
    left_due: int  #: more units than could be claimed are due, so none was: how many


UNIT_COLUMNS = (
    "key, ordinal, stage_name, kind, provider, effect_key, essential, policy, status, input, result, error, "
    "stage, step, agent, epoch, claims, attempts, crashes, journal"
)
UNIT_NAMES = tuple(UNIT_COLUMNS.split(", "))

#: Columns of ``enter``, called ``e``: the first row is the campaign, the others are units.
ENTER_COLUMNS = ", ".join(
    (
        *(f"(e.campaign).{name}" for name in CAMPAIGN_COLUMNS.split(", ")),
        "e.left_due",
        *(f"(e.unit).{name}" for name in UNIT_COLUMNS.split(", ")),
    )
)


_WIDTH = CAMPAIGN_COLUMNS.count(",") + 1
_STAGE, _STAGE_NAME, _ORDINAL = (UNIT_NAMES.index(name) for name in ("stage", "stage_name", "ordinal"))
_OF_A_CLAIM = ("ordinal", "step", "stage", "agent", "epoch", "claims", "attempts", "crashes", "journal")


def entered_units(rows: Sequence[Sequence[Any]]) -> tuple[list[Sequence[Any]], list[Claimed]]:
    """Of rows of ENTER_COLUMNS: those of the earlier stages (UNIT_COLUMNS), and the units that were claimed."""
    units = sorted((row[_WIDTH + 1 :] for row in rows[1:]), key=lambda unit: (unit[_STAGE], unit[_ORDINAL]))
    campaign_id, at_work = rows[0][0], rows[0][CAMPAIGN_COLUMNS.split(", ").index("stage")]
    return (
        [unit for unit in units if unit[_STAGE] < at_work],
        [claimed_unit(campaign_id, unit) for unit in units if unit[_STAGE] == at_work],
    )


def entered(rows: Sequence[Sequence[Any]]) -> Entered:
    """What rows of ENTER_COLUMNS say. UnknownVersionError."""
    row = campaign_row(rows[0][:_WIDTH])
    earlier, claimed = entered_units(rows)
    return Entered(row=row, done=stage_results(earlier), claimed=claimed, left_due=rows[0][_WIDTH])


def unit_from(row: Mapping[str, Any]) -> Unit:
    """The planned unit of a row."""
    return Unit(
        key=row["key"],
        kind=row["kind"],
        provider=row["provider"],
        input=row["input"],
        effect_key=row["effect_key"],
        essential=row["essential"],
        policy=RetryPolicy.from_dict(row["policy"]),
        agent=row["agent"],
    )


def _named(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(UNIT_NAMES, row, strict=True))


def claimed_unit(campaign_id: str, row: Sequence[Any]) -> Claimed:
    """A claimed unit from the columns UNIT_COLUMNS."""
    named = _named(row)
    return Claimed(campaign_id=campaign_id, unit=unit_from(named), **{name: named[name] for name in _OF_A_CLAIM})


def unit_result(row: Sequence[Any], *, errors: bool = True) -> UnitResult:
    """Read a unit with its status and output, and with its last error, or only the one that it failed by."""
    named = _named(row)
    status = UnitStatus(named["status"])
    error = named["error"] if errors or status is UnitStatus.FAILED else None
    return UnitResult(unit=unit_from(named), status=status, output=named["result"], error=error)


def stage_results(rows: Iterable[Sequence[Any]]) -> list[StageResult]:
    """Finished stages from unit rows (UNIT_COLUMNS) ordered by stage and ordinal."""
    found: dict[int, tuple[str, list[UnitResult]]] = {}
    for row in rows:
        _, results = found.setdefault(row[_STAGE], (row[_STAGE_NAME], []))
        results.append(unit_result(row, errors=False))
    return [StageResult(name=name, results=results) for _, (name, results) in sorted(found.items())]


@lru_cache(maxsize=256)
def _policy_json(policy: RetryPolicy) -> Mapping[str, Any]:
    """Most units share a few policies."""
    return policy.to_dict()


def units_json(stage: Stage | None) -> list[dict[str, Any]]:
    """A planned stage as the SQL functions take it."""
    if stage is None:
        return []
    return [
        {
            "key": unit.key,
            "ordinal": ordinal,
            "kind": unit.kind,
            "provider": unit.provider,
            "effect_key": unit.effect_key,
            "essential": unit.essential,
            "policy": _policy_json(unit.policy),
            "input": unit.input,
            **({"agent": unit.agent} if unit.agent else {}),
        }
        for ordinal, unit in enumerate(stage.units)
    ]


def result_json(result: UnitResult) -> dict[str, Any]:
    """A final result as the SQL functions take it."""
    return {
        "key": result.unit.key,
        "status": str(result.status),
        "result": result.output,
        "error": result.error if result.status is UnitStatus.FAILED else None,
    }


def small_state(state: MarketingAgentState) -> dict[str, Any]:
    """The keys that live in the ``state`` column."""
    return {name: value for name, value in state.__dict__.items() if name not in BIG_LISTS}


def journal_arguments(usage: Usage | None) -> tuple[Any, ...]:
    """The arguments of ``journal`` that follow the entry: provider, model, tokens, cost, currency."""
    if usage is None:
        return (None, None, 0, 0, 0, None)
    return (usage.provider, usage.model, usage.input_tokens, usage.output_tokens, usage.cost, usage.currency)
