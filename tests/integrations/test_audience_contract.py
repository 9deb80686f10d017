"""What the customer lists of every ad platform must do: each installed platform that has some is tested here.

A platform's own ways are tested in a file of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import stack
from ad_platforms import KEY, DiedError, Steps, Wire, ad_campaigns, fitting

from integrations.ads.audience import AudienceSpec, AudienceTarget, ListTerms, ListUse
from integrations.ads.google.gaql import query
from integrations.ads.platform import AdPlatform, AimedList, RemoteCampaign
from integrations.ads.registry import audiences, build, platforms
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    OutcomeUnknownError,
    PermanentError,
    RateLimitedError,
    TransientError,
)
from integrations.settings import Settings

WITH_LISTS = [name for name, spec in platforms().items() if spec.audiences is not None]
TERMS = ListTerms()
LISTED_USES = (ListUse.TARGET, ListUse.EXCLUDE)  #: of a list itself; lookalike audiences are not every platform's
PEOPLE = tuple(f"person{number}@acme.example" for number in range(5))
#: mode -> class for a reading call, class for a writing call
TROUBLES: Mapping[str, tuple[type[IntegrationError], type[IntegrationError]]] = {
    "down": (TransientError, TransientError),
    "slow": (TransientError, OutcomeUnknownError),
    "rate_limited": (RateLimitedError, RateLimitedError),
    "lost_reply": (TransientError, OutcomeUnknownError),
    "garbage": (TransientError, OutcomeUnknownError),
}
SHORT_S = 0.1  #: a time-out that a slow answer misses


def facebook_targeting(ads: Any, made: RemoteCampaign) -> Any:
    return ads._graph.get(made.ids["ad_set"], timeout=5, fields="targeting")["targeting"]


def linkedin_criteria(ads: Any, made: RemoteCampaign) -> Any:
    return ads._api.get(f"/adAccounts/3000/adCampaigns/{made.id}", {}, timeout=5)["targetingCriteria"]


def google_criteria(ads: Any, made: RemoteCampaign) -> Any:
    fields = ("campaign_criterion.user_list.user_list", "campaign_criterion.negative")
    found = query(fields, "campaign_criterion", f"campaign.id = {made.id}", "campaign_criterion.type = 'USER_LIST'")
    return [row["campaignCriterion"] for row in ads._api.rows(found, wire=Wire())]


LINKEDIN_FACET = "urn:li:adTargetingFacet:audienceMatchingSegments"
#: platform -> how its ads show whom they are aimed at, and what of it names the list ``id`` for a use
SHOWN: Mapping[str, tuple[Callable[[Any, RemoteCampaign], Any], Callable[[Any, ListUse], Any]]] = {
    "facebook_ads": (
        facebook_targeting,
        lambda shown, use: [
            one["id"]
            for one in shown.get("custom_audiences" if use is ListUse.TARGET else "excluded_custom_audiences", [])
        ],
    ),
    "google_ads": (
        google_criteria,
        lambda shown, use: [
            one["userList"]["userList"] for one in shown if one.get("negative", False) is (use is ListUse.EXCLUDE)
        ],
    ),
    "linkedin_ads": (
        linkedin_criteria,
        lambda shown, use: [
            urn
            for group in (shown["include"]["and"] if use is ListUse.TARGET else [shown.get("exclude", {})])
            for urn in group.get("or", {}).get(LINKEDIN_FACET, [])
        ],
    ),
}


class Subject(NamedTuple):
    """One platform's lists, and the sandbox that they are in."""

    sandbox: stack.Sandbox
    name: str
    spec: AudienceSpec
    lists: AudienceTarget

    def member(self, address: str) -> str:
        return self.spec.member(address)

    def members(self, *addresses: str) -> list[str]:
        return [self.member(address) for address in addresses]

    def stored(self) -> list[dict[str, Any]]:
        rows = self.sandbox.get("/_sandbox/state")["audiences"]
        return [row for row in rows if row["provider"] == self.name]

    def on(self, list_id: str) -> set[str]:
        """Members of a list, as the sandbox has stored them."""
        return next(set(row["members"]) for row in self.stored() if row["id"] == list_id)

    def ads(self) -> AdPlatform:
        return build(self.name, Settings.from_env({"SANDBOX_URL": self.sandbox.url}))

    def calls(self) -> list[str]:
        return [call["endpoint"] for call in self.sandbox.get(f"/_sandbox/calls?provider={self.name}")]

    def begin(self) -> None:
        """Forget everything, and let new lists take members at once."""
        self.sandbox.reset(world={"accounts": {self.name: {"settle_s": 0}}})


