"""Where connections may go: nothing leaves loopback in sandbox mode, and no page leads inside in live mode.

The run's own guard (:mod:`loopback_guard`) fails a test whose process looks up a name or connects beyond loopback, so
that a refusal here proves that nothing was sent.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType

import psutil
import pytest
from raw_server import raw_server, saying

from integrations.ads.facebook.wire import Graph
from integrations.ads.linkedin.client import LinkedInAds
from integrations.dns import Dns
from integrations.errors import OutOfReachError, PolicyRefusedError
from integrations.http import send
from integrations.hunter import Hunter
from integrations.llm.models import ChatModels
from integrations.outbound import AddressRefusedError, Reach, check_host, leads_to_loopback
from integrations.serpapi import SerpApi
from integrations.settings import ProviderSettings, Settings, SettingsError
from integrations.web.fetch import WebFetcher

#: Addresses that are not this machine: a documentation network, names, and this machine's unspecified address.
AWAY = ("http://203.0.113.7", "http://[2001:db8::1]", "http://model.example", "http://0.0.0.0", "http://sub.localhost")


def pointing(url: str) -> Settings:
    """Sandbox settings whose providers are all at ``url``, as if the check at the start had let it pass."""
    settings = Settings.from_env({})
    providers = {
        name: ProviderSettings(
            name=name, base_url=url, reach=one.reach, credentials=one.credentials, options=one.options
        )
        for name, one in settings.providers.items()
    }
    return settings.model_copy(update={"providers": MappingProxyType(providers)})


CALLS: dict[str, Callable[[Settings], object]] = {
    "openai": lambda s: ChatModels(s).complete([{"role": "user", "content": "x"}], timeout=5),
    "serpapi": lambda s: SerpApi(s).page("x", timeout=5),
    "hunter": lambda s: Hunter(s).verify("a@b.example", timeout=5),
    "facebook_ads": lambda s: Graph(s.provider("facebook_ads")).post("act_1", "campaigns", timeout=5),
    "linkedin_ads": lambda s: LinkedInAds(s).account(wire=lambda call: call(5.0)),
}


@pytest.mark.parametrize("provider", CALLS)
@pytest.mark.parametrize("url", AWAY)
def test_a_clients_connection_off_this_machine_is_refused(provider: str, url: str) -> None:
    with pytest.raises(OutOfReachError, match="not on this machine") as caught:
        CALLS[provider](pointing(url))
    assert caught.value.provider == provider


def test_an_own_address_that_is_no_loopback_one_gets_nothing() -> None:
    with own_address() as listener:
        host, port = listener.getsockname()[:2]
        for call in CALLS.values():
            with pytest.raises(OutOfReachError):
                call(pointing(f"http://{host}:{port}"))
        with pytest.raises(PolicyRefusedError):
            WebFetcher(Settings.from_env({})).fetch(f"http://{host}:{port}/", timeout=5)
        with pytest.raises(BlockingIOError):  # nobody has connected
            listener.accept()


@contextmanager
def own_address() -> Iterator[socket.socket]:
    """Listen on an address of this machine's network interfaces."""
    found = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family is socket.AF_INET and not one.address.startswith("127.")
    ]
    if not found:
        pytest.skip("this machine has loopback addresses only")
    with socket.socket() as listener:
        listener.bind((found[0], 0))
        listener.listen()
        listener.setblocking(False)
        yield listener


def test_a_call_without_a_reach_stays_on_this_machine() -> None:
    with pytest.raises(OutOfReachError):
        send("x", "GET", "http://203.0.113.7/", timeout=5)
    with raw_server(saying(b"HTTP/1.1 200 x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")) as server:
        assert send("x", "GET", server.url, timeout=5).status == 200
        assert send("x", "GET", server.url.replace("127.0.0.1", "localhost"), timeout=5).status == 200


