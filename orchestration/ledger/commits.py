"""Arguments of a commit as the SQL functions take them: results, and the transition that may follow on them.

Invariant: a patch holds only what changed, and the lists that most hops leave alone travel apart from it, so that they
are written once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import JsonValue

from agents.erasure import Erasing, hashes_in
from agents.state import MarketingAgentState
from agents.unit import UnitResult, UnitStatus, short_hash
from orchestration.flow.holds import Hold
from orchestration.flow.transition import Transition
from orchestration.ledger.database import encode
from orchestration.ledger.rows import BIG_LISTS, Position, units_json

#: Most hops leave them alone.
SELDOM_CHANGED = frozenset(BIG_LISTS) - {"agent_messages"}


def result_json(result: UnitResult) -> dict[str, object]:
    """Return a final result as ``finish`` takes it, without the keys that have no value."""
    error = result.error if result.status is UnitStatus.FAILED else None
    found = {"key": result.unit.key, "status": str(result.status), "result": result.output, "error": error}
    return {name: value for name, value in found.items() if value is not None}


def patch(before: MarketingAgentState, after: MarketingAgentState) -> dict[str, object]:
    """Return the top-level keys whose value changed, with their new values: for ``database.encode``, not JSON yet."""
    old, new = before.__dict__, after.__dict__
    return {name: value for name, value in new.items() if (was := old[name]) is not value and was != value}


def transition_json(
    transition: Transition, *, claimed: int, base: int, whole: bool = False
) -> tuple[dict[str, object], dict[str, object]]:
    """Return a transition as ``finish`` takes it, and the seldom changed lists that it changes.

    The first ``claimed`` units start as ours, ``base`` is the newest checkpoint before it. ``whole``: the state
    replaces the row's as a whole. A hop without a patch of its own is the usual case: its checkpoint is what
    changes in the row.
    """
    hops: list[dict[str, object]] = [{"step": hop.step, "agent": hop.agent} for hop in transition.hops]
    patches = [patch(hop.before, hop.after) for hop in transition.hops]
    beyond = patch(*transition.patched) if transition.patched else {}
    if len(hops) > 1 or beyond:
        for hop, own in zip(hops, patches, strict=True):
            hop["patch"] = own
    changed: dict[str, object] = dict(transition.state.__dict__) if whole else {}
    for own in (*patches, beyond):
        changed |= own
    following: dict[str, object] = {
        "step": transition.step,
        "stage": transition.stage_number,
        "stage_name": transition.stage.name if transition.stage else "",
        "agent": transition.agent,
        "status": transition.status,
        "reason": transition.reason,
        "claimed": claimed,
        "units": units_json(transition.stage),
        "route": transition.route,
        "base": base,
        "patch": {name: value for name, value in changed.items() if name not in SELDOM_CHANGED},
        "hops": hops,
        "events": transition.events,
    }
    if transition.hold is not None:
        following |= {"hold": hold_json(transition.hold), "due_at": transition.hold.due_at}
        if transition.hold.approval:
            following["approval"] = approval_json(transition.state.campaign_id, transition.step, transition.hold)
    return following, {name: value for name, value in changed.items() if name in SELDOM_CHANGED}


FINISH = "SELECT marketing.finish(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Finish:
    """One call of ``finish``, as text: results, and the transition that may follow on them."""

    at: Position
    results: str
    following: str | None
    lists: str | None
    removed: frozenset[str] = frozenset()  #: hashes of the addresses of people who are not in it any more

    @property
    def addresses(self) -> list[str] | None:
        """Hashes of what may be an address in it, None when nothing is."""
        texts = [text for text in (self.results, self.following, self.lists) if text]
        found = dict.fromkeys(one for text in texts for one in hashes_in(text) if one not in self.removed)
        return list(found) or None

    @staticmethod
    def of(
        at: Position, results: Iterable[UnitResult], transition: Transition | None, claimed: int, *, whole: bool = False
    ) -> Finish:
        """Return the call for these results and, with ``transition``, the transition (see :func:`transition_json`)."""
        # Ordered, so that two calls with the same units lock them in the same order.
        recorded = encode([result_json(result) for result in sorted(results, key=lambda one: one.unit.key)])
        if transition is None:
            return Finish(at, recorded, None, None)
        following, lists = transition_json(transition, claimed=claimed, base=at.base_step, whole=whole)
        return Finish(at, recorded, encode(following), encode(lists, nulls=False) if lists else None)

    def arguments(self, worker: str | None) -> tuple[object, ...]:
        """Return the arguments of the call, made by ``worker``."""
        at = self.at
        place = at.campaign_id, at.step, at.stage, at.epoch, at.revision
        return *place, worker, self.results, self.following, self.lists, self.addresses

    def without(self, hashes: frozenset[str]) -> Finish:
        """Return the call without the people of these addresses.

        Results are left without the transition that was made of them, which has to be made anew; a transition by itself
        stays, and claims nothing, since its worker's picture of the campaign is no longer the row's.
        """
        people = Erasing(hashes)
        results: list[dict[str, JsonValue]] = json.loads(self.results)
        if results or self.following is None:
            left = [
                {
                    name: people.records(value) if name == "result" else people.state(value)
                    for name, value in one.items()
                }
                for one in results
            ]
            return replace(self, results=encode(left), following=None, lists=None, removed=self.removed | hashes)
        following: dict[str, JsonValue] = json.loads(self.following)
        kept = {
            name: people.records(value) if name == "units" else people.state(value) for name, value in following.items()
        }
        lists = None if self.lists is None else encode(people.state(json.loads(self.lists)))
        return replace(self, following=encode({**kept, "claimed": 0}), lists=lists, removed=self.removed | hashes)

    def as_json(self) -> str:
        """Return the call as ``finish_several`` takes it."""
        at = self.at
        return (
            f'{{"campaign":{encode(at.campaign_id)},"step":{at.step},"stage":{at.stage},"epoch":{at.epoch},'
            f'"revision":{at.revision},"results":{self.results}'
            + (f',"next":{self.following}' if self.following is not None else "")
            + (f',"lists":{self.lists}' if self.lists is not None else "")
            + (f',"addresses":{encode(found)}' if (found := self.addresses) else "")
            + "}"
        )


def hold_json(hold: Hold) -> dict[str, object]:
    """Return what the row says about a held stage."""
    return {"kind": hold.kind, "contents": list(hold.contents), "budget": hold.budget}


def approval_json(campaign_id: str, step: int, hold: Hold) -> dict[str, object]:
    """Return the question to insert, with an id that derives from what is asked, so that it is asked once."""
    return {
        "approval_id": short_hash(campaign_id, str(step), hold.kind, *hold.contents, str(hold.budget)),
        "kind": hold.kind,
        "request": hold.request,
        "expires_at": hold.due_at,
    }
