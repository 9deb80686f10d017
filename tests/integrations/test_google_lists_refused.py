"""What Data Manager refuses, and its sandbox like it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ad_platforms import KEY, Wire
from google_lists import (
    LISTS,
    OWN,
    PERSON,
    audiences,
    data_manager_peer,
    everything,
    google_allows,
    lists_client,
    status,
)
from routed_http import Routes

from integrations.ads.audience import ListTerms
from integrations.ads.google.audience import GoogleAudiences
from integrations.ads.google.customer_match import FIRST_PARTY, THIRD_PARTY
from integrations.ads.google.data_manager_errors import SCOPE
from integrations.errors import (
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
)


@pytest.fixture
def google(sandbox: Any) -> GoogleAudiences:
    return lists_client(sandbox.url)


@pytest.fixture
def peer() -> Iterator[Routes]:
    with data_manager_peer() as routes:
        yield routes


@pytest.mark.parametrize(
    ("environment", "leave", "expected", "detail", "said"),
    [
        ({"GOOGLE_ADS_REFRESH_TOKEN": "ads-only"}, {}, CredentialsError, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", SCOPE),
        ({"GOOGLE_ADS_REFRESH_TOKEN": "forbidden"}, {}, CredentialsError, "PERMISSION_DENIED", "a permission"),
        ({"GOOGLE_ADS_REFRESH_TOKEN": "invalid"}, {}, CredentialsError, "invalid_grant", "revoked"),
        ({"GOOGLE_ADS_CUSTOMER_ID": "12"}, {}, CredentialsError, "PERMISSION_DENIED", "a permission"),
        ({}, {"terms": False}, NeedsAttentionError, "TERMS_AND_CONDITIONS_NOT_SIGNED", "have to be accepted"),
        ({}, {"cleared": False}, NeedsAttentionError, "ADVERTISER_NOT_ALLOWLISTED", "may not use Customer Match"),
    ],
)
def test_what_a_person_has_to_do_is_told(
    sandbox: Any, environment: dict[str, str], leave: dict[str, Any], expected: type, detail: str, said: str
) -> None:
    google_allows(sandbox, **leave)
    google = lists_client(sandbox.url, **environment)
    with pytest.raises(IntegrationError) as caught:
        google.add(google.create("Customers", KEY, OWN, wire=Wire()), [PERSON], OWN, wire=Wire())
    assert type(caught.value) is expected
    assert detail in (caught.value.detail or "")
    assert said in caught.value.message


def test_people_that_were_found_need_googles_leave(sandbox: Any, google: GoogleAudiences) -> None:
    with pytest.raises(NeedsAttentionError, match="its own customers only") as caught:
        google.create("Leads", KEY, ListTerms(found=True), wire=Wire())
    assert "ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA" in (caught.value.detail or "")
    assert audiences(sandbox) == []
    google_allows(sandbox, third_party=True)
    for found, source in ((True, THIRD_PARTY), (False, FIRST_PARTY)):
        made = google.create(f"List {found}", KEY, ListTerms(found=found), wire=Wire())
        stored = google._api.get(google._api.lists(made), wire=Wire())
        assert stored["ingestedUserListInfo"]["contactIdInfo"] == {"dataSourceType": source}  # type: ignore[index]


def test_a_refusal_that_may_mean_gone_is_looked_into(sandbox: Any) -> None:
    google_allows(sandbox, denies=True)
    google = lists_client(sandbox.url)
    made = google.create("Customers", KEY, OWN, wire=Wire())
    google.delete(made, wire=Wire())
    google.delete(made, wire=Wire())
    google.remove(made, [PERSON], wire=Wire())
    with pytest.raises(NotFoundError):
        google.reference(made, wire=Wire())
    with pytest.raises(CredentialsError):
        google.add(made, [PERSON], OWN, wire=Wire())


def test_whoever_is_refused_is_not_told_that_a_person_was_removed(peer: Routes) -> None:
    """The list is there, but it may not be changed."""
    google = lists_client(peer.url)
    denied = (403, status(403, "PERMISSION_DENIED", reason="PERMISSION_DENIED"))
    peer.answers["POST /google_ads/v1/audienceMembers:remove"] = denied
    peer.answers[f"DELETE {LISTS}/77"] = peer.answers[f"GET {LISTS}/77"] = denied
    for lists in ((200, {"userLists": [{"id": "77", "displayName": "x"}]}), denied):
        peer.answers[f"GET {LISTS}"] = lists
        for call in everything("77")[:1] + everything("77")[2:]:
            with pytest.raises(CredentialsError):
                call(google, Wire())


def post(google: GoogleAudiences, method: str, body: dict[str, Any]) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        google._api.post(method, body, wire=Wire())
    return caught.value


def ingestion(list_id: str, **changes: Any) -> dict[str, Any]:
    """A good body with changes, where None takes a field away."""
    account = {"accountType": "GOOGLE_ADS", "accountId": "5000000000"}
    body = {
        "destinations": [{"operatingAccount": account, "productDestinationId": list_id}],
        "audienceMembers": [{"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": PERSON}]}}}],
        "encoding": "HEX",
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def identified(*identifiers: dict[str, Any]) -> dict[str, Any]:
    return {"audienceMembers": [{"compositeData": {"userData": {"userIdentifiers": [*identifiers]}}}]}


def to(number: str = "1", **changes: Any) -> dict[str, Any]:
    account = {"accountType": "GOOGLE_ADS", "accountId": "5000000000", **changes}
    return {"destinations": [{"operatingAccount": account, "productDestinationId": number}]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"destinations": None}, "REQUIRED_FIELD_MISSING at destinations"),
        ({"destinations": []}, "REQUIRED_FIELD_MISSING at destinations"),
        (to(accountId="x"), "INVALID_NUMBER_FORMAT at destinations[0].operating_account.account_id"),
        (to(accountId="5000000001"), "INVALID_USER_LIST_ID at destinations[0].product_destination_id"),
        (to("404"), "INVALID_USER_LIST_ID at destinations[0].product_destination_id"),
        (to(""), "REQUIRED_FIELD_MISSING at destinations[0].product_destination_id"),
        ({"encoding": None}, "REQUIRED_FIELD_MISSING at encoding"),
        ({"encoding": "OCTAL"}, "encoding"),
        ({"termsOfService": None}, "TERMS_AND_CONDITIONS_NOT_SIGNED at terms_of_service"),
        ({"termsOfService": {"customerMatchTermsOfServiceStatus": "REJECTED"}}, "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        ({"consent": {"adUserData": "GRANTED"}}, "consent.adUserData"),
        ({"audienceMembers": []}, "REQUIRED_FIELD_MISSING at audience_members"),
        ({"audienceMembers": [{}]}, "INVALID_AUDIENCE_MEMBER at audience_members.audience_members[0]"),
        ({"audience_members": []}, "INVALID_ARGUMENT"),
        ({"destinations": {"a": 1}}, "destinations"),
        (identified({"email": PERSON}), "audienceMembers[0].compositeData.userData.userIdentifiers[0]"),
        (identified({"emailAddress": "jane.doe@acme.example"}), "INVALID_HEX_ENCODING"),
        (identified({"emailAddress": PERSON.upper()}), "INVALID_SHA256_FORMAT"),
        (identified({"emailAddress": PERSON[:32]}), "INVALID_SHA256_FORMAT"),
        (identified(*[{"emailAddress": PERSON}] * 11), "TOO_MANY_USER_IDENTIFIERS"),
        ({"audienceMembers": [{}] * 10_001}, "TOO_MANY_AUDIENCE_MEMBERS at audience_members"),
    ],
)
def test_the_sandbox_refuses_what_google_refuses(
    sandbox: Any, google: GoogleAudiences, changes: dict[str, Any], code: str
) -> None:
    made = google.create("Customers", KEY, OWN, wire=Wire())
    if "destinations" in changes and changes["destinations"] and isinstance(changes["destinations"], list):
        (one,) = changes["destinations"]
        number = one["productDestinationId"]
        changes = {"destinations": [{**one, "productDestinationId": made if number == "1" else number}]}
    error = post(google, "audienceMembers:ingest", ingestion(made, **changes))
    assert code in (error.detail or "")
    assert not any(quoted in str(error.to_dict()) for quoted in (PERSON, PERSON.upper(), PERSON[:32], "jane"))
    assert audiences(sandbox)[0]["members"] == []
    google._api.post("audienceMembers:ingest", ingestion(made), wire=Wire())
    assert audiences(sandbox)[0]["members"] == [PERSON]


def test_a_removal_has_neither_terms_nor_consent(google: GoogleAudiences) -> None:
    made = google.create("Customers", KEY, OWN, wire=Wire())
    error = post(google, "audienceMembers:remove", ingestion(made))
    assert 'Unknown name "termsOfService"' in error.message


def test_a_trial_changes_nothing(sandbox: Any, google: GoogleAudiences) -> None:
    made = google.create("Customers", KEY, OWN, wire=Wire())
    google._api.post("audienceMembers:ingest", ingestion(made, validateOnly=True), wire=Wire())
    assert audiences(sandbox)[0]["members"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"displayName": None}, "REQUIRED_FIELD_MISSING at user_list.display_name"),
        ({"ingestedUserListInfo": None}, "REQUIRED_FIELD_MISSING at user_list.ingested_user_list_info"),
        ({"ingestedUserListInfo": {"uploadKeyTypes": ["EMAIL"]}}, "UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES"),
        ({"membershipDuration": "90000s"}, "INVALID_ARGUMENT at user_list.membership_duration"),
        ({"id": "5"}, "INVALID_ARGUMENT"),
    ],
)
def test_the_sandbox_refuses_lists_that_google_refuses(
    sandbox: Any, google: GoogleAudiences, changes: dict[str, Any], code: str
) -> None:
    good = {"displayName": "Customers", "ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID"]}, **changes}
    body = {name: value for name, value in good.items() if value is not None}
    assert code in (post(google, google._api.lists(), body).detail or "")
    assert audiences(sandbox) == []


def test_an_unknown_leave_is_refused_by_name(sandbox: Any) -> None:
    with pytest.raises(Exception, match="400"):
        google_allows(sandbox, trems=False)
