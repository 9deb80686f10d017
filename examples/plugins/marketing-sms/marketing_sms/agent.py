"""The agent: schedule a text message to each qualified lead with a phone number, once, when a person agrees.

Invariants: a message carries the effect key as its reference, and is looked for by it before it is scheduled, so that
no crash and no lost answer schedules it twice; whatever carries the campaign's batch is held, released or cancelled
with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from agents.approval import Question
from agents.base import BaseAgent
from agents.config import CampaignConfig
from agents.config_values import Duration, Text
from agents.effects import EffectSteps
from agents.messages import MessageType
from agents.names import AD_MANAGEMENT, CONTENT_CREATION
from agents.ports import UnitContext
from agents.routes import Edge
from agents.state import Lead, MarketingAgentState
from agents.stopping import OFF, ON, SWITCHING_OFF, Wanted
from agents.unit import Stage, StageResult, UnitResult, effect_key, short_hash
from agents.unit_kind import AnyKind, Part, UnitKind, kinds
from integrations.ads.platform import once
from marketing_sms.gateway import NAME, PROVIDER, Action, Gateway
from marketing_sms.sandbox import SmsGatewaySandbox

SMS = "sms"


class SmsOptions(BaseModel):
    """What a campaign file says under ``agents.sms``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Text = Field(description="the message; {company} and {name} stand for the lead's")
    after: Duration = timedelta(hours=1)


class Recipient(Part):
    """Somebody and their message; an entry of a list with its address, so that an erasure takes the whole of it."""

    email: str | None
    phone: str
    text: str


class Sending(Part):
    """One message to schedule."""

    to: tuple[Recipient, ...]  #: one, none when the person has been erased
    send_at: datetime
    reference: str
    batch: str


class Scheduled(Part):
    """Where a message stands."""

    message_id: str
    status: str  #: as the gateway says, or "suppressed": nothing was scheduled


class Stopping(Part):
    """A campaign whose messages are cancelled (``wanted`` None), held ("off") or released ("on")."""

    batch: str
    wanted: Wanted | None = None


class Stopped(Part):
    """How many messages were changed. ``paused``: by us, and they may be released again."""

    changed: int
    paused: bool
    enabled: bool


def send_message(given: Sending, ctx: UnitContext) -> Scheduled:
    """Schedule one message, once. Raises IntegrationError."""
    objected = ctx.suppression.suppressed([person.email for person in given.to if person.email])
    person = next((one for one in given.to if one.email not in objected), None)
    if person is None:
        return Scheduled(message_id="", status="suppressed")
    gateway, steps = ctx.providers.client(Gateway), EffectSteps(ctx, NAME)
    found = steps.wire(lambda timeout: gateway.find(given.reference, timeout=timeout))

    def make() -> str:
        return steps.wire(
            lambda timeout: gateway.schedule(
                person.phone, person.text, given.send_at, reference=given.reference, batch=given.batch, timeout=timeout
            )
        ).id

    message_id = once(steps, "message", found.id if found is not None else None, make)
    return Scheduled(message_id=message_id, status="scheduled")


def stop_messages(given: Stopping, ctx: UnitContext) -> Stopped:
    """Cancel, hold or release all messages of a campaign that have not been sent. Raises IntegrationError."""
    gateway, wire = ctx.providers.client(Gateway), EffectSteps(ctx, NAME).wire
    action, origin = _CHANGES[given.wanted]
    waiting = [m for m in wire(lambda timeout: gateway.of_batch(given.batch, timeout=timeout)) if m.status in origin]
    if waiting and given.wanted == OFF:
        ctx.intend(SWITCHING_OFF, given.batch)
    for message in waiting:
        wire(lambda timeout, message_id=message.id: gateway.change(message_id, action, timeout=timeout))  # type: ignore[misc] # mypy can't infer a lambda with a default
    ours = ctx.journaled(SWITCHING_OFF) is not None
    return Stopped(changed=len(waiting), paused=ours, enabled=given.wanted == ON)


