"""Mail domains and addresses through the sandbox's DNS: what refuses, what is only silent."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stack import Sandbox

from integrations.dns import Dns
from integrations.errors import NotFoundError, TransientError
from integrations.host_names import ascii_name
from integrations.sandbox.world import Mail, World
from integrations.settings import Settings

WORLD = World.build(7)


@pytest.fixture
def dns(sandbox: Sandbox) -> Dns:
    return Dns(Settings.from_env({"DNS_RESOLVER": sandbox.dns_resolver or ""}))


def domain_with(mail: Mail) -> str:
    return next(company.domain for company in WORLD.companies if company.mail is mail)


@pytest.mark.parametrize(
    ("mail", "status", "reason"),
    [
        (Mail.MX, "accepts", "mx"),
        (Mail.ACCEPT_ALL, "accepts", "mx"),
        (Mail.A_ONLY, "accepts", "address"),
        (Mail.NULL_MX, "refuses", "null_mx"),
        (Mail.NONE, "refuses", "no_mail_host"),
    ],
)
def test_mail_domains(dns: Dns, mail: Mail, status: str, reason: str) -> None:
    found = dns.mail_domain(domain_with(mail), timeout=5)
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    ("domain", "status"),
    [
        ("acme.com", "accepts"),
        ("münchen-werke.de", "accepts"),
        ("nxdomain.acme.com", "refuses"),
        ("acme.invalid", "refuses"),
        ("two..dots.com", "refuses"),
        ("bad domain.com", "refuses"),
        ("x" * 70 + ".com", "refuses"),
    ],
)
def test_domains_outside_the_world(dns: Dns, domain: str, status: str) -> None:
    assert dns.mail_domain(domain, timeout=5).status == status


@pytest.mark.parametrize("mode", ["down", "rate_limited", "lost_reply", "garbage"])
def test_no_answer_is_unknown(dns: Dns, sandbox: Sandbox, mode: str) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "dns", "mode": mode})
    began = time.monotonic()
    assert dns.mail_domain(domain_with(Mail.MX), timeout=0.25).status == "unknown"
    assert time.monotonic() - began < 3
    with pytest.raises(TransientError):
        dns.addresses(domain_with(Mail.MX), timeout=0.25)


def test_nobody_there_is_unknown() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        silent = Dns(Settings.from_env({"DNS_RESOLVER": f"127.0.0.1:{taken.getsockname()[1]}"}))
        assert silent.mail_domain("acme.com", timeout=0.3).status == "unknown"


def test_a_machine_without_a_name_server_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server configured, as in a container without a network, is no answer either."""
    import dns.resolver

    def unconfigured(resolver: dns.resolver.Resolver, source: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", unconfigured)
    assert Dns(Settings.from_env({})).mail_domain("acme.com", timeout=1).status == "unknown"


def test_the_time_out_is_for_the_whole_question(sandbox: Sandbox, dns: Dns) -> None:
    """Three records are asked for one after the other (MX, A, AAAA): each answer comes in time, all together don't."""
    sandbox.post("/_sandbox/faults", {"provider": "dns", "mode": "slow", "delay": 0.2})
    assert dns.mail_domain(domain_with(Mail.A_ONLY), timeout=0.5).reason == "no_answer"
    assert dns.mail_domain(domain_with(Mail.A_ONLY), timeout=5).reason == "address"


def test_addresses(dns: Dns) -> None:
    assert dns.addresses("127.0.0.1", timeout=1) == ["127.0.0.1"]
    assert dns.addresses("[::1]", timeout=1) == ["::1"]
    assert dns.addresses("localhost", timeout=1) == ["127.0.0.1"]
    assert dns.addresses(domain_with(Mail.MX), timeout=5) == ["127.0.0.1"]
    assert dns.addresses(f"www.{domain_with(Mail.NONE)}", timeout=5) == ["127.0.0.1"]
    for host in ("acme.com", "nxdomain.example", "..", "a b"):
        with pytest.raises(NotFoundError):
            dns.addresses(host, timeout=5)


def test_queries_are_recorded(dns: Dns, sandbox: Sandbox) -> None:
    dns.mail_domain("acme.com", timeout=5)
    calls = sandbox.get("/_sandbox/calls?provider=dns")
    assert [call["endpoint"] for call in calls][:2] == ["MX acme.com", "A mx.sandbox.example"]


@given(st.text(max_size=300))
def test_any_name_is_ascii_or_refused(text: str) -> None:
    try:
        name = ascii_name(text)
    except ValueError:
        return
    assert name.isascii()
    assert 0 < len(name) <= 253
