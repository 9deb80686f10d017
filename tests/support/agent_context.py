"""A whole hop in one process with every port an agent may use, all in memory.

:func:`Execution.in_memory` answers for the providers as well and needs no wire; :func:`Execution.against` takes the
real clients. Invariant: journals, suppression and files outlive a context, as the ledger and the stores do, so that a
test can run a unit again after a failure; every journalled value goes through JSON, as in the ledger; a unit calls its
own provider only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from memory_providers import MemoryProviders

from agents.email_address import address_hashes
from agents.ports import EffectRules, Embedded, FileSummary, FixedClock, Passage, SentLead, UncappedAds
from agents.unit import Unit
from integrations.providers import Providers
from integrations.settings import Settings
from integrations.usage import Usage

T = TypeVar("T")


@dataclass
class MemoryRetriever:
    """A knowledge base that knows what it was given: passages that share a word with the question."""

    passages: Sequence[Passage] = ()
    questions: list[str] = field(default_factory=list)
    models: frozenset[str] = frozenset()  #: embedding models that the passages have vectors of
    embedded: list[Embedded | None] = field(default_factory=list)  #: with which it was asked

    def embedded_with(self, model: str, brand: str = "") -> bool:
        return model in self.models

    def query_knowledge(
        self,
        question: str,
        strategy: str = "multi_query",
        *,
        limit: int = 5,
        variants: Sequence[str] = (),
        brand: str = "",
        embedded: Embedded | None = None,
    ) -> list[Passage]:
        self.questions.append(question)
        self.embedded.append(embedded)
        asked = {word for text in (question, *variants) for word in text.lower().split()}
        return [passage for passage in self.passages if asked & set(passage.text.lower().split())][:limit]


@dataclass
class MemorySuppression:
    """People who must not be addressed."""

    emails: dict[str, str] = field(default_factory=dict)  #: address -> reason
    identities: dict[str, str] = field(default_factory=dict)  #: hash of a person -> reason
    asked: list[str] = field(default_factory=list)

    def suppressed(self, emails: Sequence[str]) -> frozenset[str]:
        self.asked += emails
        return frozenset(email for email in emails if self._listed() & {*address_hashes(email)})

    def suppress(self, email: str, reason: str) -> None:
        self.emails[email] = reason

    def barred(self, identities: Collection[str]) -> frozenset[str]:
        return frozenset(identities) & (self.identities.keys() | self._listed())

    def _listed(self) -> frozenset[str]:
        return frozenset(one for email in self.emails for one in address_hashes(email))

    def bar(self, identities: Collection[str], reason: str) -> None:
        self.identities.update(dict.fromkeys(identities, reason))


@dataclass
class MemoryExclusions:
    """People who are excluded by hand from a campaign, by their hashes."""

    hashes: set[str] = field(default_factory=set)

    def excluded(self, identities: Collection[str]) -> frozenset[str]:
        return frozenset(identities) & self.hashes


@dataclass
class MemoryCustomerLists:
    """A register of customer lists that says what was recorded, in order."""

    said: list[tuple[str, str, str]] = field(default_factory=list)

    def opened(self, platform: str, list_id: str) -> None:
        self.said.append(("opened", platform, list_id))

    def filling(self, platform: str, list_id: str) -> None:
        self.said.append(("filling", platform, list_id))

    def filled(self, platform: str, list_id: str) -> None:
        self.said.append(("filled", platform, list_id))

    def closed(self, platform: str, list_id: str) -> None:
        self.said.append(("closed", platform, list_id))


@dataclass
class MemoryDeliveries:
    """A register of leads at places that says what was recorded, in order: (what, place, keys)."""

    said: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None  #: called when a batch has been registered

    def sending(self, label: str, target: str, path: str, leads: Sequence[SentLead]) -> None:
        self.said.append(("sending", label, tuple(one.key for one in leads)))
        self.meanwhile()

    def answered(self, label: str, placed: Mapping[str, str], refused: Mapping[str, str]) -> None:
        self.said.append(("answered", label, (*placed, *refused)))

    def take_off(self, label: str, keys: Collection[str]) -> None:
        self.said.append(("take_off", label, tuple(keys)))

    def gone(self, label: str, keys: Collection[str]) -> None:
        self.said.append(("gone", label, tuple(keys)))


@dataclass
class MemoryLeadFiles:
    """Files of the user's own leads, by their id."""

    files: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    summaries: dict[str, FileSummary] = field(default_factory=dict)

    def summary(self, file_id: str) -> FileSummary:
        return self.summaries.get(file_id, FileSummary())

    def rows(self, file_id: str) -> list[Mapping[str, Any]]:
        return self.files[file_id]


