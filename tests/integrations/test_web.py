"""Web scraping: robots.txt is never overstepped, private networks are never reached, odd pages never hurt."""

from __future__ import annotations

import socket
import threading
import time
from ipaddress import ip_address

import pytest
from raw_server import raw_server, saying, trickling
from stack import Sandbox

from integrations.errors import (
    BadRequestError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    PermanentError,
    PolicyRefusedError,
    RateLimitedError,
    TransientError,
)
from integrations.outbound import Reach, is_public
from integrations.sandbox.sites import SitesSandbox
from integrations.sandbox.world import Company, Mail, Quirk, World
from integrations.settings import Settings
from integrations.web.fetch import MAX_BYTES, WebFetcher, decode
from integrations.web.guard import check_addresses, check_url
from integrations.web.links import rank_of, ranked_links, same_site
from integrations.web.robots import parse, product_token

WORLD = World.build(7)
SITES = SitesSandbox()
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>Hello</p>"
NO_ROBOTS = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def settings(sandbox: Sandbox | None = None, **env: str) -> Settings:
    given = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""} if sandbox else {}
    return Settings.from_env({**given, **env})


@pytest.fixture
def web(sandbox: Sandbox) -> WebFetcher:
    return WebFetcher(settings(sandbox))


def company(*, robots: str = "Disallow: /private/\n", quirk: Quirk | None = None) -> Company:
    """A company whose robots.txt ends with ``robots`` and whose site has the quirk."""
    return next(
        c
        for c in WORLD.companies
        if c.mail is not Mail.NONE and quirk in (None, c.quirk) and SITES.robots(c).endswith(f"User-agent: *\n{robots}")
    )


def start(sandbox: Sandbox, site: Company) -> str:
    return f"http://{site.domain}:{sandbox.url.rpartition(':')[2]}/"


def asked(sandbox: Sandbox) -> list[str]:
    return [call["endpoint"] for call in sandbox.get("/_sandbox/calls?provider=web")]


def test_a_site_is_read_people_first_and_its_private_part_is_not(web: WebFetcher, sandbox: Sandbox) -> None:
    site = company()
    found = web.crawl(start(sandbox, site), max_pages=10, timeout=5)
    paths = [page.url.rpartition(":")[2].partition("/")[2] for page in found.pages]
    assert paths == ["", "team", "about", "contact"]
    assert found.forbidden == 1
    assert asked(sandbox)[0] == f"GET {site.domain}/robots.txt"
    assert not any("/private" in endpoint for endpoint in asked(sandbox))


def test_a_page_that_robots_txt_keeps_is_never_requested(web: WebFetcher, sandbox: Sandbox) -> None:
    site = company(robots="Disallow: /private/\nDisallow: /team\n")
    found = web.crawl(start(sandbox, site), max_pages=10, timeout=5)
    assert found.forbidden == 2
    assert not any("/team" in endpoint for endpoint in asked(sandbox))


def test_a_closed_site_is_left_alone(web: WebFetcher, sandbox: Sandbox) -> None:
    site = company(robots="Disallow: /\n")
    with pytest.raises(PolicyRefusedError) as caught:
        web.crawl(start(sandbox, site), max_pages=10, timeout=5)
    assert caught.value.detail == "robots"
    assert asked(sandbox) == [f"GET {site.domain}/robots.txt"]


def test_the_page_budget_holds(web: WebFetcher, sandbox: Sandbox) -> None:
    assert len(web.crawl(start(sandbox, company()), max_pages=2, timeout=5).pages) == 2


def test_redirects_and_old_encodings_are_read(web: WebFetcher, sandbox: Sandbox) -> None:
    moved = web.fetch(start(sandbox, company(quirk=Quirk.REDIRECT)), timeout=5)
    assert moved.url.endswith("/home")
    dirty = web.fetch(start(sandbox, company(quirk=Quirk.DIRTY)), timeout=5)
    assert "Sandbox site" in dirty.html


