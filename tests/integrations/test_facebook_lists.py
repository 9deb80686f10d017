"""Facebook's custom audiences: its own ways, against the sandbox and against odd answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ad_platforms import KEY, Steps, Wire, ad_campaigns, spec
from scripted_http import Script, scripted_server
from stack import Sandbox

from integrations.address_hash import address_hash
from integrations.ads.audience import ListTerms, ListUse
from integrations.ads.facebook.audience import FacebookAudiences
from integrations.ads.facebook.client import FacebookAds
from integrations.ads.facebook.wire import Graph
from integrations.ads.platform import AimedList
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
)
from integrations.settings import Settings

TERMS = ListTerms()
MEMBERS = [address_hash(f"person{number}@acme.example") for number in range(3)]
SESSION = {"session_id": 5, "batch_seq": 1, "last_batch_flag": True}
GOOD = {"audience_id": "7", "session_id": "5", "num_received": 3, "num_invalid_entries": 0, "invalid_entry_samples": []}


@pytest.fixture
def lists(sandbox: Sandbox) -> FacebookAudiences:
    return FacebookAudiences(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture
def ads(sandbox: Sandbox) -> FacebookAds:
    return FacebookAds(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture
def graph(sandbox: Sandbox) -> Graph:
    return Graph(Settings.from_env({"SANDBOX_URL": sandbox.url}).provider("facebook_ads"))


@pytest.fixture
def odd() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def at(odd: Script, body: Any) -> FacebookAudiences:
    odd.body = json.dumps(body).encode()
    return FacebookAudiences(Settings.from_env({"SANDBOX_URL": odd.url}))


def made(lists: FacebookAudiences) -> str:
    return lists.create("Customers", KEY, TERMS, wire=Wire())


def account(sandbox: Sandbox, **own: Any) -> None:
    sandbox.reset(world={"accounts": {"facebook_ads": own}})


@pytest.mark.parametrize(("found", "source"), [(False, "USER_PROVIDED_ONLY"), (True, "BOTH_USER_AND_PARTNER_PROVIDED")])
def test_where_people_come_from_is_told(lists: FacebookAudiences, graph: Graph, found: bool, source: str) -> None:
    made = lists.create("Customers", KEY, ListTerms(found=found), wire=Wire())
    told = graph.get(made, timeout=5, fields="customer_file_source,subtype")
    assert told == {"id": made, "customer_file_source": source, "subtype": "CUSTOM"}


def test_the_id_is_the_reference_and_each_change_is_one_call(lists: FacebookAudiences) -> None:
    wire = Wire()
    found = lists.create("Customers", KEY, TERMS, wire=wire)
    assert lists.reference(found, wire=wire) == found
    lists.add(found, MEMBERS, TERMS, wire=wire)
    lists.remove(found, MEMBERS, wire=wire)
    lists.delete(found, wire=wire)
    assert wire.calls == 6, "a deletion looks for lookalike audiences first"


def test_members_are_never_in_a_url(odd: Script) -> None:
    lists = at(odd, GOOD)
    lists.add("7", MEMBERS, TERMS, wire=Wire())
    lists.remove("7", MEMBERS, wire=Wire())
    assert [method for method, _ in odd.requests] == ["POST", "POST"]
    assert not any(member in path for _, path in odd.requests for member in MEMBERS)


class TestFlagged:
    """A list that Meta's integrity review has flagged."""

    def test_it_may_not_be_used(self, sandbox: Sandbox, lists: FacebookAudiences) -> None:
        account(sandbox, lists_flagged=True)
        found = made(lists)
        with pytest.raises(NeedsAttentionError, match="the customer list is flagged and may not be used: The custom"):
            lists.reference(found, wire=Wire())
        with pytest.raises(NeedsAttentionError, match="Go to Audience Manager to appeal"):
            lists.add(found, MEMBERS, TERMS, wire=Wire())
        lists.remove(found, MEMBERS, wire=Wire())
        assert sandbox.get("/_sandbox/state")["audiences"] == [], "who has to leave it leaves it"

    def test_ads_are_not_aimed_at_it(self, sandbox: Sandbox, lists: FacebookAudiences, ads: FacebookAds) -> None:
        account(sandbox, lists_flagged=True)
        wanted = spec(customers=AimedList(reference=made(lists), use=ListUse.TARGET))
        (problem,) = ads.validate(wanted, wire=Wire())
        assert problem.startswith("the customer list is flagged")
        with pytest.raises(IntegrationError, match="restricted from running ads"):
            ads.create(wanted, wire=Wire(), steps=Steps())