@pytest.mark.parametrize(
    "url", ["http://203.0.113.7/", "http://10.0.0.1/", "http://192.168.1.1:8080/", "http://8.8.8.8/", "http://0.0.0.0/"]
)
def test_no_page_leads_a_sandbox_away(url: str) -> None:
    with pytest.raises(PolicyRefusedError):
        WebFetcher(Settings.from_env({})).fetch(url, timeout=5)


@pytest.mark.parametrize("path", ["page", "robots"])
def test_no_redirect_leads_a_sandbox_away(path: str) -> None:
    away = b"HTTP/1.1 302 x\r\nLocation: http://203.0.113.7/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    none = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def answer(peer: socket.socket, _over: object) -> None:
        robots = b"robots.txt" in server.requests[-1]
        peer.sendall(away if robots == (path == "robots") else none)

    with raw_server(answer) as server, pytest.raises(PolicyRefusedError):
        WebFetcher(Settings.from_env({})).fetch(server.url, timeout=5)


def test_a_sandbox_without_a_name_server_of_its_own_asks_none() -> None:
    dns = Dns(Settings.from_env({}))
    assert dns.mail_domain("acme.com", timeout=5).status == "unknown"
    with pytest.raises(OutOfReachError, match="DNS_RESOLVER"):
        dns.addresses("acme.com", timeout=5)
    assert dns.addresses("localhost", timeout=5) == ["127.0.0.1"]
    elsewhere = Settings.from_env({}).model_copy(update={"dns_resolver": ("203.0.113.7", 53)})
    assert Dns(elsewhere).mail_domain("acme.com", timeout=5).status == "unknown"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SANDBOX_URL", "http://sandbox:8750"),
        ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        ("OPENAI_BASE_URL", "http://127.0.0.1@evil.example/v1"),
        ("SERPAPI_BASE_URL", "http://192.168.1.5"),
        ("FACEBOOK_BASE_URL", "http://2130706434"),
        ("LINKEDIN_ADS_BASE_URL", "http://0.0.0.0:80"),
        ("HUNTER_BASE_URL", "http://localhost.evil.example"),
        ("DNS_RESOLVER", "8.8.8.8:53"),
        ("DNS_RESOLVER", "[2001:db8::1]:53"),
    ],
)
def test_an_address_elsewhere_is_refused_at_the_start_of_a_sandbox(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({variable: value})
    assert variable in str(caught.value)
    assert value.rpartition("@")[2] in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    Settings.from_env({variable: value, "MARKETING_MODE": "live"})


def test_a_password_in_a_refused_address_is_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"OPENAI_BASE_URL": "https://me:hidden@model.example/v1?key=hidden"})
    assert "hidden" not in str(caught.value)
    assert "model.example/v1" in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://localhost", "https://[::1]:9/", "http://127.8.8.8"])
def test_addresses_of_this_machine(url: str) -> None:
    assert leads_to_loopback(url)
    assert Settings.from_env({"OPENAI_BASE_URL": url}).llm_url == url.rstrip("/")


@pytest.mark.parametrize("host", ["acme.com", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "0.0.0.0", "[::1]"])
def test_a_pages_connection_goes_to_checked_public_addresses_only(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_host(host, Reach.PUBLIC)
    check_host("93.184.215.14", Reach.PUBLIC)


def test_the_check_stands_where_a_page_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that changed after it was checked is refused by the connection itself."""
    settings = Settings.from_env({"MARKETING_MODE": "live"})
    monkeypatch.setattr("integrations.web.fetch.check_addresses", lambda found, _reach: found[0])
    with pytest.raises(PolicyRefusedError, match="public Internet"):
        WebFetcher(settings).fetch("http://127.0.0.1/", timeout=5)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "::ffff:127.0.0.1"])
def test_other_ways_of_writing_a_private_address_are_refused(host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    with pytest.raises(PolicyRefusedError, match="public Internet"):
        WebFetcher(Settings.from_env({"MARKETING_MODE": "live"})).fetch(f"http://{shown}/", timeout=5)