def test_robots_txt_is_read_once_per_site(web: WebFetcher, sandbox: Sandbox) -> None:
    site = company()
    web.crawl(start(sandbox, site), max_pages=10, timeout=5)
    web.crawl(start(sandbox, site), max_pages=10, timeout=5)
    assert asked(sandbox).count(f"GET {site.domain}/robots.txt") == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("down", TransientError), ("rate_limited", RateLimitedError), ("lost_reply", TransientError)],
)
def test_an_unreadable_robots_txt_forbids_everything_for_now(
    web: WebFetcher, sandbox: Sandbox, mode: str, expected: type[IntegrationError]
) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "web", "mode": mode})
    with pytest.raises(expected) as caught:
        web.fetch(start(sandbox, company()), timeout=5)
    assert type(caught.value) is expected
    assert all(endpoint.endswith("/robots.txt") for endpoint in asked(sandbox))


def test_failing_pages_are_counted(web: WebFetcher, sandbox: Sandbox) -> None:
    site = company()
    web.fetch(start(sandbox, site), timeout=5)
    pages = iter(range(10))

    def second_fails(url: str) -> object:
        if next(pages) == 1:
            raise TransientError("web", "not now")
        return web.fetch(url, timeout=5)

    found = web.crawl(start(sandbox, site), max_pages=10, timeout=5, fetch=second_fails)  # type: ignore[arg-type]  # returns pages
    assert found.failed == 1
    assert len(found.pages) == 3


def test_hosts_that_are_not_there(web: WebFetcher) -> None:
    with pytest.raises(NotFoundError):
        web.fetch("http://nobody.example/", timeout=5)
    with pytest.raises(TransientError):
        web.fetch("http://127.0.0.1:1/", timeout=5)


def test_a_pause_is_kept_between_two_requests(sandbox: Sandbox) -> None:
    web = WebFetcher(settings(sandbox, WEB_DELAY="0.1"))
    began = time.monotonic()
    web.crawl(start(sandbox, company()), max_pages=3, timeout=5)
    took = time.monotonic() - began
    after_robots = sandbox.get("/_sandbox/calls?provider=web")[1:]
    assert len(after_robots) == 3
    assert took >= 0.1 * (len(after_robots) - 1)


def test_we_say_who_we_are() -> None:
    with raw_server(saying(PAGE)) as server:
        WebFetcher(settings(WEB_USER_AGENT="AcmeBot/2.0 (+https://acme.example)")).fetch(server.url, timeout=5)
    assert all(b"User-Agent: AcmeBot/2.0 (+https://acme.example)" in request for request in server.requests)
    assert product_token("AcmeBot/2.0 (+https://acme.example)") == "AcmeBot"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n", PolicyRefusedError),
        (b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", NotFoundError),
        (b"HTTP/1.1 429 x\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", RateLimitedError),
        (b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", TransientError),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n%PDF", InvalidAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"x" * (MAX_BYTES + 1), InvalidAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nxx", InvalidAnswerError),
        (b"HTTP/1.1 302 x\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", BadRequestError),
        (b"HTTP/1.1 302 x\r\nLocation: http://[bad\r\nConnection: close\r\n\r\n", BadRequestError),
        (b"HTTP/1.1 302 x\r\nLocation: /\xff\xfe\r\nConnection: close\r\n\r\n", BadRequestError),
        (b"HTTP/1.1 300 x\r\nContent-Type: text/html\r\nConnection: close\r\n\r\nhello", PermanentError),
        (b"HTTP/1.1 304 x\r\nConnection: close\r\n\r\n", PermanentError),
        (b"HTTP/1.1 302 x\r\nConnection: close\r\n\r\n", PermanentError),
        (b"HTTP/1.1 405 x\r\nContent-Length: 0\r\n\r\n", PermanentError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", InvalidAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 90\r\n\r\n<p>", TransientError),
        (b"\x00\xff nonsense\r\n\r\n", TransientError),
    ],
)
def test_error_table(answer: bytes, expected: type[IntegrationError]) -> None:
    def by_path(peer: socket.socket, _over: threading.Event) -> None:
        peer.sendall(NO_ROBOTS if b"robots.txt" in server.requests[-1] else answer)

    with raw_server(by_path) as server, pytest.raises(expected) as caught:
        WebFetcher(settings()).fetch(server.url, timeout=5)
    assert type(caught.value) is expected


