"""Addresses as people write them, and which of them are one mailbox."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.email_address import EMAIL, address_hashes, mailbox, mailbox_hash, normal_email, plain_addresses, spellings


@pytest.mark.parametrize(
    "written",
    [
        "kim.lo@acme.example",
        "KIM.LO@Acme.Example.",
        "\ufeffkim.lo@acme.example\u200b",
        "\u202akim.lo@acme.example\u202c",
        "kim.lo\u00a0@ acme.example",
        "kim.lo＠acme.example",
        "'kim.lo@acme.example'",
        "kim.lo@acme.example (mobile)",
        "kim.lo@acme.example (Kim Lo)",
        '"Lo, Kim" <kim.lo@acme.example>',
        "kim.lo@acme.example<mailto:kim.lo@acme.example>",
        "smtp:kim.lo@acme.example",
        "E-Mail: kim.lo@acme.example",
        "mailto:kim.lo%40acme.example?subject=Hello",
        "Kim Lo|kim.lo@acme.example",
        "kim.lo@acme.example; kim@acme.example",
        "kim.lo@acme.example kim@acme.example",
        "n/a, kim.lo@acme.example",
        "kim.lo(at)acme.example",
        "kim.lo [at] acme [dot] example",
        "kim.lo_at_acme.example",
        "kim.lo -at- acme -dot- example",
    ],
)
def test_what_stands_around_an_address(written: str) -> None:
    assert normal_email(written) == "kim.lo@acme.example"


@pytest.mark.parametrize(
    "written",
    [
        *("kim", "kim@acme", "kim.@acme.example", "kim..lo@acme.example", "kim@acme .example", "kim lo@acme.example"),
        *("kim@[192.0.2.1]", "kim@acme.local", "@acme.example", "kim@-acme.example", "meet at acme.example"),
    ],
)
def test_no_addresses(written: str) -> None:
    assert normal_email(written) is None


def test_an_address_is_read_in_the_letters_of_its_domain() -> None:
    assert normal_email("kim@xn--strae-oqa.example") == normal_email("KIM@Straße.example") == "kim@straße.example"
    assert mailbox("kim@straße.example") == "kim@xn--strae-oqa.example" != mailbox("kim@strasse.example")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("k.i.m+shop@googlemail.com", "kim@gmail.com", True),
        ("kim+a@acme.example", "kim+b@acme.example", True),
        ("k.im@acme.example", "kim@acme.example", False),
        ("kim@me.com", "kim@icloud.com", True),
        ("k-i.m@pm.me", "kim@proton.me", True),
        ("kim-lo@ya.ru", "kim.lo@yandex.com", True),
        ("kim@outlook.com", "kim@hotmail.com", False),
        ("kim@bücher.example", "kim@xn--bcher-kva.example", True),
        ("kim@acme.example", "kim@acme.example.com", False),
    ],
)
def test_one_mailbox(one: str, other: str, same: bool) -> None:
    assert (mailbox(one) == mailbox(other)) is same
    assert (mailbox_hash(one) in address_hashes(other)) is same
    assert not same or re.search(spellings(one), other)


@given(st.emails(), st.text("ab.+", max_size=4))
def test_every_spelling_is_found_by_its_own_pattern(email: str, tag: str) -> None:
    written = f"{email.partition('@')[0]}+{tag}@{email.partition('@')[2]}".lower()
    assert mailbox(written) == mailbox(mailbox(written))
    if " " not in written:
        assert re.search(spellings(written), written)


@given(st.text(max_size=80))
def test_any_text_is_an_address_that_stays_or_none(text: str) -> None:
    found = normal_email(text)
    assert found is None or (normal_email(found) == found and "@" in mailbox(found))


def test_sentences_are_left_as_they_are() -> None:
    for text in ("Meet us at acme.example today", "look at this dot.", "chat_at_home", "We are at work"):
        assert plain_addresses(text) == text
    assert plain_addresses("write to kim (at) acme (dot) example.") == "write to kim@acme.example."


def test_an_address_in_a_text_keeps_its_apostrophe() -> None:
    assert EMAIL.findall("mail n.o'hara@acme.example, or 'kim@acme.example'") == [
        "n.o'hara@acme.example",
        "kim@acme.example",
    ]
