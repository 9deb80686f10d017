"""Facebook and Instagram ads: campaign → ad set → creatives → ads over the Graph API.

A creation is up to eight calls and no transaction, and the API has no idempotency key. So each object
carries the effect key in its name, each id is journalled before the next call, and what a lost reply
left behind is found by listing and comparing names (server-side filtering by name is not documented).
Everything below the campaign is created ACTIVE under a PAUSED campaign: nothing is shown until the one
call that enables the campaign, and that call switches all or nothing.

Invariant: :meth:`FacebookAds.create` and :meth:`FacebookAds.update` may be repeated any number of times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from integrations.ads.account import AdAccount, account_problems
from integrations.ads.changes import NewAd, check_new_ad
from integrations.ads.facebook.account import ACCOUNT_FIELDS, REVIEW_FIELDS, ad_account, refusal
from integrations.ads.facebook.audience import LIST_FIELDS, list_trouble
from integrations.ads.facebook.buttons import button
from integrations.ads.facebook.changes import FacebookChanges
from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.facebook.goals import FORM_LINK, Aim, aim, form_button
from integrations.ads.facebook.money import minor_units
from integrations.ads.facebook.report import INSIGHT_FIELDS, ad_reports
from integrations.ads.facebook.spec import SPEC
from integrations.ads.facebook.targeting import targeting
from integrations.ads.facebook.wire import Graph, identifier, named
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
)
from integrations.ads.search_term import SearchTerm
from integrations.errors import BadRequestError, NotFoundError
from integrations.http import credential
from integrations.settings import Settings

#: A tuple: what an answer's status is can't be trusted to be hashable.
_GONE = ("DELETED", "ARCHIVED")
_CAMPAIGN_FIELDS = "id,name,status,created_time"


class FacebookAds:
    """An ad account at Facebook, as :class:`integrations.ads.platform.AdPlatform` has it."""

    name = PROVIDER
    limits = SPEC.limits

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.provider(PROVIDER)
        self._graph = Graph(self._settings)
        self.changes = FacebookChanges(self._graph)

    def find_by_key(self, effect_key: str, *, wire: Wire) -> RemoteCampaign | None:
        """See the protocol."""
        found = [
            item
            for item in self._graph.pages(self._graph.account, "campaigns", wire=wire, fields=_CAMPAIGN_FIELDS)
            if item.get("status") not in _GONE and effect_key_of(named(item)) == effect_key
        ]
        if not found:
            return None
        oldest = min(found, key=lambda item: (str(item.get("created_time", "")), identifier(item)))
        return self._with_children(oldest, wire)

    def get(self, campaign_id: str, *, wire: Wire) -> RemoteCampaign:
        """See the protocol."""
        item = wire(lambda timeout: self._graph.get(campaign_id, timeout=timeout, fields=_CAMPAIGN_FIELDS))
        if item.get("status") in _GONE:
            raise NotFoundError(PROVIDER, "the campaign has been deleted or archived")
        return self._with_children(item, wire)

    def create(self, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        return self._build(spec, None, wire, steps)

    def update(self, remote: RemoteCampaign, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        return self._build(spec, remote, wire, steps)

    def add_ad(self, remote: RemoteCampaign, spec: AdSpec, ad: NewAd, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        check_new_ad(PROVIDER, ad, len(spec.variants()) + 1, texts=1)
        existing = self._ads(remote.id, wire).get(ad_name(spec.name, spec.effect_key, spec.token, ad.variant))
        ad_set, texts = self.changes.ad_set(remote, wire), (ad.headlines[0], ad.descriptions[0])
        made = self._ad(spec, ad.variant, texts, ad_set, existing, wire, steps, repeated=True)
        return replace(remote, ids={**remote.ids, **made})

    def pause(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        wire(lambda timeout: self._graph.change(remote.id, timeout=timeout, status="PAUSED"))

    def enable(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        wire(lambda timeout: self._graph.change(remote.id, timeout=timeout, status="ACTIVE"))

    def report(self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire) -> list[DayReport]:
        """See the protocol.

        Without ``until`` the preset ``maximum`` is asked (at most 37 months).
        """
        steps = {ad: step for step, ad in sorted(remote.ids.items()) if step.startswith("ad.")}
        if not steps:
            return []
        span: dict[str, Any] = (
            {"time_range": {"since": since.isoformat(), "until": until.isoformat()}}
            if until is not None
            else {"date_preset": "maximum"}
        )
        rows = self._graph.pages(
            remote.id,
            "insights",
            wire=wire,
            level="ad",
            time_increment=1,
            fields=INSIGHT_FIELDS,
            filtering=[{"field": "ad.id", "operator": "IN", "value": list(steps)}],
            **span,
        )
        return [day for day in ad_reports(rows, steps) if day.day >= since]

    def search_terms(
        self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire
    ) -> tuple[SearchTerm, ...]:
        """See the protocol."""
        return ()

    def account(self, *, wire: Wire) -> AdAccount:
        """See the protocol."""
        return ad_account(
            wire(lambda timeout: self._graph.get(self._graph.account, timeout=timeout, fields=ACCOUNT_FIELDS))
        )

    def refusals(self, remote: RemoteCampaign, *, wire: Wire) -> Mapping[str, str]:
        """See the protocol."""
        steps = {ad: step for step, ad in remote.ids.items() if step.startswith("ad.")}
        listed = self._graph.pages(remote.id, "ads", wire=wire, fields=REVIEW_FIELDS) if steps else ()
        found = {steps.get(str(ad.get("id"))): refusal(ad) for ad in listed}
        return {step: reason for step, reason in found.items() if step and reason}

    def remove(self, ids: Mapping[str, str], *, wire: Wire) -> None:
        """See the protocol.

        What is in a campaign goes with it; creatives belong to the account.
        """
        campaign = [ids["campaign"]] if "campaign" in ids else []
        for gone in (*campaign, *(ids[step] for step in sorted(ids) if step.startswith("creative."))):
            try:
                wire(lambda timeout, gone=gone: self._graph.change(gone, timeout=timeout, status="DELETED"))  # type: ignore[misc] # mypy can't infer a lambda with a default
            except NotFoundError:
                continue

    def validate(self, spec: AdSpec, *, wire: Wire) -> list[str]:
        """See the protocol.

        Facebook checks the campaign (``validate_only``), the rest is checked here.
        """
        problems = local_problems(spec, self.limits)
        problems += account_problems(self.account(wire=wire), spec.currency, spec.daily_budget, spec.goal)
        problems += self._list_problems(spec, wire)
        if problems:
            return problems
        try:
            aimed = self._aim(spec)
            wire(
                lambda timeout: self._graph.post(
                    self._graph.account,
                    "campaigns",
                    timeout=timeout,
                    execution_options=["validate_only"],
                    **_campaign(spec, aimed),
                )
            )
        except BadRequestError as error:
            problems.append(error.message + (f" ({error.detail})" if error.detail else ""))
        return problems

    def _list_problems(self, spec: AdSpec, wire: Wire) -> list[str]:
        """Return why ads can't be aimed by the specification's customer list."""
        if spec.customers is None:
            return []
        reference = spec.customers.reference
        try:
            item = wire(lambda timeout: self._graph.get(reference, timeout=timeout, fields=LIST_FIELDS))
        except NotFoundError:
            return [f"the customer list {reference} does not exist"]
        trouble = list_trouble(item)
        return [trouble] if trouble else []

    def _aim(self, spec: AdSpec) -> Aim:
        return aim(spec.goal, self._settings.options, credential(self._settings, "page_id"))

    def _with_children(self, item: Mapping[str, Any], wire: Wire) -> RemoteCampaign:
        """Return the campaign with the ids of its ad set and of the newest revision's ads and creatives."""
        campaign = identifier(item)
        ids = {"campaign": campaign}
        for ad_set in self._graph.pages(campaign, "adsets", wire=wire, fields="id,name"):
            ids.setdefault("ad_set", identifier(ad_set))
        ads = self._ads(campaign, wire)
        for name in current_names({name: ad.get("status") == "ACTIVE" for name, ad in ads.items()}):
            ids[f"ad.{label_of(name).variant}"] = identifier(ads[name])
        name = str(item.get("name", ""))
        return RemoteCampaign(
            id=campaign,
            name=name,
            effect_key=effect_key_of(name),
            status=ACTIVE if item.get("status") == "ACTIVE" else PAUSED,
            ids=ids,
        )

    def _ads(self, campaign: str, wire: Wire) -> dict[str, dict[str, Any]]:
        """Return the ads of a campaign by name."""
        found: dict[str, dict[str, Any]] = {}
        for ad in self._graph.pages(campaign, "ads", wire=wire, fields="id,name,status"):
            if ad.get("status") not in _GONE:
                found.setdefault(named(ad), ad)
        return found

    def _build(self, spec: AdSpec, remote: RemoteCampaign | None, wire: Wire, steps: Steps) -> RemoteCampaign:
        repeated = remote is not None or steps.get("campaign") is not None
        aimed = self._aim(spec)
        campaign = once(
            steps,
            "campaign",
            remote.id if remote else None,
            lambda: wire(
                lambda timeout: self._graph.created(
                    self._graph.account, "campaigns", timeout=timeout, **_campaign(spec, aimed)
                )
            ),
        )
        ad_set = self._ad_set(spec, campaign, wire, steps, repeated=repeated)
        ads = self._ads(campaign, wire) if repeated else {}
        ids = {"campaign": campaign, "ad_set": ad_set}
        for variant, texts in enumerate(spec.variants(), start=1):
            existing = ads.get(ad_name(spec.name, spec.effect_key, spec.token, variant))
            ids |= self._ad(spec, variant, texts, ad_set, existing, wire, steps, repeated=repeated)
        for name, ad in ads.items():
            if label_of(name).token != spec.token and ad.get("status") != "PAUSED":
                old = identifier(ad)
                wire(lambda timeout, old=old: self._graph.change(old, timeout=timeout, status="PAUSED"))  # type: ignore[misc] # mypy can't infer a lambda with a default
        return RemoteCampaign(
            id=campaign,
            name=remote_name(spec.name, spec.effect_key),
            effect_key=spec.effect_key,
            status=remote.status if remote else PAUSED,
            ids=ids,
        )

    def _ad_set(self, spec: AdSpec, campaign: str, wire: Wire, steps: Steps, *, repeated: bool) -> str:
        budget = minor_units(spec.daily_budget, spec.currency)
        found: dict[str, Any] = {}
        if repeated:
            listed = self._graph.pages(campaign, "adsets", wire=wire, fields="id,name,daily_budget")
            found = next(listed, {})
        if not found and steps.get("ad_set") is None:
            audience = targeting(self._graph, spec, wire)
            fields = _ad_set(spec, campaign, budget, audience, self._aim(spec))
            return once(
                steps,
                "ad_set",
                None,
                lambda: wire(
                    lambda timeout: self._graph.created(self._graph.account, "adsets", timeout=timeout, **fields)
                ),
            )
        ad_set = once(steps, "ad_set", identifier(found) if found else None, lambda: "")
        if found and str(found.get("daily_budget")) != str(budget):
            wire(lambda timeout: self._graph.change(ad_set, timeout=timeout, daily_budget=budget))
        return ad_set

    def _ad(
        self,
        spec: AdSpec,
        variant: int,
        texts: tuple[str, str],
        ad_set: str,
        existing: Mapping[str, Any] | None,
        wire: Wire,
        steps: Steps,
        *,
        repeated: bool,
    ) -> dict[str, str]:
        ad_step, creative_step = f"ad.{variant}", f"creative.{variant}"
        name = ad_name(spec.name, spec.effect_key, spec.token, variant)
        if existing is not None and steps.get(ad_step) is None:
            return {ad_step: once(steps, ad_step, identifier(existing), lambda: "")}
        fields = self._creative_fields(spec, name, variant, texts)
        lost = self._creative(name, wire) if repeated and steps.get(creative_step) is None else None
        creative = once(
            steps,
            creative_step,
            lost,
            lambda: wire(
                lambda timeout: self._graph.created(self._graph.account, "adcreatives", timeout=timeout, **fields)
            ),
        )
        ad = once(
            steps,
            ad_step,
            None,
            lambda: wire(
                lambda timeout: self._graph.created(
                    self._graph.account,
                    "ads",
                    timeout=timeout,
                    name=name,
                    adset_id=ad_set,
                    creative={"creative_id": creative},
                    status="ACTIVE",
                    **self._aim(spec).ad,
                )
            ),
        )
        return {creative_step: creative, ad_step: ad}

    def _creative(self, name: str, wire: Wire) -> str | None:
        """Return the id of the creative that a lost reply left behind, if any."""
        for item in self._graph.pages(self._graph.account, "adcreatives", wire=wire, fields="id,name"):
            if item.get("name") == name:
                return identifier(item)
        return None

    def _creative_fields(self, spec: AdSpec, name: str, variant: int, texts: tuple[str, str]) -> dict[str, Any]:
        headline, description = texts
        aimed = self._aim(spec)
        link = FORM_LINK if aimed.form else spec.link(variant)
        action = form_button(spec.call_to_action) if aimed.form else button(spec.call_to_action)
        value = {"lead_gen_form_id": aimed.form} if aimed.form else {"link": link}
        return {
            "name": name,
            "object_story_spec": {
                "page_id": credential(self._settings, "page_id"),
                "link_data": {
                    "link": link,
                    "name": headline,
                    "message": description,
                    "call_to_action": {"type": action, "value": value},
                },
            },
        }


def _campaign(spec: AdSpec, aimed: Aim) -> dict[str, Any]:
    return {
        "name": remote_name(spec.name, spec.effect_key),
        "objective": aimed.objective,
        "status": "PAUSED",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": False,
    }


def _ad_set(spec: AdSpec, campaign: str, budget: int, audience: Mapping[str, Any], aimed: Aim) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": remote_name(spec.name, spec.effect_key),
        "campaign_id": campaign,
        "daily_budget": budget,
        "billing_event": "IMPRESSIONS",
        **aimed.ad_set,
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "targeting": audience,
        "start_time": spec.start.isoformat(timespec="seconds"),
        "status": "ACTIVE",
    }
    if spec.end is not None:
        fields["end_time"] = spec.end.isoformat(timespec="seconds")
    if spec.advertiser:  # needed for targeting in the EU (Digital Services Act)
        fields["dsa_beneficiary"] = fields["dsa_payor"] = spec.advertiser
    return fields