def subject_of(name: str, sandbox: stack.Sandbox, **environment: str) -> Subject:
    spec = platforms()[name].audiences
    assert spec is not None
    settings = Settings.from_env({"SANDBOX_URL": sandbox.url, **environment})
    return Subject(sandbox, name, spec, audiences(name, settings))


@pytest.fixture(params=WITH_LISTS)
def subject(request: pytest.FixtureRequest, sandbox: stack.Sandbox) -> Subject:
    found = subject_of(request.param, sandbox)
    found.lists.find_by_key(KEY, wire=Wire(60))  # what is loaded or fetched once a process
    found.begin()
    return found


def made(subject: Subject, key: str = KEY) -> str:
    return subject.lists.create("Customers", key, TERMS, wire=Wire())


def aimed(subject: Subject, reference: str, use: ListUse, **changes: Any) -> RemoteCampaign:
    ads = subject.ads()
    wanted = fitting(ads, customers=AimedList(reference=reference, use=use), **changes)
    return ads.create(wanted, wire=Wire(), steps=Steps())


class TestLists:
    """A list from its creation to its end."""

    def test_created_and_found_by_key(self, subject: Subject) -> None:
        assert subject.lists.name == subject.name
        assert subject.lists.find_by_key(KEY, wire=Wire()) is None
        found = made(subject)
        (row,) = subject.stored()
        assert (row["id"], row["effect_key"], row["members"]) == (found, KEY, [])
        assert row["name"].startswith("Customers [ma:")
        assert subject.lists.find_by_key(KEY, wire=Wire()) == found
        assert subject.lists.find_by_key("0" * 12, wire=Wire()) is None

    def test_a_death_at_the_creation_leaves_a_list_that_is_found(self, subject: Subject) -> None:
        wire = Wire()

        def die(_at: int) -> None:
            if subject.stored():
                raise DiedError

        wire.after = die
        with pytest.raises(DiedError):
            subject.lists.create("Customers", KEY, TERMS, wire=wire)
        (row,) = subject.stored()
        assert subject.lists.find_by_key(KEY, wire=Wire()) == row["id"]

    def test_of_two_lists_of_one_key_it_is_always_the_same(self, subject: Subject) -> None:
        # Where names are unique, a person has made the second one.
        both = {made(subject), subject.lists.create("Customers of old", KEY, TERMS, wire=Wire())}
        assert len(both) == 2
        assert len({subject.lists.find_by_key(KEY, wire=Wire()) for _ in range(2)} & both) == 1

    def test_found_among_more_than_a_page_holds(self, subject: Subject) -> None:
        keys = [f"{number:012x}" for number in range(105)]
        ids = {key: made(subject, key) for key in keys}
        for key in (keys[0], keys[52], keys[-1]):
            assert subject.lists.find_by_key(key, wire=Wire()) == ids[key]

    def test_members_come_in_batches_and_each_once(self, subject: Subject) -> None:
        found = made(subject)
        assert len({*subject.members(*PEOPLE)}) == len(PEOPLE)
        subject.lists.add(found, subject.members(*PEOPLE[:3]), TERMS, wire=Wire())
        subject.lists.add(found, subject.members(*PEOPLE[2:]), TERMS, wire=Wire())
        assert subject.on(found) == {*subject.members(*PEOPLE)}
        subject.lists.add(found, subject.members(*PEOPLE), TERMS, wire=Wire())
        subject.lists.add(found, subject.members(PEOPLE[0], PEOPLE[0]), TERMS, wire=Wire())
        assert subject.on(found) == {*subject.members(*PEOPLE)}

    def test_a_full_batch(self, subject: Subject) -> None:
        found = made(subject)
        whole = subject.members(*(f"p{number}@acme.example" for number in range(subject.spec.batch)))
        subject.lists.add(found, whole, TERMS, wire=Wire(30))
        assert subject.on(found) == {*whole}
        subject.lists.remove(found, whole, wire=Wire(30))
        assert subject.on(found) == set()

    def test_removed_also_who_is_not_there(self, subject: Subject) -> None:
        found = made(subject)
        subject.lists.add(found, subject.members(*PEOPLE[:4]), TERMS, wire=Wire())
        for _ in range(2):
            subject.lists.remove(found, subject.members(PEOPLE[0], PEOPLE[4]), wire=Wire())
            assert subject.on(found) == {*subject.members(*PEOPLE[1:4])}

    def test_deleted_again_and_again(self, subject: Subject) -> None:
        found, other = made(subject), made(subject, "0" * 12)
        for _ in range(2):
            subject.lists.delete(found, wire=Wire())
            assert [row["id"] for row in subject.stored()] == [other]
        assert subject.lists.find_by_key(KEY, wire=Wire()) is None

    def test_a_list_that_is_gone(self, subject: Subject) -> None:
        found = made(subject)
        subject.lists.delete(found, wire=Wire())
        subject.lists.remove(found, subject.members(*PEOPLE), wire=Wire())
        with pytest.raises(NotFoundError):
            subject.lists.add(found, subject.members(*PEOPLE), TERMS, wire=Wire())
        with pytest.raises(NotFoundError):
            subject.lists.reference(found, wire=Wire())


