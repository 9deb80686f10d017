"""Mail domains whose mail hosts nobody can reach, and names that IDNA 2003 would look up wrongly."""

from __future__ import annotations

import pytest
from name_server import SERVFAIL, Zone, name_server

from integrations.dns import Dns
from integrations.settings import Settings

GOOD, HOME = "198.51.100.7", "127.0.0.1"
ZONE: Zone = {
    ("mx.good.example", "A"): [GOOD],
    ("mx6.good.example", "AAAA"): ["2001:db8::7"],
    ("mx.home.example", "A"): [HOME],
    ("mx.slow.example", "A"): SERVFAIL,
    ("mx.slow.example", "AAAA"): SERVFAIL,
    ("fine.example", "MX"): ["10 mx.good.example."],
    ("six.example", "MX"): ["10 mx6.good.example."],
    ("second.example", "MX"): ["10 mx.home.example.", "20 gone.example.", "30 mx.good.example."],
    ("own.example", "A"): [GOOD],
    ("local.example", "MX"): ["0 localhost."],
    ("loop.example", "MX"): ["5 mx.home.example."],
    ("literal.example", "MX"): ["5 127.0.0.1."],
    ("gone.example", "MX"): ["5 mx.gone.example."],
    ("zero.example", "A"): ["0.0.0.0"],
    ("home.example", "A"): [HOME],
    ("home6.example", "AAAA"): ["::1"],
    ("mapped.example", "AAAA"): ["::ffff:127.0.0.1"],
    ("inside.example", "A"): ["10.1.2.3"],
    ("linked.example", "A"): ["169.254.9.9"],
    ("silent.example", "MX"): ["5 mx.slow.example."],
    ("half.example", "MX"): ["5 mx.slow.example.", "9 mx.gone.example."],
    ("null.example", "MX"): ["0 ."],
    ("xn--gromann-2va.example", "MX"): ["10 mx.good.example."],
    ("grossmann.example", "A"): [GOOD],
}


@pytest.mark.parametrize(
    ("domain", "status", "reason"),
    [
        ("fine.example", "accepts", "mx"),
        ("six.example", "accepts", "mx"),
        ("second.example", "accepts", "mx"),
        ("own.example", "accepts", "address"),
        *(
            (f"{name}.example", "refuses", "no_mail_host")
            for name in ("local", "loop", "literal", "gone", "zero", "home", "home6", "mapped", "inside", "linked")
        ),
        ("silent.example", "unknown", "no_answer"),
        ("half.example", "unknown", "no_answer"),
        ("null.example", "refuses", "null_mx"),
        ("nobody.example", "refuses", "no_domain"),
        ("Großmann.example", "accepts", "mx"),
        ("xn--gromann-2va.example", "accepts", "mx"),
    ],
)
def test_mail_hosts(domain: str, status: str, reason: str) -> None:
    with name_server(ZONE) as at:
        found = Dns(Settings.from_env({"DNS_RESOLVER": at})).mail_domain(domain, timeout=3)
    assert (found.status, found.reason) == (status, reason)