def test_a_redirects_body_is_not_read() -> None:
    endless = trickling(b"HTTP/1.1 302 x\r\nLocation: /next\r\n\r\n")

    def by_path(peer: socket.socket, over: threading.Event) -> None:
        if b"robots.txt" in server.requests[-1]:
            peer.sendall(NO_ROBOTS)
        elif b"/next" in server.requests[-1]:
            peer.sendall(PAGE)
        else:
            endless(peer, over)

    with raw_server(by_path) as server:
        assert WebFetcher(settings()).fetch(server.url, timeout=5).html == "<p>Hello</p>"


def test_a_trickling_page_ends_by_its_timeout() -> None:
    def by_path(peer: socket.socket, over: threading.Event) -> None:
        slow = trickling(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        (saying(NO_ROBOTS) if b"robots.txt" in server.requests[-1] else slow)(peer, over)

    with raw_server(by_path) as server:
        began = time.monotonic()
        with pytest.raises(TransientError):
            WebFetcher(settings()).fetch(server.url, timeout=0.5)
        assert time.monotonic() - began < 2


# The guard against private networks


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "198.18.0.1", "192.0.2.1"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fec0::1", "fc00::1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::", "ff02::1", "2001:db8::1"),
        "2001:0:a9fe:a9fe::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(PolicyRefusedError):
        check_addresses(["8.8.8.8", address], Reach.PUBLIC)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ip_address(address))
    assert check_addresses([address], Reach.PUBLIC) == address


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://acme.com/", "file:///etc/passwd", "gopher://acme.com", "javascript:alert(1)", "//acme.com", "http://"),
        *("http://user:pass@acme.com/", "http://@acme.com/", "http://acme.com:99999/", "http://[::1", "x" * 3000),
    ],
)
def test_urls_that_are_no_pages(url: str) -> None:
    with pytest.raises(BadRequestError):
        check_url(url, Reach.LOOPBACK)


@pytest.mark.parametrize(
    "url", ["https://www.linkedin.com/in/x", "https://linkedin.com.", "http://x.com/y", "http://acme.com:22/"]
)
def test_urls_that_are_never_fetched(url: str) -> None:
    with pytest.raises(PolicyRefusedError):
        check_url(url, Reach.PUBLIC)


def live() -> Settings:
    """Settings that allow public hosts only, as in live mode."""
    return settings().model_copy(update={"web_reach": Reach.PUBLIC})


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/"),
        *("http://169.254.169.254/latest/meta-data/", "http://10.1.2.3/", "http://[fd00::1]/"),
    ],
)
def test_private_hosts_are_refused_without_a_request(url: str) -> None:
    with pytest.raises(PolicyRefusedError):
        WebFetcher(live()).fetch(url, timeout=2)


def test_a_name_that_points_inside_is_refused(sandbox: Sandbox) -> None:
    web = WebFetcher(settings(sandbox).model_copy(update={"web_reach": Reach.PUBLIC}))
    with pytest.raises(PolicyRefusedError):
        web.fetch(f"http://{company().domain}/", timeout=5)
    assert asked(sandbox) == []


def test_a_redirect_inside_is_refused() -> None:
    answer = b"HTTP/1.1 302 x\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def by_path(peer: socket.socket, _over: threading.Event) -> None:
        peer.sendall(NO_ROBOTS if b"robots.txt" in server.requests[-1] else answer)

    with raw_server(by_path) as server, pytest.raises(PolicyRefusedError):
        WebFetcher(settings()).fetch(server.url, timeout=5)


