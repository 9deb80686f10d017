"""A fleet slows down by what a platform says of its limits, before it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import pytest
import stack
from ad_platforms import KEY, Steps, spec

from integrations.admission import Admission
from integrations.ads.registry import build
from integrations.errors import OverLimitError, RateLimitedError
from integrations.settings import Settings
from orchestration.execution.call_guard import Caller, CallGuard, admission

T = TypeVar("T")


class UnitWire:
    """The wire of one unit, whose calls are admitted by the fleet."""

    def __init__(self, guard: CallGuard, holder: str) -> None:
        self.guard, self.holder, self.made = guard, holder, 0

    def __call__(self, send: Callable[[float], T], /) -> T:
        caller = Caller(holder=self.holder, campaign=self.holder, effect=False, timeout_s=5.0, made=self.made)
        with self.guard.call(caller, "facebook_ads"):
            self.made += 1
            return send(5.0)


@pytest.fixture
def settings(sandbox: Any, redis_url: str) -> Settings:
    sandbox.reset(7, {"accounts": {"facebook_ads": {"points": 40, "decay_s": 4}}})
    return Settings.from_env({"SANDBOX_URL": sandbox.url, "REDIS_URL": redis_url})


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Admission]:
    made = admission(settings)
    assert made is not None
    with closing(made):
        yield made


def test_new_work_waits_before_the_limit_is_hit_and_what_was_begun_is_finished(
    sandbox: Any, settings: Settings, fleet: Admission
) -> None:
    guard, ads = CallGuard(settings, fleet), build("facebook_ads", settings)
    begun = UnitWire(guard, "begun")
    ads.find_by_key(KEY, wire=begun)
    refused = None
    for number in range(40):
        try:
            ads.find_by_key(KEY, wire=UnitWire(guard, f"u{number}"))
        except OverLimitError as error:
            refused = error
            break
    assert refused is not None, "no unit was held back"
    assert (refused.detail, refused.outage) == ("usage", False)
    ads.find_by_key(KEY, wire=begun)  # a continuation
    (status,) = fleet.status()
    assert status.slowed_until is not None
    assert status.deferred == {"usage": 1}

    def admitted() -> bool:
        try:
            ads.find_by_key(KEY, wire=UnitWire(guard, "later"))
        except OverLimitError:
            return False
        return True

    stack.wait_until(admitted, timeout=20)
    assert {call["status"] for call in sandbox.get("/_sandbox/calls?provider=facebook_ads")} == {200}


def test_an_account_over_its_limit_refuses(settings: Settings) -> None:
    ads = build("facebook_ads", settings)

    def hurry() -> None:
        for _ in range(200):
            ads.create(spec(), wire=lambda send: send(5.0), steps=Steps())

    with pytest.raises(RateLimitedError) as refused:
        hurry()
    assert 0 < (refused.value.retry_after or 0) <= 4
