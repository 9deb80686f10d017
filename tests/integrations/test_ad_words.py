"""Ad platforms' own sentences: fit to be shown, and what they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.ads.words import MAX_WORDS, named_ids, own_words, says_missing, says_too_much, says_try_later
from integrations.values import UNSTORABLE


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (("Budget Is Too Low", "At least $5.00."), "Budget Is Too Low. At least $5.00."),
        (("Same", "Same."), "Same"),
        ((None, 7, "", "  a \n b\x00 "), "a b"),
        (("See <a href='https://x.example/y'>here</a> now",), "See here now"),
        (("jane.doe@acme.example at https://acme.example/jane?access_token=abc",), "*** at acme.example"),
        (("access_token=abc&x=1 and Bearer xyz",), "access_token=***&x=1 and ***"),
        (("token EAAGm0PX4ZCps is bad",), "token *** is bad"),
        (("key 0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d",), "key ***"),
        (("the secret hush-hush-42 is wrong",), "the secret *** is wrong"),
        (
            ("Object with ID '120330000000123456789' does not exist",),
            "Object with ID '120330000000123456789' does not exist",
        ),
    ],
)
def test_own_words(parts: tuple[object, ...], shown: str) -> None:
    assert own_words(*parts, secrets=["hush-hush-42", "EUR"]) == shown


@given(st.text(max_size=2000))
def test_whatever_is_said_is_one_short_line_that_can_be_stored(text: str) -> None:
    shown = own_words(text)
    assert len(shown) <= MAX_WORDS
    assert not UNSTORABLE.search(shown)
    assert "\n" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "The Adcreative Create Failed for the following reason: Oops, something went wrong. Please try again later.",
        "An unexpected error has occurred. Please retry your request later.",
        "Something went wrong. Please try again.",
        "There was a problem. Please wait a few minutes and try again.",
        "Try again in 5 minutes",
        "Service temporarily unavailable",
        "Conflict: concurrent modification of the entity",
        "Request conflicts; please retry",
        "Please retry the request",
    ],
)
def test_what_asks_to_be_tried_again(text: str) -> None:
    assert says_try_later(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "An unknown error occurred",
        "Please reduce the amount of data you're asking for, then retry your request",
        "Update your payment method and try again.",
        "Please try again with a different name.",
        "Please choose a valid image and try again",
        "The daily budget for this ad set must be at least $5.00.",
        "Your account is temporarily restricted",
    ],
)
def test_what_asks_for_something_else(text: str) -> None:
    assert not says_try_later(text)


def test_what_asks_for_less_and_what_names_an_object() -> None:
    for text in ("Please reduce the amount of data you're asking for", "Response too large", "too many results"):
        assert says_too_much(text)
    assert not says_too_much("The image is too large")
    assert says_missing("Object with ID '123' does not exist, cannot be loaded due to missing permissions")
    assert says_missing("Could not find entity")
    assert not says_missing("Invalid parameter")
    assert named_ids("Object with ID '123' does not exist") == ("123",)
    assert named_ids("(#803) Some of the aliases you requested do not exist: 456") == ("456",)
    assert named_ids("answered 404 to POST: Could not find entity") == ()
