"""What a contact is, and which names end like a domain by the public suffix list.

The list comes with its library; nothing is asked at run time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from integrations.host_names import ascii_name

MAIL = "e-mail address"
WEB = "web address"
PHONE = "telephone number"
ACCOUNT = "account name"
LINK = "link"
MARKUP = "HTML that acts"

#: Suffixes that the list lacks: the names of the sandbox, and networks of their own.
_MORE = frozenset({"example", "onion", "eth"})


@dataclass(frozen=True, slots=True, order=True)
class Contact:
    """One contact in a form that all its spellings share."""

    kind: str
    value: str  #: e-mail, digits, account without "@", host, scheme and what follows it
    path: str = ""  #: of a web address, with its slash


@cache
def _domains(*, icann: bool) -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=icann)


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(text.split())


def is_domain(host: str) -> bool:
    """Return whether a name (lower case) is one label or more under a public suffix."""
    if host.rpartition(".")[2] in _MORE:
        return "." in host
    return _domains(icann=True).privatesuffix(host) is not None


def is_suffix(name: str) -> bool:
    """Return whether a name (lower case) is a public suffix, such as ``com`` or ``co.uk``."""
    return name in _MORE or _domains(icann=True).publicsuffix(name) == name


@lru_cache(maxsize=100_000)
def registered(host: str) -> str:
    """Return the part of a host name that one owner registered, ``acme.co.uk`` of ``shop.acme.co.uk``."""
    if host.rpartition(".")[2] in _MORE:
        return ".".join(host.split(".")[-2:])
    return _domains(icann=False).privatesuffix(host) or host


def plain_host(host: str) -> str:
    """Return a host in the form that all its spellings share: lower case, ASCII, without ``www.`` and final dot."""
    name = host.lower().rstrip(".").removeprefix("www.")
    try:
        return name if name.isascii() else ascii_name(name)
    except ValueError:
        return name