def test_terms_that_nobody_has_accepted_need_a_person(sandbox: Sandbox, lists: FacebookAudiences) -> None:
    account(sandbox, list_terms=False)
    with pytest.raises(NeedsAttentionError, match="have not been accepted") as caught:
        made(lists)
    assert type(caught.value) is NeedsAttentionError
    assert caught.value.detail == "code 200, subcode 1870090"
    assert sandbox.get("/_sandbox/state")["audiences"] == []


def test_too_few_people_are_left(sandbox: Sandbox, lists: FacebookAudiences) -> None:
    account(sandbox, least_left=2)
    found = made(lists)
    lists.add(found, MEMBERS, TERMS, wire=Wire())
    lists.remove(found, MEMBERS[:1], wire=Wire())
    lists.remove(found, MEMBERS[1:], wire=Wire())
    assert sandbox.get("/_sandbox/state")["audiences"] == [], "who has to leave it leaves it"


def test_validate_knows_a_list_that_is_gone(ads: FacebookAds, lists: FacebookAudiences, sandbox: Sandbox) -> None:
    found = made(lists)
    wanted = spec(customers=AimedList(reference=found, use=ListUse.EXCLUDE))
    assert ads.validate(wanted, wire=Wire()) == []
    lists.delete(found, wire=Wire())
    assert ads.validate(wanted, wire=Wire()) == [f"the customer list {found} does not exist"]
    assert ad_campaigns(sandbox) == []


@pytest.mark.parametrize("use", [None, *ListUse])
def test_facebook_may_not_widen_whom_ads_are_shown_to(
    ads: FacebookAds, lists: FacebookAudiences, use: ListUse | None
) -> None:
    aimed = AimedList(reference=made(lists), use=use) if use else None
    remote = ads.create(spec(customers=aimed), wire=Wire(), steps=Steps())
    targeting = ads._graph.get(remote.ids["ad_set"], timeout=5, fields="targeting")["targeting"]
    assert targeting["targeting_automation"] == {"advantage_audience": 0}
    assert targeting.get("targeting_relaxation_types") == ({"custom_audience": 0} if use is ListUse.TARGET else None)
    assert targeting["geo_locations"]["countries"] == ["DE"]


@pytest.mark.parametrize(
    "answer",
    [
        {**GOOD, "num_invalid_entries": 1, "invalid_entry_samples": MEMBERS[:1]},
        {**GOOD, "num_received": 2},
        {**GOOD, "num_received": "2"},
    ],
)
def test_members_that_facebook_does_not_take_are_an_error(odd: Script, answer: dict[str, Any]) -> None:
    lists = at(odd, answer)
    with pytest.raises(BadRequestError, match="of 3 members of a customer list and could not read") as caught:
        lists.add("7", MEMBERS, TERMS, wire=Wire())
    assert not any(member in str(caught.value.to_dict()) for member in MEMBERS)


@pytest.mark.parametrize(
    "answer", [{}, {"success": True}, {**GOOD, "num_received": None}, {**GOOD, "num_received": True}]
)
def test_an_upload_without_numbers_may_have_been_carried_out(odd: Script, answer: dict[str, Any]) -> None:
    lists = at(odd, answer)
    with pytest.raises(OutcomeUnknownError):
        lists.add("7", MEMBERS, TERMS, wire=Wire())
    with pytest.raises(OutcomeUnknownError):
        lists.remove("7", MEMBERS, wire=Wire())
    if "success" not in answer:
        with pytest.raises(OutcomeUnknownError, match="a deletion without success"):
            lists.delete("7", wire=Wire())


