"""Messages between agents: what was asked, answered, suggested, and who has read it.

They live in the campaign's row and are written in the hop's own commit, so a message exists exactly
when the hop that sent it does. Invariant: :func:`receive` gives each receiver each message once, a
broadcast once *to every* agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field

BROADCAST = "*"
ORCHESTRATOR = "orchestrator"
PERSON = "person"


class MessageType(StrEnum):
    """What a message is for."""

    TASK_REQUEST = "task_request"
    TASK_RESULT = "task_result"
    DATA_REQUEST = "data_request"
    DATA_RESPONSE = "data_response"
    STATUS_UPDATE = "status_update"
    ERROR_NOTIFICATION = "error_notification"
    OPTIMIZATION_SUGGESTION = "optimization_suggestion"
    APPROVAL_REQUEST = "approval_request"
    APPROVAL_RESPONSE = "approval_response"


class AgentMessage(BaseModel):
    """One message to the agent that ``receiver`` names, or with ``*`` to all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_id: str
    sender: str
    receiver: str
    message_type: MessageType
    payload: Mapping[str, Any] = Field(default_factory=dict)
    correlation_id: str  #: the thread it belongs to
    timestamp: datetime
    read_by: tuple[str, ...] = ()


def message(
    *,
    sender: str,
    receiver: str,
    message_type: MessageType,
    payload: Mapping[str, Any],
    correlation_id: str,
    now: datetime,
    ordinal: int,
) -> AgentMessage:
    """Write a message whose id derives from its thread and place, so that a repeated hop sends the same one.

    ``ordinal`` is the number of messages already in the state.
    """
    return AgentMessage(
        message_id=str(uuid5(NAMESPACE_URL, f"{correlation_id}/{ordinal}/{sender}/{receiver}/{message_type}")),
        sender=sender,
        receiver=receiver,
        message_type=message_type,
        payload=dict(payload),
        correlation_id=correlation_id,
        timestamp=now,
    )


def receive(messages: Sequence[AgentMessage], agent: str) -> tuple[tuple[AgentMessage, ...], tuple[AgentMessage, ...]]:
    """(the messages that ``agent`` has not read yet, all messages with these marked as read by it)."""
    unread: list[AgentMessage] = []
    kept: list[AgentMessage] = []
    for item in messages:
        addressed = item.receiver in (agent, BROADCAST) and item.sender != agent
        if addressed and agent not in item.read_by:
            unread.append(item)
            kept.append(item.model_copy(update={"read_by": (*item.read_by, agent)}))
        else:
            kept.append(item)
    return tuple(unread), tuple(kept)


def conversation(messages: Iterable[AgentMessage], correlation_id: str) -> tuple[AgentMessage, ...]:
    """Return the whole thread, in the order in which it was sent."""
    return tuple(item for item in messages if item.correlation_id == correlation_id)
