"""Orders about a campaign's live ads: carry an action out at once, take one back, spend another sum from now on.

What is ordered is checked against the campaign as it is, and then carried out while the campaign stands still
(:mod:`orchestration.ledger.ad_switches`), at once unless something of it is at work. Invariants: a person who orders
something has approved it; what may not be done is refused before anything is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from agents.action_log import ActionRecord, Order, record_of
from agents.actions import Action, SetBudget, ShiftBudget
from agents.config import CampaignConfig
from agents.state import MarketingAgentState
from orchestration.control.verbs import LIVE, VerbRefusedError, Verbs
from orchestration.ledger.ad_switches import AdSwitches
from orchestration.ledger.changes import StatusChange
from orchestration.ledger.rows import CampaignRow
from orchestration.spend.models import amount_text

Amount = Decimal | int | str
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_FROM = (*LIVE, "paused", "completed")  #: statuses of campaigns whose ads may run


def act(verbs: Verbs, campaign_id: str, action: Action | Mapping[str, object] | str, *, actor: str) -> str:
    """Carry an action out on the platforms, and return the id under which the campaign's ``actions`` tell of it.

    ``action`` is one of :mod:`agents.actions`, a mapping of its keys, or the id of an action that was proposed. Raises
    VerbRefusedError, before anything is stored, for one that may not be carried out.
    """
    row = verbs.admit(campaign_id)
    order = Order(order_id=uuid4().hex[:12], by=actor)
    if isinstance(action, str):
        record = _known(row, action)
        if not record.proposed:
            raise VerbRefusedError(f"action {record.action_id} is {record.status}, not proposed")
        order = order.model_copy(update={"order_id": record.action_id, "action": record.action})
    else:
        order = order.model_copy(update={"action": _parsed(action)})
    if isinstance(order.action, SetBudget):
        return _budget(verbs, row, order.action.amount, order)
    return _ordered(verbs, row, order)


def undo(verbs: Verbs, campaign_id: str, action_id: str, *, actor: str) -> str:
    """Make the platforms as they were before an action, and return its id.

    Raises VerbRefusedError when there is no such action, it does not stand, or a later one builds on it.
    """
    row = verbs.admit(campaign_id)
    record = _known(row, action_id)
    _ordered(verbs, row, Order(order_id=uuid4().hex[:12], by=actor, undo=record.action_id))
    return record.action_id


def set_budget(verbs: Verbs, campaign_id: str, amount: Amount, *, actor: str) -> str:
    """Spend so much over the schedule in all, from now on and on the platforms too, and return the action's id.

    It is "" where no platform has to be told: no ads run yet, or that is the budget already. Raises ConfigError for
    what is no amount or above ``limits.ads``, and VerbRefusedError for less than is spent already, or when the campaign
    has no ads, or has ended without any that run.
    """
    row = verbs.admit(campaign_id)
    return _budget(verbs, row, amount, Order(order_id=uuid4().hex[:12], by=actor))


def spread(verbs: Verbs, row: CampaignRow, *, actor: str) -> str | None:
    """Spread the budget over the platforms as its limits allow now, and return the action's id.

    It is None where there are no ads. Raises VerbRefusedError as :func:`act`.
    """
    budget = row.state.campaign_config.budget
    if budget is None or not _has_ads(row.state):
        return None
    return _ordered(verbs, row, Order(order_id=uuid4().hex[:12], by=actor, action=SetBudget(amount=budget)))


def check_spread(verbs: Verbs, state: MarketingAgentState, *, actor: str) -> None:
    """Check that a state's budget could be spread over its ads, if it has any.

    Raises VerbRefusedError with what would be right.
    """
    budget = state.campaign_config.budget
    if budget is not None and _has_ads(state):
        _taker(verbs, state, Order(order_id="", by=actor, action=SetBudget(amount=budget)), verbs.clock.now())


def open_orders(verbs: Verbs, campaign_id: str) -> tuple[str, ...]:
    """Return the ids of the actions that have yet to be carried out, or taken back.

    Raises CampaignNotFoundError, and WrongWorldError as every verb does.
    """
    request = AdSwitches(verbs.ledger).open(verbs.admit(campaign_id))
    return tuple(one.undo or one.order_id for one in request.changes) if request is not None else ()


def _budget(verbs: Verbs, row: CampaignRow, amount: Amount, order: Order) -> str:
    config = row.state.campaign_config
    if not config.ad_platforms:
        raise VerbRefusedError(f"campaign {row.campaign_id} has no ad_platforms: its budget is for ads")
    wanted = CampaignConfig.parse({**config.model_dump(mode="json"), "budget": str(amount)})
    _refuse_in_between(verbs, row)
    spent = _spent(verbs, row.campaign_id, config.currency)
    if wanted.budget is None or wanted.budget < spent:
        said = f"budget={amount}: {amount_text(spent)} {config.currency} is spent already"
        raise VerbRefusedError(f"{said}; to spend no more: campaigns cancel {row.campaign_id}")
    if wanted.budget == config.budget:
        return ""
    after = row.state.evolve(campaign_config=config.model_copy(update={"budget": wanted.budget}))
    told = {
        "budget": f"{amount_text(wanted.budget)} (was {amount_text(config.budget or Decimal(0))}) {config.currency}"
    }
    if not _has_ads(row.state):
        _only_the_row(verbs, row, after, told, order.by)
        return ""
    action = SetBudget(amount=wanted.budget, why=order.action.why if order.action is not None else "")
    return _ordered(verbs, row, order.model_copy(update={"action": action}), after=after, told=told)


def _ordered(
    verbs: Verbs,
    row: CampaignRow,
    order: Order,
    *,
    after: MarketingAgentState | None = None,
    told: Mapping[str, object] | None = None,
) -> str:
    """Check an order, write it down and wake who carries it out, and return its id."""
    if row.status not in _FROM:
        raise VerbRefusedError(f"campaign {row.campaign_id} is {row.status}: nothing is changed on the platforms now")
    if _about_money(row, order):
        _refuse_in_between(verbs, row)
    agent = _taker(verbs, after or row.state, order, verbs.clock.now())
    kind = order.action.kind if order.action is not None else "undo"
    reason = f"{kind.replace('_', ' ')}, ordered by {order.by}, is being carried out"
    patch = {"campaign_config": after.campaign_config.model_dump(mode="json")} if after is not None else None
    data = {"order": order.order_id, "kind": kind, **({"undo": order.undo} if order.undo else {}), **(told or {})}
    pause = StatusChange(status="paused", event="ordered", actor=order.by, reason=reason, patch=patch, data=data)
    if not AdSwitches(verbs.ledger).order(row, _FROM, [order], agent=agent, pause=pause):
        raise VerbRefusedError(
            f"campaign {row.campaign_id} has changed just now, or its ads are being changed: try again in a moment"
        )
    verbs.wakeups.hop(row.campaign_id, agent, row.step)
    return order.order_id


def _about_money(row: CampaignRow, order: Order) -> bool:
    undone = record_of(row.state.actions, order.undo) if order.undo else None
    return isinstance(undone.action if undone is not None else order.action, ShiftBudget | SetBudget)


def _refuse_in_between(verbs: Verbs, row: CampaignRow) -> None:
    """Refuse money to move in the middle of a hop with effects (VerbRefusedError).

    What they give the platforms was planned by what was to be spent before, and the state tells of it after the hop.
    """
    sql = (
        "SELECT count(*) FROM marketing.units u JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id "
        "AND c.step = u.step AND c.epoch = u.epoch AND c.agent IS NOT NULL "
        "WHERE u.campaign_id = %s AND u.effect_key IS NOT NULL"
    )
    if not verbs.ledger.database.value(sql, row.campaign_id):
        return
    first = "answer what it asks first" if row.status == "awaiting_approval" else "try again when that is done"
    raise VerbRefusedError(f"campaign {row.campaign_id} is just giving money to its platforms: {first}")


def _taker(verbs: Verbs, state: MarketingAgentState, order: Order, now: datetime) -> str:
    """Return the agent that carries an order out.

    Raises VerbRefusedError with why it may not be.
    """
    for name, agent in verbs.agents.items():
        why = agent.order_problem(state, order, now)
        if why:
            raise VerbRefusedError(f"campaign {state.campaign_id}: {why}")
        if why is not None:
            return name
    raise VerbRefusedError(f"campaign {state.campaign_id}: no agent that is installed here carries that out")


def _only_the_row(
    verbs: Verbs, row: CampaignRow, after: MarketingAgentState, told: Mapping[str, object], actor: str
) -> None:
    """Change the budget of a campaign whose ads have yet to be made."""
    patch = {"campaign_config": after.campaign_config.model_dump(mode="json")}
    change = StatusChange(
        status=row.status, event="budget_changed", actor=actor, reason=row.reason, patch=patch, data=told
    )
    if row.status not in (*LIVE, "paused"):
        raise VerbRefusedError(f"campaign {row.campaign_id} is {row.status}: its budget can't be changed")
    changed = verbs.changes.set_status(row.campaign_id, (row.status,), change, revision=row.revision)
    if changed is None:
        raise VerbRefusedError(f"campaign {row.campaign_id} has changed just now: try again in a moment")


def _has_ads(state: MarketingAgentState) -> bool:
    return any(creative.effect_key and creative.remote_ids for creative in state.ad_creatives)


def _known(row: CampaignRow, action_id: str) -> ActionRecord:
    record = record_of(row.state.actions, action_id)
    if record is None:
        known = ", ".join(one.action_id for one in row.state.actions[-5:]) or "none"
        raise VerbRefusedError(f"campaign {row.campaign_id} has no action {action_id!r}; the newest are: {known}")
    return record


def _parsed(action: Action | Mapping[str, object]) -> Action:
    try:
        return _ACTION.validate_python(dict(action) if isinstance(action, Mapping) else action)
    except ValidationError as error:
        raise VerbRefusedError(f"that is no action: {'; '.join(map(_wrong, error.errors()))}") from None


def _wrong(found: ErrorDetails) -> str:
    """Tell one problem with the key and, where it is short, the value."""
    key, value = ".".join(map(str, found["loc"][1:] or found["loc"])), found["input"]
    given = f"={value!r}" if isinstance(value, str | int | float) and len(str(value)) < 100 else ""
    return f"{key}{given}: {found['msg']}"


def _spent(verbs: Verbs, campaign_id: str, currency: str) -> Decimal:
    where = "kind = 'ads' AND campaign_id = %s AND currency = %s"
    sql = f"SELECT coalesce(sum(settled), 0) FROM marketing.spend WHERE {where}"
    return Decimal(verbs.ledger.database.value(sql, campaign_id, currency))
