"""What must be equal between two runs of one campaign: everything but times and ids given by others."""

from __future__ import annotations

from typing import Any

#: Keys whose value is a moment, or an id or a name that an ad platform gave.
VOLATILE = frozenset(
    {
        "created_at",
        "updated_at",
        "collected_at",
        "notice_due_at",
        "qualified_at",
        "generated_at",
        "measured_at",
        "timestamp",
        "at",
        "remote_ids",
        "ad",
    }
)


def comparable(state: Any) -> Any:
    """The state's JSON without times and remote ids."""
    return _without(state.model_dump(mode="json"))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [_without(inner) for inner in value]
    return value
