"""Every public method of every client before peers that answer nonsense, or slowly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ad_platforms import KEY
from provider_methods import METHODS, PROVIDERS, Method, close_models, complete, every_method, failure, settings
from raw_server import RawServer, raw_server, trickling
from scripted_http import Script, scripted_server

from integrations.ads.changes import Changes
from integrations.ads.facebook.client import FacebookAds
from integrations.ads.google.client import GoogleAds
from integrations.ads.linkedin.client import LinkedInAds
from integrations.clearbit import Clearbit
from integrations.delivery.hubspot import HubSpot
from integrations.delivery.salesforce import Salesforce
from integrations.errors import IntegrationError, OutcomeUnknownError, TransientError
from integrations.hunter import Hunter
from integrations.pdl import PeopleDataLabs
from integrations.serpapi import SerpApi
from integrations.x import X

#: provider -> its client; a model's client has one call, and more that sends nothing
CLIENTS: dict[str, type[Any]] = {
    "serpapi": SerpApi,
    "hunter": Hunter,
    "clearbit": Clearbit,
    "x": X,
    "pdl": PeopleDataLabs,
    "hubspot": HubSpot,
    "salesforce": Salesforce,
    "facebook_ads": FacebookAds,
    "google_ads": GoogleAds,
    "linkedin_ads": LinkedInAds,
}
#: What no answer is to a reading call, and to a writing one.
UNANSWERED = (TransientError, OutcomeUnknownError)


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


#: Methods that send nothing.
SILENT = {"salesforce": {"present"}, "facebook_ads": {"search_terms"}, "linkedin_ads": {"search_terms"}}


@pytest.mark.parametrize("provider", sorted(PROVIDERS.keys() - {"webhook"}))  # test_webhook.py: any body is good
def test_every_public_method_of_every_client_is_called_here(provider: str) -> None:
    called = {method.name for method in METHODS if method.provider == provider}
    own = CLIENTS.get(provider)
    public = {name for name, one in vars(own).items() if callable(one) and name[0] != "_"} if own else {"complete"}
    if provider in ("facebook_ads", "google_ads", "linkedin_ads"):
        public |= {f"changes.{name}" for name, one in vars(Changes).items() if callable(one) and name[0] != "_"}
    assert (public | {"online"}) - SILENT.get(provider, set()) == called


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
    if what == "nothing" and method.id in ("linkedin_ads.pause", "linkedin_ads.enable", "linkedin_ads.remove"):
        method.call(settings(odd.url), 10.0)  # LinkedIn's way of agreeing to a change
        return
    error = failure(lambda: method.call(settings(odd.url), 10.0))
    assert type(error) is UNANSWERED[method.writes]


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


@pytest.fixture(scope="module")
def slow() -> Iterator[RawServer]:
    """A peer that begins a good answer and goes on with a byte at a time, until the tests end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    with raw_server(trickling(head)) as server:
        yield server


@every_method
def test_a_body_that_comes_a_byte_at_a_time_ends_by_the_time_out(slow: RawServer, method: Method) -> None:
    """No single wait is too long, and all of them are: without a bound of the whole, the call would never end."""
    slow.requests.clear()
    began = time.monotonic()
    timeout = 0.5 if method.provider == "openai" else 0.2  # the model client needs a part of its own
    error = failure(lambda: method.call(settings(slow.url), timeout))
    assert (type(error), error.outage) == (UNANSWERED[method.writes], True)
    assert time.monotonic() - began < 5
    assert len(slow.requests) == 1
