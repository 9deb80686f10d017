"""Errors keep their class and fields over JSON and pickle; decisions follow from the class."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from integrations import errors
from integrations.admission import Breaker
from integrations.errors import IntegrationError
from integrations.retry import (
    MAX_DELAY_S,
    Decision,
    Defer,
    Fail,
    Fallback,
    Probe,
    Retry,
    RetryPolicy,
    WaitForOperator,
    decide,
)


def tree(root: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


CLASSES = tree(IntegrationError)


def test_codes_are_distinct_and_the_tree_is_drawn() -> None:
    assert len({c.code for c in CLASSES}) == len(CLASSES)
    for found in CLASSES:
        assert found.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error_class", CLASSES)
def test_an_error_survives_json_and_pickle(error_class: type[IntegrationError]) -> None:
    error = error_class("hunter", "said no", detail="x1", retry_after=2.5)
    for copy in (
        IntegrationError.from_dict(json.loads(json.dumps(error.to_dict()))),
        pickle.loads(pickle.dumps(error)),
    ):
        assert type(copy) is error_class
        assert copy.to_dict() == error.to_dict()
        assert str(copy) == str(error) == "hunter: said no [x1]"


POLICY = RetryPolicy(
    max_retries=3, first_delay_s=2.0, backoff=3.0, max_delay_s=10.0, probe_delay_s=7.0, max_wait_s=100.0
)
DOWN = errors.TransientError("p", "m")
OPEN = errors.CircuitOpenError("p", "m", retry_after=9.0)
AGAIN = errors.TryAgainError("p", "m")
QUOTA = errors.QuotaExhaustedError("p", "m")
GARBAGE = errors.InvalidAnswerError("p", "m")


@pytest.mark.parametrize(
    ("error", "attempt", "given", "expected"),
    [
        # A failing call is repeated with growing delays, as often as the policy says ...
        (DOWN, 1, {}, Retry(1.0)),
        (DOWN, 2, {}, Retry(3.0)),
        (DOWN, 3, {}, Retry(5.0)),
        # ... and then waited for: an outage is no failure of the unit, until patience ends.
        (DOWN, 4, {}, Defer(10.0, outage=True)),
        (DOWN, 4, {"waited_s": 99.0}, Defer(10.0, outage=True)),
        (errors.TransientError("p", "m", retry_after=0.0), 4, {}, Defer(10.0, outage=True)),
        (errors.TransientError("p", "m", retry_after=25.0), 4, {}, Defer(25.0, outage=True)),
        (DOWN, 1, {"probing": True}, Defer(2.0, outage=True)),
        (DOWN, 4, {"more_fallbacks": True}, Fallback(10.0)),
        (DOWN, 4, {"effect": True, "unsettled": True, "waited_s": 100.0}, WaitForOperator()),
        # A provider's own delay is honoured as it is.
        (errors.RateLimitedError("p", "m", retry_after=4.0), 1, {}, Retry(4.0)),
        (errors.RateLimitedError("p", "m", retry_after=0.0), 1, {}, Retry(0.0)),
        (errors.RateLimitedError("p", "m", retry_after=1e9), 1, {}, Retry(MAX_DELAY_S)),
        (errors.RateLimitedError("p", "m", retry_after=4.0), 1, {"probing": True}, Retry(4.0)),
        (errors.RateLimitedError("p", "m", retry_after=4.0), 4, {}, Defer(10.0, outage=True)),
        # A call that the provider wants to be tried again is tried a few times, and then it has failed.
        (AGAIN, 3, {}, Retry(5.0)),
        (errors.TryAgainError("p", "m", retry_after=3.0), 1, {"effect": True}, Retry(3.0)),
        (AGAIN, 4, {"waited_s": 5.0}, Fail(AGAIN)),
        (AGAIN, 4, {"unsettled": True}, WaitForOperator()),
        (AGAIN, 4, {"more_fallbacks": True}, Fallback(10.0)),
        # What may have happened is looked for when it changes anything, and asked again when it doesn't.
        (errors.OutcomeUnknownError("p", "m"), 1, {"effect": True}, Probe(7.0)),
        (errors.OutcomeUnknownError("p", "m"), 1, {}, Retry(1.0)),
        (errors.OutcomeUnknownError("p", "m"), 4, {"effect": True}, Probe(7.0)),
        (errors.OutcomeUnknownError("p", "m", retry_after=2.0), 1, {"effect": True}, Probe(2.0)),
        # Admission never burns an attempt.
        (errors.NotNowError("p", "m", retry_after=9.0), 99, {}, Defer(9.0)),
        (errors.OverLimitError("p", "m", retry_after=0.25), 1, {"more_fallbacks": True}, Defer(0.25)),
        (errors.OverBudgetError("p", "m", retry_after=9.0), 1, {"waited_s": 1e9}, Defer(9.0)),
        (OPEN, 1, {}, Defer(9.0, outage=True)),
        (OPEN, 99, {"more_fallbacks": True}, Fallback(9.0)),
        (OPEN, 1, {"unsettled": True, "more_fallbacks": True}, Defer(9.0, outage=True)),
        (OPEN, 1, {"unsettled": True, "waited_s": 100.0}, WaitForOperator()),
        # What will fail again is not tried again; another model may do better than one that talks garbage.
        (errors.BadRequestError("p", "m"), 1, {"more_fallbacks": True}, Fail(errors.BadRequestError("p", "m"))),
        (errors.PolicyRefusedError("p", "m"), 1, {"more_fallbacks": True}, Fail(errors.PolicyRefusedError("p", "m"))),
        (GARBAGE, 1, {}, Fail(GARBAGE)),
        (GARBAGE, 1, {"more_fallbacks": True}, Fallback(10.0)),
        (errors.BadRequestError("p", "m"), 1, {"unsettled": True}, WaitForOperator()),
        # Keys and quotas are a person's business.
        (errors.CredentialsError("p", "m"), 1, {}, WaitForOperator()),
        (QUOTA, 1, {"effect": True}, WaitForOperator()),
        (QUOTA, 1, {"more_fallbacks": True}, Fallback(10.0)),
    ],
)
def test_decide(error: IntegrationError, attempt: int, given: dict[str, Any], expected: Decision) -> None:
    assert same(decide(error, attempt, POLICY, jitter=0.5, **given), expected)


def same(one: Decision, other: Decision) -> bool:
    """Errors are equal when they say the same."""
    if isinstance(one, Fail) and isinstance(other, Fail):
        return type(one.error) is type(other.error) and one.error.to_dict() == other.error.to_dict()
    return one == other


@pytest.mark.parametrize("error", [DOWN, OPEN])
def test_an_outage_that_outlasts_patience_has_a_name_of_its_own(error: IntegrationError) -> None:
    ended = decide(error, 4, POLICY, waited_s=100.0)
    assert isinstance(ended, Fail)
    assert ended.error.code == "provider_unavailable"
    assert ended.error.message == "was not available for 100 s; the last answer: m"


def test_what_nobody_waits_for_fails_with_its_own_error() -> None:
    impatient = RetryPolicy(max_wait_s=0.0)
    assert decide(DOWN, 3, impatient, jitter=1.0) == Retry(4.0)
    assert decide(DOWN, 4, impatient) == Fail(DOWN)
    assert decide(QUOTA, 1, RetryPolicy(attend=False)) == Fail(QUOTA)


def test_the_longer_an_outage_lasts_the_more_rarely_it_is_asked() -> None:
    waits = [decide(DOWN, 4, RetryPolicy(), waited_s=waited) for waited in (0.0, 8.0, 16.0, 100.0, 5000.0)]
    assert waits == [Defer(seconds, outage=True) for seconds in (8.0, 8.0, 16.0, 100.0, 300.0)]


def test_the_last_resort_is_a_way_only_after_a_long_wait() -> None:
    policy = RetryPolicy(fallback=("model:b",), last_resort="template", last_resort_after_s=60.0)
    assert policy.fallbacks_after(59.9) == ("model:b",)
    assert policy.fallbacks_after(60.0) == ("model:b", "template")


def test_a_policy_survives_json_of_any_release() -> None:
    policy = RetryPolicy(max_retries=1, fallback=("a", "b"), last_resort="c", breaker=Breaker(failure_threshold=2))
    assert RetryPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    assert RetryPolicy.from_dict({"max_retries": 7, "of_a_newer_release": 1}) == RetryPolicy(max_retries=7)


def test_only_failures_of_the_provider_count_for_its_breaker() -> None:
    counting = {found.__name__ for found in CLASSES if found.outage}
    assert counting == {"TransientError", "OutcomeUnknownError"}
