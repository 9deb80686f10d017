"""Which domains are nobody's company, and which addresses are nobody's own."""

from __future__ import annotations

import pytest

from agents.lead_generation.mailboxes import is_disposable, is_nobodys, is_role, is_webmail

PROVIDERS = """
gmail.com arcor.de laposte.net virgilio.it ziggo.nl telus.net rediffmail.com nifty.com hanmail.net citromail.hu o2.pl
abv.bg bigpond.com yahoo.com.ph gmx.li hotmail.co.nz rambler.ru tutanota.com vip.qq.com poczta.onet.pl
"""
ROLES = """
info Info+web no.reply do_not_reply noreply2 sales-de uk.sales customer_care rezeption buchhaltung kundenservice
facturacion ufficio biuro help.desk team-berlin hr
"""


@pytest.mark.parametrize("domain", PROVIDERS.split())
def test_providers(domain: str) -> None:
    assert is_webmail(domain)


@pytest.mark.parametrize(
    "domain", ["acme.com", "mail.acme.com", "gmxx.de", "yahooligans.example", "sap.com", "facebook.com", "acme.uk.com"]
)
def test_companies(domain: str) -> None:
    assert not is_webmail(domain)
    assert not is_disposable(domain)


@pytest.mark.parametrize("domain", ["mailinator.com", "eu.mailinator.com", "yopmail.com", "grr.la", "mailsink.example"])
def test_throw_away(domain: str) -> None:
    assert is_disposable(domain)


@pytest.mark.parametrize("local", ROLES.split())
def test_functions(local: str) -> None:
    assert is_role(f"{local}@acme.example")


@pytest.mark.parametrize(
    "local", ["kim.lo", "kim", "hr.weber", "mark.info", "sal.es", "t.eam", "ceo", "de.vries", "may"]
)
def test_people(local: str) -> None:
    assert not is_role(f"{local}@acme.example")
    assert not is_nobodys(f"{local}@acme.example")


@pytest.mark.parametrize(
    "local", ["vorname.nachname", "firstname.lastname", "your-name", "you", "0f8a3bc1d9e24c55a7", "email"]
)
def test_examples_and_programs(local: str) -> None:
    assert is_nobodys(f"{local}@acme.example")
