"""Every public method of every client under every trouble: which error, does it count, how often was it sent.

Through the real clients, over the wire, against the sandbox's faults and against peers that answer nonsense.
:data:`METHODS` is the list of what is public; whoever adds a method to a client adds it here.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, spec
from scripted_http import Script, scripted_server
from stack import Sandbox, wait_until

from integrations.ads.platform import RemoteCampaign
from integrations.ads.registry import build
from integrations.clearbit import Clearbit
from integrations.delivery.hubspot import HubSpot
from integrations.delivery.salesforce import Salesforce
from integrations.delivery.target import Item
from integrations.dns import Dns
from integrations.errors import IntegrationError, OutcomeUnknownError, RateLimitedError, TransientError
from integrations.hunter import Hunter
from integrations.llm.models import ChatModels
from integrations.pdl import PeopleDataLabs
from integrations.provider_registry import provider_specs
from integrations.serpapi import SerpApi
from integrations.settings import Settings
from integrations.web.fetch import WebFetcher
from integrations.x import X

PROVIDERS = provider_specs()
SECRET = "s3cr3t-t0ken"
PERSON = "jane.doe@acme.example"
#: The first campaign of an account that holds none: its ids are made up, the trouble comes before anyone looks.
REMOTE = RemoteCampaign(id="120000000000000001", ids={"group": "1", "ad.1": "2", "creative.1": "urn:li:x:3"})
BARE = spec(audience=spec().audience.__class__(), keywords=())


@dataclass(frozen=True, kw_only=True)
class Method:
    """One public method of one client; ``writes``: its first wire call changes something."""

    provider: str
    name: str
    call: Callable[[Settings, float], object]  #: (settings, time-out in seconds)
    writes: bool = False

    @property
    def id(self) -> str:
        return f"{self.provider}.{self.name}"


#: The model client of the test that runs, if it has called one: making one costs more than a call.
_models: list[ChatModels] = []


def complete(settings: Settings, timeout: float) -> object:
    if not _models:
        _models.append(ChatModels(settings))
    (models,) = _models
    return models.complete([{"role": "user", "content": f"Write to {PERSON}"}], timeout=timeout)


def on_platform(platform: str) -> list[Method]:
    def method(name: str, call: Callable[[Any, Wire], object], *, writes: bool = False) -> Method:
        return Method(
            provider=platform,
            name=name,
            call=lambda settings, timeout: call(build(platform, settings), Wire(timeout)),
            writes=writes,
        )

    # Google's client asks for an access token first; each call after it is in test_ad_platform_contract.py.
    writes, bare = platform != "google_ads", BARE.model_copy(update={"keywords": ("saas",)})
    wanted = BARE if writes else bare
    return [
        method("find_by_key", lambda ads, wire: ads.find_by_key(KEY, wire=wire)),
        method("get", lambda ads, wire: ads.get(REMOTE.id, wire=wire)),
        # LinkedIn looks for a campaign group that a lost reply left behind before it creates one.
        method(
            "create",
            lambda ads, wire: ads.create(wanted, wire=wire, steps=Steps()),
            writes=platform == "facebook_ads",
        ),
        method("update", lambda ads, wire: ads.update(REMOTE, wanted, wire=wire, steps=Steps())),
        method("pause", lambda ads, wire: ads.pause(REMOTE, wire=wire), writes=writes),
        method("enable", lambda ads, wire: ads.enable(REMOTE, wire=wire), writes=writes),
        method("report", lambda ads, wire: ads.report(REMOTE, START.date(), wire=wire)),
        method("validate", lambda ads, wire: ads.validate(wanted, wire=wire)),
    ]


CONTACT = Item(key="k", email=PERSON, values={"email": PERSON})
METHODS = [
    Method(provider="openai", name="complete", call=complete),
    Method(provider="serpapi", name="page", call=lambda s, t: SerpApi(s).page(f"saas {PERSON}", timeout=t)),
    Method(provider="serpapi", name="search", call=lambda s, t: SerpApi(s).search(f"saas {PERSON}", timeout=t)),
    Method(
        provider="hunter",
        name="find_email",
        call=lambda s, t: Hunter(s).find_email("acme.example", "Jane", "Doe", timeout=t),
    ),
    Method(provider="hunter", name="verify", call=lambda s, t: Hunter(s).verify(PERSON, timeout=t)),
    Method(
        provider="hunter", name="domain_search", call=lambda s, t: Hunter(s).domain_search("acme.example", timeout=t)
    ),
    Method(provider="clearbit", name="company", call=lambda s, t: Clearbit(s).company("brightflow.example", timeout=t)),
    Method(provider="clearbit", name="person", call=lambda s, t: Clearbit(s).person(PERSON, timeout=t)),
    Method(provider="x", name="posts", call=lambda s, t: X(s).posts(f"saas {PERSON}", timeout=t)),
    Method(
        provider="pdl",
        name="search",
        call=lambda s, t: PeopleDataLabs(s).search("SELECT * FROM person WHERE (job_title='ceo')", timeout=t),
    ),
    Method(provider="pdl", name="person", call=lambda s, t: PeopleDataLabs(s).person(email=PERSON, timeout=t)),
    Method(
        provider="pdl", name="company", call=lambda s, t: PeopleDataLabs(s).company(website="acme.example", timeout=t)
    ),
    Method(
        provider="hubspot", name="present", call=lambda s, t: HubSpot(s).present([CONTACT], wire=Wire(t)), writes=False
    ),
    Method(
        provider="hubspot",
        name="deliver",
        call=lambda s, t: HubSpot(s).deliver([CONTACT], path="", key="k", wire=Wire(t)),
        writes=True,
    ),
    # Its client asks for an access token first; each call after it is in test_salesforce.py.
    Method(
        provider="salesforce",
        name="deliver",
        call=lambda s, t: Salesforce(s).deliver([CONTACT], path="", key="k", wire=Wire(t)),
    ),
    *on_platform("facebook_ads"),
    *on_platform("google_ads"),
    *on_platform("linkedin_ads"),
]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)

#: mode -> class for a reading call, class for a writing call
EXPECTED: dict[str, tuple[type[IntegrationError], type[IntegrationError]]] = {
    "down": (TransientError, TransientError),
    "slow": (TransientError, OutcomeUnknownError),
    "rate_limited": (RateLimitedError, RateLimitedError),
    "lost_reply": (TransientError, OutcomeUnknownError),
    "garbage": (TransientError, OutcomeUnknownError),
}
#: Time-outs that a slow answer misses; the model client itself needs a part of its own.
SHORT_S = {"openai": 0.5, **dict.fromkeys((*PROVIDERS.keys() - {"openai"}, "web"), 0.2)}
#: Seconds that each provider's rate limit asks for by itself.
ASKED = {
    "x": 900.0,
    "pdl": 60.0,
    "clearbit": 60.0,
    "openai": 1.0,
    "facebook_ads": 60.0,
    "google_ads": 30.0,
    "serpapi": None,
    "hunter": None,
    "hubspot": 10.0,
    "salesforce": None,
    "linkedin_ads": None,
    "web": 1.0,
}


#: Providers that name the second at which their rate limit ends.
NAMING_A_MOMENT = ("clearbit", "pdl", "x")


def asked(provider: str, seconds: float | None) -> Any:
    return pytest.approx(seconds, abs=2.0) if provider in NAMING_A_MOMENT else seconds


def settings(url: str) -> Settings:
    """Every provider below ``url``, with keys that must not be seen anywhere."""
    keys = [name for p in PROVIDERS.values() for name in p.credentials.values() if name.endswith(("KEY", "TOKEN"))]
    addresses = {provider.base_url_variable: url + provider.sandbox_path for provider in PROVIDERS.values()}
    return Settings.from_env({"SANDBOX_URL": url, **addresses, **dict.fromkeys(keys, SECRET)})


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    """Loading the model client takes longer than the short time-outs below."""
    with pytest.raises(TransientError):
        complete(settings("http://127.0.0.1:9"), 20)


@pytest.fixture(autouse=True)
def _models_closed(_libraries: None) -> Iterator[None]:
    """Each test has a model client of its own."""
    close_models()
    yield
    close_models()


def close_models() -> None:
    while _models:
        _models.pop().close()


def switch(sandbox: Sandbox, provider: str, mode: str, **more: object) -> None:
    sandbox.post("/_sandbox/faults", {"provider": provider, "mode": mode, **more})


def calls(sandbox: Sandbox, provider: str) -> list[str]:
    return [call["endpoint"] for call in sandbox.get(f"/_sandbox/calls?provider={provider}")]


def failure(call: Callable[[], object]) -> IntegrationError:
    """The error of a call that fails; it tells no secrets and survives its journey."""
    with pytest.raises(IntegrationError) as caught:
        call()
    error = caught.value
    assert error.__cause__ is None
    told = f"{error!r} {error} {error.to_dict()}"
    assert not any(secret in told for secret in (SECRET, PERSON, "Jane", "http://", "access_token"))
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.to_dict()) == (type(error), json.loads(json.dumps(error.to_dict(), allow_nan=False)))
    return error


@pytest.mark.parametrize("mode", EXPECTED)
@every_method
def test_every_method_under_every_fault(sandbox: Sandbox, method: Method, mode: str) -> None:
    switch(sandbox, method.provider, mode)

    error = failure(lambda: method.call(settings(sandbox.url), SHORT_S[method.provider] if mode == "slow" else 10.0))

    assert type(error) is EXPECTED[mode][method.writes]
    assert error.outage is (mode != "rate_limited")
    assert error.provider == method.provider
    assert error.retry_after == (asked(method.provider, ASKED[method.provider]) if mode == "rate_limited" else None)
    wait_until(lambda: calls(sandbox, method.provider), message="the call to be recorded")
    assert len(calls(sandbox, method.provider)) == 1, "one call of a method is one request"


@pytest.mark.parametrize("mode", ["rate_limited", "down"])
@pytest.mark.parametrize("provider", sorted(PROVIDERS.keys() - {"webhook"}))  # test_webhook.py: any body is good
def test_what_a_provider_asks_to_wait_is_what_the_error_says(sandbox: Sandbox, provider: str, mode: str) -> None:
    switch(sandbox, provider, mode, retry_after=7.5)
    method = next(method for method in METHODS if method.provider == provider)
    waited = failure(lambda: method.call(settings(sandbox.url), 10.0)).retry_after
    assert waited == (asked(provider, 7.5) if mode == "rate_limited" else 7.5)


# Web sites and names


def page_of(sandbox: Sandbox) -> str:
    """A company's page that may be read."""
    results = SerpApi(Settings.from_env({"SANDBOX_URL": sandbox.url})).search("saas companies", num=50, timeout=10)
    web = WebFetcher(at_home(sandbox))
    for result in results:
        try:
            web.fetch(result.link, timeout=10)
        except IntegrationError:
            continue
        return result.link
    raise AssertionError("no page of the sandbox can be read")