_CHANGES: Mapping[Wanted | None, tuple[Action, tuple[str, ...]]] = {
    None: ("cancel", ("scheduled", "held")),
    OFF: ("hold", ("scheduled",)),
    ON: ("release", ("held",)),
}
SEND = UnitKind(name="send", input=Sending, output=Scheduled, run=send_message)
STOP = UnitKind(name="stop_messages", input=Stopping, output=Stopped, run=stop_messages)


def _recipients(state: MarketingAgentState) -> list[Lead]:
    return [lead for lead in state.qualified_leads if lead.phone]


def _wanted(state: MarketingAgentState) -> bool:
    """Return whether the campaign asks for messages, somebody can get one, and they have not been scheduled yet."""
    reported = any(m.sender == SMS and m.message_type is MessageType.TASK_RESULT for m in state.agent_messages)
    return SMS in state.campaign_config.agents and bool(_recipients(state)) and not reported


class Sms(BaseAgent):
    """Schedules text messages to the qualified leads of a campaign."""

    name: ClassVar[str] = SMS
    title: ClassVar[str] = "Text messages"
    gate: ClassVar[str] = SMS
    outside: ClassVar[str] = "the text messages"
    options: ClassVar[type[BaseModel]] = SmsOptions
    provider = PROVIDER
    sandbox = SmsGatewaySandbox
    edges: ClassVar[tuple[Edge, ...]] = (
        Edge(source=CONTENT_CREATION, target=SMS, when=_wanted, priority=10),
        Edge(source=SMS, target=AD_MANAGEMENT),
    )
    kinds: ClassVar[Mapping[str, AnyKind]] = kinds(SEND, STOP)

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the gateway, for a campaign that asks for messages."""
        return (NAME,) if SMS in config.agents else ()

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Say what this agent is for; it asks no model."""
        del state
        return "Schedule the campaign's text message to each qualified lead."

    def build_input(self, state: MarketingAgentState) -> Mapping[str, Any]:
        """Return the message and the number of people who get it; no personal data."""
        return {"text": _options(state).text, "recipients": len(_recipients(state))}

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        """Plan one message per recipient, then nothing."""
        if results or not _recipients(state):
            return None
        options = _options(state)
        units = []
        for lead in _recipients(state):
            key = effect_key(state.campaign_id, NAME, lead.lead_id)
            given = Sending(
                to=(
                    Recipient(
                        email=lead.email,
                        phone=lead.phone or "",
                        text=options.text.format(company=lead.company or "your company", name=lead.name or "you"),
                    ),
                ),
                send_at=state.updated_at + options.after,
                reference=key,
                batch=state.campaign_id,
            )
            units.append(SEND.unit(f"send:{lead.lead_id}", given, provider=NAME, effect_key=key, essential=False))
        return Stage(name="send", units=units)

    def question(self, state: MarketingAgentState, stage: Stage) -> Question | None:
        """Describe the message and to how many it goes; the answer covers this text to these people."""
        facts = self.build_input(state)
        covers = short_hash(_options(state).text, *(unit.effect_key or "" for unit in stage.units))
        return Question(kind=SMS, request={"messages": dict(facts)}, contents=(covers,))

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        """Plan one unit over all messages of the campaign, if it ever asked for any."""
        if SMS not in state.campaign_config.agents:
            return None
        unit = STOP.unit(
            f"{wanted or 'stop'}:messages",
            Stopping(batch=state.campaign_id, wanted=wanted),
            provider=NAME,
            effect_key=effect_key(state.campaign_id, NAME),
        )
        return Stage(name="stop", units=[unit])

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        """Leave the state as it is: what was scheduled is in the ledger, and counted in the summary."""
        del result, now
        return state

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, Any]:
        """Return how many messages are scheduled, and how many failed."""
        failed = len(after.errors) - len(before.errors)
        return {"scheduled": len(_recipients(after)) - failed, "failed": failed}

    def stopped(self, state: MarketingAgentState, results: Sequence[UnitResult]) -> MarketingAgentState:
        """Leave the state as it is: the gateway knows what became of the messages."""
        del results
        return state


def _options(state: MarketingAgentState) -> SmsOptions:
    return SmsOptions.model_validate(state.campaign_config.agents[SMS])
