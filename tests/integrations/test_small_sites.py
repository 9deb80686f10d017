"""Small sites as they are: pages that lead on, cookies, odd encodings, names in other letters, links without end."""

from __future__ import annotations

import gzip
import zlib

import pytest
from small_site import moved, page, small_site

from integrations.errors import BadRequestError, InvalidAnswerError, TransientError
from integrations.outbound import Reach
from integrations.settings import Settings
from integrations.web.fetch import WebFetcher
from integrations.web.guard import check_url
from integrations.web.links import page_key, refresh_target, same_site
from integrations.web.robots import parse

TEAM = page("<h3>Kim Lo</h3><p>CFO</p>")


def web() -> WebFetcher:
    return WebFetcher(Settings.from_env({}))


def paths(found: object) -> list[str]:
    return [one.url.partition("://")[2].partition("/")[2] for one in found.pages]  # type: ignore[attr-defined]


# Where to go on


@pytest.mark.parametrize(
    ("head", "to"),
    [
        ('<meta http-equiv="refresh" content="0; url=/de/">', "/de/"),
        ("<META HTTP-EQUIV=Refresh CONTENT=\"1;URL='de/start'\">", "/de/start"),
        ('<meta http-equiv="refresh" content="0,/de/">', "/de/"),
        ('<base href="/x/"><meta http-equiv="refresh" content="3 ; url = y">', "/x/y"),
        ('<meta http-equiv="refresh" content="300; url=/de/">', None),
        ('<meta http-equiv="refresh" content="30">', None),
        ('<noscript><meta http-equiv="refresh" content="0; url=/nojs"></noscript>', None),
        ('<meta http-equiv="refresh" content="0; url=javascript:x()">', None),
        ('<meta http-equiv="refresh" content="0; url=http://[x">', None),
    ],
)
def test_pages_that_lead_on(head: str, to: str | None) -> None:
    found = refresh_target(f"<head>{head}</head>", "https://acme.example/")
    assert found == (f"https://acme.example{to}" if to else None)


def test_a_start_page_that_leads_on_is_followed_and_a_ring_is_left() -> None:
    first = page('<meta http-equiv="refresh" content="0; url=/one">')
    ring = {"/": first, "/one": page('<meta http-equiv="refresh" content="0; url=/">')}
    with small_site({"/": first, "/one": page('<a href="/team">Team</a>'), "/team": TEAM}) as site:
        assert paths(web().crawl(site.url, max_pages=5, timeout=5)) == ["one", "team"]
    with small_site(ring) as site:
        assert paths(web().crawl(site.url, max_pages=5, timeout=5)) == ["one"]
        assert site.asked == ["/", "/one"]


def test_cookies_last_for_one_page() -> None:
    def wall(request: bytes) -> bytes:
        return TEAM if b"ookie: seen=yes" in request else moved(b"/set")

    with small_site({"/": wall, "/set": moved(b"/", "Set-Cookie: seen=yes; Path=/")}) as site:
        reader = web()
        assert "Kim Lo" in reader.fetch(site.url, timeout=5).html
        reader.fetch(site.url, timeout=5)
        assert site.asked == ["/", "/set", "/"] * 2


def test_a_redirect_in_other_letters_is_followed() -> None:
    with small_site({"/": moved("/über-uns".encode()), "/%C3%BCber-uns": TEAM}) as site:
        assert "Kim Lo" in web().fetch(site.url, timeout=5).html


# What is read first, and how much


def test_a_page_is_read_once_whatever_its_visit_is_called() -> None:
    links = "".join(
        f'<a href="/team;jsessionid={n:032}?utm_source=a{n}">T</a><a href="/team?PHPSESSID={n}">T</a>' for n in range(5)
    )
    with small_site({"/": page(links), **{f"/team;jsessionid={n:032}": TEAM for n in range(5)}, "/team": TEAM}) as site:
        assert len(web().crawl(site.url, max_pages=9, timeout=5).pages) == 2
    assert page_key("https://www.acme.example/a/?id=3&gclid=x") == page_key("http://acme.example/a?id=3")
    assert page_key("https://acme.example/a?id=3") != page_key("https://acme.example/a?id=4")


def test_pages_of_one_kind_do_not_take_all_the_budget() -> None:
    links = "".join(f'<a href="/rooms/2031-{n:02}">&gt;</a>' for n in range(20)) + '<a href="/house">House</a>'
    many = {f"/rooms/2031-{n:02}": page("x") for n in range(20)}
    with small_site({"/": page(links), "/house": page("y"), **many}) as site:
        assert "house" in paths(web().crawl(site.url, max_pages=5, timeout=5))


@pytest.mark.parametrize(
    "path", ["ueber-uns", "qui-sommes-nous", "quienes-somos", "chi-siamo", "quem-somos", "over-ons", "o-nas", "ansatte"]
)
def test_people_are_looked_for_in_many_languages(path: str) -> None:
    links = "".join(f'<a href="/{letter}">{letter}</a>' for letter in "abcdef") + f'<a href="/{path}">-</a>'
    with small_site({"/": page(links), f"/{path}": TEAM}) as site:
        web().crawl(site.url, max_pages=2, timeout=5)
        assert site.asked == ["/", f"/{path}"]


