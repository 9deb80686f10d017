"""Every public method of every client under every trouble: which error, does it count, how often was it sent.

Through the real clients, over the wire, against the sandbox's faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from provider_methods import METHODS, PROVIDERS, Method, close_models, complete, every_method, failure, settings
from stack import Sandbox, wait_until

from integrations.dns import Dns
from integrations.errors import IntegrationError, OutcomeUnknownError, RateLimitedError, TransientError
from integrations.serpapi import SerpApi
from integrations.settings import Settings
from integrations.web.fetch import WebFetcher

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


def switch(sandbox: Sandbox, provider: str, mode: str, **more: object) -> None:
    sandbox.post("/_sandbox/faults", {"provider": provider, "mode": mode, **more})


def calls(sandbox: Sandbox, provider: str) -> list[str]:
    return [call["endpoint"] for call in sandbox.get(f"/_sandbox/calls?provider={provider}")]


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
