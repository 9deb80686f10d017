"""TikTok ads: campaign → ad group → ads.

No transaction and no idempotency key: names carry the effect key, ids are journalled, and what a lost reply left
behind is found by listing and comparing names. The ad group and the ads are ENABLED, the campaign is DISABLED until
the one call that enables it. Invariant: :meth:`TikTokAds.create` and :meth:`TikTokAds.update` may be repeated any
number of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from integrations.ads.account import AdAccount, account_problems
from integrations.ads.call_to_action import Intent, intent
from integrations.ads.changes import NewAd, check_new_ad
from integrations.ads.naming import ad_name, current_names, effect_key_of, label_of, remote_name
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
from integrations.ads.search_term import SearchTerm
from integrations.ads.words import own_words
from integrations.errors import InvalidAnswerError, NotFoundError, TransientError
from integrations.http_errors import unanswered
from integrations.settings import Settings
from marketing_tiktok_ads.api import PROVIDER, Api, Row, listed, text
from marketing_tiktok_ads.changes import TikTokChanges, aimed
from marketing_tiktok_ads.money import daily, money
from marketing_tiktok_ads.spec import SPEC

ENABLE, DISABLE, DELETE = "ENABLE", "DISABLE", "DELETE"
#: The buttons that TikTok has; every other intent gets LEARN_MORE.
BUTTONS: Mapping[Intent, str] = {
    Intent.BOOK: "BOOK_NOW",
    Intent.CONTACT: "CONTACT_US",
    Intent.DEMO: "BOOK_NOW",
    Intent.DOWNLOAD: "DOWNLOAD_NOW",
    Intent.SHOP: "SHOP_NOW",
    Intent.SIGN_UP: "SIGN_UP",
    Intent.SUBSCRIBE: "SUBSCRIBE",
}
_METRICS = ("spend", "impressions", "clicks", "conversion")


class TikTokAds:
    """An advertiser at TikTok, as :class:`integrations.ads.platform.AdPlatform` has it."""

    name = SPEC.name
    limits = SPEC.limits

    def __init__(self, settings: Settings) -> None:
        self._api = Api(settings.provider(PROVIDER))
        self.changes = TikTokChanges(self._api)

    def find_by_key(self, effect_key: str, *, wire: Wire) -> RemoteCampaign | None:
        """See the protocol."""
        found = [
            row
            for row in self._api.rows("campaign/get", {}, wire=wire)
            if effect_key_of(text(row, "campaign_name")) == effect_key
        ]
        if not found:
            return None
        oldest = min(found, key=lambda row: (text(row, "create_time"), text(row, "campaign_id")))
        return self._with_children(oldest, wire)

    def create(self, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        return self._build(spec, None, wire, steps)

    def update(self, remote: RemoteCampaign, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        return self._build(spec, remote, wire, steps)

    def _build(self, spec: AdSpec, remote: RemoteCampaign | None, wire: Wire, steps: Steps) -> RemoteCampaign:
        # What an earlier attempt may have left is looked for; a first attempt has just looked in vain.
        repeated = remote is not None or steps.get("campaign") is not None
        known = remote.id if remote else None
        campaign = self._once("campaign", known, _campaign(spec), wire, steps)
        groups = self._rows("adgroup", campaign, wire) if repeated else []
        known = _id(groups[0], "adgroup") if groups else None
        group = self._once("adgroup", known, _group(spec, campaign), wire, steps)
        budget = daily(spec.daily_budget)
        if groups and money(groups[0].get("budget")) != budget:
            self._change("adgroup/update", {"adgroup_id": group, "budget": str(budget)}, wire)
        ads = {text(row, "ad_name"): row for row in self._rows("ad", campaign, wire)} if repeated else {}
        ids = {"campaign": campaign, "adgroup": group}
        for variant, texts in enumerate(spec.variants(), start=1):
            ids[f"ad.{variant}"] = self._made(spec, variant, texts, group, ads, wire, steps)
        shown = {name: row for name, row in ads.items() if row.get("operation_status") == ENABLE}
        if old := [_id(row, "ad") for name, row in shown.items() if label_of(name).token != spec.token]:
            self._change("ad/status/update", {"ad_ids": old, "operation_status": DISABLE}, wire)
        return RemoteCampaign(
            id=campaign,
            name=remote_name(spec.name, spec.effect_key),
            effect_key=spec.effect_key,
            status=remote.status if remote else PAUSED,
            ids=ids,
        )

    def _made(
        self,
        spec: AdSpec,
        variant: int,
        texts: tuple[str, str],
        group: str,
        ads: Mapping[str, Row],
        wire: Wire,
        steps: Steps,
    ) -> str:
        """Return the id of the ad number ``variant``, which is made when it is not among ``ads``."""
        name = ad_name(spec.name, spec.effect_key, spec.token, variant)
        existing = _id(ads[name], "ad") if name in ads else None
        return self._once("ad", existing, _ad(spec, name, group, variant, texts), wire, steps, variant)

    def _once(
        self, kind: str, found: str | None, fields: Row, wire: Wire, steps: Steps, variant: int | None = None
    ) -> str:
        """Return the id of the journalled object, else of the one that was found, else of a new one."""
        step = kind if variant is None else f"{kind}.{variant}"
        return once(steps, step, found, lambda: wire(lambda timeout: self._created(kind, fields, timeout)))

    def get(self, campaign_id: str, *, wire: Wire) -> RemoteCampaign:
        """See the protocol."""
        query = {"filtering": {"campaign_ids": [campaign_id]}}
        found = listed(wire(lambda timeout: self._api.get("campaign/get", query, timeout=timeout)))
        if not found:
            raise NotFoundError(PROVIDER, "the campaign is gone")
        return self._with_children(found[0], wire)

    def add_ad(self, remote: RemoteCampaign, spec: AdSpec, ad: NewAd, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        check_new_ad(PROVIDER, ad, len(spec.variants()) + 1, texts=1)
        groups = self._rows("adgroup", remote.id, wire)
        if not groups:
            raise NotFoundError(PROVIDER, "the campaign has no ad group")
        ads = {text(row, "ad_name"): row for row in self._rows("ad", remote.id, wire)}
        texts = (ad.headlines[0], ad.descriptions[0])
        made = self._made(spec, ad.variant, texts, _id(groups[0], "adgroup"), ads, wire, steps)
        return replace(remote, ids={**remote.ids, f"ad.{ad.variant}": made})

    def pause(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        self._switch(remote, DISABLE, wire)

    def enable(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        self._switch(remote, ENABLE, wire)

    def report(self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire) -> list[DayReport]:
        """See the protocol.

        ``currency`` of a day is "": TikTok answers in the account's, without its name.
        """
        steps = {ad: step for step, ad in sorted(remote.ids.items()) if step.startswith("ad.")}
        if not steps:
            return []
        query: dict[str, object] = {
            "report_type": "BASIC",
            "data_level": "AUCTION_AD",
            "dimensions": ["ad_id", "stat_time_day"],
            "metrics": list(_METRICS),
            "filtering": {"ad_ids": list(steps)},
            "start_date": since.isoformat(),
            **({"end_date": until.isoformat()} if until else {}),
        }
        return _days(self._api.rows("report/integrated/get", query, wire=wire), steps)

    def search_terms(
        self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire
    ) -> tuple[SearchTerm, ...]:
        """See the protocol."""
        return ()

    def validate(self, spec: AdSpec, *, wire: Wire) -> list[str]:
        """See the protocol.

        The API has no dry run: what can be checked without storing anything is checked.
        """
        problems = local_problems(spec, self.limits)
        return problems + account_problems(self.account(wire=wire), spec.currency, spec.daily_budget, spec.goal)

    def account(self, *, wire: Wire) -> AdAccount:
        """See the protocol."""
        accounts = listed(wire(lambda timeout: self._api.get("advertiser/info", {}, timeout=timeout)))
        if not accounts:
            raise TransientError(PROVIDER, "answered nothing about the ad account")
        status = text(accounts[0], "status")
        fine = status in ("", "STATUS_ENABLE")
        return AdAccount(currency=text(accounts[0], "currency"), trouble="" if fine else f"it is {own_words(status)}")

    def refusals(self, remote: RemoteCampaign, *, wire: Wire) -> Mapping[str, str]:
        """See the protocol."""
        steps = {ad: step for step, ad in remote.ids.items() if step.startswith("ad.")}
        refused = [
            row for row in self._rows("ad", remote.id, wire) if text(row, "secondary_status") == "AD_STATUS_AUDIT_DENY"
        ]
        return {steps[ad]: "denied by the review" for row in refused if (ad := _id(row, "ad")) in steps}

    def remove(self, ids: Mapping[str, str], *, wire: Wire) -> None:
        """See the protocol.

        What is in a campaign goes with it.
        """
        if "campaign" in ids:
            gone = {"campaign_ids": [ids["campaign"]], "operation_status": DELETE}
            self._change("campaign/status/update", gone, wire)

    def _created(self, kind: str, fields: Row, timeout: float) -> str:
        found = text(self._api.post(f"{kind}/create", fields, timeout=timeout), f"{kind}_id")
        if not found:
            raise unanswered(PROVIDER, "POST", "answered a creation without an id")
        return found

    def _change(self, path: str, fields: Row, wire: Wire) -> None:
        wire(lambda timeout: self._api.post(path, fields, timeout=timeout))

    def _switch(self, remote: RemoteCampaign, status: str, wire: Wire) -> None:
        self._change("campaign/status/update", {"campaign_ids": [remote.id], "operation_status": status}, wire)

    def _rows(self, kind: str, campaign: str, wire: Wire) -> list[Row]:
        """Return the ad groups or ads of a campaign, oldest first."""
        rows = self._api.rows(f"{kind}/get", {"filtering": {"campaign_ids": [campaign]}}, wire=wire)
        return sorted(rows, key=lambda row: (text(row, "create_time"), text(row, f"{kind}_id")))

    def _with_children(self, row: Row, wire: Wire) -> RemoteCampaign:
        campaign, name = _id(row, "campaign"), text(row, "campaign_name")
        ids = {"campaign": campaign}
        for group in self._rows("adgroup", campaign, wire)[:1]:
            ids["adgroup"] = _id(group, "adgroup")
        ads = {text(ad, "ad_name"): ad for ad in self._rows("ad", campaign, wire)}
        for current in current_names({name: ad.get("operation_status") == ENABLE for name, ad in ads.items()}):
            ids[f"ad.{label_of(current).variant}"] = _id(ads[current], "ad")
        status = ACTIVE if row.get("operation_status") == ENABLE else PAUSED
        return RemoteCampaign(id=campaign, name=name, effect_key=effect_key_of(name), status=status, ids=ids)


def _campaign(spec: AdSpec) -> Row:
    return {
        "campaign_name": remote_name(spec.name, spec.effect_key),
        "objective_type": "TRAFFIC",
        "operation_status": DISABLE,
    }


def _group(spec: AdSpec, campaign: str) -> Row:
    places, words = aimed(spec.audience, spec.keywords)
    return {
        "campaign_id": campaign,
        "adgroup_name": remote_name(spec.name, spec.effect_key),
        "budget_mode": "BUDGET_MODE_DAY",
        "budget": str(daily(spec.daily_budget)),
        "currency": spec.currency,
        "schedule_start_time": _moment(spec.start),
        **({"schedule_end_time": _moment(spec.end)} if spec.end else {}),
        "locations": [*places],
        "interest_keywords": [*words],
        "operation_status": ENABLE,
    }


def _ad(spec: AdSpec, name: str, group: str, variant: int, texts: tuple[str, str]) -> Row:
    headline, description = texts
    return {
        "adgroup_id": group,
        "ad_name": name,
        "title": headline,
        "ad_text": description,
        "call_to_action": BUTTONS.get(intent(spec.call_to_action), "LEARN_MORE"),
        "landing_page_url": spec.link(variant),
        "operation_status": ENABLE,
    }


def _id(row: Row, kind: str) -> str:
    found = text(row, f"{kind}_id")
    if not found:
        raise TransientError(PROVIDER, f"answered a {kind} without an id")
    return found


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _part(row: Row, name: str) -> Row:
    found = row[name]
    if not isinstance(found, Mapping):
        raise ValueError(name)
    return found


def _days(rows: Iterable[Row], steps: Mapping[str, str]) -> list[DayReport]:
    """Return the days of each ad, oldest first (``steps``: id of an ad -> its step name).

    Raises InvalidAnswerError for a row that can't be read.
    """
    return per_ad(_day(row, steps) for row in rows)


def _day(row: Row, steps: Mapping[str, str]) -> DayReport:
    try:
        dimensions, metrics = _part(row, "dimensions"), _part(row, "metrics")
        spend = Decimal(str(metrics["spend"]))
        if not spend.is_finite():
            raise ValueError("spend")
        return DayReport(
            day=date.fromisoformat(text(dimensions, "stat_time_day")[:10]),
            ad=steps.get(text(dimensions, "ad_id"), ""),
            impressions=int(str(metrics["impressions"])),
            clicks=int(str(metrics["clicks"])),
            conversions=int(str(metrics["conversion"])),
            spend=spend,
            currency="",
        )
    except (LookupError, ValueError, ArithmeticError):
        raise InvalidAnswerError(PROVIDER, "answered a report that we can't read") from None
