"""Which contacts the brief gave, and which of a text's contacts are foreign.

Pure, and the one rule for content and ads. What a campaign may name:

- the brand's web site: its registered domain with all that is under it;
- any other address, number or account just as the brief names it. A page of somebody on a site that many share
  (a social network, a link shortener) stands for itself only, not for the whole site.

Everything else is foreign, in whatever disguise it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from agents.contacts import reading
from agents.contacts.accounts import accounts
from agents.contacts.addresses import addresses
from agents.contacts.contact import ACCOUNT, LINK, MAIL, MARKUP, PHONE, WEB, Contact, plain_host, registered, words
from agents.contacts.markup import acting, targets, without
from agents.contacts.telephone import numbers, same_number
from agents.unit_kind import Part

#: Sites where each page may be somebody else's.
SHARED = words(
    "facebook.com fb.com instagram.com linkedin.com twitter.com x.com tiktok.com youtube.com youtu.be reddit.com t.me"
    " telegram.me wa.me whatsapp.com discord.gg discord.com signal.me m.me line.me vk.com pinterest.com threads.net"
    " bsky.app medium.com github.com gitlab.com google.com goo.gl bit.ly tinyurl.com ow.ly lnkd.in linktr.ee is.gd"
    " rebrand.ly cutt.ly calendly.com notion.site dropbox.com amazon.com ebay.com etsy.com paypal.me patreon.com"
    " substack.com tumblr.com wordpress.com blogspot.com wixsite.com eventbrite.com typeform.com airtable.com"
)


class KnownContacts(Part):
    """What a brief gave, as the inputs of units carry it."""

    sites: tuple[str, ...] = ()  #: registered domains, all of which is the brand's own
    named: tuple[tuple[str, str, str], ...] = ()  #: (kind, value, path) of every other contact

    @classmethod
    def of(cls, *texts: str, website: str | None = None) -> KnownContacts:
        """Return the contacts that the texts of a brief name, with ``website`` as the brand's own."""
        found = {(one.kind, one.value, one.path) for text in texts for one in contacts(text)}
        sites: tuple[str, ...] = ()
        if website is not None:
            host = plain_host(urlsplit(website).hostname or "")
            found |= {(one.kind, one.value, one.path) for one in contacts(website)}
            sites = (registered(host),) if host and registered(host) not in SHARED else ()
        return cls(sites=sites, named=tuple(sorted(found)))

    def knows(self, found: Contact) -> bool:
        """Return whether the brief gave a contact."""
        if found.kind == WEB:
            return self._has_site(found.value) or any(
                kind == WEB and value == found.value and _under(found.path, path, value)
                for kind, value, path in self.named
            )
        if found.kind == PHONE:
            return any(kind == PHONE and same_number(value, found.value) for kind, value, _ in self.named)
        return (found.kind, found.value, found.path) in self.named

    def _has_site(self, host: str) -> bool:
        return any(host == site or host.endswith(f".{site}") for site in self.sites)


def contacts(text: str) -> frozenset[Contact]:
    """Return the contacts of a text, also those that are written in disguise."""
    said = reading.plain(text)
    texts = {said, *targets(said)}
    if any(char in text for char in reading.OVERRIDES):
        texts.add(said[::-1])
    for one in (said, *tuple(texts - {said})):
        drawn = without(one)
        texts |= {drawn, reading.undisguised(one), reading.undisguised(reading.latin(drawn))}
    found = set(acting(said))
    for one in texts:
        found |= {*addresses(one), *numbers(one), *accounts(one)}
    return frozenset(found)


def foreign_contacts(text: str, known: KnownContacts) -> tuple[Contact, ...]:
    """Return the contacts of a text that the brief did not give, in order."""
    return tuple(sorted(one for one in contacts(text) if not known.knows(one)))


def check_texts(texts: Mapping[str, str], known: KnownContacts) -> None:
    """Check the texts of one answer, by field, also as they stand together.

    Raises ValueError, which says in words which field names what.
    """
    for field, text in {**texts, "the whole": "\n".join(texts.values())}.items():
        if found := foreign_contacts(text, known):
            raise ValueError(f"{field} {complaint(found)}; leave it out")


def complaint(found: Iterable[Contact]) -> str:
    """Say which contacts a text may not name, with hosts as they are, and no other address or number in full."""
    shown = sorted({_shown(one) for one in found})
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return f"names what the brief lacks: {', '.join(shown[:3])}{more}"


def _under(path: str, given: str, host: str) -> bool:
    """Return whether a page is the one that the brief names, or below it."""
    if not given:
        return not path or registered(host) not in SHARED
    return path == given or path.startswith((f"{given}/", f"{given}?", f"{given}#"))


def _shown(found: Contact) -> str:
    if found.kind == MAIL:
        return f"an e-mail address at {found.value.rpartition('@')[2]}"
    if found.kind == PHONE:
        return f"a telephone number that ends in {found.value[-2:]}"
    if found.kind == ACCOUNT:
        return "an account name"
    if found.kind == LINK:
        return f"a link to {found.value.partition(':')[0]}:"
    if found.kind == MARKUP:
        return f"the HTML element {found.value[:20]}"
    return f"the web address {found.value[:80]}"
