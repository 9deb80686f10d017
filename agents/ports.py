"""What an agent is given: the ports between pure agent code and the effects around it.

Invariant: a unit's body reaches the outside world only through its :class:`UnitContext`. Every wire
call goes through :meth:`UnitContext.call` (admission, deadline) and every answer that cost money or
changed something goes through :meth:`UnitContext.journal` before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from agents.unit import Unit
from integrations.ads.platform import Budgeted, DayReport
from integrations.llm.prices import CostBound
from integrations.providers import Providers
from integrations.usage import Usage

T = TypeVar("T")


class Clock(Protocol):
    """Source of time, where a test or a replay injects its own."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware UTC."""
        ...


class SystemClock:
    """Clock of the machine."""

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a knowledge document that bears on a question."""

    chunk_id: str
    title: str  #: of its document
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Embedded:
    """Questions as vectors of one embedding model."""

    model: str
    vectors: Mapping[str, Sequence[float]]  #: question -> its vector, of length 1


class Retriever(Protocol):
    """Knowledge base."""

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
        """Return the best passages for a question, from documents of ``brand`` and of every brand.

        ``multi_query`` asks several forms of the question (its own and ``variants``) and fuses the rankings; ``single``
        asks the question as it is. What has a vector in ``embedded`` is asked by meaning, too.
        """
        ...

    def embedded_with(self, model: str, brand: str = "") -> bool:
        """Return whether there are passages that a question can be compared with by vectors of ``model``."""
        ...


class Suppression(Protocol):
    """People who must not be addressed."""

    def suppressed(self, emails: Sequence[str]) -> frozenset[str]:
        """Return those of the given addresses (normalised, lower case) that are on the list."""
        ...

    def suppress(self, email: str, reason: str) -> None:
        """Put an address on the list for ever, and remove the person from what is stored."""
        ...

    def barred(self, identities: Collection[str]) -> frozenset[str]:
        """Return those of the given hashes (``agents.lead_generation.screen.hashes_of``) that are on the list."""
        ...

    def bar(self, identities: Collection[str], reason: str) -> None:
        """Put people whose address isn't known on the list for ever, by such hashes."""
        ...


class Exclusions(Protocol):
    """People who are excluded by hand from what a campaign still does."""

    def excluded(self, identities: Collection[str]) -> frozenset[str]:
        """Return those of the given hashes (``agents.erasure.person_hashes``) that name an excluded person."""
        ...


class CustomerLists(Protocol):
    """Register of the customer lists that a campaign has at ad platforms, for taking people off them later."""

    def opened(self, platform: str, list_id: str) -> None:
        """Record that the campaign has a list, before it has members."""
        ...

    def filling(self, platform: str, list_id: str) -> None:
        """Record that a batch is under way, after which people who were taken off the list are taken off again."""
        ...

    def filled(self, platform: str, list_id: str) -> None:
        """Record that no batch is under way any more."""
        ...

    def closed(self, platform: str, list_id: str) -> None:
        """Record that the list is gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLead:
    """A lead of a batch that is about to be sent, without its address."""

    key: str  #: idempotency key
    lead_id: str
    address: str  #: ``integrations.address_hash`` of its address, "" for none
    hashes: frozenset[str]  #: ``agents.erasure.person_hashes``
    was_there: bool  #: before the campaign sent it, by whomever it was put there


class Deliveries(Protocol):
    """Register of the leads that a campaign has put somewhere, for taking people off there later."""

    def sending(self, label: str, target: str, path: str, leads: Sequence[SentLead]) -> None:
        """Record that a batch is about to be sent, after which the suppression list has to be asked once more."""
        ...

    def answered(self, label: str, placed: Mapping[str, str], refused: Mapping[str, str]) -> None:
        """Record by key what became of leads: their ids at the place, and its codes for why."""
        ...

    def take_off(self, label: str, keys: Collection[str]) -> None:
        """Ask that leads be taken off, as far as they may be there by the campaign's doing."""
        ...

    def gone(self, label: str, keys: Collection[str]) -> None:
        """Record that leads have been taken off."""
        ...


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What the reading of a lead file had to say."""

    warnings: tuple[str, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)  #: reason -> number of rows that were left out


class LeadFiles(Protocol):
    """Files of the user's own leads, stored at submit."""

    def summary(self, file_id: str) -> FileSummary:
        """Return what the reading of one file had to say."""
        ...

    def rows(self, file_id: str) -> list[Mapping[str, Any]]:
        """Return the rows of one file as ``agents.lead_files`` read them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRules:
    """How careful effects are, in seconds."""

    probe_delay_s: float = 0.0  #: least time between the two looks after which a lost creation is sent again
    call_timeout_s: float = 20.0  #: longest time that a wire call of an effect may take
    late_s: float = 5.0  #: a sender that comes this long after its intent doesn't send; below the workers' lease


class AdBudget(Protocol):
    """Ad money of one campaign on one platform, under its caps and the fleet's."""

    def reserve(self, spec: Budgeted) -> Callable[[], None]:
        """Ask before the platform is given ``spec``.

        Returns what to call when nothing of it runs there: it holds again what was held before. Raises OverBudgetError
        when a cap has no room.
        """
        ...

    def placed(self, spec: Budgeted) -> None:
        """Record that the platform has taken ``spec``."""
        ...

    def stopped(self, key: str) -> None:
        """Record that what carries the effect key ``key`` does not run any more."""
        ...

    def reported(self, currency: str, revision: int, days: Iterable[DayReport]) -> None:
        """Record what the campaign's own ads of ``revision`` have spent, day by day, as the platform has told."""
        ...