class TestAiming:
    """Ads that are aimed at a list, by the platform's own client."""

    @pytest.mark.parametrize("use", LISTED_USES)
    def test_ads_are_aimed_at_a_list(self, subject: Subject, use: ListUse) -> None:
        found = made(subject)
        subject.lists.add(found, subject.members(*PEOPLE), TERMS, wire=Wire())
        reference = subject.lists.reference(found, wire=Wire())
        assert reference is not None
        wanted = fitting(subject.ads(), customers=AimedList(reference=reference, use=use))
        assert subject.ads().validate(wanted, wire=Wire()) == []
        remote = aimed(subject, reference, use)
        assert len(ad_campaigns(subject.sandbox)) == 1
        if subject.name not in SHOWN:
            pytest.skip(f"how ads of {subject.name} show a list is not written in SHOWN")
        shown, names = SHOWN[subject.name]
        aim = shown(subject.ads(), remote)
        (other,) = {*LISTED_USES} - {use}
        assert names(aim, use) == [reference]
        assert names(aim, other) == []
        plain = subject.ads().create(fitting(subject.ads(), effect_key="0" * 12), wire=Wire(), steps=Steps())
        assert not any(names(shown(subject.ads(), plain), one) for one in LISTED_USES)

    @pytest.mark.parametrize("use", LISTED_USES)
    def test_ads_aimed_at_a_list_that_is_not_there_are_refused(self, subject: Subject, use: ListUse) -> None:
        found = made(subject)
        reference = subject.lists.reference(found, wire=Wire())
        assert reference is not None
        subject.lists.delete(found, wire=Wire())
        with pytest.raises(PermanentError):
            aimed(subject, reference, use)


