"""LinkedIn sponsored content: campaign group → campaign → creatives over the Marketing API.

No transaction and no idempotency key either: names carry the effect key, ids are journalled, a lost
reply is found by listing and comparing names. The group and the creatives are ACTIVE, the campaign is
PAUSED until the one call that enables it; the parent's status overrides its children's. A creative's
text can't be changed once it exists, so a new revision makes new creatives and pauses the old ones.

The API has no dry run: :meth:`LinkedInAds.validate` checks what can be checked without storing anything.
Invariant: :meth:`LinkedInAds.create` and :meth:`LinkedInAds.update` may be repeated any number of times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.ads.account import AdAccount, account_problems
from integrations.ads.changes import NewAd, check_new_ad
from integrations.ads.goal import goal_problem
from integrations.ads.linkedin.account import ad_account, refusal
from integrations.ads.linkedin.analytics import rows
from integrations.ads.linkedin.buttons import button
from integrations.ads.linkedin.changes import GONE, LinkedInChanges, epoch_ms, rounded
from integrations.ads.linkedin.goals import aim
from integrations.ads.linkedin.locale import locale_of, locale_problem
from integrations.ads.linkedin.report import ad_reports
from integrations.ads.linkedin.spec import SPEC
from integrations.ads.linkedin.targeting import reference_problem, targeting
from integrations.ads.linkedin.wire import PROVIDER, RestLi, identifier, named, text, urns
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
from integrations.errors import NotFoundError, TransientError
from integrations.fields import missing
from integrations.http import credential
from integrations.settings import Settings

#: Characters with a meaning in LinkedIn's "little text" format, which a post's commentary is read as.
_LITTLE_TEXT = re.compile(r"([\\|{}@\[\]()<>#*_~])")


class LinkedInAds:
    """An ad account at LinkedIn, as :class:`integrations.ads.platform.AdPlatform` has it."""

    name = PROVIDER
    limits = SPEC.limits

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.provider(PROVIDER)
        self._api = RestLi(self._settings)
        self.changes = LinkedInChanges(self._api)

    @property
    def _account(self) -> str:
        return self._api.account_path

    def find_by_key(self, effect_key: str, *, wire: Wire) -> RemoteCampaign | None:
        """See the protocol."""
        found = self._oldest("adCampaigns", effect_key, wire)
        return self._with_children(found, wire) if found is not None else None

    def get(self, campaign_id: str, *, wire: Wire) -> RemoteCampaign:
        """See the protocol."""
        path = f"{self._account}/adCampaigns/{campaign_id}"
        item = wire(lambda timeout: self._api.get(path, {}, timeout=timeout))
        if item.get("status") in GONE:
            raise NotFoundError(PROVIDER, "the campaign has been removed or archived")
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
        step, texts = f"creative.{ad.variant}", (ad.headlines[0], ad.descriptions[0])
        existing = self._creatives(remote.id, wire).get(ad_name(spec.name, spec.effect_key, spec.token, ad.variant))
        fields = self._creative_fields(spec, remote.id, ad.variant, texts)
        return replace(remote, ids={**remote.ids, step: self._creative(step, existing, fields, wire, steps)})

    def pause(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        self._set(f"{self._account}/adCampaigns/{remote.id}", {"status": "PAUSED"}, wire)

    def enable(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        self._set(f"{self._account}/adCampaigns/{remote.id}", {"status": "ACTIVE"}, wire)

    def report(self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire) -> list[DayReport]:
        """See the protocol.

        ``currency`` of a day is "": LinkedIn answers in the ad account's, without its name.
        """
        steps = {creative: step for step, creative in sorted(remote.ids.items()) if step.startswith("creative.")}
        if not steps:
            return []
        return ad_reports(rows(self._api, list(steps), since, until, wire), steps)

    def validate(self, spec: AdSpec, *, wire: Wire) -> list[str]:
        """See the protocol."""
        problems = local_problems(spec, self.limits)
        if unknown := locale_problem(spec.language):
            problems.append(unknown)
        if impossible := goal_problem(SPEC, spec.goal, self._settings.options):
            problems.append(impossible)
        if unusable := reference_problem(spec.customers):
            problems.append(unusable)
        return problems + account_problems(self.account(wire=wire), spec.currency, spec.daily_budget, spec.goal)

    def search_terms(
        self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire
    ) -> tuple[SearchTerm, ...]:
        """See the protocol."""
        return ()

    def account(self, *, wire: Wire) -> AdAccount:
        """See the protocol."""
        return ad_account(wire(lambda timeout: self._api.get(self._account, {}, timeout=timeout)))

    def refusals(self, remote: RemoteCampaign, *, wire: Wire) -> Mapping[str, str]:
        """See the protocol."""
        steps = {creative: step for step, creative in remote.ids.items() if step.startswith("creative.")}
        listed = self._creatives(remote.id, wire).values() if steps else ()
        found = {steps.get(str(item.get("id"))): refusal(item) for item in listed}
        return {step: reason for step, reason in found.items() if step and reason}

    def remove(self, ids: Mapping[str, str], *, wire: Wire) -> None:
        """See the protocol.

        Creatives go with their campaign.
        """
        for step, kind in (("campaign", "adCampaigns"), ("group", "adCampaignGroups")):
            if step in ids:
                try:
                    self._set(f"{self._account}/{kind}/{ids[step]}", {"status": "PENDING_DELETION"}, wire)
                except NotFoundError:
                    continue

    def _set(self, path: str, changes: Mapping[str, Any], wire: Wire) -> None:
        wire(lambda timeout: self._api.update(path, changes, timeout=timeout))

    def _creatives(self, campaign: str, wire: Wire) -> dict[str, dict[str, Any]]:
        """Return the creatives of a campaign by name."""
        query = {"q": "criteria", "campaigns": urns([_campaign_urn(campaign)])}
        found: dict[str, dict[str, Any]] = {}
        for item in self._api.pages(f"{self._account}/creatives", query, wire=wire, finder=True):
            if item.get("intendedStatus") not in GONE:
                found.setdefault(str(item.get("name", "")), item)
        return found

    def _with_children(self, item: Mapping[str, Any], wire: Wire) -> RemoteCampaign:
        campaign = identifier(item)
        ids = {"campaign": campaign}
        group = item.get("campaignGroup")
        if not isinstance(group, str) or not group:  # an update would make a second one
            raise missing(PROVIDER, "campaignGroup", TransientError)
        ids["group"] = group.rpartition(":")[2]
        creatives = self._creatives(campaign, wire)
        shown = {name: item.get("intendedStatus") == "ACTIVE" for name, item in creatives.items()}
        for name in current_names(shown):
            ids[f"creative.{label_of(name).variant}"] = identifier(creatives[name])
        name = str(item.get("name", ""))
        return RemoteCampaign(
            id=campaign,
            name=name,
            effect_key=effect_key_of(name),
            status=ACTIVE if item.get("status") == "ACTIVE" else PAUSED,
            ids=ids,
        )

    def _build(self, spec: AdSpec, remote: RemoteCampaign | None, wire: Wire, steps: Steps) -> RemoteCampaign:
        repeated = remote is not None or steps.get("campaign") is not None
        group = remote.ids.get("group") if remote else None
        if not repeated and steps.get("group") is None:
            group = self._group(spec.effect_key, wire)
        group = once(
            steps,
            "group",
            group,
            lambda: wire(
                lambda timeout: self._api.create(
                    f"{self._account}/adCampaignGroups", self._group_fields(spec), timeout=timeout
                )
            ),
        )
        campaign = self._campaign(spec, remote, group, wire, steps)
        if repeated:
            self._budget(spec, campaign, wire)
        self._tie(spec, campaign, wire)
        creatives = self._creatives(campaign, wire) if repeated else {}
        ids = {"group": group, "campaign": campaign}
        for variant, texts in enumerate(spec.variants(), start=1):
            step = f"creative.{variant}"
            existing = creatives.get(ad_name(spec.name, spec.effect_key, spec.token, variant))
            fields = self._creative_fields(spec, campaign, variant, texts)
            ids[step] = self._creative(step, existing, fields, wire, steps)
        for name, creative in creatives.items():
            if label_of(name).token != spec.token and creative.get("intendedStatus") != "PAUSED":
                path = f"{self._account}/creatives/{text(str(creative['id']))}"
                self._set(path, {"intendedStatus": "PAUSED"}, wire)
        return RemoteCampaign(
            id=campaign,
            name=remote_name(spec.name, spec.effect_key),
            effect_key=spec.effect_key,
            status=remote.status if remote else PAUSED,
            ids=ids,
        )

    def _creative(
        self, step: str, existing: Mapping[str, Any] | None, fields: Mapping[str, Any], wire: Wire, steps: Steps
    ) -> str:
        """Return the id of the creative that is there, else of a new one."""
        path = f"{self._account}/creatives?action=createInline"
        return once(
            steps,
            step,
            identifier(existing) if existing else None,
            lambda: wire(lambda timeout: self._api.create(path, {"creative": fields}, timeout=timeout)),
        )

    def _group(self, effect_key: str, wire: Wire) -> str | None:
        """Return the id of the campaign group that a lost reply left behind, if any."""
        found = self._oldest("adCampaignGroups", effect_key, wire)
        return identifier(found) if found is not None else None

    def _oldest(self, kind: str, effect_key: str, wire: Wire) -> dict[str, Any] | None:
        """Return the oldest object of the account that carries the key and has not been removed, if any."""
        found = [
            item
            for item in self._api.pages(f"{self._account}/{kind}", {"q": "search"}, wire=wire)
            if item.get("status") not in GONE and effect_key_of(_name(item)) == effect_key
        ]
        return min(found, key=_age, default=None)

    def _campaign(self, spec: AdSpec, remote: RemoteCampaign | None, group: str, wire: Wire, steps: Steps) -> str:
        if remote is not None or steps.get("campaign") is not None:
            return once(steps, "campaign", remote.id if remote else None, lambda: "")
        criteria = targeting(self._api, spec, wire)
        fields = self._campaign_fields(spec, group, criteria)
        return once(
            steps,
            "campaign",
            None,
            lambda: wire(lambda timeout: self._api.create(f"{self._account}/adCampaigns", fields, timeout=timeout)),
        )

    def _tie(self, spec: AdSpec, campaign: str, wire: Wire) -> None:
        """Tie the campaign to the conversion that tells what its ads have brought, however often that is repeated."""
        conversion = aim(spec.goal, self._settings.options).conversion
        if conversion:
            tied = {"campaign": _campaign_urn(campaign), "conversion": conversion}
            key = ",".join(f"{name}:{text(urn)}" for name, urn in tied.items())
            wire(lambda timeout: self._api.put(f"/campaignConversions/({key})", tied, timeout=timeout))

    def _budget(self, spec: AdSpec, campaign: str, wire: Wire) -> None:
        path = f"{self._account}/adCampaigns/{campaign}"
        item = wire(lambda timeout: self._api.get(path, {}, timeout=timeout))
        now = item.get("dailyBudget")
        daily = rounded(spec.daily_budget, spec.currency)
        if not isinstance(now, dict) or _amount(now.get("amount")) != daily:
            self._set(path, {"dailyBudget": _money(spec)}, wire)

    def _group_fields(self, spec: AdSpec) -> dict[str, Any]:
        return {
            "account": self._api.account_urn,
            "name": remote_name(spec.name, spec.effect_key),
            "runSchedule": _schedule(spec),
            "status": "ACTIVE",
        }

    def _campaign_fields(self, spec: AdSpec, group: str, criteria: Mapping[str, Any]) -> dict[str, Any]:
        aimed = aim(spec.goal, self._settings.options)
        return {
            "account": self._api.account_urn,
            "campaignGroup": f"urn:li:sponsoredCampaignGroup:{group}",
            "name": remote_name(spec.name, spec.effect_key),
            "type": "SPONSORED_UPDATES",
            "objectiveType": aimed.objective,
            "costType": "CPM",
            "optimizationTargetType": aimed.optimization,
            "creativeSelection": "OPTIMIZED",
            "dailyBudget": _money(spec),
            "locale": locale.to_dict() if (locale := locale_of(spec.language)) else {},
            "runSchedule": _schedule(spec),
            "targetingCriteria": criteria,
            "offsiteDeliveryEnabled": False,
            "audienceExpansionEnabled": False,
            "politicalIntent": "NOT_POLITICAL",
            "status": "PAUSED",
        }

    def _creative_fields(self, spec: AdSpec, campaign: str, variant: int, texts: tuple[str, str]) -> dict[str, Any]:
        headline, description = texts
        link = spec.link(variant)
        form = aim(spec.goal, self._settings.options).form
        label = button(spec.call_to_action)
        leads_to = {} if form else {"contentCallToActionLabel": label, "contentLandingPage": link}
        post = {
            "adContext": {"dscAdAccount": self._api.account_urn, "dscStatus": "ACTIVE"},
            "author": f"urn:li:organization:{credential(self._settings, 'organization_id')}",
            "commentary": _LITTLE_TEXT.sub(r"\\\1", description),
            "visibility": "PUBLIC",
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": True,
            **leads_to,
            "content": {"article": {"source": link, "title": headline}},
        }
        return {
            "campaign": _campaign_urn(campaign),
            "name": ad_name(spec.name, spec.effect_key, spec.token, variant),
            "intendedStatus": "ACTIVE",
            "inlineContent": {"post": post},
            **({"leadgenCallToAction": {"destination": form, "label": label}} if form else {}),
        }


def _name(item: Mapping[str, Any]) -> str:
    """Return the name of a campaign or a group, "" for a draft without one.

    Raises TransientError for any other one without a name.
    """
    return str(item.get("name", "")) if item.get("status") == "DRAFT" else named(item)


def _campaign_urn(campaign: str) -> str:
    return f"urn:li:sponsoredCampaign:{campaign}"


def _money(spec: AdSpec) -> dict[str, str]:
    return {"amount": f"{rounded(spec.daily_budget, spec.currency):f}", "currencyCode": spec.currency}


def _amount(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _schedule(spec: AdSpec) -> dict[str, int]:
    found = {"start": epoch_ms(spec.start)}
    return {**found, "end": epoch_ms(spec.end)} if spec.end else found


def _age(item: Mapping[str, Any]) -> tuple[int, str]:
    """Oldest first: LinkedIn's audit stamps, else the id."""
    stamps = item.get("changeAuditStamps")
    created = stamps.get("created") if isinstance(stamps, dict) else None
    at = created.get("time") if isinstance(created, dict) else None
    return (at if isinstance(at, int) else 0, str(item.get("id", "")).zfill(20))
