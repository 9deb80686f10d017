"""Questions to a person: exactly what will be published and spent, and what an earlier answer already covers.

Pure. Invariant: an answer covers the contents and the budget that were shown; anything else is asked anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from agents.state import ApprovalGrant
from agents.unit import Stage, short_hash

UNDESCRIBED = "effects"  #: kind of a question about effects that their agent does not describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person has to agree to before the campaign goes on."""

    kind: str  #: the approval gate that asks it, such as content or ads
    request: Mapping[str, JsonValue]  #: exactly what will be published and spent
    contents: tuple[str, ...]  #: hashes of what the answer covers
    budget: Decimal | None = None  #: most that may be spent, in the campaign's currency; None: no money is involved


def about_effects(stage: Stage) -> Question | None:
    """Return a question that shows the input of each of the stage's effects, or None when the stage has no effects."""
    effects = [unit for unit in stage.units if unit.effect]
    if not effects:
        return None
    shown: list[JsonValue] = [
        {"unit": unit.key, "kind": unit.kind, "provider": unit.provider, "input": dict(unit.input)} for unit in effects
    ]
    contents = tuple(
        short_hash(unit.key, unit.provider, json.dumps(dict(unit.input), sort_keys=True, default=str))
        for unit in effects
    )
    return Question(kind=UNDESCRIBED, request={"effects": shown}, contents=contents)


def covered(question: Question, grants: Iterable[ApprovalGrant]) -> bool:
    """Return whether earlier answers cover everything that ``question`` asks."""
    granted = [
        grant
        for grant in grants
        if grant.kind == question.kind
        and (question.budget is None or (grant.budget is not None and question.budget <= grant.budget))
    ]
    return bool(granted) and set(question.contents) <= {content for grant in granted for content in grant.contents}