def at_home(sandbox: Sandbox) -> Settings:
    return Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""})


@pytest.mark.parametrize("known", [False, True], ids=["robots.txt", "page"])
@pytest.mark.parametrize("mode", EXPECTED)
@pytest.mark.parametrize("name", ["fetch", "crawl"])
def test_web_sites_in_trouble(sandbox: Sandbox, name: str, mode: str, known: bool) -> None:
    url = page_of(sandbox)
    web = WebFetcher(at_home(sandbox))
    if known:
        web.fetch(url, timeout=10)
    before = len(calls(sandbox, "web"))
    switch(sandbox, "web", mode)
    timeout = SHORT_S["web"] if mode == "slow" else 10.0

    def read() -> object:
        return web.fetch(url, timeout=timeout) if name == "fetch" else web.crawl(url, max_pages=1, timeout=timeout)

    if mode == "garbage":  # HTML that says nothing is a page all the same
        assert "not what you asked for" in str(vars_of(read()))
        return
    error = failure(read)
    assert type(error) is EXPECTED[mode][False]
    assert error.outage is (mode != "rate_limited")
    assert error.retry_after == (ASKED["web"] if mode == "rate_limited" else None)
    wait_until(lambda: len(calls(sandbox, "web")) > before)
    assert len(calls(sandbox, "web")) == before + 1