Call = Callable[[Subject, str, Wire], object]
OPERATIONS: Mapping[str, Call] = {
    "find_by_key": lambda subject, _found, wire: subject.lists.find_by_key(KEY, wire=wire),
    "create": lambda subject, _found, wire: subject.lists.create("Customers", "0" * 12, TERMS, wire=wire),
    "reference": lambda subject, found, wire: subject.lists.reference(found, wire=wire),
    "add": lambda subject, found, wire: subject.lists.add(found, subject.members(*PEOPLE), TERMS, wire=wire),
    "remove": lambda subject, found, wire: subject.lists.remove(found, subject.members(*PEOPLE[:2]), wire=wire),
    "delete": lambda subject, found, wire: subject.lists.delete(found, wire=wire),
}
READING = ("find_by_key", "reference")


@pytest.mark.parametrize("mode", TROUBLES)
@pytest.mark.parametrize("operation", OPERATIONS)
class TestTroubles:
    """Every operation while the platform is in trouble, at each of its wire calls."""

    def test_at_any_wire_call(
        self, subject: Subject, operation: str, mode: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A reading call that fails is only transient; a writing one may have been carried out."""
        caplog.set_level(logging.DEBUG)
        run = OPERATIONS[operation]
        whole, before = Wire(), prepared(subject)
        run(subject, before, whole)
        kinds = [endpoint.partition(" ")[0] for endpoint in subject.calls()[-whole.calls :]]
        assert (kinds[-1] == "GET") is (operation in READING)
        for number, kind in enumerate(kinds, start=1):
            found = prepared(subject)
            wire = Wire()

            def trouble(at: int, number: int = number, wire: Wire = wire) -> None:
                if at == number:
                    subject.sandbox.post("/_sandbox/faults", {"provider": subject.name, "mode": mode})
                    wire.timeout = SHORT_S if mode == "slow" else wire.timeout

            wire.before = trouble
            with pytest.raises(IntegrationError) as caught:
                run(subject, found, wire)
            assert type(caught.value) is TROUBLES[mode][kind != "GET"], f"call {number}, a {kind}"
            assert (caught.value.provider, caught.value.__cause__, wire.calls) == (subject.name, None, number)
            assert told_nothing(subject, f"{caught.value} {caught.value.to_dict()}")
        assert told_nothing(subject, caplog.text)

    def test_repeated_it_comes_to_the_same(self, subject: Subject, operation: str, mode: str) -> None:
        """Whatever a lost call has done, the next one finds or completes it."""
        run = OPERATIONS[operation]
        found = prepared(subject)
        run(subject, found, Wire())
        expected = seen(subject)
        found = prepared(subject)
        subject.sandbox.post("/_sandbox/faults", {"provider": subject.name, "mode": mode})
        with pytest.raises(IntegrationError):
            run(subject, found, Wire(SHORT_S if mode == "slow" else 5.0))
        subject.sandbox.post("/_sandbox/faults", {"provider": subject.name, "mode": "ok"})
        if operation != "create" or subject.lists.find_by_key("0" * 12, wire=Wire()) is None:
            run(subject, found, Wire())
        assert seen(subject) == expected


def prepared(subject: Subject) -> str:
    """A new world with one list of two people, whose id is returned."""
    subject.begin()
    found = made(subject)
    subject.lists.add(found, subject.members(*PEOPLE[:2]), TERMS, wire=Wire())
    return found


def changed(subject: Subject, change: str, list_id: str, members: list[str], wire: Wire) -> None:
    if change == "add":
        subject.lists.add(list_id, members, TERMS, wire=wire)
    else:
        subject.lists.remove(list_id, members, wire=wire)


def seen(subject: Subject) -> set[tuple[str, frozenset[str]]]:
    return {(row["name"], frozenset(row["members"])) for row in subject.stored()}


def told_nothing(subject: Subject, text: str) -> bool:
    """Whether a text holds no address and no hash of anybody on a list."""
    hidden = [*PEOPLE, *subject.members(*PEOPLE), *(sha256(one.encode()).hexdigest() for one in PEOPLE)]
    return not any(one in text for one in hidden)


class TestRefusals:
    """What is refused, by the platform or before anything is sent."""

    @pytest.fixture(params=OPERATIONS)
    def operation(self, request: pytest.FixtureRequest) -> Call:
        found: Call = OPERATIONS[request.param]
        return found

    def test_credentials_that_are_refused(self, subject: Subject, operation: Call) -> None:
        found = prepared(subject)
        provider = platforms()[subject.name].provider
        assert provider is not None
        tokens = ("access_token", "refresh_token")
        variable = next(given for name, given in provider.credentials.items() if name in tokens)
        base = {provider.base_url_variable: subject.sandbox.url + provider.sandbox_path}
        refused = subject_of(subject.name, subject.sandbox, **base, **{variable: "invalid"})
        with pytest.raises(CredentialsError) as caught:
            operation(refused, found, Wire())
        text = f"{caught.value!r} {caught.value.to_dict()}"
        assert "http" not in text
        assert told_nothing(subject, text)
        assert subject.on(found) == {*subject.members(*PEOPLE[:2])}

    @pytest.mark.parametrize("change", ["add", "remove"])
    def test_more_than_a_batch_is_not_sent(self, subject: Subject, change: str) -> None:
        found = prepared(subject)
        many = subject.members(*(f"p{number}@acme.example" for number in range(subject.spec.batch + 1)))
        before, wire = subject.calls(), Wire()
        with pytest.raises((BadRequestError, ValueError), match=str(subject.spec.batch)) as caught:
            changed(subject, change, found, many, wire)
        assert many[0] not in str(caught.value)
        assert (wire.calls, subject.calls()) == (0, before)

    @pytest.mark.parametrize("given", [PEOPLE[0], "F" * 64, "f" * 63, ""])
    def test_what_is_no_hash_is_not_sent(self, subject: Subject, given: str) -> None:
        found = prepared(subject)
        before = subject.calls()
        for change in ("add", "remove"):
            with pytest.raises((BadRequestError, ValueError)) as caught:
                changed(subject, change, found, [*subject.members(PEOPLE[1]), given], Wire())
            assert told_nothing(subject, str(caught.value))
        assert subject.calls() == before

    def test_nobody_there(self, subject: Subject, operation: Call) -> None:
        gone = audiences(subject.name, Settings.from_env({"SANDBOX_URL": "http://127.0.0.1:9"}))
        with pytest.raises(TransientError, match="can't be reached"):
            operation(subject._replace(lists=gone), "1", Wire())


@pytest.mark.parametrize("name", WITH_LISTS)
def test_a_sandbox_that_is_started_again_still_has_its_lists(name: str, tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "sandbox.json"))
    with stack.running_sandbox(tmp_path, *state) as first:
        before = subject_of(name, first)
        before.begin()
        found = made(before)
        before.lists.add(found, before.members(*PEOPLE), TERMS, wire=Wire())
        reference = before.lists.reference(found, wire=Wire())
    with stack.running_sandbox(tmp_path, *state) as second:
        after = subject_of(name, second)
        assert after.lists.find_by_key(KEY, wire=Wire()) == found
        assert after.lists.reference(found, wire=Wire()) == reference
        assert after.on(found) == {*after.members(*PEOPLE)}


@pytest.mark.parametrize("name", WITH_LISTS)
def test_normal_forms_of_addresses(name: str) -> None:
    """As published in "Customer Information Parameters" and "Customer File Custom Audiences" of Meta, and for UID2."""
    spec = platforms()[name].audiences
    assert spec is not None
    published = {
        "John_Smith@gmail.com": "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
        "mary@example.com": "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
        "user@example.com": "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
    }
    for address, digest in published.items():
        for form in (address, f"  {address.upper()}\n", f"\t{address}"):
            assert spec.member(form) == digest
