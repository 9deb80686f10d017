"""What tests of orders about live ads share: every kind of order, what the platforms have, and trouble at one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any

import pytest
from ad_platforms import Wire

from agents.ports import SystemClock
from agents.unit import effect_key
from integrations.ads.change_kind import ChangeKind
from integrations.ads.registry import platform as spec_of
from integrations.providers import Providers
from integrations.settings import Settings
from orchestration import crash_points
from orchestration.execution.call_guard import Caller, CallGuard
from orchestration.ledger.database import Database

FACEBOOK, LINKEDIN, GOOGLE = "facebook_ads", "linkedin_ads", "google_ads"
SOCIAL, SEARCH = (FACEBOOK, LINKEDIN), (GOOGLE,)


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """An order of one kind, and what has to stand before it can be given."""

    action: Mapping[str, Any]
    on: tuple[str, ...] = SOCIAL  #: where the campaign runs
    first: Mapping[str, Any] | None = None  #: an action that is carried out before


def _on(platform: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "platform": platform, **more}


_TEXTS = {"headlines": ["Ask your team first"], "descriptions": ["A calm look at what it costs."]}

#: Every kind of order but those about money, whose amounts depend on the campaign.
ORDERS: Mapping[str, Ordered] = {
    "pause_ad": Ordered(action=_on(FACEBOOK, "pause_ad", ad="ad.2")),
    "resume_ad": Ordered(
        action=_on(LINKEDIN, "resume_ad", ad="creative.2"), first=_on(LINKEDIN, "pause_ad", ad="creative.2")
    ),
    "pause_platform": Ordered(action=_on(FACEBOOK, "pause_platform")),
    "resume_platform": Ordered(action=_on(LINKEDIN, "resume_platform"), first=_on(LINKEDIN, "pause_platform")),
    "new_variant": Ordered(action=_on(FACEBOOK, "new_variant", **_TEXTS)),
    "narrow_audience": Ordered(action=_on(FACEBOOK, "narrow_audience", industries=["software"])),
    "widen_audience": Ordered(action=_on(LINKEDIN, "widen_audience", industries=["software", "finance"])),
    "bid": Ordered(action=_on(LINKEDIN, "bid", cap="2.50", currency="USD")),
    "schedule_end": Ordered(action=_on(FACEBOOK, "schedule")),  # with an end, see action_of
    "negative_keyword": Ordered(action=_on(GOOGLE, "negative_keyword", words=["free", "[jobs]"]), on=SEARCH),
    "schedule_hours": Ordered(action=_on(GOOGLE, "schedule", hours=[{"day": 0, "first": 8, "until": 18}]), on=SEARCH),
}
MONEY = ("shift_budget", "set_budget")
KINDS = (*ORDERS, *MONEY)


def action_of(kind: str, daily: Mapping[str, Decimal], now: datetime) -> Mapping[str, Any]:
    """The action of a kind, for a campaign with these daily budgets."""
    if kind == "shift_budget":
        less, more = sorted(daily)
        moves = {less: -4, more: 4}
        return {
            "kind": kind,
            "currency": "USD",
            "moves": {one: {"before": str(daily[one]), "after": str(daily[one] + moves[one])} for one in moves},
        }
    action = ORDERS[kind].action
    if kind == "schedule_end":
        return {**action, "end": (now + timedelta(days=9)).replace(microsecond=0).isoformat()}
    return action


def standing(settings: Settings, campaign_id: str, platforms: tuple[str, ...]) -> dict[str, object]:
    """Everything that orders change of a campaign, as the platforms have it."""
    found: dict[str, object] = {}
    for name in platforms:
        platform, wire = Providers(settings).ads(name), Wire(20)
        remote = platform.find_by_key(effect_key(campaign_id, name), wire=wire)
        assert remote is not None, name
        found[f"{name} status"] = remote.status
        for kind in sorted(spec_of(name).changes - {ChangeKind.AD_SWITCH}):
            found[f"{name} {kind}"] = platform.changes.setting(remote, kind, wire=wire).value
        ads = [step for step in remote.ids if step.startswith("ad.")]
        ads = ads or [step for step in remote.ids if step.startswith("creative.")]
        for ad in sorted(ads):
            found[f"{name} {ad}"] = platform.changes.setting(remote, ChangeKind.AD_SWITCH, ad=ad, wire=wire).value
    return found


def made(sandbox: Any) -> Counter[str]:
    """How many ads, and creatives for ads, Facebook has made, whether it was heard of or not."""
    calls = sandbox.get(f"/_sandbox/calls?provider={FACEBOOK}")
    ways = [call["endpoint"].split("/") for call in calls if call["status"] in (0, 200)]
    return Counter(way[-1] for way in ways if way[0].startswith("POST") and way[-1] in ("ads", "adcreatives"))


def makes(kind: str) -> Counter[str]:
    """What :func:`made` counts of one order of a kind."""
    return Counter({"ads": 1, "adcreatives": 1}) if kind == "new_variant" else Counter()


def doubled(sandbox: Any) -> list[str]:
    """Effect keys that more than one campaign of the platforms has."""
    counts = Counter(ad["effect_key"] for ad in sandbox.get("/_sandbox/state")["ad_campaigns"])
    return [key for key, number in counts.items() if number > 1]


class Later(SystemClock):
    """The machine's clock, some time later."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        """The machine's moment and :attr:`by`."""
        return super().now() + self.by


class LosingGuard(CallGuard):
    """Lets the sandbox lose the reply to every call of a unit once, also to those that come after what was lost.

    A call is told from others by how many the attempt has made before it, and by what the unit has got so far.
    """

    def __init__(self, settings: Settings, sandbox: Any, database: Database) -> None:
        super().__init__(settings)
        self.lost: set[tuple[str, int, tuple[str, ...]]] = set()
        self._sandbox, self._database = sandbox, database

    @contextmanager
    def call(self, caller: Caller, provider: str, scope: str = "") -> Iterator[bool]:
        """One call, whose reply gets lost unless that has happened to it before."""
        with super().call(caller, provider, scope) as probing:
            key = caller.holder, caller.made, self._got(caller.holder)
            if key in self.lost:
                yield probing
                return
            self.lost.add(key)
            self._sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "lost_reply"})
            try:
                yield probing
            finally:
                self._sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "ok"})

    def _got(self, holder: str) -> tuple[str, ...]:
        """What is in the unit's journal of what the platform has answered."""
        campaign, step, stage, key = holder.split("/", 3)
        sql = (
            "SELECT jsonb_object_keys(journal) FROM marketing.units "
            "WHERE campaign_id = %s AND step = %s AND stage = %s AND key = %s ORDER BY 1"
        )
        found = [row[0] for row in self._database.rows(sql, campaign, int(step), int(stage), key)]
        return tuple(entry for entry in found if entry.startswith(("remote:", "planned")))


