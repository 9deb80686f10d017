"""Customer lists of one ad account in the sandbox: what every platform keeps of them, under any API.

Members are what was sent, as it was sent: ``GET /_sandbox/state`` shows them under ``audiences``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrations.ads.naming import effect_key_of


@dataclass(slots=True)
class CustomerList:
    """One list of people."""

    id: str
    name: str
    created_at: str
    members: dict[str, None] = field(default_factory=dict)  #: in the order in which they came
    fields: dict[str, Any] = field(default_factory=dict)  #: of the platform's own


class CustomerLists:
    """All customer lists of one account, in the order of their creation."""

    def __init__(self) -> None:
        self._lists: dict[str, CustomerList] = {}

    def create(self, list_id: str, name: str, **fields: Any) -> CustomerList:
        """Create an empty list, also when there is one of that name."""
        made = CustomerList(id=list_id, name=name, created_at=datetime.now(UTC).isoformat(), fields=fields)
        self._lists[list_id] = made
        return made

    def get(self, list_id: str) -> CustomerList | None:
        """Return a list, None for one that is not there."""
        return self._lists.get(list_id)

    def all(self) -> list[CustomerList]:
        """Return the lists, the oldest first."""
        return [*self._lists.values()]

    def add(self, list_id: str, members: Iterable[str]) -> None:
        """Put members on a list, each once."""
        self._lists[list_id].members |= dict.fromkeys(members)

    def remove(self, list_id: str, members: Iterable[str]) -> None:
        """Take members off a list."""
        for member in members:
            self._lists[list_id].members.pop(member, None)

    def delete(self, list_id: str) -> None:
        """Take a list off the account."""
        self._lists.pop(list_id, None)

    def rows(self, provider: str) -> list[dict[str, object]]:
        """Return the lists as ``GET /_sandbox/state`` shows them."""
        return [
            {
                "provider": provider,
                "id": one.id,
                "name": one.name,
                "effect_key": effect_key_of(one.name),
                "members": [*one.members],
                "created_at": one.created_at,
            }
            for one in self._lists.values()
        ]

    def snapshot(self) -> list[Mapping[str, Any]]:
        """Return JSON of the lists, for a restarted sandbox."""
        return [{**asdict(one), "members": [*one.members]} for one in self._lists.values()]

    def restore(self, data: Iterable[Mapping[str, Any]]) -> None:
        """Restore what :meth:`snapshot` returned."""
        restored = (CustomerList(**{**row, "members": dict.fromkeys(row["members"])}) for row in data)
        self._lists = {one.id: one for one in restored}