def vars_of(found: Any) -> list[str]:
    return [page.html for page in getattr(found, "pages", [found])]


@pytest.mark.parametrize("mode", EXPECTED)
def test_names_in_trouble(sandbox: Sandbox, mode: str) -> None:
    dns = Dns(at_home(sandbox))
    switch(sandbox, "dns", mode)
    timeout = 5.0 if mode in ("down", "rate_limited") else 0.15

    error = failure(lambda: dns.addresses("acme.example", timeout=timeout))
    assert (type(error), error.outage) == (TransientError, True)
    wait_until(lambda: calls(sandbox, "dns"))
    asked = calls(sandbox, "dns")
    assert set(asked) == {"A acme.example"}
    assert len(asked) == 1 or mode == "garbage", "only a datagram that is no answer is asked for again"

    found = dns.mail_domain("acme.example", timeout=timeout)
    assert (found.status, found.reason) == ("unknown", "no_answer")
    wait_until(lambda: len(calls(sandbox, "dns")) > len(asked))
    assert set(calls(sandbox, "dns")[len(asked) :]) == {"MX acme.example"}, "no other record is asked for then"


# Peers that answer nonsense

NO_OBJECTS = {
    "nothing": b"",
    "HTML": b"<html>Sign in to the hotel network</html>",
    "text": b"success",
    "a cut object": b'{"data": [{"id": "1", "na',
    "a list": b"[]",
    "null": b"null",
    "a number": b"17",
    "a string": b'"error"',
    "an endless nest": b"[" * 100_000,
    "an endless nest of objects": b'{"data":' * 100_000,
    "no text": b"\xff\xfe\x00\xd8{",
}
ODD_OBJECTS = [
    {},
    {"error": None, "errors": 3, "errorDetails": "x"},
    {"error": {"code": True, "error_subcode": [], "error_data": {"blame_field_specs": [3, [None]]}, "message": 3}},
    {"error": {"code": 999, "error_data": "[[["}, "errors": [3], "code": 7},
    {"errors": [{"id": {"a": 1}}], "errorDetails": {"inputErrors": [3, {"input": 3}, {"input": {"inputPath": []}}]}},
    {"data": {}, "elements": {}, "organic_results": {}, "choices": {}},
    {"data": [3, None, {}], "elements": [3, None, {}], "organic_results": [3, None, {}], "choices": [3, None, {}]},
    {"data": {"status": [], "emails": [3, {"value": 3}, {"value": "x", "confidence": "high"}], "score": "x"}},
    {"data": {"status": "valid", "score": True, "emails": {}}},
    {"data": {"status": "valid", "score": float("nan")}, "elements": [], "id": "1", "success": True},
    {"data": {"status": "valid", "score": float("inf")}, "elements": [{"id": 10**40}], "id": 10**40},
    {"data": [{"id": "1", "name": {}, "status": []}], "paging": 3, "elements": [{"id": 0}], "metadata": []},
    {"data": [{"id": "1", "name": f"x [{KEY}]", "status": {}}], "elements": [{"name": f"x [{KEY}]", "status": {}}]},
    {"data": [{"name": f"x [{KEY}]"}], "elements": [{"id": [], "name": f"x [{KEY}]", "changeAuditStamps": [1]}]},
    {
        "data": [{"date_start": "2026-03-01", "actions": ["x"], "spend": "1"}],
        "elements": [{"dateRange": {"start": {"year": 10**30, "month": 3, "day": 1}}}],
    },
    {
        "data": [{"date_start": "2026-03-01", "actions": {"a": 1}, "impressions": [1]}],
        "elements": [{"dateRange": {"start": [1]}, "costInLocalCurrency": {}}],
    },
    {"search_metadata": 3, "search_information": [], "serpapi_pagination": 3, "organic_results": [{"link": 3}]},
    {"search_metadata": {"status": "Processing"}, "error": {"a": 1}},
    {"choices": [{"message": {"content": {"a": 1}, "tool_calls": 3}, "finish_reason": 3}], "usage": [3], "model": 3},
    {"choices": [{"message": None}], "usage": {"prompt_tokens": "many"}},
    {"id": 3, "success": "yes", "currency": 3, "status": [], "campaignGroup": 3, "name": 3},
]


