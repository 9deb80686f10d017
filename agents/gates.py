"""Approval gates: the values of ``approval.gate``, each naming the questions that a campaign stops for.

Each agent brings the gate of its own questions; two more belong to no agent. Invariant: a gate that no installed agent
asks at is refused, so that a campaign never passes a question that its author meant to be asked.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

EVERY_GATE, NO_GATE = "all", "none"  #: ask everything, ask nothing
UNKNOWN_GATE = "approval_gate"  #: error type of a gate that no installed agent asks at


def known() -> tuple[str, ...]:
    """Return the values that a campaign may have."""
    # The agents are looked up when a value is checked: their modules import the configuration.
    from agents.registry import gates

    return (*gates(), EVERY_GATE, NO_GATE)


def _checked(value: str) -> str:
    if value in (EVERY_GATE, NO_GATE) or value in known():
        return value
    raise PydanticCustomError(UNKNOWN_GATE, "is no approval gate; use {known}", {"known": ", ".join(known())})


class _Listed:
    """A marker that lists the gates in the JSON schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "enum": list(known())}


Gate = Annotated[str, AfterValidator(_checked), _Listed()]
