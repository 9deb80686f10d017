"""One reading and one writing call of each provider's real client, and the error that an odd answer makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ad_platforms import Wire
from scripted_http import Script

from integrations.ads.platform import RemoteCampaign
from integrations.ads.registry import build
from integrations.clearbit import Clearbit
from integrations.delivery.hubspot import HubSpot
from integrations.delivery.salesforce import Salesforce
from integrations.delivery.target import Item
from integrations.delivery.webhook import Webhook
from integrations.errors import (
    IntegrationError,
)
from integrations.hunter import Hunter
from integrations.llm.models import ChatModels
from integrations.pdl import PeopleDataLabs
from integrations.provider_registry import provider_specs
from integrations.serpapi import SerpApi
from integrations.settings import Settings
from integrations.web.fetch import WebFetcher
from integrations.x import X

SECRET, PERSON, URL = "s3cr3t-t0ken", "jane.doe@acme.example", "https://acme.example/jane"
PROVIDERS = provider_specs()
#: What providers' sentences may quote.
SENTENCE = f"{PERSON} at {URL} with {SECRET}"
REMOTE = RemoteCampaign(id="1", ids={})

CONTACT = Item(key="k", email=PERSON, values={"email": PERSON})

Call = Callable[[Settings], object]


def complete(settings: Settings) -> object:
    models = ChatModels(settings)
    try:
        return models.complete([{"role": "user", "content": f"Write to {PERSON}"}], timeout=10)
    finally:
        models.close()


READING: Mapping[str, Call] = {
    "openai": complete,
    "serpapi": lambda settings: SerpApi(settings).page(PERSON, timeout=10),
    "hunter": lambda settings: Hunter(settings).domain_search("acme.example", timeout=10),
    "clearbit": lambda settings: Clearbit(settings).company("acme.example", timeout=10),
    "x": lambda settings: X(settings).posts(PERSON, timeout=10),
    "pdl": lambda settings: PeopleDataLabs(settings).company(website="acme.example", timeout=10),
    "facebook_ads": lambda settings: build("facebook_ads", settings).get("1", wire=Wire(10)),
    # The first request is OAuth's, for an access token; what gRPC brings is in test_google.py.
    "google_ads": lambda settings: build("google_ads", settings).account(wire=Wire(10)),
    "linkedin_ads": lambda settings: build("linkedin_ads", settings).get("1", wire=Wire(10)),
    "hubspot": lambda settings: HubSpot(settings).present([CONTACT], wire=Wire(10)),
    # The first request is OAuth's, for an access token.
    "salesforce": lambda settings: Salesforce(settings).deliver([CONTACT], path="", key="k", wire=Wire(10)),
    "webhook": lambda settings: Webhook(settings).deliver([CONTACT], path="", key="k", wire=Wire(10)),
    "web": lambda settings: WebFetcher(settings).fetch(f"{settings.sandbox_url}/page", timeout=10),
}
WRITING: Mapping[str, Call] = {
    "facebook_ads": lambda settings: build("facebook_ads", settings).pause(REMOTE, wire=Wire(10)),
    "linkedin_ads": lambda settings: build("linkedin_ads", settings).pause(REMOTE, wire=Wire(10)),
}


def failure(peer: Script, call: Call, status: int, body: Any, headers: Mapping[str, str]) -> IntegrationError:
    peer.status, peer.headers = status, {"Content-Type": "application/json", **headers}
    peer.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    peer.requests.clear()
    keys = [name for p in PROVIDERS.values() for name in p.credentials.values() if name.endswith(("KEY", "TOKEN"))]
    addresses = {provider.base_url_variable: peer.url + provider.sandbox_path for provider in PROVIDERS.values()}
    with pytest.raises(IntegrationError) as caught:
        call(Settings.from_env({"SANDBOX_URL": peer.url, **addresses, **dict.fromkeys(keys, SECRET)}))
    error = caught.value
    assert len(peer.requests) == 1, "a refusal is not asked again"
    assert not any(quoted in str(error.to_dict()) for quoted in (SECRET, PERSON, URL, "jane"))
    return error
