"""What tests of advertising share: a specification, a journal, a wire without admission, a campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from agents.config import CampaignConfig
from agents.state import MarketingAgentState
from integrations.ads import registry
from integrations.ads.platform import AdPlatform, AdSpec, Audience, RemoteCampaign
from integrations.ads.spec import Package
from integrations.settings import Settings

T = TypeVar("T")
START = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "3f2a9c0d1e5b"


class Steps(dict[str, str]):
    """A journal in memory."""

    def put(self, step: str, remote_id: str) -> None:
        self[step] = remote_id

    def intend(self, step: str) -> None:
        """Nothing was lost: go on."""


class Wire:
    """Calls at once; counts; can fail before or after call number ``n``."""

    def __init__(self, timeout: float = 5.0) -> None:
        self.timeout = timeout
        self.calls = 0
        self.before: Callable[[int], None] = lambda _number: None
        self.after: Callable[[int], None] = lambda _number: None

    def __call__(self, send: Callable[[float], T], /) -> T:
        self.calls += 1
        self.before(self.calls)
        answer = send(self.timeout)
        self.after(self.calls)
        return answer


class DiedError(Exception):
    """The process died."""


def deaths(platform: AdPlatform, *, journalled: bool, **changes: Any) -> Iterator[tuple[AdSpec, RemoteCampaign]]:
    """Yield what a second attempt makes after a death at each call of a creation, with its journal or without."""
    whole = Wire()
    platform.create(fitting(platform, effect_key="000000000000", **changes), wire=whole, steps=Steps())
    assert whole.calls > 0
    for number in range(1, whole.calls + 1):
        wanted, steps, wire = fitting(platform, effect_key=f"{number:012x}", **changes), Steps(), Wire()

        def die(at: int, number: int = number) -> None:
            if at == number:
                raise DiedError

        wire.after = die
        with pytest.raises(DiedError):
            platform.create(wanted, wire=wire, steps=steps)
        kept = steps if journalled else Steps()
        found = platform.find_by_key(wanted.effect_key, wire=Wire())
        if found is None:
            yield wanted, platform.create(wanted, wire=Wire(), steps=kept)
        else:
            yield wanted, platform.update(found, wanted, wire=Wire(), steps=kept)


def fitting(platform: AdPlatform, **changes: Any) -> AdSpec:
    """A good specification for this platform, with as many texts more as it asks for at least."""
    found, limits = spec(**changes), platform.limits
    headlines = (*found.headlines, *(f"SaaS pricing, part {n}" for n in range(2, 5)))
    descriptions = (*found.descriptions, "Compare 4 SaaS plans in one table. Plan your budget today.")
    return found.model_copy(
        update={
            "headlines": headlines[: max(len(found.headlines), limits.min_headlines)],
            "descriptions": descriptions[: max(len(found.descriptions), limits.min_descriptions)],
        }
    )


def without_client(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a platform be one that is known and has no client, as another package may bring it."""
    known = registry.platforms()
    bare = {**known, name: replace(known[name], client=None, audiences=None)}
    monkeypatch.setattr(registry, "platforms", lambda: bare)


def without_package(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a platform need a package that is not installed, as Google does without its extra."""
    known = registry.platforms()
    lacking = {**known, name: replace(known[name], package=Package(name="no-such-package-of-ours", extra="google"))}
    monkeypatch.setattr(registry, "platforms", lambda: lacking)


def spec(**changes: Any) -> AdSpec:
    """A good specification for every platform."""
    fields: dict[str, Any] = {
        "name": "Spring sale",
        "effect_key": KEY,
        "headlines": ("5 checks for SaaS billing", "Book a 15 minute demo"),
        "descriptions": ("Plan your SaaS pricing in 3 steps. Book a short demo today (free).",),
        "call_to_action": "Book a demo",
        "landing_url": "https://example.com/landing",
        "keywords": ("pricing",),
        "audience": Audience(industries=("saas",), titles=("CFO",), locations=("Germany", "Nowhere at all")),
        "daily_budget": Decimal("16.66"),
        "currency": "USD",
        "start": START,
        "end": START + timedelta(days=30),
        "advertiser": "Acme",
    }
    return AdSpec(**{**fields, **changes})


def campaign(campaign_id: str = "c1", **changes: Any) -> MarketingAgentState:
    """The state of a campaign that ads can be made from."""
    config: dict[str, Any] = {
        "name": "SaaS launch",
        "target_audience": {"industry": "saas", "job_titles": ["CTO"], "locations": ["Germany"]},
        "ad_platforms": ["facebook", "linkedin"],
        "budget": 1000,
        "content_required": False,
        "brand": {"name": "Acme", "product": "Acme Flow", "website": "https://acme.example/"},
    }
    parsed = CampaignConfig.parse({**config, **changes})
    return MarketingAgentState.initial(parsed, campaign_id=campaign_id, now=START)


@contextmanager
def fault(sandbox: Any, provider: str, mode: str, **more: Any) -> Iterator[None]:
    """A trouble of the sandbox while the block runs."""
    sandbox.post("/_sandbox/faults", {"provider": provider, "mode": mode, **more})
    try:
        yield
    finally:
        sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "ok"})


def load_google(url: str) -> None:
    """Let the sandbox at ``url`` load Google's messages, which takes a second, more on a busy machine."""
    registry.build("google_ads", Settings.from_env({"SANDBOX_URL": url})).account(wire=Wire(60))


def ad_campaigns(sandbox: Any) -> list[dict[str, Any]]:
    """What the sandbox's ad platforms hold."""
    found: list[dict[str, Any]] = sandbox.get("/_sandbox/state")["ad_campaigns"]
    return found