def test_the_checked_address_is_the_one_that_is_connected_to(web: WebFetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that says something else at the second question (rebinding) changes nothing."""

    def no_second_question(host: str, *args: object, **kwargs: object) -> list[object]:
        ip_address(host)  # an address needs no question; a name here would be one
        return real(host, *args, **kwargs)  # type: ignore[arg-type,return-value]  # hands its arguments through

    real = socket.getaddrinfo
    with raw_server(saying(PAGE)) as server:
        monkeypatch.setattr(socket, "getaddrinfo", no_second_question)
        page = web.fetch(f"http://{company().domain}:{server.port}/", timeout=5)
    assert page.html == "<p>Hello</p>"
    assert f"Host: {company().domain}:{server.port}".encode() in server.requests[-1]


# Rules and links


def test_robots_rules() -> None:
    text = b"User-agent: *\nDisallow: /a\nAllow: /a/public\nDisallow: /*.pdf$\n"
    text += b"\nUser-agent: AcmeBot\nDisallow: /b\nCrawl-delay: 3\n"
    everyone, acme = parse(text, "OtherBot"), parse(text, "AcmeBot")
    base = "http://acme.example"
    assert not everyone.allows(f"{base}/a/x")
    assert everyone.allows(f"{base}/a/public")
    assert not everyone.allows(f"{base}/x.pdf")
    assert everyone.allows(f"{base}/b")
    assert not acme.allows(f"{base}/b")
    assert acme.delay_s() == 3
    assert parse(None, "AcmeBot").allows(f"{base}/anything")
    assert parse(b"\xff\xfe junk \x00", "AcmeBot").allows(f"{base}/x")
    assert not parse("User-agent: *\nDisallow: /é".encode(), "AcmeBot").allows(f"{base}/é")


def test_links_are_ranked() -> None:
    html = """<base href="http://acme.example/de/"><a href=team>Team</a><a href="/about">x</a><a href="/blog/1">Blog</a>
    <a href="/x.pdf">pdf</a><a href="http://other.example/">other</a><a href="mailto:a@b">m</a><a href="#top">t</a>
    <a href="/p?id=1">p</a><a href="http://[bad">bad</a><a href="https://www.acme.example/contact">c</a><a>none</a>"""
    found = {url: rank for rank, url in ranked_links(html, "http://acme.example/")}
    assert found == {
        "http://acme.example/de/team": 4,
        "http://acme.example/about": 3,
        "https://www.acme.example/contact": 2,
        "http://acme.example/p?id=1": 0,
        "http://acme.example/de/": 0,
    }
    assert rank_of("/careers", "") is None
    assert not same_site("http://127.0.0.1:81/", "http://127.0.0.1:82/")


@pytest.mark.parametrize(
    ("body", "header", "text"),
    [
        ("é".encode(), "text/html", "é"),
        ("é".encode("latin-1"), "text/html", "é"),
        ("é".encode("cp1252"), "text/html; charset=windows-1252", "é"),
        (b'<meta charset="iso-8859-2">\xe6', "text/html", '<meta charset="iso-8859-2">ć'),
        ("é".encode("utf-16"), "text/html", "é"),
        (b"\xef\xbb\xbfx", "text/html; charset=nonsense", "x"),
    ],
)
def test_encodings(body: bytes, header: str, text: str) -> None:
    assert decode(body, header) == text


def test_https_proves_the_hosts_name_not_the_address(web: WebFetcher) -> None:
    """The TLS hello names the host though an address is connected to; a peer without a certificate is refused."""
    with raw_server(saying(b"no tls here")) as server, pytest.raises(TransientError):
        web.fetch(f"https://{company().domain}:{server.port}/", timeout=5)
    assert company().domain.encode() in server.requests[0]
