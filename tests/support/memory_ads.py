"""An ad platform in the test's own process: keeps campaigns and ads, and reports from the sandbox world's curves.

Every wire call goes through the wire that it is given, creations are journalled step by step, and each call can be
made to fail before or after it was carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any, TypeVar

from pydantic import JsonValue

from integrations.ads.account import AdAccount
from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import Change, DailyBudget, NewAd, Setting, check_new_ad
from integrations.ads.changes_by_kind import ChangesByKind
from integrations.ads.facebook.buttons import button
from integrations.ads.platform import (
    ACTIVE,
    PAUSED,
    AdSpec,
    DayReport,
    RemoteCampaign,
    Steps,
    Wire,
    local_problems,
    once,
    per_ad,
)
from integrations.ads.registry import platform
from integrations.ads.search_term import SearchTerm
from integrations.errors import NotFoundError, TransientError
from integrations.sandbox.ad_life import Life
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.ad_world import market, report

T = TypeVar("T")


@dataclass
class KeptAd:
    """One ad of a campaign."""

    token: str  #: which texts
    variant: int
    text: AdText


@dataclass
class KeptCampaign:
    """A campaign as the platform keeps it."""

    id: str
    name: str
    effect_key: str
    life: Life
    status: str = PAUSED
    daily_budget: Decimal = Decimal(0)
    ads: dict[str, KeptAd] = field(default_factory=dict)
    settings: dict[tuple[ChangeKind, str], JsonValue] = field(default_factory=dict)  #: kind, step of the ad -> value


class MemoryAds:
    """One ad platform."""

    def __init__(self, name: str, *, seed: int = 7, world: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.limits = platform(name).limits
        self.changes = MemoryChanges(self)
        self.campaigns: dict[str, KeptCampaign] = {}
        self.down = False
        self.ad_account = AdAccount()
        self.refused: tuple[str, ...] = ()  #: steps of ads that the review refuses
        #: called after each call that was carried out, with its name; may raise: its answer is lost then
        self.after: Callable[[str], None] = lambda _call: None
        self._market = market(name, seed, world)
        self._seed = seed
        self._made = 0

    def find_by_key(self, effect_key: str, *, wire: Wire) -> RemoteCampaign | None:
        """The oldest campaign with that key."""
        return self.call(wire, "find", lambda: self._found(effect_key))

    def create(self, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """Make it, paused."""
        return self._build(spec, None, wire, steps)

    def update(self, remote: RemoteCampaign, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """Make it what ``spec`` says."""
        return self._build(spec, remote.id, wire, steps)

    def get(self, campaign_id: str, *, wire: Wire) -> RemoteCampaign:
        """The campaign of that id."""
        return self.call(wire, "get", lambda: _remote(self.kept(campaign_id)))

    def add_ad(self, remote: RemoteCampaign, spec: AdSpec, ad: NewAd, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """Add an ad."""
        check_new_ad(self.name, ad, len(spec.variants()) + 1)
        kept, texts = self.kept(remote.id), (ad.headlines[0], ad.descriptions[0])
        present = {one.variant: key for key, one in kept.ads.items() if one.token == spec.token}
        key = once(
            steps,
            f"ad.{ad.variant}",
            present.get(ad.variant),
            lambda: self.call(wire, "create ad", lambda: self._new_ad(kept, spec, ad.variant, texts)),
        )
        return replace(remote, ids={**remote.ids, f"ad.{ad.variant}": key})

    def pause(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """Stop showing it."""
        self.call(wire, "pause", lambda: self._switch(remote.id, PAUSED))

    def enable(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """Show it."""
        self.call(wire, "enable", lambda: self._switch(remote.id, ACTIVE))

    def report(self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire) -> list[DayReport]:
        """The days of the ads in ``remote.ids``."""
        return self.call(wire, "report", lambda: self._days(remote, since, until))

    def search_terms(
        self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire
    ) -> tuple[SearchTerm, ...]:
        """No searches."""
        return ()

    def account(self, *, wire: Wire) -> AdAccount:
        """The account as the test has set it."""
        return self.call(wire, "account", lambda: self.ad_account)

    def refusals(self, remote: RemoteCampaign, *, wire: Wire) -> Mapping[str, str]:
        """What the test's review has refused."""
        return self.call(wire, "refusals", lambda: dict.fromkeys(sorted(set(self.refused) & set(remote.ids)), "no"))

    def remove(self, ids: Mapping[str, str], *, wire: Wire) -> None:
        """Take a campaign off."""
        self.call(wire, "remove", lambda: self.campaigns.pop(ids["campaign"], None))

    def validate(self, spec: AdSpec, *, wire: Wire) -> list[str]:
        """What it would refuse."""
        return self.call(wire, "validate", lambda: local_problems(spec, self.limits))

    def call(self, wire: Wire, name: str, do: Callable[[], T]) -> T:
        def send(timeout: float) -> T:
            if self.down:
                raise TransientError(self.name, "is down")
            answer = do()
            self.after(name)
            return answer

        return wire(send)

    def _build(self, spec: AdSpec, known: str | None, wire: Wire, steps: Steps) -> RemoteCampaign:
        campaign = once(
            steps, "campaign", known, lambda: self.call(wire, "create campaign", lambda: self._new_campaign(spec))
        )
        kept = self.kept(campaign)
        if kept.daily_budget != spec.daily_budget:
            self.call(wire, "change budget", lambda: self._budget(kept, spec.daily_budget))
        present = {ad.variant: key for key, ad in kept.ads.items() if ad.token == spec.token}
        ids = {"campaign": campaign}
        for variant, texts in enumerate(spec.variants(), start=1):
            ids[f"ad.{variant}"] = once(
                steps,
                f"ad.{spec.token}.{variant}",
                present.get(variant),
                lambda variant=variant, texts=texts: self.call(
                    wire, "create ad", lambda: self._new_ad(kept, spec, variant, texts)
                ),
            )
        for old in kept.ads.keys() - set(ids.values()):
            kept.life.ad_switched(old, False)
        return RemoteCampaign(id=campaign, name=kept.name, effect_key=kept.effect_key, status=kept.status, ids=ids)

    def _new_campaign(self, spec: AdSpec) -> str:
        self._made += 1
        made = KeptCampaign(
            id=f"{self.name}-{self._made}",
            name=f"{spec.name} {spec.effect_key}",
            effect_key=spec.effect_key,
            life=Life.starting(spec.start.date(), str(spec.daily_budget)),
            daily_budget=spec.daily_budget,
        )
        self.campaigns[made.id] = made
        return made.id

    def _new_ad(self, kept: KeptCampaign, spec: AdSpec, variant: int, texts: tuple[str, str]) -> str:
        self._made += 1
        key = f"ad-{self._made}"
        audience = spec.audience
        text = AdText(
            headline=texts[0],
            description=texts[1],
            button=button(spec.call_to_action),
            headline_width=self.limits.headline_width,
            description_width=self.limits.description_width,
            audience=(*audience.industries, *audience.titles, *audience.interests, *spec.keywords),
        )
        kept.ads[key] = KeptAd(token=spec.token, variant=variant, text=text)
        kept.life.ad_added(spec.token, key)
        return key

    def _budget(self, kept: KeptCampaign, daily: Decimal) -> None:
        kept.daily_budget = daily
        kept.life.budget_changed(str(daily))

    def _switch(self, campaign: str, status: str) -> None:
        kept = self.kept(campaign)
        kept.status = status
        kept.life.switched(status == ACTIVE)

    def _days(self, remote: RemoteCampaign, since: date, until: date | None) -> list[DayReport]:
        kept = self.kept(remote.id)
        steps = {key: step for step, key in remote.ids.items() if step.startswith("ad.")}
        shown = {key: kept.ads[key] for key in steps}
        found: list[DayReport] = []
        for token in dict.fromkeys(ad.token for ad in shown.values()):
            texts = {key: ad.text for key, ad in shown.items() if ad.token == token}
            reported = report(
                kept.life, token, texts, market=self._market, seed=self._seed, platform=self.name, key=kept.effect_key
            )
            found += [
                DayReport(
                    day=day.day,
                    ad=steps[key],
                    impressions=day.impressions,
                    clicks=day.clicks,
                    conversions=day.conversions,
                    spend=day.spend,
                    currency="USD",
                )
                for key, days in reported.items()
                for day in days
                if since <= day.day and (until is None or day.day <= until)
            ]
        return per_ad(found)

    def _found(self, effect_key: str) -> RemoteCampaign | None:
        return next((_remote(kept) for kept in self.campaigns.values() if kept.effect_key == effect_key), None)

    def kept(self, campaign: str) -> KeptCampaign:
        """The campaign of that id."""
        if campaign not in self.campaigns:
            raise NotFoundError(self.name, f"has no campaign {campaign}")
        return self.campaigns[campaign]


