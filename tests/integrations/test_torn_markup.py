"""Pages that the standard library's parser refuses as a whole, and links that lead nowhere."""

from __future__ import annotations

import pytest

from agents.lead_generation.page_text import read_page
from integrations.web.fetch import decode
from integrations.web.links import ranked_links
from integrations.web.markup import parsable

PAGE = "<h3>Jane Roe</h3><a href='/team'>Team</a>{}<p>John Poe</p><a href='/about'>About</a>"


@pytest.mark.parametrize(
    "torn",
    [
        *("<![x]>", "<![1]>", "<![ x ]>", "<p><![ </p>", "<![if IE]>", "<![endif]>"),
        *("<![CDATA[", "<![CDATA[ x ]]>", "<!>"),
    ],
)
def test_what_browsers_skip_costs_no_text_and_no_link(torn: str) -> None:
    html = PAGE.format(torn)
    assert {"Jane Roe", "John Poe"} <= {word for line in read_page(html).lines for word in (line, line[:8], line[-8:])}
    assert {url for _, url in ranked_links(html, "https://acme.example/")} == {
        *("https://acme.example/team", "https://acme.example/about")
    }


def test_plain_markup_is_left_alone() -> None:
    for html in ("<p>a</p>", "<!-- <b> -->", "<![CDATA[ kept ]]>"):
        assert parsable(html) == html


@pytest.mark.parametrize("base", ["http://[bad", "https://a:x/", "//[", "http://[::1"])
def test_a_base_that_is_no_url_counts_as_none(base: str) -> None:
    html = f'<base href="{base}"><a href="http://[bad">x</a><a href="/team">Team</a><a href="/a\0b">Odd</a>'
    found = {url for _, url in ranked_links(html, "https://acme.example/")}
    assert "http://[bad" not in found
    assert not any("\0" in url for url in found)
    if base.startswith(("http://[", "//[")):
        assert found == {"https://acme.example/team"}


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "undefined", "x\xff"])
def test_a_charset_that_no_page_has_is_not_believed(charset: str) -> None:
    assert decode(rb"J\u00f6rn \ud800-", f"text/html; charset={charset}") == r"J\u00f6rn \ud800-"
    assert decode(b"a\0b\x1b[1m", "text/html") == "ab"