class DeathError(BaseException):
    """The process is gone."""


@dataclass
class Deaths:
    """Kills the process, as far as a test can tell, at a crash point before or after which something happens.

    Between a point after one thing and the point before the next one nothing happens, so only the latter counts, and
    the very last one.
    """

    monkeypatch: pytest.MonkeyPatch
    at: int = 0
    only: str = ""  #: the point that counts; "": all
    reached: list[str] = field(default_factory=list)
    dead: bool = False
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.monkeypatch.setattr(crash_points, "_armed", _Any())
        self.monkeypatch.setattr(crash_points, "_crash", self._reach)

    def die(self, at: int, work: Callable[[], object], only: str = "") -> str | None:
        """Do ``work`` until point number ``at`` (from 1); the name of that point, or None if there are fewer."""
        self.only = only
        self.at, self.reached, self.dead = at, [], False
        with suppress(DeathError):
            work()
        self.at = 0
        return self.reached[-1] if self.dead else None

    def _reach(self, point: str) -> None:
        with self._lock:
            counts = point == self.only if self.only else point.endswith(".before") or point == "advance.after"
            if self.at and counts and not self.dead:
                self.reached.append(point)
                self.dead = len(self.reached) == self.at
            if self.at and self.dead:
                raise DeathError(point)


class _Any:
    """Equal to every point."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0
