"""Context of a unit, backed by the ledger: the distributed form of ``agents.ports.UnitContext``.

Invariants: a journal entry is committed before the unit goes on; every wire call has a deadline, because the
threads pool has no time limits of its own; and every wire call is admitted by the whole fleet's breaker and limits
first, and tells them how it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue

from agents.effects import INTENT, seconds_since_boot
from agents.ports import (
    AdBudget,
    Clock,
    CustomerLists,
    Deliveries,
    EffectRules,
    Exclusions,
    LeadFiles,
    Retriever,
    Suppression,
    SystemClock,
)
from agents.unit import Unit
from integrations.errors import InvalidResultError, NotNowError, OverLimitError
from integrations.llm.prices import CostBound
from integrations.providers import Providers
from integrations.settings import Settings
from integrations.usage import Usage
from orchestration.crash_points import reach
from orchestration.execution.call_guard import Caller, CallGuard
from orchestration.ledger.database import Database, UnstorableError
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import Claimed
from orchestration.spend.ads import AdSpend
from orchestration.spend.models import SpendLedger
from orchestration.stores.customer_lists import CampaignLists
from orchestration.stores.deliveries import CampaignDeliveries
from orchestration.stores.exclusions import CampaignExclusions
from orchestration.stores.knowledge import KnowledgeBase
from orchestration.stores.lead_files import LeadFileStore
from orchestration.stores.suppression import SuppressionList


class Counts:
    """Counters of one process, which several threads may use."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._lock = Lock()

    def add(self, counter: str, **labels: str) -> None:
        """Count one more."""
        with self._lock:
            self._found[counter, tuple(sorted(labels.items()))] += 1

    def snapshot(self) -> list[dict[str, object]]:
        """Return the counters as JSON: [{"counter", "labels", "value"}], in a stable order."""
        with self._lock:
            found = sorted(self._found.items())
        return [{"counter": name, "labels": dict(labels), "value": value} for (name, labels), value in found]


T = TypeVar("T")

CALLS = "calls"  #: journal entry: so many calls an attempt was seen to make in one go


@dataclass(frozen=True, slots=True)
class Resources:
    """Clients, stores and ledgers that all units of one process share."""

    settings: Settings
    providers: Providers
    retriever: Retriever
    suppression: Suppression
    lead_files: LeadFiles
    guard: CallGuard
    spend: SpendLedger
    database: Database
    clock: Clock = field(default_factory=SystemClock)
    counts: Counts = field(default_factory=Counts)

    @staticmethod
    def of(settings: Settings, database: Database, *, guard: CallGuard | None = None) -> Resources:
        """Return the resources of a worker: providers from the settings, stores in the database."""
        return Resources(
            settings=settings,
            guard=guard or CallGuard(settings),
            providers=Providers(settings),
            retriever=KnowledgeBase(database, settings.knowledge_language),
            suppression=SuppressionList(database),
            lead_files=LeadFileStore(database),
            spend=SpendLedger(database, settings),
            database=database,
        )


class UnitResources:
    """Part of a unit's context that comes from its process' resources, however its journal is kept."""

    __slots__ = ()
    resources: Resources
    if TYPE_CHECKING:  # a field in one context, a property in the other

        @property
        def campaign_id(self) -> str:
            """Campaign that the unit belongs to."""
            ...

    @property
    def clock(self) -> Clock:
        """Source of time."""
        return self.resources.clock

    @property
    def providers(self) -> Providers:
        """Clients of the outside world."""
        return self.resources.providers

    @property
    def retriever(self) -> Retriever:
        """Knowledge base of the user."""
        return self.resources.retriever

    @property
    def suppression(self) -> Suppression:
        """Suppression list of the user."""
        return self.resources.suppression

    @property
    def exclusions(self) -> Exclusions:
        """People who are excluded from the campaign by hand."""
        return CampaignExclusions(self.resources.database, self.campaign_id)

    @property
    def customer_lists(self) -> CustomerLists:
        """Register of the campaign's customer lists, also of a unit in memory: they stay at the platforms."""
        return CampaignLists(self.resources.database, self.campaign_id)

    @property
    def deliveries(self) -> Deliveries:
        """Register of the leads that the campaign has put somewhere."""
        return CampaignDeliveries(self.resources.database, self.campaign_id)

    @property
    def lead_files(self) -> LeadFiles:
        """Lead files of the user."""
        return self.resources.lead_files

    @property
    def effects(self) -> EffectRules:
        """Times that make effects careful."""
        settings = self.resources.settings
        return EffectRules(probe_delay_s=settings.probe_delay_s, call_timeout_s=settings.http_timeout_s)

    def deadline_s(self, provider: str) -> float:
        """Return the seconds that one wire call to ``provider`` may take."""
        return self.resources.settings.timeout_s(provider)


