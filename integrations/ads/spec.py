"""All that the project knows about one ad platform, in one value.

Names, aliases, limits, benchmarks, settings, the client, the sandbox half: each is read from here and written down
nowhere else. A package adds a platform by naming its :class:`PlatformSpec` under the entry-point group
``marketing_agents.platforms`` (docs/extending.md). Invariant: building a spec imports no SDK and no sandbox; its
factories do, when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from integrations.ads.audience import AudienceSpec
from integrations.ads.benchmark import Benchmark
from integrations.ads.change_kind import ChangeKind
from integrations.ads.curve import Curve
from integrations.ads.goal import Goal
from integrations.ads.limits import PlatformLimits
from integrations.provider_specs import ProviderSpec

if TYPE_CHECKING:
    from integrations.ads.platform import AdPlatform
    from integrations.sandbox.protocol import SandboxProvider
    from integrations.settings import Settings

#: Parts of a platform, each with what it is nothing without.
_NEEDED = (("client", "provider"), ("sandbox", "provider"), ("sandbox", "curve"), ("audiences", "client"))
#: No currency is worth more US dollars than this (the Kuwaiti dinar: about 3.25).
STRONGEST = Decimal("3.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that a platform's client needs and that is installed by an extra of ours only."""

    name: str  #: as pip knows it, such as "google-ads"
    extra: str  #: of marketing-agents

    def missing(self) -> str:
        """Return what is missing and how to install it, "" when it is there, without importing it."""
        try:
            version(self.name)
        except PackageNotFoundError:
            return f"needs the package {self.name}: pip install 'marketing-agents[{self.extra}]'"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSpec:
    """One ad platform.

    ``name`` is stored in rows and campaign files and never changes.
    """

    name: str  #: as in campaign files and as its provider's name, such as "facebook_ads"
    title: str  #: for people, such as "Facebook"
    aliases: tuple[str, ...] = ()  #: other names that campaign files may use, in lower case
    limits: PlatformLimits
    benchmark: Benchmark
    #: least daily budget of a campaign by currency; USD stands for those that are not listed. {}: none is published
    min_daily: Mapping[str, Decimal] = field(default_factory=dict)
    #: what its ads can be for: goal -> the provider's options, one of which has to be set; (): nothing is needed
    goals: Mapping[Goal, tuple[str, ...]] = field(default_factory=lambda: {Goal.TRAFFIC: ()})
    #: what its client can change of a live campaign
    changes: frozenset[ChangeKind] = frozenset()
    #: why it can't change something else, in words that follow "can't change the ...: "
    unchanging: Mapping[ChangeKind, str] = field(default_factory=dict)
    search_terms: bool = False  #: do its ads answer searches, whose terms its client tells?
    most_running: int | None = None  #: ads of one campaign that may run at the same time; None: as many as there are
    provider: ProviderSpec | None = None
    package: Package | None = None  #: that its client needs besides what is always installed
    #: builds the client and imports what it needs; None: the platform is known, but this version can't speak to it
    client: Callable[[Settings], AdPlatform] | None = None
    audiences: AudienceSpec | None = None  #: its customer lists; None: it has none that we know
    #: builds the platform's half in the sandbox; None: the sandbox doesn't have it
    sandbox: Callable[[], SandboxProvider] | None = None
    curve: Curve | None = None  #: of the sandbox half
    #: what the platform publishes as its rate limit, in the form of LIMIT_<PROVIDER>, such as "3000/5min"
    published_limit: str | None = None

    def least_daily(self, currency: str) -> Decimal:
        """Return the least daily budget that the platform surely refuses anything below of, 0 when none is known.

        In a currency that is not listed it is the amount that is worth the least in USD where money is worth most.
        """
        known = self.min_daily.get(currency)
        dollars = self.min_daily.get("USD", Decimal(0))
        return known if known is not None else (dollars / STRONGEST).quantize(Decimal("0.01"), rounding=ROUND_DOWN)

    def unchangeable(self, kind: ChangeKind) -> str:
        """Return why the platform can't change ``kind`` of a live campaign, "" when it can."""
        if kind in self.changes:
            return ""
        return f"{self.title} can't change {kind.words}: {self.unchanging.get(kind, 'this version does not know how')}"

    def __post_init__(self) -> None:
        """Raise ValueError for parts that don't fit together."""
        if self.provider is not None and self.provider.name != self.name:
            raise ValueError(f"provider.name={self.provider.name!r} is not the platform's name {self.name!r}")
        for part, needed in _NEEDED:
            if getattr(self, part) is not None and getattr(self, needed) is None:
                raise ValueError(f"{self.name}: a {part} needs a {needed}")
        known = self.provider.options if self.provider is not None else {}
        if strange := [name for needed in self.goals.values() for name in needed if name not in known]:
            raise ValueError(f"{self.name}: goals names {strange[0]!r}, which is no option of its provider")
        lists = self.audiences.needs if self.audiences is not None else ()
        if strange := [name for name in lists if name not in known]:
            raise ValueError(f"{self.name}: audiences.needs names {strange[0]!r}, which is no option of its provider")
        if both := sorted(self.changes & self.unchanging.keys()):
            raise ValueError(f"{self.name}: {both[0]!r} is in changes and in unchanging")
        if bad := [alias for alias in self.aliases if alias != alias.strip().lower() or not alias]:
            raise ValueError(f"{self.name}: the alias {bad[0]!r} is not a word in lower case")
