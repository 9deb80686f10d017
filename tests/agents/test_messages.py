"""Messages between agents reach each receiver once."""

from __future__ import annotations

from datetime import UTC, datetime

from agents.messages import BROADCAST, AgentMessage, MessageType, conversation, message, receive

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def send(sender: str, receiver: str, ordinal: int, thread: str = "t") -> AgentMessage:
    return message(
        sender=sender,
        receiver=receiver,
        message_type=MessageType.STATUS_UPDATE,
        payload={"n": ordinal},
        correlation_id=thread,
        now=NOW,
        ordinal=ordinal,
    )


def test_each_receiver_gets_each_message_once() -> None:
    box = (send("a", "b", 0), send("a", "c", 1))
    first, box = receive(box, "b")
    assert [m.payload["n"] for m in first] == [0]
    again, box = receive(box, "b")
    assert again == ()
    other, box = receive(box, "c")
    assert [m.payload["n"] for m in other] == [1]
    assert [m.read_by for m in box] == [("b",), ("c",)]


def test_a_broadcast_reaches_every_agent_once_and_not_its_sender() -> None:
    box = (send("a", BROADCAST, 0),)
    own, box = receive(box, "a")
    assert own == ()
    for reader in ("b", "c"):
        got, box = receive(box, reader)
        assert len(got) == 1
        got, box = receive(box, reader)
        assert got == ()
    assert box[0].read_by == ("b", "c")


def test_a_repeated_hop_sends_the_same_message() -> None:
    assert send("a", "b", 3) == send("a", "b", 3)
    assert send("a", "b", 3).message_id != send("a", "b", 4).message_id


def test_a_conversation_is_one_thread_in_order() -> None:
    box = (send("a", "b", 0), send("x", "y", 1, "other"), send("b", "a", 2))
    assert [m.payload["n"] for m in conversation(box, "t")] == [0, 2]


def test_a_message_survives_its_json() -> None:
    sent = send("a", "b", 0)
    assert AgentMessage.model_validate(sent.model_dump(mode="json")) == sent
