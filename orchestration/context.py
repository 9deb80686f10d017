"""What a unit may use, backed by the ledger: the distributed form of ``agents.ports.UnitContext``.

Invariant: a journal entry is committed before the unit goes on, and every wire call has a deadline,
because the threads pool has no time limits of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agents.effects import INTENT, seconds_awake_or_not
from agents.ports import Clock, EffectRules, LeadFiles, Retriever, Suppression
from agents.unit import Unit
from integrations.errors import NotNowError
from integrations.providers import Providers
from integrations.settings import Settings
from integrations.usage import Usage
from orchestration.clock import SystemClock
from orchestration.crash_points import reach
from orchestration.database import Database
from orchestration.knowledge import KnowledgeBase
from orchestration.lead_files import LeadFileStore
from orchestration.ledger import Ledger
from orchestration.rows import Claimed
from orchestration.suppression import SuppressionList

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resources:
    """What all units of one process share."""

    settings: Settings
    providers: Providers
    retriever: Retriever
    suppression: Suppression
    lead_files: LeadFiles
    clock: Clock = field(default_factory=SystemClock)

    @staticmethod
    def of(settings: Settings, database: Database) -> Resources:
        """The real ones: providers from the settings, stores in the database."""
        return Resources(
            settings=settings,
            providers=Providers(settings),
            retriever=KnowledgeBase(database),
            suppression=SuppressionList(database),
            lead_files=LeadFileStore(database),
        )


def deadline_s(settings: Settings, provider: str) -> float:
    """Seconds that one wire call to ``provider`` may take."""
    return settings.llm_timeout_s if provider == "openai" else settings.http_timeout_s


def effect_rules(settings: Settings) -> EffectRules:
    """How careful effects are under these settings."""
    return EffectRules(probe_delay_s=settings.probe_delay_s, call_timeout_s=settings.http_timeout_s)


@dataclass(slots=True)
class LedgerContext:
    """The context of one claimed unit."""

    campaign_id: str
    claimed: Claimed
    ledger: Ledger
    resources: Resources
    entries: dict[str, Any]  #: the unit's journal, as committed
    creates: bool = False  #: the next call carries out an intent
    seen_at: float | None = None  #: when the claim was last seen to hold

    @property
    def unit(self) -> Unit:
        """The unit itself."""
        return self.claimed.unit

    @property
    def clock(self) -> Clock:
        """The source of time."""
        return self.resources.clock

    @property
    def providers(self) -> Providers:
        """Clients of the outside world."""
        return self.resources.providers

    @property
    def retriever(self) -> Retriever:
        """The knowledge base."""
        return self.resources.retriever

    @property
    def suppression(self) -> Suppression:
        """The suppression list."""
        return self.resources.suppression

    @property
    def lead_files(self) -> LeadFiles:
        """The user's own lead files."""
        return self.resources.lead_files

    @property
    def effects(self) -> EffectRules:
        """How careful an effect has to be."""
        return effect_rules(self.resources.settings)

    def call(self, provider: str, send: Callable[[float], T]) -> T:
        """Make one wire call with the provider's deadline.

        NotNowError when the unit has been somebody else's meanwhile: one who was frozen, or waited for long, asks
        before it spends anything.
        """
        now = seconds_awake_or_not()
        if now - (self.seen_at or self.claimed.taken_at) > self.effects.late_s:
            if not self.ledger.holds(self.campaign_id, self.claimed):
                raise self._taken_over()
            self.seen_at = now
        kind = "create" if self.creates else "effect" if self.unit.effect else "call"
        self.creates = False
        reach(f"{kind}.before")
        answer = send(deadline_s(self.resources.settings, provider))
        reach(f"{kind}.after")
        return answer

    def journal(self, entry: str, value: Any, usage: Usage | None = None) -> None:
        """Commit ``value`` under ``entry``, and what it cost."""
        self.ledger.journal(self.campaign_id, self.claimed, {entry: value}, usage)
        self.entries[entry] = value

    def intend(self, entry: str, value: Any) -> None:
        """Commit ``value`` under ``entry`` while the unit is ours; NotNowError when it is not any more."""
        if not self.ledger.intend(self.campaign_id, self.claimed, {entry: value}):
            raise self._taken_over()
        self.entries[entry] = value
        self.creates = entry.startswith(INTENT)

    def _taken_over(self) -> NotNowError:
        return NotNowError(self.unit.provider, "another attempt holds the unit, or its campaign has moved on")

    def journaled(self, entry: str) -> Any | None:
        """What was committed under ``entry`` by this or an earlier attempt."""
        return self.entries.get(entry)