class UncappedAds:
    """Ad money that is not counted, of a run in one process, without a ledger."""

    def reserve(self, spec: Budgeted) -> Callable[[], None]:
        """Grant it."""
        del spec
        return lambda: None

    def placed(self, spec: Budgeted) -> None:
        """Not written down."""

    def stopped(self, key: str) -> None:
        """Not written down."""

    def reported(self, currency: str, revision: int, days: Iterable[DayReport]) -> None:
        """Not written down."""


class UnitContext(Protocol):
    """Everything the body of one unit may use."""

    @property
    def campaign_id(self) -> str:
        """Campaign that the unit works for."""
        ...

    @property
    def unit(self) -> Unit:
        """Unit itself."""
        ...

    @property
    def clock(self) -> Clock:
        """Source of time."""
        ...

    @property
    def providers(self) -> Providers:
        """Clients of the outside world, built on first use."""
        ...

    @property
    def retriever(self) -> Retriever:
        """Knowledge base."""
        ...

    @property
    def suppression(self) -> Suppression:
        """List of people who must not be addressed."""
        ...

    @property
    def exclusions(self) -> Exclusions:
        """People who are excluded by hand from what the campaign still does."""
        ...

    @property
    def lead_files(self) -> LeadFiles:
        """Files of the user's own leads."""
        ...

    @property
    def customer_lists(self) -> CustomerLists:
        """Register of the campaign's customer lists."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """Register of the leads that the campaign has put somewhere."""
        ...

    @property
    def effects(self) -> EffectRules:
        """How careful an effect has to be."""
        ...

    @property
    def fallback(self) -> str | None:
        """Which of its policy's fallbacks the unit shall use, None for its own provider."""
        ...

    @property
    def ad_budget(self) -> AdBudget:
        """Ad money of the campaign on the unit's platform."""
        ...

    def call(self, provider: str, send: Callable[[float], T], *, scope: str = "", cost: CostBound | None = None) -> T:
        """Admit and make one wire call: ``send(timeout_s)``.

        ``scope`` names the part of the provider that fails by itself: a model, a web host. ``cost`` is the most that
        the call can cost; the journal entry that it names settles it. Raises what ``send`` raises, and NotNowError when
        the call may not be made now.
        """
        ...

    def journal(self, entry: str, value: Any, usage: Usage | None = None) -> None:
        """Commit one JSON value under ``entry``, and what it cost, before going on, so that it survives a crash."""
        ...

    def intend(self, entry: str, value: Any) -> None:
        """Commit as :meth:`journal` does, but only while this attempt holds the unit in the campaign's line of work.

        Raises NotNowError when it doesn't any more, as another attempt may be at it.
        """
        ...

    @property
    def entries(self) -> Mapping[str, Any]:
        """Everything that this and earlier attempts at this unit committed."""
        ...

    def journaled(self, entry: str) -> Any | None:
        """Return what an earlier attempt at this unit committed under ``entry``, or None when it committed nothing."""
        ...


class ExecutionContext(Protocol):
    """What a whole hop in one process is given."""

    @property
    def clock(self) -> Clock:
        """Source of time."""
        ...

    def for_unit(self, campaign_id: str, step: int, stage: int, unit: Unit) -> UnitContext:
        """Return the context of one unit of the hop."""
        ...


@dataclass(slots=True)
class FixedClock:
    """Clock that stands still until it is set, for replays and tests."""

    at: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-01-01T00:00:00+00:00"))

    def now(self) -> datetime:
        """Return the moment that it was set to."""
        return self.at
