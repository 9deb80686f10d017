"""A real ExecutionContext in memory: units journal into a dictionary and call real providers.

Invariant: journals outlive a context, as the ledger does, so that a test can run a unit twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agents.ports import EffectRules, FixedClock, Passage, UncappedAds
from agents.unit import Unit
from integrations.providers import Providers
from integrations.usage import Usage

T = TypeVar("T")


@dataclass
class Library:
    """A knowledge base that answers from a list: passages whose text shares a word with the question."""

    passages: Sequence[Passage] = ()
    questions: list[str] = field(default_factory=list)

    def query_knowledge(
        self, question: str, strategy: str = "multi_query", *, limit: int = 5, variants: Sequence[str] = ()
    ) -> list[Passage]:
        """The passages that share a word with the question or one of its variants."""
        self.questions.append(question)
        asked = {word for text in (question, *variants) for word in text.lower().split()}
        return [p for p in self.passages if asked & set(p.text.lower().split())][:limit]


@dataclass
class UnitContext:
    """The context of one unit."""

    execution: Execution
    campaign_id: str
    unit: Unit
    place: tuple[Any, ...]

    @property
    def clock(self) -> FixedClock:
        return self.execution.clock

    @property
    def providers(self) -> Providers:
        return self.execution.providers

    @property
    def retriever(self) -> Library:
        return self.execution.library

    @property
    def suppression(self) -> Any:
        raise NotImplementedError("these units address nobody")

    @property
    def lead_files(self) -> Any:
        raise NotImplementedError("these units read no files")

    @property
    def way(self) -> str | None:
        return self.execution.way

    @property
    def ad_budget(self) -> UncappedAds:
        return UncappedAds()

    def call(self, provider: str, send: Callable[[float], T], *, scope: str = "", cost: Any = None) -> T:
        self.execution.calls.append((self.unit.key, provider))
        return send(self.execution.timeout_s)

    def journal(self, entry: str, value: Any, usage: Usage | None = None) -> None:
        self.execution.journals.setdefault(self.place, {})[entry] = value
        self.execution.usages.append(usage)

    @property
    def effects(self) -> EffectRules:
        return self.execution.effects

    def intend(self, entry: str, value: Any) -> None:
        self.journal(entry, value)

    def journaled(self, entry: str) -> Any | None:
        return self.execution.journals.get(self.place, {}).get(entry)


@dataclass
class Execution:
    """What a whole hop in one process is given."""

    providers: Providers
    library: Library = field(default_factory=Library)
    clock: FixedClock = field(default_factory=FixedClock)
    timeout_s: float = 10.0
    effects: EffectRules = field(default_factory=EffectRules)
    way: str | None = None  #: which of its other ways a unit takes
    calls: list[tuple[str, str]] = field(default_factory=list)
    usages: list[Usage | None] = field(default_factory=list)
    journals: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)

    def for_unit(self, campaign_id: str, step: int, stage: int, unit: Unit) -> UnitContext:
        return UnitContext(self, campaign_id, unit, (campaign_id, step, stage, unit.key))

    def context(self, key: str = "unit", provider: str = "openai", **given: Mapping[str, Any]) -> UnitContext:
        """A context for a unit of a test's own."""
        return self.for_unit("campaign-1", 0, 0, Unit(key=key, kind="test", provider=provider, input=given))