def test_tries_are_bounded_where_everything_is_missing() -> None:
    with small_site({"/": page("".join(f'<a href="/team/{n}">Team</a>' for n in range(300)))}) as site:
        found = web().crawl(site.url, max_pages=4, timeout=5)
        assert (len(found.pages), found.missing, len(site.asked)) == (1, 16, 17)


# On the wire


def test_a_body_of_several_gzip_members_is_read_whole() -> None:
    body = b"".join(gzip.compress(part) for part in (b"<h3>Kim", b" Lo</h3>", b"<p>CFO</p>"))
    for encoding in ("gzip", "gzip, identity", "x-gzip"):
        with small_site({"/": page(body, f"Content-Encoding: {encoding}")}) as site:
            assert web().fetch(site.url, timeout=5).html == "<h3>Kim Lo</h3><p>CFO</p>"


def test_a_body_that_is_no_gzip_is_refused() -> None:
    for raw, encoding in ((b"<p>x", "gzip"), (zlib.compress(b"<p>x"), "deflate"), (b"<p>x", "gzip, br")):
        with small_site({"/": page(raw, f"Content-Encoding: {encoding}")}) as site, pytest.raises(InvalidAnswerError):
            web().fetch(site.url, timeout=5)


def test_interim_answers_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    with small_site({"/": b"HTTP/1.1 102 Processing\r\n\r\n" + hints * 2 + TEAM}) as site:
        assert "Kim Lo" in web().fetch(site.url, timeout=5).html
    with small_site({"/": hints * 40 + TEAM}) as site, pytest.raises(TransientError):
        web().fetch(site.url, timeout=5)


def test_a_host_in_other_letters_is_asked_for_in_ascii() -> None:
    hosts: list[bytes] = []

    def seen(request: bytes) -> bytes:
        hosts.append(next(line for line in request.split(b"\r\n") if line.lower().startswith(b"host:")))
        return TEAM

    with small_site({"/": seen}) as site:
        port = site.url.rpartition(":")[2]
        found = web().fetch(f"http://Straße.localhost:{port}/", timeout=5)
    assert hosts == [f"Host: xn--strae-oqa.localhost:{port}".encode()]
    assert found.url == f"http://xn--strae-oqa.localhost:{port}/"
    assert same_site(found.url, f"http://straße.localhost:{port}/team")
    assert check_url("https://москва.рф/", Reach.PUBLIC).host == "xn--80adxhks.xn--p1ai"
    with pytest.raises(BadRequestError):
        check_url("https://\u200d.example/", Reach.PUBLIC)


# robots.txt


@pytest.mark.parametrize("agent", ["AcmeBot", "acmebot/2.1", "AcmeBot (+https://x.example)", "AcmeBot*", " AcmeBot  "])
def test_our_name_in_robots_txt_however_it_is_written(agent: str) -> None:
    rules = parse(f"User-agent: *\nDisallow: /a\n\nuser agent: {agent}\ndissallow: /b\n".encode(), "AcmeBot")
    assert rules.allows("https://acme.example/a")
    assert not rules.allows("https://acme.example/b")
    assert parse(b"User-agent: AcmeBot2\nDisallow: /", "AcmeBot").allows("https://acme.example/b")


def test_robots_txt_that_can_not_be_read_closes_the_site_for_now() -> None:
    oddly = page(zlib.compress(b"User-agent: *\nDisallow: /"), "Content-Encoding: deflate", kind="text/plain")
    with small_site({"/": TEAM}, robots=oddly) as site, pytest.raises(TransientError):
        web().fetch(site.url, timeout=5)
    assert site.asked == []


def test_robots_txt_that_leads_to_no_url_is_none() -> None:
    with small_site({"/": TEAM}, robots=moved(b"http://[x")) as site:
        assert "Kim Lo" in web().fetch(site.url, timeout=5).html


@pytest.mark.parametrize(
    ("rules", "path"),
    [("Disallow: */board", "/x/board"), ("Disallow: /*id=", "/board?id=3"), ("\nDisallow: /board", "/board")],
)
def test_pages_that_rules_keep_are_not_asked_for(rules: str, path: str) -> None:
    robots = page(f"\ufeffUser-agent: OtherBot\n\nUser-agent: *\n{rules}\n", kind="text/plain")
    with small_site({"/": page(f'<a href="{path}">Board</a>'), path: TEAM}, robots=robots) as site:
        assert web().crawl(site.url, max_pages=5, timeout=5).forbidden == 1
        assert site.asked == ["/"]


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "image/png"])
def test_what_is_no_html_is_refused(kind: str) -> None:
    with small_site({"/": page("<p>x", kind=kind)}) as site, pytest.raises(InvalidAnswerError):
        web().fetch(site.url, timeout=5)
    with small_site({"/": page("<p>x", kind="application/xhtml+xml")}) as site:
        assert web().fetch(site.url, timeout=5).html == "<p>x"
