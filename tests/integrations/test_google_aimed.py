"""Search campaigns at Google that are aimed at a customer list, or keep away from one."""

from __future__ import annotations

from typing import Any

import pytest
import stack
from ad_platforms import KEY, Steps, Wire, ad_campaigns, fitting
from google_lists import OWN, google_allows, lists_client

from integrations.ads.audience import ListUse
from integrations.ads.google.client import GoogleAds
from integrations.ads.google.gaql import query
from integrations.ads.platform import AdSpec, AimedList
from integrations.ads.registry import build
from integrations.errors import BadRequestError, NeedsAttentionError
from integrations.settings import Settings

FIELDS = ("campaign_criterion.user_list.user_list", "campaign_criterion.negative", "campaign_criterion.type")


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: stack.Sandbox) -> None:
    """Loading Google's messages takes a second, more on a busy machine, here and in the sandbox."""
    build("google_ads", Settings.from_env({"SANDBOX_URL": _sandbox_process.url})).find_by_key(KEY, wire=Wire(60))


@pytest.fixture
def google(sandbox: Any) -> GoogleAds:
    found = build("google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    assert isinstance(found, GoogleAds)
    return found


def reference(sandbox: Any) -> str:
    """A new customer list by its name in Google Ads."""
    lists = lists_client(sandbox.url)
    found = lists.reference(lists.create("Customers", KEY, OWN, wire=Wire()), wire=Wire())
    assert found is not None
    return found


def aimed(google: GoogleAds, name: str, use: ListUse) -> AdSpec:
    return fitting(google, customers=AimedList(reference=name, use=use))


def criteria(google: GoogleAds, campaign: str) -> list[dict[str, Any]]:
    """The criteria for customer lists of a campaign, as Google has stored them."""
    chosen = (f"campaign.id = {campaign}", "campaign_criterion.type = 'USER_LIST'")
    rows = google._api.rows(query(FIELDS, "campaign_criterion", *chosen), wire=Wire())
    return [{name: row["campaignCriterion"].get(name) for name in ("userList", "negative")} for row in rows]


def restrictions(google: GoogleAds, campaign: str) -> Any:
    fields = ("campaign.targeting_setting.target_restrictions",)
    (row,) = google._api.rows(query(fields, "campaign", f"campaign.id = {campaign}"), wire=Wire())
    return row["campaign"].get("targetingSetting")


@pytest.mark.parametrize(
    ("use", "negative", "setting"),
    [
        (ListUse.TARGET, None, {"targetRestrictions": [{"targetingDimension": "AUDIENCE", "bidOnly": False}]}),
        (ListUse.EXCLUDE, True, None),
    ],
)
def test_a_list_is_in_the_campaigns_one_mutate(
    sandbox: Any, google: GoogleAds, use: ListUse, negative: bool | None, setting: Any
) -> None:
    name = reference(sandbox)
    wanted = aimed(google, name, use)
    assert google.validate(wanted, wire=Wire()) == []
    made = google.create(wanted, wire=Wire(), steps=Steps())
    assert criteria(google, made.id) == [{"userList": {"userList": name}, "negative": negative}]
    assert restrictions(google, made.id) == setting
    mutates = [call for call in sandbox.get("/_sandbox/calls?provider=google_ads") if "Mutate" in call["endpoint"]]
    assert len(mutates) == 2, "the dry run, and the campaign with all that is in it"


def test_a_campaign_without_customers_is_restricted_to_nobody(sandbox: Any, google: GoogleAds) -> None:
    made = google.create(fitting(google), wire=Wire(), steps=Steps())
    assert criteria(google, made.id) == []
    assert restrictions(google, made.id) is None


def test_a_campaign_keeps_the_list_that_it_was_made_with(sandbox: Any, google: GoogleAds) -> None:
    name = reference(sandbox)
    made = google.create(aimed(google, name, ListUse.EXCLUDE), wire=Wire(), steps=Steps())
    google.update(made, fitting(google, revision=2), wire=Wire(), steps=Steps())
    assert criteria(google, made.id) == [{"userList": {"userList": name}, "negative": True}]


@pytest.mark.parametrize(
    "name",
    [
        "customers/5000000000/userLists/404",
        "customers/5000000001/userLists/7000000001",
        "customers/5000000000/campaigns/7000000001",
        "7000000001",
    ],
)
def test_an_unknown_list_is_told_by_the_dry_run_and_leaves_nothing(sandbox: Any, google: GoogleAds, name: str) -> None:
    assert reference(sandbox) == "customers/5000000000/userLists/7000000001"
    wanted = aimed(google, name, ListUse.TARGET)
    (problem,) = google.validate(wanted, wire=Wire())
    assert "criterionError.INVALID_USER_LIST at mutate_operations[" in problem
    assert "campaign_criterion_operation.create.user_list.user_list" in problem
    with pytest.raises(BadRequestError):
        google.create(wanted, wire=Wire(), steps=Steps())
    assert ad_campaigns(sandbox) == []


def test_a_list_that_was_deleted_is_unknown(sandbox: Any, google: GoogleAds) -> None:
    name = reference(sandbox)
    lists_client(sandbox.url).delete(name.rpartition("/")[2], wire=Wire())
    (problem,) = google.validate(aimed(google, name, ListUse.EXCLUDE), wire=Wire())
    assert "INVALID_USER_LIST" in problem


def test_an_account_that_may_exclude_only(sandbox: Any, google: GoogleAds) -> None:
    google_allows(sandbox, aiming=False)
    name = reference(sandbox)
    assert google.validate(aimed(google, name, ListUse.EXCLUDE), wire=Wire()) == []
    with pytest.raises(NeedsAttentionError, match="may exclude customer lists, but not aim at them") as caught:
        google.validate(aimed(google, name, ListUse.TARGET), wire=Wire())
    assert "criterionError.CANNOT_TARGET_CUSTOMER_MATCH_USER_LIST" in (caught.value.detail or "")
