"""LinkedIn's DMP segments: their own ways, against the sandbox and against odd answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from ad_platforms import KEY, Steps, Wire, ad_campaigns, spec
from live_world import live_env
from scripted_http import Script, scripted_server
from stack import Sandbox, wait_until

from integrations.address_hash import address_hash
from integrations.ads.audience import ListTerms, ListUse, list_problem
from integrations.ads.linkedin.audience import LinkedInAudiences
from integrations.ads.linkedin.client import LinkedInAds
from integrations.ads.linkedin.wire import RestLi
from integrations.ads.platform import AimedList
from integrations.ads.registry import platform
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
)
from integrations.online import ask
from integrations.provider_registry import provider_specs
from integrations.settings import Settings

TERMS = ListTerms()
MEMBERS = [address_hash(f"person{number}@acme.example") for number in range(3)]
ROW = {"name": f"Customers [ma:{KEY}]", "destinations": []}
SEGMENT: dict[str, Any] = {
    "name": "A",
    "sourcePlatform": "SANDBOX",
    "account": "urn:li:sponsoredAccount:3000",
    "type": "USER",
    "destinations": [{"destination": "LINKEDIN"}],
}


@pytest.fixture
def lists(sandbox: Sandbox) -> LinkedInAudiences:
    return LinkedInAudiences(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture
def ads(sandbox: Sandbox) -> LinkedInAds:
    return LinkedInAds(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture
def api(sandbox: Sandbox) -> RestLi:
    return RestLi(Settings.from_env({"SANDBOX_URL": sandbox.url}).provider("linkedin_ads"))


@pytest.fixture
def odd() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def at(odd: Script, body: Any) -> LinkedInAudiences:
    odd.body = json.dumps(body).encode()
    return LinkedInAudiences(Settings.from_env({"SANDBOX_URL": odd.url}))


def made(lists: LinkedInAudiences, key: str = KEY) -> str:
    return lists.create("Customers", key, TERMS, wire=Wire())


def account(sandbox: Sandbox, **own: Any) -> None:
    sandbox.reset(world={"accounts": {"linkedin_ads": own}})


def members(sandbox: Sandbox) -> list[str]:
    (row,) = sandbox.get("/_sandbox/state")["audiences"]
    found: list[str] = row["members"]
    return found


class TestSettling:
    """Members that come too soon after the creation of their segment."""

    def test_they_are_lost_without_a_word(self, sandbox: Sandbox, lists: LinkedInAudiences) -> None:
        audiences = platform("linkedin_ads").audiences
        assert audiences is not None
        assert audiences.settle_s == 5.0
        found = made(lists)
        lists.add(found, MEMBERS, TERMS, wire=Wire())
        assert members(sandbox) == []

    def test_later_ones_are_not(self, sandbox: Sandbox, lists: LinkedInAudiences) -> None:
        account(sandbox, settle_s=0.5)
        found = made(lists)

        def added() -> bool:
            lists.add(found, MEMBERS, TERMS, wire=Wire())
            return members(sandbox) == MEMBERS

        wait_until(added)


class TestMatching:
    """The ad segment that a DMP segment leads to."""

    def test_it_comes_while_members_are_matched(
        self, sandbox: Sandbox, lists: LinkedInAudiences, ads: LinkedInAds
    ) -> None:
        account(sandbox, settle_s=0, matching_days=2)
        found = made(lists)
        lists.add(found, MEMBERS, TERMS, wire=Wire())
        assert lists.reference(found, wire=Wire()) is None
        sandbox.post("/_sandbox/advance", {"days": 1})
        assert lists.reference(found, wire=Wire()) is None
        sandbox.post("/_sandbox/advance", {"days": 1})
        reference = lists.reference(found, wire=Wire())
        assert reference is not None
        assert reference.startswith("urn:li:adSegment:")
        aimed = AimedList(reference=reference, use=ListUse.TARGET)
        ads.create(spec(customers=aimed), wire=Wire(), steps=Steps())
        assert len(ad_campaigns(sandbox)) == 1

    @pytest.mark.parametrize("status", ["BUILDING", "READY", "UPDATING", "ARCHIVED"])
    def test_states_in_which_ads_can_be_aimed_at_it(
        self, sandbox: Sandbox, lists: LinkedInAudiences, status: str
    ) -> None:
        account(sandbox, list_status=status)
        assert lists.reference(made(lists), wire=Wire()) is not None

    @pytest.mark.parametrize("status", ["EXPIRED", "FAILED"])
    def test_states_in_which_they_can_not(
        self, sandbox: Sandbox, lists: LinkedInAudiences, ads: LinkedInAds, status: str
    ) -> None:
        reference = lists.reference(made(lists), wire=Wire())
        assert reference is not None
        account(sandbox, list_status=status)
        found = made(lists)
        with pytest.raises(NeedsAttentionError, match=f"can't be used any more: it is {status}"):
            lists.reference(found, wire=Wire())
        aimed = AimedList(reference=reference, use=ListUse.EXCLUDE)
        with pytest.raises(BadRequestError, match="segments that are not available"):
            ads.create(spec(customers=aimed), wire=Wire(), steps=Steps())

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"id": 1}, TransientError),
            ({"id": 1, "destinations": [{"destination": "ELSEWHERE", "destinationSegmentId": "urn:li:x:1"}]}, None),
            ({"id": 1, "destinations": [{"destination": "LINKEDIN", "destinationSegmentId": 7}]}, None),
            ({"id": 1, "destinations": []}, None),
        ],
    )
    def test_odd_segments(self, odd: Script, body: Any, expected: type[IntegrationError] | None) -> None:
        lists = at(odd, body)
        if expected is None:
            assert lists.reference("1", wire=Wire()) is None
        else:
            with pytest.raises(expected):
                lists.reference("1", wire=Wire())


@pytest.mark.parametrize(
    ("statuses", "expected", "told"),
    [
        ([201, 400, 201], BadRequestError, "refused 1 of 3 objects of one request"),
        ([429, 201, 429], RateLimitedError, "refused 2 of 3"),
        ([400, 201, 429], RateLimitedError, "refused 2 of 3"),
        ([201, 201, 500], TransientError, "refused 1 of 3"),
        ([403, 403, 403], CredentialsError, "refused 3 of 3"),
        ([201, 201], OutcomeUnknownError, "about 2"),
        ([201, 201, None], OutcomeUnknownError, "about 2"),
        ([201, 201, "201"], OutcomeUnknownError, "about 2"),
        ([], OutcomeUnknownError, "about 0"),
    ],
)
def test_each_member_has_its_own_answer(
    odd: Script, statuses: list[Any], expected: type[IntegrationError], told: str
) -> None:
    elements = [
        {"status": status, "message": f"{member} at jane@acme.example"}
        for status, member in zip(statuses, MEMBERS, strict=False)
    ]
    lists = at(odd, {"elements": elements})
    for change in (
        lambda: lists.add("1", MEMBERS, TERMS, wire=Wire()),
        lambda: lists.remove("1", MEMBERS, wire=Wire()),
    ):
        with pytest.raises(IntegrationError, match=told) as caught:
            change()
        assert type(caught.value) is expected
        text = str(caught.value.to_dict())
        assert not any(hidden in text for hidden in (*MEMBERS, "jane"))


@pytest.mark.parametrize("body", [{}, {"elements": None}, {"elements": "abc"}, {"elements": [1, 2, 3]}])
def test_an_answer_without_statuses_may_have_been_carried_out(odd: Script, body: Any) -> None:
    with pytest.raises(OutcomeUnknownError):
        at(odd, body).add("1", MEMBERS, TERMS, wire=Wire())


@pytest.mark.parametrize(
    ("status", "body", "agreed"),
    [(204, b"", True), (200, b"", True), (200, b"{}", True), (202, b"", False), (200, b"<html>", False)],
)
def test_only_linkedin_agrees_to_a_deletion(odd: Script, status: int, body: bytes, agreed: bool) -> None:
    lists = at(odd, {})
    odd.status, odd.body = status, body
    if agreed:
        lists.delete("1", wire=Wire())
    else:
        with pytest.raises(OutcomeUnknownError):
            lists.delete("1", wire=Wire())


class TestListing:
    """The finder of segments, which pages by ``start`` and ``count``."""

    def test_the_oldest_of_one_key_is_found(self, odd: Script) -> None:
        rows = [
            {**ROW, "id": 7, "created": 300},
            {**ROW, "id": 10, "created": 100},
            {**ROW, "id": 9, "created": 100},
            {"id": 1, "name": "Customers", "created": 1},
        ]
        assert at(odd, {"elements": rows}).find_by_key(KEY, wire=Wire()) == "9"

    def test_a_short_page_without_a_total_is_the_last(self, odd: Script) -> None:
        wire = Wire()
        assert at(odd, {"elements": [{"id": 1, "name": "A"}]}).find_by_key(KEY, wire=wire) is None
        assert wire.calls == 1

    def test_a_total_is_reached(self, odd: Script) -> None:
        wire = Wire()
        page = {"elements": [{"id": 1, "name": "A"}] * 2, "paging": {"total": 6, "start": 0, "count": 2}}
        assert at(odd, page).find_by_key(KEY, wire=wire) is None
        assert wire.calls == 3
        assert [path.partition("start=")[2] for _, path in odd.requests] == [
            "0&count=100",
            "2&count=100",
            "4&count=100",
        ]

    def test_an_empty_page_ends_it_whatever_the_total(self, odd: Script) -> None:
        wire = Wire()
        assert at(odd, {"elements": [], "paging": {"total": 6}}).find_by_key(KEY, wire=wire) is None
        assert wire.calls == 1


class TestAccess:
    """What a list needs of the application and the token."""

    def test_the_source_platform_is_needed_in_live_mode_and_named(self, sandbox: Sandbox) -> None:
        settings = Settings.from_env(live_env(sandbox.url))
        lists, wire = LinkedInAudiences(settings), Wire()
        with pytest.raises(NeedsAttentionError, match="LINKEDIN_SOURCE_PLATFORM"):
            lists.create("Customers", KEY, TERMS, wire=wire)
        assert wire.calls == 0
        assert lists.find_by_key(KEY, wire=Wire()) is None
        known = platform("linkedin_ads")
        assert "LINKEDIN_SOURCE_PLATFORM" in (list_problem(known, settings.provider(known.name).options) or "")
        given = Settings.from_env(live_env(sandbox.url, LINKEDIN_SOURCE_PLATFORM="ACME"))
        assert list_problem(known, given.provider(known.name).options) is None
        found = LinkedInAudiences(given).create("Customers", KEY, TERMS, wire=Wire())
        assert lists.find_by_key(KEY, wire=Wire()) == found

    def test_what_a_platform_needs_for_lists(self) -> None:
        known = platform("linkedin_ads")
        assert known.audiences is not None
        bare = replace(known, audiences=None)
        assert list_problem(bare, {}) == "LinkedIn has no customer lists in this version"
        with pytest.raises(ValueError, match=r"audiences.needs names 'none', which is no option of its provider"):
            replace(known, audiences=replace(known.audiences, needs=("none",)))

    @pytest.mark.parametrize(("token", "reads"), [("unlisted", False), ("viewer", True)])
    def test_tokens_without_the_right(self, sandbox: Sandbox, token: str, reads: bool) -> None:
        given = {"LINKEDIN_SOURCE_PLATFORM": "ACME", "LINKEDIN_ADS_ACCESS_TOKEN": token}
        lists = LinkedInAudiences(Settings.from_env(live_env(sandbox.url, **given)))
        with pytest.raises(CredentialsError):
            made(lists)
        if reads:
            assert lists.find_by_key(KEY, wire=Wire()) is None
        else:
            with pytest.raises(CredentialsError):
                lists.find_by_key(KEY, wire=Wire())

    @pytest.mark.parametrize(
        ("platform_name", "token", "lacking"),
        [("", "unlisted", ()), ("ACME", "unlisted", ("rw_dmp_segments",)), ("ACME", "good", ())],
    )
    def test_the_doctor_asks_for_the_scope_where_lists_are_set_up(
        self, sandbox: Sandbox, platform_name: str, token: str, lacking: tuple[str, ...]
    ) -> None:
        given = {"LINKEDIN_SOURCE_PLATFORM": platform_name, "LINKEDIN_ADS_ACCESS_TOKEN": token}
        settings = Settings.from_env(live_env(sandbox.url, **given))
        found = ask(provider_specs()["linkedin_ads"], settings, timeout_s=10.0, today=date(2026, 11, 27))
        assert found.state == ("wrong" if lacking else "ok")
        assert found.check is not None
        assert [one.partition(" ")[0] for one in found.check.lacking] == [*lacking]

    def test_an_account_that_holds_as_many_as_it_may(self, sandbox: Sandbox, lists: LinkedInAudiences) -> None:
        account(sandbox, most_lists=1)
        made(lists)
        with pytest.raises(NeedsAttentionError, match="reached the maximum") as caught:
            made(lists, "0" * 12)
        assert type(caught.value) is NeedsAttentionError


def test_validate_knows_what_is_no_segment(ads: LinkedInAds) -> None:
    wanted = spec(customers=AimedList(reference="12345", use=ListUse.TARGET))
    assert ads.validate(wanted, wire=Wire()) == [
        "the customer list '12345' is no ad segment, such as urn:li:adSegment:10001"
    ]


class TestSandbox:
    """What the sandbox's LinkedIn refuses."""

    @pytest.mark.parametrize(
        ("changes", "blamed"),
        [
            ({"accessPolicy": "PRIVATE"}, "accessPolicy"),
            ({"type": "COMPANY"}, "type"),
            ({"sourcePlatform": "not one"}, "sourcePlatform"),
            ({"account": "3000"}, "account"),
            ({"destinations": []}, "destinations"),
            ({"name": ""}, "name"),
        ],
    )
    def test_a_segment(self, api: RestLi, changes: dict[str, Any], blamed: str) -> None:
        with pytest.raises(BadRequestError) as caught:
            api.create("/dmpSegments", {**SEGMENT, **changes}, timeout=5)
        assert blamed in (caught.value.detail or "")

    @pytest.mark.parametrize("name", SEGMENT)
    def test_a_segment_without_a_field(self, api: RestLi, name: str) -> None:
        with pytest.raises(BadRequestError) as caught:
            api.create("/dmpSegments", {key: value for key, value in SEGMENT.items() if key != name}, timeout=5)
        assert name in (caught.value.detail or "")

    @pytest.mark.parametrize(
        "strange",
        [
            {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": MEMBERS[1].upper()}]},
            {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": "person@acme.example"}]},
            {"action": "ADD", "userIds": [{"idType": "EMAIL", "idValue": MEMBERS[1]}]},
            {"action": "KEEP", "userIds": [{"idType": "SHA256_EMAIL", "idValue": MEMBERS[1]}]},
            {"action": "ADD"},
        ],
    )
    def test_a_member_by_itself(
        self, sandbox: Sandbox, api: RestLi, lists: LinkedInAudiences, strange: dict[str, Any]
    ) -> None:
        account(sandbox, settle_s=0)
        found = made(lists)
        good = {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": MEMBERS[0]}]}
        with pytest.raises(BadRequestError, match="refused 1 of 2"):
            api.create_many(f"/dmpSegments/{found}/users", [good, strange], timeout=5)
        assert members(sandbox) == MEMBERS[:1]

    def test_more_than_a_batch(self, api: RestLi, lists: LinkedInAudiences) -> None:
        found = made(lists)
        good = {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": MEMBERS[0]}]}
        with pytest.raises(BadRequestError, match="1 to 5000 elements"):
            api.create_many(f"/dmpSegments/{found}/users", [good] * 5_001, timeout=5)