class MemoryChanges(ChangesByKind):
    """Changes on one platform, of the kinds that the platform of its name can change."""

    def __init__(self, ads: MemoryAds) -> None:
        super().__init__(platform(ads.name))
        self._ads = ads

    def _read(self, remote: RemoteCampaign, kind: ChangeKind, ad: str, wire: Wire) -> JsonValue:
        def read() -> JsonValue:
            kept = self._ads.kept(remote.id)
            usual = str(kept.daily_budget) if kind is ChangeKind.DAILY_BUDGET else kind is ChangeKind.AD_SWITCH or None
            return kept.settings.get((kind, ad), usual)

        return self._ads.call(wire, "setting", read)

    def _wanted(self, remote: RemoteCampaign, change: Change, now: JsonValue, wire: Wire) -> JsonValue:
        if isinstance(change, DailyBudget):
            return str(change.amount.quantize(Decimal("0.01"), rounding=ROUND_DOWN))
        wanted: JsonValue = change.model_dump(mode="json", exclude={"kind"})
        return wanted

    def _write(self, remote: RemoteCampaign, setting: Setting, wire: Wire) -> None:
        def write() -> None:
            kept = self._ads.kept(remote.id)
            if setting.kind is ChangeKind.DAILY_BUDGET:
                kept.daily_budget = Decimal(str(setting.value))
                kept.life.budget_changed(str(setting.value))
            else:
                kept.settings[setting.kind, setting.ad] = setting.value
            if setting.kind is ChangeKind.AD_SWITCH:
                kept.life.ad_switched(remote.ids[setting.ad], bool(setting.value))

        self._ads.call(wire, f"change {setting.kind}", write)


def _remote(kept: KeptCampaign) -> RemoteCampaign:
    ids = {"campaign": kept.id}
    newest = next((ad.token for ad in reversed(kept.ads.values())), None)
    ids |= {f"ad.{ad.variant}": key for key, ad in kept.ads.items() if ad.token == newest}
    return RemoteCampaign(id=kept.id, name=kept.name, effect_key=kept.effect_key, status=kept.status, ids=ids)