@pytest.fixture(scope="module")
def odd() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.mark.parametrize("what", NO_OBJECTS)
@every_method
def test_an_answer_that_is_no_json_object_is_no_answer(odd: Script, method: Method, what: str) -> None:
    odd.status, odd.body, odd.headers = 200, NO_OBJECTS[what], {"Content-Type": "application/json"}
    if what == "nothing" and method.id in ("linkedin_ads.pause", "linkedin_ads.enable"):
        method.call(settings(odd.url), 10.0)  # LinkedIn's way of agreeing to a change
        return
    error = failure(lambda: method.call(settings(odd.url), 10.0))
    assert type(error) is EXPECTED["garbage"][method.writes]


#: Methods of which a refusal of one lead is a result.
REFUSING_ONE = ("hubspot.deliver",)


@pytest.mark.parametrize("status", [200, 201, 400, 429, 500])
@every_method
def test_no_answer_makes_a_client_stumble(odd: Script, method: Method, status: int) -> None:
    """Whatever comes, a result or one of our errors comes out."""
    odd.status = status
    odd.headers = {
        "Content-Type": "application/json",
        "x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 1e999}]}',
        "x-ad-account-usage": "[" * 5000,
        "Retry-After": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    }
    for body in ODD_OBJECTS:
        odd.body = json.dumps(body).encode()
        error = None
        try:
            method.call(settings(odd.url), 10.0)
        except IntegrationError as raised:
            error = raised
        if error is not None:
            json.dumps(error.to_dict(), allow_nan=False)
        if status >= 400 and not (status == 400 and method.id in REFUSING_ONE):
            assert error is not None
            assert error.outage is (status == 500), f"{body} with {status}: {error!r}"
