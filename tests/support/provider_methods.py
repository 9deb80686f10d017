"""Every public method of every provider's client, and the error of one that fails.

:data:`METHODS` is the list of what is public; whoever adds a method to a client adds it here (test_odd_peers.py).
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, spec
from placed_leads import placed

from integrations.ads.changes import DailyBudget, NewAd, Setting
from integrations.ads.google.client import GoogleAds
from integrations.ads.platform import RemoteCampaign
from integrations.ads.registry import build
from integrations.clearbit import Clearbit
from integrations.delivery.hubspot import HubSpot
from integrations.delivery.salesforce import Salesforce
from integrations.delivery.target import Item
from integrations.errors import IntegrationError
from integrations.hunter import Hunter
from integrations.llm.models import ChatModels
from integrations.pdl import PeopleDataLabs
from integrations.provider_registry import provider_specs
from integrations.serpapi import SerpApi
from integrations.settings import Settings
from integrations.x import X

PROVIDERS = provider_specs()
SECRET = "s3cr3t-t0ken"
PERSON = "jane.doe@acme.example"
#: The first campaign of an account that holds none: its ids are made up, the trouble comes before anyone looks.
REMOTE = RemoteCampaign(id="120000000000000001", ids={"group": "1", "ad.1": "2", "creative.1": "urn:li:x:3"})
BUDGET = DailyBudget(amount=Decimal(20), currency="USD")
ONE_MORE = NewAd(variant=9, headlines=("One more",), descriptions=("Compare plans.",))
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
        method("account", lambda ads, wire: ads.account(wire=wire)),
        method("refusals", lambda ads, wire: ads.refusals(REMOTE, wire=wire)),
        method("remove", lambda ads, wire: ads.remove({"campaign": REMOTE.id}, wire=wire), writes=writes),
        method("changes.plan", lambda ads, wire: ads.changes.plan(REMOTE, BUDGET, wire=wire)),
        method("changes.setting", lambda ads, wire: ads.changes.setting(REMOTE, BUDGET.kind, wire=wire)),
        method(
            "changes.apply",
            lambda ads, wire: ads.changes.apply(REMOTE, Setting(kind=BUDGET.kind, value=1), wire=wire),
        ),
        method("add_ad", lambda ads, wire: ads.add_ad(REMOTE, wanted, ONE_MORE, wire=wire, steps=Steps())),
        method("validate", lambda ads, wire: ads.validate(wanted, wire=wire)),
    ]


def question(provider: str) -> Method:
    """The question of ``campaigns doctor --online``."""
    asked = PROVIDERS[provider].online
    assert asked is not None
    return Method(provider=provider, name="online", call=asked)


CONTACT = Item(key="k", email=PERSON, values={"email": PERSON})
METHODS = [
    Method(provider="openai", name="complete", call=complete),
    Method(provider="hubspot", name="present", call=lambda s, t: HubSpot(s).present([CONTACT], wire=Wire(t))),
    Method(
        provider="hubspot",
        name="deliver",
        call=lambda s, t: HubSpot(s).deliver([CONTACT], path="", key="k", wire=Wire(t)),
        writes=True,
    ),
    Method(
        provider="hubspot",
        name="remove",
        call=lambda s, t: HubSpot(s).remove(placed("1"), path="", wire=Wire(t)),
        writes=True,
    ),
    # Its client asks for an access token first; each call after it is in test_salesforce.py.
    Method(
        provider="salesforce", name="remove", call=lambda s, t: Salesforce(s).remove(placed("1"), path="", wire=Wire(t))
    ),
    Method(
        provider="salesforce",
        name="deliver",
        call=lambda s, t: Salesforce(s).deliver([CONTACT], path="", key="k", wire=Wire(t)),
    ),
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
    *on_platform("facebook_ads"),
    *on_platform("google_ads"),
    Method(
        provider="google_ads",
        name="search_terms",
        call=lambda s, t: GoogleAds(s).search_terms(REMOTE, START.date(), wire=Wire(t)),
    ),
    *on_platform("linkedin_ads"),
    *(question(name) for name, spec in PROVIDERS.items() if spec.online is not None),
]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)


def settings(url: str) -> Settings:
    """Every provider below ``url``, with keys that must not be seen anywhere."""
    keys = [name for p in PROVIDERS.values() for name in p.credentials.values() if name.endswith(("KEY", "TOKEN"))]
    addresses = {provider.base_url_variable: url + provider.sandbox_path for provider in PROVIDERS.values()}
    return Settings.from_env({"SANDBOX_URL": url, **addresses, **dict.fromkeys(keys, SECRET)})


def close_models() -> None:
    while _models:
        _models.pop().close()


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
