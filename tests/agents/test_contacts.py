"""The one filter of contacts: disguises are seen through, what only looks like a contact passes.

``tests/data/contacts.csv`` is a labelled list. The rules were tuned on its part ``tuning``; ``unseen`` measures them.
"""

from __future__ import annotations

import csv
import re
import time
from typing import NamedTuple

import checkout
import pytest

from agents.config import CampaignConfig
from agents.contacts import KnownContacts, check_texts, foreign_contacts
from agents.contacts.brief import brief_contacts
from agents.contacts.known import contacts

BRIEF = KnownContacts.of(
    "Acme makes things. Write to hello@acme.example or call +1 202 555 0100. We work with Booking.com. Follow @acmehq"
    " and https://www.linkedin.com/company/acme",
    website="https://www.acme.example/shop",
)


class Case(NamedTuple):
    part: str
    label: str
    language: str
    form: str
    text: str


def cases() -> list[Case]:
    with (checkout.ROOT / "tests/data/contacts.csv").open(encoding="utf-8", newline="") as lines:
        rows = [Case(**row) for row in csv.DictReader(lines)]
    return [row._replace(text=unescaped(row.text)) for row in rows]


def unescaped(text: str) -> str:
    text = re.sub(r"\\U([0-9a-f]{8})|\\u([0-9a-f]{4})", lambda m: chr(int(m[1] or m[2], 16)), text)
    return text.replace("\\n", "\n")


@pytest.mark.parametrize("part", ["tuning", "unseen"])
def test_precision_and_recall(part: str) -> None:
    rows = [row for row in cases() if row.part == part]
    hit = {row: bool(foreign_contacts(row.text, BRIEF)) for row in rows}
    missed = [row for row in rows if row.label == "contact" and not hit[row]]
    wrong = [row for row in rows if row.label == "clean" and hit[row]]
    right = sum(hit.values()) - len(wrong)
    precision, recall = right / (right + len(wrong)), right / (right + len(missed))
    print(f"{part}: {len(rows)} texts, precision {precision:.3f}, recall {recall:.3f}")
    told = "\n".join(f"{row.label}, {row.form}: {row.text!r}" for row in (*missed, *wrong))
    assert precision >= 0.98, told
    assert recall >= 0.97, told


def test_the_list_is_big_and_balanced() -> None:
    rows = cases()
    assert len(rows) >= 120
    assert len({row.language for row in rows}) >= 4
    for label in ("contact", "clean"):
        found = [row for row in rows if row.label == label]
        assert len(found) / len(rows) >= 0.45
        assert sum(row.part == "unseen" for row in found) / len(found) >= 0.25


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("https://acme.example/a and blog.acme.example", False),
        ("acme.example.evil.example", True),
        ("https://acme.example@evil.example/", True),
        ("https://acme.example/r?u=https://evil.example", True),
        ("https://booking.com", False),
        ("https://evil.booking.com", True),
        ("https://linkedin.com/company/acme/about", False),
        ("https://linkedin.com/company/acme-evil", True),
        ("linkedin.com", True),
        ("hello@acme.example", False),
        ("bob@acme.example", True),
        ("+1 (202) 555-0100", False),
        ("+44 202 555 0100", True),
        ("@acmehq", False),
        ("@acmehq2", True),
    ],
)
def test_what_the_brief_gives_is_allowed_just_as_it_is_given(text: str, foreign: bool) -> None:
    assert bool(foreign_contacts(text, BRIEF)) is foreign


@pytest.mark.parametrize(
    ("website", "text", "foreign"),
    [
        ("https://shop.acme.co.uk/", "https://acme.co.uk and www.acme.co.uk/x", False),
        ("https://shop.acme.co.uk/", "evil.co.uk", True),
        ("https://acme.github.io/", "https://evil.github.io", True),
        ("https://www.facebook.com/acme", "https://facebook.com/acme", False),
        ("https://www.facebook.com/acme", "https://facebook.com/evil", True),
        ("https://müller.de/", "xn--mller-kva.de", False),
        ("https://müller.de/", "muller.de", True),
        ("http://localhost:8000/", "http://localhost:8000/a", False),
    ],
)
def test_a_web_site_stands_for_what_its_owner_registered(website: str, text: str, foreign: bool) -> None:
    assert bool(foreign_contacts(text, KnownContacts.of(website=website))) is foreign


def test_a_site_that_many_share_stands_for_no_page_on_it() -> None:
    known = KnownContacts.of("We advertise on linkedin.com and partner.example")
    assert not foreign_contacts("linkedin.com, partner.example/offer", known)
    assert foreign_contacts("linkedin.com/in/evil", known)


def test_the_brief_is_what_the_user_wrote() -> None:
    config = CampaignConfig.model_validate(
        {
            "name": "Launch of draw.io",
            "target_audience": {"industry": "saas", "keywords": ["Monday.com"]},
            "brand": {"name": "Acme", "website": "https://acme.example", "description": "Write to hi@acme.example"},
            "content_requirements": [{"content_type": "blog_post", "topic": "t", "call_to_action": "Call 030 1234567"}],
        }
    )
    known = brief_contacts(config)
    assert not foreign_contacts("draw.io, Monday.com, hi@acme.example, +49 30 1234567, www.acme.example", known)
    assert KnownContacts.model_validate(known.model_dump(mode="json")) == known


def test_a_complaint_names_the_field_and_gives_nobody_away() -> None:
    check_texts({"title": "Ours", "body": "See acme.example"}, BRIEF)
    with pytest.raises(ValueError, match=r"^body names what the brief lacks: .*evil\.example") as caught:
        check_texts({"title": "Ours", "body": "jane.doe@evil.example, evil.example, +49 30 1234567"}, BRIEF)
    assert "jane" not in str(caught.value)
    assert "1234567" not in str(caught.value)
    with pytest.raises(ValueError, match="the whole"):
        check_texts({"headline": "Call 0171", "description": "2345678 now"}, BRIEF)


SLOW = (
    *("a.", "a ", "<", "<a ", "(", "](", "&amp;", "1 ", "1-", "@", "a@", "a dot ", "x", "[", "\n[a]: ", "http://", "-"),
    *("zero ", "_a", " ", "\\", "a:", "%25", 'a="', "<!--", "+1 (", "a at ", "( at ", "a slash ", "www ", "a . "),
    *("https:", "//a.", "u/", "telegram ", "<a href='", "`", "\u0430.", "dm ", "word "),
)


@pytest.mark.parametrize("part", SLOW)
def test_no_text_takes_long(part: str) -> None:
    """Four times the text takes about four times as long, whatever it is; answers have up to 60,000 characters."""

    def seconds(size: int) -> float:
        before = time.process_time()
        contacts((part * size)[:size])
        return time.process_time() - before

    seconds(100)
    assert seconds(8_000) < 10 * max(seconds(2_000), 0.02)
