"""Names carry the key through everything that people write into them; buttons always exist."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.ads.facebook.buttons import button as facebook_button
from integrations.ads.linkedin.buttons import button as linkedin_button
from integrations.ads.naming import MAX_NAME, ad_name, current_names, effect_key_of, label_of, remote_name

KEY = "3f2a9c0d1e5b"


@given(st.text(max_size=300))
def test_the_key_survives_every_name(name: str) -> None:
    made = remote_name(name, KEY)
    assert effect_key_of(made) == KEY
    assert len(made) <= MAX_NAME
    assert not any(ord(c) < 32 for c in made)
    ad = ad_name(name, KEY, "12-1f3a", 3)
    assert len(ad) <= MAX_NAME
    assert (effect_key_of(ad), label_of(ad).revision, label_of(ad).token, label_of(ad).variant) == (
        KEY,
        12,
        "12-1f3a",
        3,
    )


def test_a_name_cannot_carry_a_foreign_key() -> None:
    assert effect_key_of(remote_name("Sale [ma:aaaaaaaaaaaa]", KEY)) == KEY
    assert effect_key_of("Sale [ma:aaaaaaaaaaaa] by hand") == ""
    assert effect_key_of("Sale") == ""


@pytest.mark.parametrize("key", ["", "xyz", "3F2A9C0D1E5B", "3f2a9c]"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="hex digits"):
        remote_name("Sale", key)


def test_current_names_are_the_newest_that_are_shown() -> None:
    one, two = ad_name("S", KEY, "1-aaaa", 1), ad_name("S", KEY, "2-bbbb", 1)
    redone = ad_name("S", KEY, "2-cccc", 1)
    assert current_names({one: False, two: True}) == [two]
    assert current_names({one: False, two: False, redone: True}) == [redone]
    assert current_names({one: True, two: False}) == [one]  # the update broke off before it paused the old
    assert current_names({one: False}) == [one]
    assert current_names({}) == []


@pytest.mark.parametrize(
    ("text", "facebook", "linkedin"),
    [
        ("Book a demo", "TRY_DEMO", "REQUEST_DEMO"),
        ("Get the checklist", "DOWNLOAD", "DOWNLOAD"),
        ("Start a free trial", "SIGN_UP", "SIGN_UP"),
        ("Learn more", "LEARN_MORE", "LEARN_MORE"),
        ("", "LEARN_MORE", "LEARN_MORE"),
        ("Jetzt lesen", "LEARN_MORE", "LEARN_MORE"),
    ],
)
def test_buttons(text: str, facebook: str, linkedin: str) -> None:
    assert (facebook_button(text), linkedin_button(text)) == (facebook, linkedin)
