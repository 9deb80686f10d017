"""Customer lists at Google: what is sent, a list's life, and which packages that takes.

What is refused is in test_google_lists_refused.py, campaigns aimed at a list in test_google_aimed.py.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import checkout
import pytest
import stack
from ad_platforms import KEY, Wire, fault
from google_lists import (
    OTHER,
    OWN,
    PERSON,
    TOKEN,
    audiences,
    data_manager_peer,
    everything,
    google_allows,
    lists_client,
)
from routed_http import Routes

from integrations.ads.audience import ListTerms
from integrations.ads.google.audience import GoogleAudiences
from integrations.ads.google.customer_match import member
from integrations.ads.google.data_manager import DataManager
from integrations.ads.google.spec import SPEC
from integrations.errors import BadRequestError, NeedsAttentionError, NotFoundError, OutcomeUnknownError, TryAgainError
from integrations.settings import Settings


@pytest.fixture
def google(sandbox: Any) -> GoogleAudiences:
    return lists_client(sandbox.url)


@pytest.fixture
def peer() -> Iterator[Routes]:
    with data_manager_peer() as routes:
        yield routes


# Form of an address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        # The examples of "Send audience members" and "Format user data".
        ("dana@example.com", "07e2f1394b0ea80e2adca010ea8318df697001a005ba7452720edda4b0ce57b3"),
        ("DanaM@example.com", "1df6b43bc68dd38eca94e6a65b4f466ae537b796c81a526918b40ac4a7b906c7"),
        (" ALEXF@example.com", "19de0a9906ebee29fe82087be5ec44f3c01e40730bc808b663c71f19dd6b12f2"),
        ("alexF@altostrat.com\n", "063c45291827d4994f98357b72862b25885834fd53cf8f0e4af359916fc03c62"),
        ("quinn@CYMBALGROUP.com", "05bb62526f091b45d20e243d194766cca8869137421047dc53fa4876d111a6f0"),
        ("cloudySanFrancisco@GMAIL.com", "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"),
        ("cloudy.sanfrancisco+shopping@gmail.com", "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"),
    ],
)
def test_an_address_in_googles_form(address: str, expected: str) -> None:
    assert member(address) == expected


def test_only_gmail_loses_dots_and_tags() -> None:
    assert member("user.name+NYC@Example.com") == member("user.name+nyc@example.com") != member("username@example.com")
    assert member("a.b+c@googlemail.com") == member("ab@googlemail.com") != member("ab@gmail.com")
    assert member("quinn @cymbal group.com") == member("quinn@cymbalgroup.com"), "spaces in between go too"
    assert member("no address") == member("noaddress")


def test_what_the_spec_says_of_google() -> None:
    assert SPEC.audiences is not None
    assert (SPEC.audiences.batch, SPEC.audiences.least, SPEC.audiences.settle_s) == (10_000, 100, 0.0)
    assert SPEC.audiences.member("Dana@example.com ") == member("dana@example.com")


# What is sent


def test_a_list_is_created_as_documented(peer: Routes) -> None:
    wire = Wire()
    assert lists_client(peer.url).create("Customers [2026]", KEY, OWN, wire=wire) == "77"
    token, created = peer.asked
    assert wire.calls == 2, "a token, and one creation"
    assert token.path == "/google_ads/token"
    assert created.json() == {
        "displayName": f"Customers (2026) [ma:{KEY}]",
        "ingestedUserListInfo": {
            "uploadKeyTypes": ["CONTACT_ID"],
            "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"},
        },
    }
    assert created.headers["authorization"] == f"Bearer {TOKEN}"
    assert "developer-token" not in created.headers
    assert "login-account" not in created.headers


def test_who_was_found_is_not_said_to_be_the_advertisers_own(peer: Routes) -> None:
    lists_client(peer.url).create("Leads", KEY, ListTerms(found=True), wire=Wire())
    source = peer.asked[-1].json()["ingestedUserListInfo"]["contactIdInfo"]["dataSourceType"]
    assert source == "DATA_SOURCE_TYPE_THIRD_PARTY_PARTNER_DATA"


def test_members_are_sent_as_documented(peer: Routes) -> None:
    google = lists_client(peer.url)
    google.add("77", [PERSON, OTHER], ListTerms(consented=True), wire=Wire())
    destination = {
        "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "5000000000"},
        "productDestinationId": "77",
    }
    members = [{"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": one}]}}} for one in (PERSON, OTHER)]
    sent = {"destinations": [destination], "audienceMembers": members, "encoding": "HEX"}
    terms = {"termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"}}
    consent = {"consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}}
    assert peer.asked[-1].json() == {**sent, **terms, **consent}
    google.add("77", [PERSON, OTHER], OWN, wire=Wire())
    assert peer.asked[-1].json() == {**sent, **terms}, "no consent is made up"
    google.remove("77", [PERSON, OTHER], wire=Wire())
    assert peer.asked[-1].json() == sent
    assert peer.asked[-1].path == "/google_ads/v1/audienceMembers:remove"


def test_a_manager_account_is_named_where_google_looks_for_it(peer: Routes) -> None:
    google = lists_client(peer.url, GOOGLE_ADS_LOGIN_CUSTOMER_ID="123-456-7890", GOOGLE_ADS_CUSTOMER_ID="500-000-0000")
    google.create("Customers", KEY, OWN, wire=Wire())
    assert peer.asked[-1].headers["login-account"] == "accountTypes/GOOGLE_ADS/accounts/1234567890"
    google.add("77", [PERSON], OWN, wire=Wire())
    assert "login-account" not in peer.asked[-1].headers, "it is ignored there"
    (destination,) = peer.asked[-1].json()["destinations"]
    assert destination["loginAccount"] == {"accountType": "GOOGLE_ADS", "accountId": "1234567890"}
    assert destination["operatingAccount"]["accountId"] == "5000000000"


def test_the_account_itself_is_no_manager(peer: Routes) -> None:
    lists_client(peer.url, GOOGLE_ADS_LOGIN_CUSTOMER_ID="5000000000").add("77", [PERSON], OWN, wire=Wire())
    assert "loginAccount" not in peer.asked[-1].json()["destinations"][0]


def test_google_itself_has_it_on_a_host_of_its_own(sandbox: Any) -> None:
    live = Settings.from_env({"MARKETING_MODE": "live"}).provider("google_ads")
    assert DataManager(live).url == "https://datamanager.googleapis.com/v1"
    here = Settings.from_env({"SANDBOX_URL": sandbox.url}).provider("google_ads")
    assert DataManager(here).url == f"{sandbox.url}/google_ads/v1"


@pytest.mark.parametrize("wrong", ["jane.doe@acme.example", PERSON.upper(), PERSON[:-1], ""])
def test_nothing_but_a_hash_is_sent(peer: Routes, wrong: str) -> None:
    google = lists_client(peer.url)
    for send in (
        lambda: google.add("77", [PERSON, wrong], OWN, wire=Wire()),
        lambda: google.remove("77", [PERSON, wrong], wire=Wire()),
    ):
        with pytest.raises(BadRequestError) as caught:
            send()
        assert "jane" not in str(caught.value.to_dict())
    assert peer.asked == []


def test_too_many_members_are_not_sent(peer: Routes) -> None:
    with pytest.raises(BadRequestError, match="10001 members in one call; at most 10000"):
        lists_client(peer.url).add("77", [PERSON] * 10_001, OWN, wire=Wire())
    assert peer.asked == []


def test_nobody_is_no_request(peer: Routes) -> None:
    google = lists_client(peer.url)
    google.add("77", [], OWN, wire=Wire())
    google.remove("77", [], wire=Wire())
    assert peer.asked == []


@pytest.mark.parametrize("odd", ["", "7/8", "me@acme.example", "７"])
def test_an_odd_id_gets_into_no_path(peer: Routes, odd: str) -> None:
    google = lists_client(peer.url)
    for call in everything(odd):
        with pytest.raises(BadRequestError, match="is not a number"):
            call(google, Wire())
    assert peer.asked == []


# A list's life


def test_the_life_of_a_list(sandbox: Any, google: GoogleAudiences) -> None:
    assert google.find_by_key(KEY, wire=Wire()) is None
    made = google.create("Customers", KEY, OWN, wire=Wire())
    assert google.find_by_key(KEY, wire=Wire()) == made
    assert google.find_by_key("0" * 12, wire=Wire()) is None
    assert google.reference(made, wire=Wire()) == f"customers/5000000000/userLists/{made}"
    wire = Wire()
    google.add(made, [PERSON, OTHER], OWN, wire=wire)
    google.add(made, [PERSON], OWN, wire=wire)
    assert wire.calls == 2, "one call each"
    (stored,) = audiences(sandbox)
    assert stored["members"] == [PERSON, OTHER]
    assert (stored["provider"], stored["effect_key"]) == ("google_ads", KEY)
    for _ in range(2):
        google.remove(made, [PERSON, member("nobody@acme.example")], wire=Wire())
    assert audiences(sandbox)[0]["members"] == [OTHER]
    for _ in range(2):
        google.delete(made, wire=Wire())
    assert audiences(sandbox) == []
    google.remove(made, [OTHER], wire=Wire())
    for gone in (
        lambda: google.reference(made, wire=Wire()),
        lambda: google.add(made, [PERSON], OWN, wire=Wire()),
    ):
        with pytest.raises(NotFoundError):
            gone()
    assert google.create("Customers", KEY, OWN, wire=Wire()) != made, "an id is not given twice"


def test_ten_thousand_go_in_one_call(sandbox: Any, google: GoogleAudiences) -> None:
    made = google.create("Customers", KEY, OWN, wire=Wire())
    google.add(made, [member(f"p{n}@acme.example") for n in range(10_000)], OWN, wire=Wire(30))
    assert len(audiences(sandbox)[0]["members"]) == 10_000


def test_the_oldest_list_of_a_key_is_found_on_whatever_page(sandbox: Any) -> None:
    google_allows(sandbox, page=1)
    google = lists_client(sandbox.url)
    other = google.create("Other", "0" * 12, OWN, wire=Wire())
    first = google.create("Customers", KEY, OWN, wire=Wire())
    google.create("More customers", KEY, OWN, wire=Wire())
    wire = Wire()
    assert google.find_by_key(KEY, wire=wire) == first != other
    assert wire.calls == 3, "one call a page"


def test_a_second_list_of_the_same_name_is_looked_for_and_not_made(sandbox: Any, google: GoogleAudiences) -> None:
    google.create("Customers", KEY, OWN, wire=Wire())
    with pytest.raises(TryAgainError) as caught:
        google.create("Customers", KEY, OWN, wire=Wire())
    assert caught.value.detail == "DISPLAY_NAME_ALREADY_USED at user_list.display_name"
    assert len(audiences(sandbox)) == 1


def test_a_lost_creation_is_found_again(sandbox: Any, google: GoogleAudiences) -> None:
    google.find_by_key(KEY, wire=Wire())
    with fault(sandbox, "google_ads", "lost_reply"), pytest.raises(OutcomeUnknownError):
        google.create("Customers", KEY, OWN, wire=Wire())
    (stored,) = audiences(sandbox)
    assert google.find_by_key(KEY, wire=Wire()) == stored["id"]


def test_a_list_that_another_account_shares_is_not_ours(sandbox: Any, google: GoogleAudiences) -> None:
    google.create("Customers", KEY, OWN, wire=Wire())
    google_allows(sandbox, fields={"accessReason": "SHARED"})
    google.create("Customers", KEY, OWN, wire=Wire())
    assert google.find_by_key(KEY, wire=Wire()) is None


def test_lists_outlive_the_sandbox(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.json"))
    with stack.running_sandbox(tmp_path, *state) as first:
        made = lists_client(first.url).create("Customers", KEY, OWN, wire=Wire())
        lists_client(first.url).add(made, [PERSON], OWN, wire=Wire())
    with stack.running_sandbox(tmp_path, *state) as second:
        assert audiences(second)[0]["members"] == [PERSON]
        assert int(lists_client(second.url).create("More", KEY, OWN, wire=Wire())) == int(made) + 1


@pytest.mark.parametrize(
    ("fields", "trouble"),
    [
        ({"membershipStatus": "CLOSED", "closingReason": "UNUSED"}, "it is closed (UNUSED)"),
        ({"membershipStatus": "CLOSED"}, "it is closed"),
        ({"accountAccessStatus": "DISABLED"}, "the account's access to it has ended"),
        ({"targetNetworkInfo": {"eligibleForSearch": False}}, "it is not eligible for Google Search"),
    ],
)
def test_a_list_that_ads_can_not_be_aimed_at(sandbox: Any, fields: dict[str, Any], trouble: str) -> None:
    google_allows(sandbox, fields=fields)
    google = lists_client(sandbox.url)
    made = google.create("Customers", KEY, OWN, wire=Wire())
    with pytest.raises(NeedsAttentionError) as caught:
        google.reference(made, wire=Wire())
    assert caught.value.message == f"ads can't be aimed at the list: {trouble}"


# The package


def test_who_removes_a_person_loads_no_sdk(sandbox: Any) -> None:
    program = f"""
import sys
from integrations.ads.audience import ListTerms
from integrations.providers import Providers
from integrations.settings import Settings
google = Providers(Settings.from_env({{"SANDBOX_URL": {sandbox.url!r}}})).audiences("google_ads")
wire = lambda send: send(10.0)
made = google.create("Customers", {KEY!r}, ListTerms(), wire=wire)
google.add(made, [{PERSON!r}], ListTerms(), wire=wire)
google.remove(made, [{PERSON!r}], wire=wire)
assert google.find_by_key({KEY!r}, wire=wire) == made
google.reference(made, wire=wire)
google.delete(made, wire=wire)
loaded = [name for name in sys.modules if name.startswith(("google", "grpc", "proto"))]
assert not loaded, loaded[:5]
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout.ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
