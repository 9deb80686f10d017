"""Google search campaigns: budget → campaign → ad group → keywords and responsive search ads, in one atomic mutate.

Google Ads carries all operations of a request out or none, so a creation never stops half-way; what a lost reply left
behind is a whole campaign, found by the key in its name. A responsive search ad holds several headlines and
descriptions; it carries its revision as a custom parameter, for it has no name. A new revision is new ads, made in the
same mutate that pauses the old ones. Everything below the campaign is ENABLED under a PAUSED campaign: nothing is shown
before the one call that enables it. A campaign for leads or sales is tied to its conversion action in the mutate that
makes it; an update looks at that again, and mends it.

Invariant: :meth:`GoogleAds.create` and :meth:`GoogleAds.update` may be repeated any number of times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import Any

from integrations.ads.account import AdAccount, account_problems
from integrations.ads.changes import NewAd, check_new_ad
from integrations.ads.goal import goal_problem
from integrations.ads.google import operations
from integrations.ads.google.account import REVIEW_FIELDS, ad_account, refusal
from integrations.ads.google.changes import GoogleChanges, digits, time_zone
from integrations.ads.google.conversion_action import action_query, is_number, unserved
from integrations.ads.google.criteria import group_keywords
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.gaql import containing, query, text
from integrations.ads.google.goals import aim
from integrations.ads.google.money import micros
from integrations.ads.google.oauth import AccessToken
from integrations.ads.google.report import DAY_FIELDS, TERM_FIELDS, ad_reports, search_terms
from integrations.ads.google.rest import customer, first_row
from integrations.ads.google.spec import SPEC
from integrations.ads.google.targeting import searched, targeting
from integrations.ads.google.tying import tie_of, tie_of_new
from integrations.ads.google.wire import GoogleAdsWire
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
from integrations.errors import BadRequestError, NotFoundError, PolicyRefusedError, TransientError
from integrations.fields import missing
from integrations.settings import Settings

LAST_DAY = date(2037, 12, 30)  #: the last that Google takes
_NOT_REMOVED = "campaign.status != 'REMOVED'"
_CAMPAIGN_FIELDS = ("campaign.id", "campaign.name", "campaign.status", "campaign_budget.id")
_AD_FIELDS = ("ad_group.id", "ad_group_ad.ad.id", "ad_group_ad.status", "ad_group_ad.ad.url_custom_parameters")


@dataclass(slots=True)
class _Contents:
    """What is in a campaign."""

    ad_group: str = ""  #: id of the oldest one
    ads: dict[str, str] = field(default_factory=dict)  #: name (of its revision) -> "ad group's id~ad's id"
    shown: dict[str, bool] = field(default_factory=dict)  #: name -> is it switched on?

    def of(self, token: str) -> dict[str, str]:
        """Return the ads of these texts by their step names."""
        labels = {name: label_of(name) for name in self.ads}
        return {f"ad.{one.variant}": self.ads[name] for name, one in labels.items() if one.token == token}

    def current(self) -> dict[str, str]:
        """Return the current ads by their step names."""
        return {f"ad.{label_of(name).variant}": self.ads[name] for name in current_names(self.shown)}


class GoogleAds:
    """An ad account at Google, as :class:`integrations.ads.platform.AdPlatform` has it."""

    name = PROVIDER
    limits = SPEC.limits

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.provider(PROVIDER)
        self._token = AccessToken(self._settings)
        self._api = GoogleAdsWire(self._settings, self._token)
        self.changes = GoogleChanges(self._api)

    def find_by_key(self, effect_key: str, *, wire: Wire) -> RemoteCampaign | None:
        """See the protocol."""
        named = f"campaign.name LIKE {containing(f'[ma:{effect_key}]')}"
        rows = self._api.rows(
            query(_CAMPAIGN_FIELDS, "campaign", named, _NOT_REMOVED, order_by="campaign.id ASC"), wire=wire
        )
        found = [row for row in rows if effect_key_of(_named(row)) == effect_key]
        return self._with_contents(found[0], wire)[0] if found else None

    def get(self, campaign_id: str, *, wire: Wire) -> RemoteCampaign:
        """See the protocol."""
        return self._looked_up(campaign_id, wire)[0]

    def create(self, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        if (known := steps.get("campaign")) is not None:
            return self.update(RemoteCampaign(id=known), spec, wire=wire, steps=steps)
        wanted = self._operations(spec, wire)
        self._api.ready(wire)
        steps.intend("campaign")
        names = self._api.mutate(wanted, wire=wire)
        ids = {"campaign": _last(names[1]), "budget": _last(names[0])}
        ids |= {f"ad.{at}": _last(name) for at, name in enumerate(names[-spec.combined :], start=1)}
        ids["ad_group"] = ids["ad.1"].partition("~")[0]
        for step, remote_id in ids.items():
            steps.put(step, remote_id)
        return RemoteCampaign(
            id=ids["campaign"],
            name=remote_name(spec.name, spec.effect_key),
            effect_key=spec.effect_key,
            ids=ids,
        )

    def update(self, remote: RemoteCampaign, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        found, contents = self._looked_up(remote.id, wire)
        campaign = self._name("campaigns", found.id)
        # Old texts go first: an ad group may have three responsive search ads that are shown.
        changes = [
            operations.status_operation("ad_group_ad", self._name("adGroupAds", ad), "PAUSED")
            for name, ad in contents.ads.items()
            if label_of(name).token != spec.token and contents.shown[name]
        ]
        there = {f"ad.{at}": contents.ads.get(operations.name_of_ad(spec, at)) for at in range(1, spec.combined + 1)}
        new = [at for at in range(1, spec.combined + 1) if there[f"ad.{at}"] is None]
        if not contents.ad_group:
            group = operations.temporary_group(self._api.customer_id)
            changes += operations.group_with_ad(spec, searched(spec), campaign, group)
        else:
            group = self._name("adGroups", contents.ad_group)
            known = group_keywords(self._api, digits(found.id), wire)
            missing = (word for word in searched(spec) if not word.negative and word not in known)
            changes += operations.keyword_operations(missing, group)
            changes += [
                operations.ad_operation(spec, group, ad) for ad in operations.new_ads(spec) if ad.variant in new
            ]
        changes += self._budget(spec, found, wire)
        if action := aim(spec.goal, self._settings.options).action:
            changes += operations.tie_operations(tie_of(self._api, action, found.id, wire), spec, campaign)
        if new:
            self._api.ready(wire)
            for at in new:
                steps.intend(f"ad.{at}")
        names = self._api.mutate(changes, wire=wire) if changes else []
        made = [_last(name) for name in names if _is_new_ad(name, contents)]
        wanted = {step: ad for step, ad in there.items() if ad is not None}
        wanted |= {f"ad.{at}": name for at, name in zip(new, made, strict=True)}
        kept = {step: one for step, one in found.ids.items() if not step.startswith("ad.")}
        ids = {**kept, **contents.of(spec.token), "ad_group": wanted["ad.1"].partition("~")[0], **wanted}
        for step, remote_id in ids.items():
            once(steps, step, remote_id, lambda remote_id=remote_id: remote_id)  # type: ignore[misc] # mypy can't infer a lambda with a default
        return RemoteCampaign(id=found.id, name=found.name, effect_key=found.effect_key, status=found.status, ids=ids)

    def add_ad(self, remote: RemoteCampaign, spec: AdSpec, ad: NewAd, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """See the protocol."""
        check_new_ad(PROVIDER, ad, spec.combined + 1)
        found, contents = self._looked_up(remote.id, wire)
        if not contents.ad_group:
            raise NotFoundError(PROVIDER, "the campaign has no ad group")
        step, existing = f"ad.{ad.variant}", contents.ads.get(operations.name_of_ad(spec, ad.variant))
        made = operations.ad_operation(spec, self._name("adGroups", contents.ad_group), ad)
        if existing is None and steps.get(step) is None:
            self._api.ready(wire)
        added = once(steps, step, existing, lambda: _last(self._api.mutate([made], wire=wire)[0]))
        return replace(remote, ids={**found.ids, **remote.ids, step: added})

    def pause(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        self._switch(remote, "PAUSED", wire)

    def enable(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """See the protocol."""
        self._switch(remote, "ENABLED", wire)

    def report(self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire) -> list[DayReport]:
        """See the protocol."""
        steps = {ad.rpartition("~")[2]: step for step, ad in sorted(remote.ids.items()) if step.startswith("ad.")}
        if not steps:
            return []
        chosen = (f"campaign.id = {digits(remote.id)}", f"ad_group_ad.ad.id IN ({', '.join(map(digits, steps))})")
        rows = self._api.rows(query(DAY_FIELDS, "ad_group_ad", *chosen, _between(since, until)), wire=wire)
        return ad_reports(rows, steps)

    def search_terms(
        self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire
    ) -> tuple[SearchTerm, ...]:
        """See the protocol."""
        chosen = (f"campaign.id = {digits(remote.id)}", _between(since, until))
        return search_terms(self._api.rows(query(TERM_FIELDS, "search_term_view", *chosen), wire=wire))

    def account(self, *, wire: Wire) -> AdAccount:
        """See the protocol."""
        number, action = self._api.customer_id, self._settings.options["conversion_id"]
        found = ad_account(customer(self._settings, self._token, number, wire))
        if not action:
            return found
        row = first_row(self._settings, self._token, number, action_query(action), wire) if is_number(action) else None
        return replace(found, unserved=unserved(action, row, number))

    def refusals(self, remote: RemoteCampaign, *, wire: Wire) -> Mapping[str, str]:
        """See the protocol."""
        steps = {ad: step for step, ad in remote.ids.items() if step.startswith("ad.")}
        if not steps:
            return {}
        chosen = (f"campaign.id = {digits(remote.id)}", "ad_group_ad.status != 'REMOVED'")
        rows = self._api.rows(query(REVIEW_FIELDS, "ad_group_ad", *chosen), wire=wire)
        found = {steps.get(_ad_id(row)): refusal(_part(row, "adGroupAd")) for row in rows}
        return {step: reason for step, reason in found.items() if step and reason}

    def remove(self, ids: Mapping[str, str], *, wire: Wire) -> None:
        """See the protocol.

        What is in a campaign goes with it; its budget belongs to the account.
        """
        for step, kind in (("campaign", "campaigns"), ("budget", "campaignBudgets")):
            if step in ids:
                operation = "campaign_operation" if step == "campaign" else "campaign_budget_operation"
                try:
                    self._api.mutate([{operation: {"remove": self._name(kind, ids[step])}}], wire=wire)
                except NotFoundError:
                    continue

    def validate(self, spec: AdSpec, *, wire: Wire) -> list[str]:
        """See the protocol.

        Google checks the whole creation (``validate_only``).
        """
        problems = local_problems(spec, self.limits)
        if impossible := goal_problem(SPEC, spec.goal, self._settings.options):
            problems.append(impossible)
        problems += account_problems(self.account(wire=wire), spec.currency, spec.daily_budget, spec.goal)
        if problems:
            return problems
        # The name of a campaign that is there already would be refused as a duplicate.
        trial = spec.model_copy(update={"name": f"{spec.name} (dry run)", "effect_key": _trial_key(spec.effect_key)})
        try:
            self._api.mutate(self._operations(trial, wire), wire=wire, validate_only=True)
        except (BadRequestError, PolicyRefusedError) as error:
            problems.append(f"{error.message} ({error.detail or 'no code'})")
        return problems

    def _operations(self, spec: AdSpec, wire: Wire) -> list[operations.Operation]:
        """Return the operations of a creation, after Google was asked for places, time zone and conversion goals."""
        aimed = aim(spec.goal, self._settings.options)
        found, zone = targeting(self._api, spec, wire), time_zone(self._api, wire)
        tie = tie_of_new(self._api, aimed.action, wire) if aimed.action else None
        return operations.creation(spec, found, self._api.customer_id, zone, aimed, tie)

    def _looked_up(self, campaign_id: str, wire: Wire) -> tuple[RemoteCampaign, _Contents]:
        chosen = f"campaign.id = {digits(campaign_id)}"
        rows = list(self._api.rows(query(_CAMPAIGN_FIELDS, "campaign", chosen), wire=wire))
        if not rows or _text(rows[0], "campaign", "status") == "REMOVED":
            raise NotFoundError(PROVIDER, "the campaign does not exist or has been removed")
        return self._with_contents(rows[0], wire)

    def _with_contents(self, row: Mapping[str, Any], wire: Wire) -> tuple[RemoteCampaign, _Contents]:
        campaign, name = _text(row, "campaign", "id"), _named(row)
        if not campaign:
            raise missing(PROVIDER, "campaign.id", TransientError)
        contents = self._contents(campaign, name, wire)
        ids = {"campaign": campaign, "budget": _text(row, "campaignBudget", "id"), "ad_group": contents.ad_group}
        for step, ad in contents.current().items():
            ids |= {"ad_group": ad.partition("~")[0], step: ad}
        remote = RemoteCampaign(
            id=campaign,
            name=name,
            effect_key=effect_key_of(name),
            status=ACTIVE if _text(row, "campaign", "status") == "ENABLED" else PAUSED,
            ids={step: remote_id for step, remote_id in ids.items() if remote_id},
        )
        return remote, contents

    def _contents(self, campaign: str, name: str, wire: Wire) -> _Contents:
        """Return the ad group and the ads of a campaign that is called ``name``."""
        chosen = (f"campaign.id = {digits(campaign)}", "ad_group.status != 'REMOVED'")
        ads = query(_AD_FIELDS, "ad_group_ad", *chosen, "ad_group_ad.status != 'REMOVED'", order_by="ad_group_ad.ad.id")
        found = _Contents()
        plain, key = name.rpartition(" [ma:")[0], effect_key_of(name)
        for row in self._api.rows(ads, wire=wire):
            found.ad_group = found.ad_group or _text(row, "adGroup", "id")
            token = _token(row)
            if token and key:
                label = ad_name(plain, key, token, _variant(row))
                found.ads.setdefault(label, _ad_id(row))
                found.shown.setdefault(label, _text(row, "adGroupAd", "status") == "ENABLED")
        if not found.ad_group:
            groups = self._api.rows(query(("ad_group.id",), "ad_group", *chosen, order_by="ad_group.id"), wire=wire)
            found.ad_group = _text(next(groups, {}), "adGroup", "id")
        return found

    def _budget(self, spec: AdSpec, remote: RemoteCampaign, wire: Wire) -> list[operations.Operation]:
        """Return the change of the budget, none when it is right."""
        budget, wanted = remote.ids.get("budget", ""), micros(spec.daily_budget, spec.currency)
        fields, chosen = ("campaign_budget.amount_micros",), f"campaign_budget.id = {digits(budget)}"
        row = next(self._api.rows(query(fields, "campaign_budget", chosen), wire=wire), {})
        if _text(row, "campaignBudget", "amountMicros") == str(wanted):
            return []
        return [operations.budget_operation(self._name("campaignBudgets", budget), wanted)]

    def _switch(self, remote: RemoteCampaign, status: str, wire: Wire) -> None:
        change = operations.status_operation("campaign", self._name("campaigns", remote.id), status)
        self._api.mutate([change], wire=wire)

    def _name(self, kind: str, remote_id: str) -> str:
        """Return the resource name of an object."""
        return f"customers/{self._api.customer_id}/{kind}/{remote_id}"


def _part(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = row.get(key)
    return found if isinstance(found, dict) else {}


def _text(row: Mapping[str, Any], resource: str, key: str) -> str:
    """Return a field of a resource in a row as text, "" without one (Google leaves out what is 0 or empty)."""
    found = _part(row, resource).get(key, "")
    return str(found) if isinstance(found, str | int) else ""


def _named(row: Mapping[str, Any]) -> str:
    """Return the campaign's name in a row.

    Raises TransientError for a row without one: a campaign of ours that can't be told would be made once more.
    """
    name = _text(row, "campaign", "name")
    if not name:
        raise missing(PROVIDER, "campaign.name", TransientError)
    return name


def _ad_id(row: Mapping[str, Any]) -> str:
    """Return "ad group's id~ad's id", as the resource names of ads have it."""
    return f"{_text(row, 'adGroup', 'id')}~{_text(_part(row, 'adGroupAd'), 'ad', 'id')}"


def _token(row: Mapping[str, Any]) -> str:
    """Return the revision that an ad carries, "" for one that isn't ours."""
    value = _parameter(row, operations.TOKEN_PARAMETER)
    return value if label_of(f"[ma:000000] r{value}.1").token == value else ""


def _variant(row: Mapping[str, Any]) -> int:
    """Return the number that an ad carries, 1 for one without."""
    value = _parameter(row, operations.VARIANT_PARAMETER)
    return int(value) if value.isdecimal() and 0 < int(value) <= 999 else 1


def _parameter(row: Mapping[str, Any], key: str) -> str:
    parameters = _part(_part(row, "adGroupAd"), "ad").get("urlCustomParameters")
    for one in parameters if isinstance(parameters, list) else ():
        if isinstance(one, dict) and one.get("key") == key:
            return str(one.get("value", ""))
    return ""


def _is_new_ad(name: str, contents: _Contents) -> bool:
    return "/adGroupAds/" in name and _last(name) not in contents.ads.values()


def _last(resource_name: str) -> str:
    return resource_name.rpartition("/")[2]


def _between(since: date, until: date | None) -> str:
    return f"segments.date BETWEEN {text(since.isoformat())} AND {text((until or LAST_DAY).isoformat())}"


def _trial_key(effect_key: str) -> str:
    return sha256(effect_key.encode()).hexdigest()[:12]
