"""Parameters of links: one scheme, and a page's own address stays as it is written."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ad_platforms import Steps, Wire, spec
from hypothesis import given
from hypothesis import strategies as st

from integrations.ads.landing import is_example
from integrations.ads.registry import build
from integrations.ads.utm import MAX_SLUG, ad_link, campaign_link, slug, tagged
from integrations.settings import Settings

SCHEME = "utm_source=facebook&utm_medium=paid&utm_campaign=spring-sale-3f2a9c0d"


def link(url: str) -> str:
    return campaign_link(url, platform="facebook_ads", name="Spring sale!", campaign_id="3f2a9c0d1e5b77")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("https://acme.test", f"https://acme.test?{SCHEME}"),
        ("https://acme.test/a/?x=1&y=%20z", f"https://acme.test/a/?x=1&y=%20z&{SCHEME}"),
        ("https://acme.test/#/prices?plan=2", f"https://acme.test/?{SCHEME}#/prices?plan=2"),
        ("https://acme.test/?", f"https://acme.test/?{SCHEME}"),
        ("https://acme.test/?x=&", f"https://acme.test/?x=&{SCHEME}"),
        ("https://acme.test/?q=a+b&q=c#top", f"https://acme.test/?q=a+b&q=c&{SCHEME}#top"),
        (
            "https://acme.test/?UTM_Source=news&utm_campaign=",
            "https://acme.test/?UTM_Source=news&utm_campaign=&utm_medium=paid",
        ),
    ],
)
def test_a_link_keeps_what_the_page_has(page: str, expected: str) -> None:
    assert link(page) == expected
    assert link(expected) == expected, "done twice it is the same"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Spring Sale 2026", "spring-sale-2026"),
        ("Été à Paris", "ete-a-paris"),
        ("春のセール", ""),
        ("  --a//b ", "a-b"),
    ],
)
def test_a_name_becomes_a_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_name_without_a_letter_leaves_the_id() -> None:
    found = campaign_link("https://a.test/", platform="linkedin_ads", name="春", campaign_id="c0ffee00aa")
    assert found.endswith("utm_source=linkedin&utm_medium=paid&utm_campaign=c0ffee00")


@given(st.text(max_size=300))
def test_a_slug_can_stand_in_a_query(name: str) -> None:
    assert len(slug(name)) <= MAX_SLUG
    assert not set(slug(name)) - set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.dictionaries(st.sampled_from("abc"), st.text("xyz%2 +", max_size=8)), st.text("ab/?=#", max_size=9))
def test_no_parameter_of_the_page_is_lost(own: dict[str, str], fragment: str) -> None:
    query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in own.items())
    page = f"https://acme.test/p?{query}#{fragment}"
    before, after = urlsplit(page), urlsplit(tagged(page, {"utm_medium": "paid"}))
    assert after.fragment == before.fragment
    assert parse_qsl(after.query, keep_blank_values=True) == [
        *parse_qsl(before.query, keep_blank_values=True),
        ("utm_medium", "paid"),
    ]


def test_each_ad_has_a_link_of_its_own_and_the_same_spec_the_same_links() -> None:
    one, same = spec(landing_url=link("https://acme.test/")), spec(landing_url=link("https://acme.test/"))
    assert (one.token, one.link(1)) == (same.token, same.link(1))
    assert one.link(1) == ad_link(one.landing_url, token=one.token, variant=1)
    assert one.link(1).endswith(f"&utm_content=r{one.token}.1")
    assert one.link(1) != one.link(2)
    assert spec(landing_url=link("https://other.test/")).token != one.token, "another page is another ad"


@pytest.mark.parametrize("name", ["facebook_ads", "linkedin_ads"])
def test_the_links_are_in_what_a_platform_is_sent(sandbox: Any, name: str) -> None:
    ads: Any = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
    wanted = spec(landing_url=link("https://acme.test/?plan=2#top"))
    made = ads.create(wanted, wire=Wire(), steps=Steps())
    if name == "facebook_ads":
        found = ads._graph.pages("act_1000", "adcreatives", wire=Wire(), fields="id,name,object_story_spec")
        data = [item["object_story_spec"]["link_data"] for item in found]
        links = [(one["link"], one["call_to_action"]["value"]["link"]) for one in data]
    else:
        posts = [item["inlineContent"]["post"] for item in ads._creatives(made.id, Wire()).values()]
        links = [(post["contentLandingPage"], post["content"]["article"]["source"]) for post in posts]
    assert links == [(wanted.link(variant),) * 2 for variant in (1, 2)]
    assert links[0][0] == f"https://acme.test/?plan=2&{SCHEME}&utm_content=r{wanted.token}.1#top"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/", True),
        ("https://www.Example.ORG./a", True),
        ("https://example.com.acme.test/", False),
        ("https://acme.test/?to=example.com", False),
        ("https://[bad", False),
    ],
)
def test_names_for_examples(url: str, expected: bool) -> None:
    assert is_example(url) is expected