@dataclass(slots=True)
class LedgerContext(UnitResources):
    """Context of one claimed unit."""

    claimed: Claimed
    ledger: Ledger
    resources: Resources
    entries: dict[str, JsonValue]  #: the unit's journal, as committed
    fallback: str | None = None  #: which of its policy's fallbacks the unit uses; None: its own provider
    calls: int = 0  #: how many wire calls this attempt has made
    probing: bool = False  #: the last call was the one that a half-open breaker lets through
    creates: bool = False  #: the next call carries out an intent
    seen_at: float | None = None  #: when the claim was last seen to hold

    @property
    def campaign_id(self) -> str:
        """Campaign that the unit belongs to."""
        return self.claimed.campaign_id

    @property
    def unit(self) -> Unit:
        """Unit that was claimed."""
        return self.claimed.unit

    @property
    def ad_budget(self) -> AdBudget:
        """Ad money of the campaign on the unit's platform."""
        shared, claimed = self.resources, self.claimed
        place = claimed.campaign_id, claimed.agent, claimed.unit.provider
        return AdSpend(shared.database, shared.settings, *place, self.clock)

    def call(self, provider: str, send: Callable[[float], T], *, scope: str = "", cost: CostBound | None = None) -> T:
        """Make one wire call with the provider's deadline, once the caps, the limits and the breaker let it through.

        They are asked in this order. An attempt that was frozen, or waited for long, first asks whether the unit is
        still its own. Raises NotNowError when it is not, and when the call may not be made now.
        """
        now = seconds_since_boot()
        if now - (self.seen_at or self.claimed.taken_at) > self.effects.late_s:
            if not self.ledger.still_claimed(self.claimed):
                raise self._taken_over()
            self.seen_at = now
        kind = "create" if self.creates else "effect" if self.unit.effect else "call"
        self.creates = self.probing = False
        timeout = self.deadline_s(provider)
        try:
            with (
                self.resources.spend.reserved(self.claimed, provider, cost),
                self.resources.guard.call(self._caller(timeout), provider, scope) as probing,
            ):
                self.probing = probing
                self.calls += 1
                reach(f"{kind}.before")
                answer = send(timeout)
                reach(f"{kind}.after")
                return answer
        except OverLimitError:
            if self.calls:  # what it has done in this attempt will be done again: then with room for one more
                self.journal(CALLS, max(self.calls + 1, self._needed))
            raise

    def journal(self, entry: str, value: JsonValue, usage: Usage | None = None) -> None:
        """Commit ``value`` under ``entry``, and what it cost.

        Raises InvalidResultError when the value can't be stored; its cost is committed then too.
        """
        try:
            self.ledger.journal(self.claimed, {entry: value}, usage)
        except UnstorableError as error:
            raise InvalidResultError(self.unit.provider, f"its answer can't be stored: {error}") from None
        self.entries[entry] = value

    def intend(self, entry: str, value: JsonValue) -> None:
        """Commit ``value`` under ``entry`` while the unit is ours.

        Raises NotNowError when it is not any more, InvalidResultError when the value can't be stored.
        """
        try:
            ours = self.ledger.intend(self.claimed, {entry: value})
        except UnstorableError as error:
            raise InvalidResultError(self.unit.provider, f"what it is to send can't be stored: {error}") from None
        if not ours:
            raise self._taken_over()
        self.entries[entry] = value
        self.creates = entry.startswith(INTENT)

    @property
    def _needed(self) -> int:
        """Number of calls that an attempt makes in one go, as far as it has learnt."""
        found = self.entries.get(CALLS)
        return found if isinstance(found, int) else 1

    def _caller(self, timeout_s: float) -> Caller:
        place = f"{self.claimed.step}/{self.claimed.stage}/{self.unit.key}"
        return Caller(
            holder=f"{self.campaign_id}/{place}",
            campaign=self.campaign_id,
            effect=self.unit.effect,
            timeout_s=timeout_s,
            breaker=self.unit.policy.breaker,
            made=self.calls,
            needed=self._needed,
        )

    def _taken_over(self) -> NotNowError:
        return NotNowError(self.unit.provider, "another attempt holds the unit, or its campaign has moved on")

    def journaled(self, entry: str) -> JsonValue:
        """Return what was committed under ``entry`` by this or an earlier attempt, or None."""
        return self.entries.get(entry)