@dataclass
class MemoryContext:
    """The context of one attempt at one unit."""

    execution: Execution
    campaign_id: str
    unit: Unit
    place: tuple[Any, ...]  #: where its journal is kept

    @property
    def clock(self) -> FixedClock:
        return self.execution.clock

    @property
    def providers(self) -> Providers | MemoryProviders:
        return self.execution.providers

    @property
    def retriever(self) -> MemoryRetriever:
        return self.execution.retriever

    @property
    def suppression(self) -> MemorySuppression:
        return self.execution.suppression

    @property
    def exclusions(self) -> MemoryExclusions:
        return self.execution.exclusions

    @property
    def lead_files(self) -> MemoryLeadFiles:
        return self.execution.lead_files

    @property
    def customer_lists(self) -> MemoryCustomerLists:
        return self.execution.customer_lists

    @property
    def deliveries(self) -> MemoryDeliveries:
        return self.execution.deliveries

    @property
    def fallback(self) -> str | None:
        return self.execution.fallback

    @property
    def effects(self) -> EffectRules:
        return self.execution.effects

    @property
    def ad_budget(self) -> UncappedAds:
        return UncappedAds()

    def call(self, provider: str, send: Callable[[float], T], *, scope: str = "", cost: Any = None) -> T:
        if provider not in (self.unit.provider, *self.unit.policy.fallback):
            raise AssertionError(f"a unit for {self.unit.provider} calls {provider}")
        self.execution.calls.append(provider)
        if cost is not None:
            self.execution.bounds[cost.entry] = cost.amount
        return send(self.execution.timeout_s)

    def journal(self, entry: str, value: Any, usage: Usage | None = None) -> None:
        self.execution.journals.setdefault(self.place, {})[entry] = json.dumps(value)
        self.execution.usages.append(usage)
        if usage is not None:
            self.execution.costs[entry] = usage.cost

    def intend(self, entry: str, value: Any) -> None:
        self.journal(entry, value)

    @property
    def entries(self) -> dict[str, Any]:
        return {name: json.loads(text) for name, text in self.execution.journals.get(self.place, {}).items()}

    def journaled(self, entry: str) -> Any | None:
        text = self.execution.journals.get(self.place, {}).get(entry)
        return None if text is None else json.loads(text)


@dataclass
class Execution:
    """What a whole hop in one process is given."""

    providers: Any  #: Providers, or MemoryProviders
    retriever: MemoryRetriever = field(default_factory=MemoryRetriever)
    suppression: MemorySuppression = field(default_factory=MemorySuppression)
    lead_files: MemoryLeadFiles = field(default_factory=MemoryLeadFiles)
    exclusions: MemoryExclusions = field(default_factory=MemoryExclusions)
    customer_lists: MemoryCustomerLists = field(default_factory=MemoryCustomerLists)
    deliveries: MemoryDeliveries = field(default_factory=MemoryDeliveries)
    clock: FixedClock = field(default_factory=FixedClock)
    timeout_s: float = 10.0
    fallback: str | None = None  #: which of its policy's fallbacks a unit uses
    effects: EffectRules = field(default_factory=EffectRules)
    calls: list[str] = field(default_factory=list)  #: providers in the order in which they were called
    bounds: dict[str, Any] = field(default_factory=dict)  #: the most that the newest call for an entry may cost
    usages: list[Usage | None] = field(default_factory=list)
    costs: dict[str, Any] = field(default_factory=dict)  #: what the answer under an entry has cost
    journals: dict[tuple[Any, ...], dict[str, str]] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)  #: every unit that was run, in order

    @classmethod
    def against(cls, url: str, dns_resolver: str | None = None, **env: str) -> Execution:
        """One whose providers are real clients of the sandbox at ``url``."""
        found = {"SANDBOX_URL": url, **({"DNS_RESOLVER": dns_resolver} if dns_resolver else {}), **env}
        return cls(Providers(Settings.from_env(found)))

    @classmethod
    def in_memory(cls, **options: Any) -> Execution:
        """One whose providers answer in memory; ``options``: those of MemoryProviders."""
        return cls(MemoryProviders(**options))

    def for_unit(self, campaign_id: str, step: int, stage: int, unit: Unit) -> MemoryContext:
        self.units.append(unit)
        return MemoryContext(self, campaign_id, unit, (campaign_id, step, stage, unit.key))

    def context(self, key: str = "unit", provider: str = "openai", **given: Any) -> MemoryContext:
        """A context for a unit of a test's own."""
        return self.for_unit("campaign-1", 0, 0, Unit(key=key, kind="test", provider=provider, input=given))
