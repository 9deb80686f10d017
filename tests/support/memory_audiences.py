"""Customer lists of an ad platform in the test's own process, with every call that was made and what may follow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from integrations.ads.audience import ListTerms
from integrations.ads.lookalike import Lookalike
from integrations.ads.platform import Wire
from integrations.errors import ListTooShortError


@dataclass
class MemoryAudiences:
    """One platform's lists."""

    name: str
    lists: dict[str, set[str]] = field(default_factory=dict)  #: id -> members
    keys: dict[str, str] = field(default_factory=dict)  #: effect key -> id
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    #: called after each call that was carried out, with its name; may raise: its answer is lost then
    after: Callable[[str], None] = lambda _call: None
    matched: bool = True  #: ads can be aimed at the lists
    known: float = 1.0  #: share of a list's people whom the platform knows

    def find_by_key(self, effect_key: str, *, wire: Wire) -> str | None:
        """See the protocol."""
        return wire(lambda _timeout: self.keys.get(effect_key))

    def create(self, name: str, effect_key: str, terms: ListTerms, *, wire: Wire) -> str:
        """See the protocol."""

        def make(_timeout: float) -> str:
            made = f"list-{1 + sum(call == 'create' for call, _ in self.calls)}"
            self.keys[effect_key], self.lists[made] = made, set()
            self._done("create")
            return made

        return wire(make)

    def create_lookalike(self, name: str, effect_key: str, seed_id: str, wanted: Lookalike, *, wire: Wire) -> str:
        """Make one of a list of at least three people."""

        def make(_timeout: float) -> str:
            if self.known * len(self.lists[seed_id]) < 3:
                raise ListTooShortError(self.name, "there are too few people on the customer list")
            made = f"alike-{1 + sum(call == 'create_lookalike' for call, _ in self.calls)}"
            self.keys[effect_key], self.lists[made] = made, set()
            self._done("create_lookalike", (seed_id, wanted.country, str(wanted.percent)))
            return made

        return wire(make)

    def reference(self, list_id: str, *, wire: Wire) -> str | None:
        """See the protocol."""
        return wire(lambda _timeout: f"ref:{list_id}" if self.matched else None)

    def add(self, list_id: str, members: Sequence[str], terms: ListTerms, *, wire: Wire) -> None:
        """See the protocol."""

        def send(_timeout: float) -> None:
            self.lists[list_id] |= set(members)
            self._done("add", members)

        wire(send)

    def remove(self, list_id: str, members: Sequence[str], *, wire: Wire) -> None:
        """See the protocol."""

        def send(_timeout: float) -> None:
            self.lists.get(list_id, set()).difference_update(members)
            self._done("remove", members)

        wire(send)

    def delete(self, list_id: str, *, wire: Wire) -> None:
        """See the protocol."""

        def send(_timeout: float) -> None:
            self.lists.pop(list_id, None)
            self.keys = {key: known for key, known in self.keys.items() if known != list_id}
            self._done("delete")

        wire(send)

    def _done(self, call: str, members: Sequence[str] = ()) -> None:
        self.calls.append((call, tuple(members)))
        self.after(call)