def test_numbers_may_be_texts(odd: Script) -> None:
    at(odd, {**GOOD, "num_received": "3", "num_invalid_entries": "0"}).add("7", MEMBERS, TERMS, wire=Wire())


def test_the_oldest_of_one_key_is_found(odd: Script) -> None:
    name = f"Customers [ma:{KEY}]"
    rows = [
        {"id": "7", "name": name, "time_created": 300},
        {"id": "10", "name": name, "time_created": 100},
        {"id": "9", "name": name, "time_created": 100},
        {"id": "1", "name": "Customers", "time_created": 1},
    ]
    assert at(odd, {"data": rows}).find_by_key(KEY, wire=Wire()) == "9"


class TestSandbox:
    """What the sandbox's Facebook refuses."""

    @pytest.mark.parametrize(
        ("changes", "blamed"),
        [
            ({"customer_file_source": ""}, "customer_file_source"),
            ({"customer_file_source": "SCRAPED"}, "customer_file_source"),
            ({"subtype": "WEBSITE"}, "subtype"),
            ({"name": ""}, "name"),
        ],
    )
    def test_a_list(self, graph: Graph, changes: dict[str, str], blamed: str) -> None:
        fields = {"name": "A", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY", **changes}
        with pytest.raises(BadRequestError) as caught:
            graph.created("act_1000", "customaudiences", timeout=5, **fields)
        assert blamed in (caught.value.detail or "")

    @pytest.mark.parametrize(
        ("payload", "session"),
        [
            ({"schema": "EMAIL", "data": [[MEMBERS[0]]]}, SESSION),
            ({"schema": "EMAIL_SHA256"}, SESSION),
            ({"schema": "EMAIL_SHA256", "data": [["0" * 64]] * 10_001}, SESSION),
            ({"schema": "EMAIL_SHA256", "data": [[MEMBERS[0]]]}, {}),
            ([], SESSION),
        ],
    )
    def test_an_upload(self, graph: Graph, lists: FacebookAudiences, payload: Any, session: Any) -> None:
        with pytest.raises(BadRequestError):
            graph.post(made(lists), "users", timeout=5, payload=payload, session=session)

    def test_what_is_no_hash_is_counted_and_not_stored(
        self, sandbox: Sandbox, graph: Graph, lists: FacebookAudiences
    ) -> None:
        found = made(lists)
        data = [[MEMBERS[0]], [MEMBERS[1].upper()], ["person@acme.example"], [MEMBERS[2][:-1]], [5], []]
        answer = graph.post(
            found, "users", timeout=5, payload={"schema": ["EMAIL_SHA256"], "data": data}, session=SESSION
        )
        assert (answer["num_received"], answer["num_invalid_entries"]) == (6, 5)
        (row,) = sandbox.get("/_sandbox/state")["audiences"]
        assert row["members"] == [MEMBERS[0]]

    def test_a_deletion_in_so_many_words(self, sandbox: Sandbox, graph: Graph, lists: FacebookAudiences) -> None:
        found = made(lists)
        graph.delete(found, timeout=5)
        with pytest.raises(NotFoundError) as caught:
            graph.delete(found, timeout=5)
        assert caught.value.detail == "code 100, subcode 33"

    @pytest.mark.parametrize("flag", [None, 2])
    def test_an_ad_set_that_does_not_say_whether_it_may_be_widened(
        self, ads: FacebookAds, lists: FacebookAudiences, flag: int | None
    ) -> None:
        remote = ads.create(spec(), wire=Wire(), steps=Steps())
        targeting: dict[str, Any] = {
            "geo_locations": {"countries": ["US"]},
            "custom_audiences": [{"id": made(lists)}],
            **({"targeting_automation": {"advantage_audience": flag}} if flag else {}),
        }
        fields = {
            "name": "A",
            "campaign_id": remote.id,
            "billing_event": "IMPRESSIONS",
            "optimization_goal": "LINK_CLICKS",
            "daily_budget": 1000,
        }
        with pytest.raises(BadRequestError, match="Advantage Audience Flag Required") as caught:
            ads._graph.created("act_1000", "adsets", timeout=5, targeting=targeting, **fields)
        assert "subcode 1870227" in (caught.value.detail or "")
