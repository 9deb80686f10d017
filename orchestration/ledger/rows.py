"""Conversion between values and rows: the state split over its columns, units and results as JSON.

Invariant: what is written and read back is equal, and a patch holds only what changed. Big lists have
columns of their own, so a hop rewrites only those it touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from pydantic import JsonValue

from agents.effects import seconds_since_boot
from agents.state import MarketingAgentState
from agents.unit import Stage, StageResult, Unit, UnitResult, UnitStatus
from integrations.retry import RetryPolicy
from integrations.settings import Mode
from integrations.usage import Usage
from orchestration.ledger.claims import ClaimId
from orchestration.ledger.database import Row

BIG_LISTS = ("leads", "qualified_leads", "generated_content", "ad_creatives", "agent_messages")


@dataclass(frozen=True, slots=True)
class Position:
    """Place in a campaign that a result or a transition belongs to."""

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
    mode: Mode  #: its world
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
    hold: Mapping[str, JsonValue] | None  #: what the stage waits for: {kind, contents, budget}
    route: tuple[str, ...]
    state: MarketingAgentState

    @property
    def position(self) -> Position:
        """Where the campaign is, for a compare-and-set."""
        return Position(self.campaign_id, self.step, self.stage, self.epoch, self.revision, self.base_step)


#: The fields of CampaignRow, then the pieces of its state.
_CAMPAIGN = (*(field.name for field in fields(CampaignRow)), *BIG_LISTS)
CAMPAIGN_COLUMNS = ", ".join(_CAMPAIGN)


def campaign_row(row: Row) -> CampaignRow:
    """Read a campaign from the columns CAMPAIGN_COLUMNS.

    Raises UnknownVersionError when a newer program has written its state.
    """
    plain = dict(zip(_CAMPAIGN, row, strict=True))
    lists = {name: plain.pop(name) for name in BIG_LISTS}
    whole = MarketingAgentState.load({**plain.pop("state"), **lists})
    return CampaignRow(**{**plain, "mode": Mode(plain["mode"]), "route": tuple(plain["route"]), "state": whole})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Unit that this worker has claimed, with what earlier attempts left behind."""

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
    journal: Mapping[str, JsonValue]
    taken_at: float = field(default_factory=seconds_since_boot, compare=False)  #: when we learned that it is ours

    @property
    def place(self) -> tuple[str, int, int, str]:
        """Key of the unit in the ledger: campaign, step, stage, key."""
        return self.campaign_id, self.step, self.stage, self.unit.key

    @property
    def id(self) -> ClaimId:
        """Which claim of which unit it is."""
        return ClaimId(*self.place, self.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Result of ``Ledger.enter``: the row, results of earlier stages, and the units claimed."""

    row: CampaignRow
    done: Sequence[StageResult]  #: the hop's earlier stages
    claimed: Sequence[Claimed]  #: units of the stage at work, in the order of the plan
    left_due: int  #: number of due units when there were too many to run locally: then nothing was claimed


_OF_A_CLAIM = ("ordinal", "step", "stage", "agent", "epoch", "claims", "attempts", "crashes", "journal")
_PLANNED = ("key", "kind", "provider", "input", "effect_key", "essential", "policy", "stage_name")
_UNIT = (*_PLANNED, "status", "result", "error", *_OF_A_CLAIM)
UNIT_COLUMNS = ", ".join(f"u.{name}" for name in _UNIT)  #: of a table or function that is called ``u``

#: Columns of ``enter``, called ``e``: the first row is the campaign, the others are units.
ENTER_COLUMNS = ", ".join(
    (*(f"(e.campaign).{name}" for name in _CAMPAIGN), "e.left_due", *(f"(e.unit).{name}" for name in _UNIT))
)
_WIDTH, _CAMPAIGN_STAGE = len(_CAMPAIGN), _CAMPAIGN.index("stage")
_STAGE, _STAGE_NAME, _ORDINAL = (_UNIT.index(name) for name in ("stage", "stage_name", "ordinal"))


def entered_units(rows: Sequence[Row]) -> tuple[list[Row], list[Claimed]]:
    """Return, of rows of ENTER_COLUMNS, the units of the earlier stages (UNIT_COLUMNS) and those that were claimed."""
    units = sorted((row[_WIDTH + 1 :] for row in rows[1:]), key=lambda unit: (unit[_STAGE], unit[_ORDINAL]))
    campaign_id, at_work = rows[0][0], rows[0][_CAMPAIGN_STAGE]
    return (
        [unit for unit in units if unit[_STAGE] < at_work],
        [claimed_unit(campaign_id, unit) for unit in units if unit[_STAGE] == at_work],
    )


def entered(rows: Sequence[Row]) -> Entered:
    """Read the rows of ENTER_COLUMNS.

    Raises UnknownVersionError as :func:`campaign_row` does.
    """
    row = campaign_row(rows[0][:_WIDTH])
    earlier, claimed = entered_units(rows)
    return Entered(row=row, done=stage_results(earlier), claimed=claimed, left_due=rows[0][_WIDTH])


def _unit(row: Row) -> tuple[Unit, dict[str, Any]]:
    """Read the planned unit of a row, and name the row's columns."""
    named = dict(zip(_UNIT, row, strict=True))
    unit = Unit(
        key=named["key"], kind=named["kind"], provider=named["provider"], input=named["input"],
        effect_key=named["effect_key"], essential=named["essential"], policy=RetryPolicy.from_dict(named["policy"]),
        agent=named["agent"],
    )  # fmt: skip
    return unit, named


def claimed_unit(campaign_id: str, row: Row) -> Claimed:
    """Read a claimed unit from the columns UNIT_COLUMNS."""
    unit, named = _unit(row)
    return Claimed(campaign_id=campaign_id, unit=unit, **{name: named[name] for name in _OF_A_CLAIM})


def unit_result(row: Row, *, errors: bool = True) -> UnitResult:
    """Read a unit with its status and output, and with its last error, or only the one that it failed by."""
    unit, named = _unit(row)
    status = UnitStatus(named["status"])
    error = named["error"] if errors or status is UnitStatus.FAILED else None
    return UnitResult(unit=unit, status=status, output=named["result"], error=error)


def stage_results(rows: Iterable[Row]) -> list[StageResult]:
    """Read finished stages from unit rows (UNIT_COLUMNS) ordered by stage and ordinal."""
    found: dict[int, tuple[str, list[UnitResult]]] = {}
    for row in rows:
        _, results = found.setdefault(row[_STAGE], (row[_STAGE_NAME], []))
        results.append(unit_result(row, errors=False))
    return [StageResult(name=name, results=results) for _, (name, results) in sorted(found.items())]


@lru_cache(maxsize=256)  # most units share a few policies
def _policy_json(policy: RetryPolicy) -> Mapping[str, object]:
    return policy.to_dict()


def units_json(stage: Stage | None) -> list[dict[str, object]]:
    """Return the units of a planned stage as the SQL functions take them."""
    if stage is None:
        return []
    return [
        {
            "key": unit.key,
            "kind": unit.kind,
            "provider": unit.provider,
            "effect_key": unit.effect_key,
            "essential": unit.essential,
            "policy": _policy_json(unit.policy),
            "input": unit.input,
            **({"agent": unit.agent} if unit.agent else {}),
        }
        for unit in stage.units
    ]


def small_state(state: MarketingAgentState) -> dict[str, object]:
    """Return the keys that live in the ``state`` column."""
    return {name: value for name, value in state.__dict__.items() if name not in BIG_LISTS}


def journal_arguments(usage: Usage | None) -> tuple[object, ...]:
    """Return the arguments of ``journal`` that follow the entry: provider, model, tokens, cost, currency."""
    if usage is None:
        return (None, None, 0, 0, 0, None)
    return (usage.provider, usage.model, usage.input_tokens, usage.output_tokens, usage.cost, usage.currency)
