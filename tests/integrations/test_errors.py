"""Errors keep their class and fields over JSON and pickle; decisions follow from the class."""

from __future__ import annotations

import json
import pickle

import pytest

from integrations import errors
from integrations.errors import IntegrationError
from integrations.retry import MAX_DELAY_S, Action, Decision, RetryPolicy, decide


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


POLICY = RetryPolicy(max_retries=3, first_delay_s=2.0, backoff=3.0, max_delay_s=10.0, probe_delay_s=7.0)


@pytest.mark.parametrize(
    ("error", "attempt", "effect", "expected"),
    [
        (errors.TransientError("p", "m"), 1, False, Decision(Action.RETRY, 1.0)),
        (errors.TransientError("p", "m"), 2, False, Decision(Action.RETRY, 3.0)),
        (errors.TransientError("p", "m"), 3, False, Decision(Action.RETRY, 5.0)),
        (errors.TransientError("p", "m"), 4, False, Decision(Action.FAIL)),
        (errors.RateLimitedError("p", "m", retry_after=4.0), 1, False, Decision(Action.RETRY, 4.0)),
        (errors.RateLimitedError("p", "m", retry_after=1e9), 1, False, Decision(Action.RETRY, MAX_DELAY_S)),
        (errors.OutcomeUnknownError("p", "m"), 1, True, Decision(Action.PROBE, 7.0)),
        (errors.OutcomeUnknownError("p", "m"), 1, False, Decision(Action.RETRY, 1.0)),
        (errors.OutcomeUnknownError("p", "m"), 4, True, Decision(Action.PROBE, 7.0)),
        (errors.OutcomeUnknownError("p", "m", retry_after=2.0), 1, True, Decision(Action.PROBE, 2.0)),
        (errors.NotNowError("p", "m", retry_after=9.0), 99, False, Decision(Action.DEFER, 9.0)),
        (errors.BadRequestError("p", "m"), 1, False, Decision(Action.FAIL)),
        (errors.CredentialsError("p", "m"), 1, False, Decision(Action.FAIL)),
        (errors.QuotaExhaustedError("p", "m"), 1, True, Decision(Action.FAIL)),
    ],
)
def test_decide(error: IntegrationError, attempt: int, effect: bool, expected: Decision) -> None:
    assert decide(error, attempt, POLICY, jitter=0.5, effect=effect) == expected
