"""E-mail addresses as people write them, and the mailbox that an address leads to.

One mailbox has many addresses: ``Ida.Stone+crm@googlemail.com`` and ``idastone@gmail.com`` arrive in the same place.
Who is the same person, who is suppressed and who is erased is decided by the mailbox. Pure. Sources: RFC 5321 and 6531
(syntax, by email-validator), RFC 5233 (what follows a plus sign is a detail of the mailbox), and what the providers say
of their own addresses: Gmail Help "Dots don't matter in Gmail addresses", Apple's "iCloud Mail addresses and aliases",
Proton's "Addresses and aliases", Yandex' "Yandex Mail addresses".
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

from integrations.address_hash import address_hash
from integrations.host_names import ascii_name

#: An address inside a text.
EMAIL = re.compile(r"(?<![\w.+%-])(?<!\w')[\w+%-][\w.+%'-]{0,63}@(?:[\w-]{1,63}\.){1,5}[^\W\d_][\w-]{1,23}", re.I)
MAX_ADDRESS, MAX_LOCAL = 254, 64  #: characters, by RFC 5321 §4.5.3.1

#: what is seen as nothing: joiners, marks of direction, soft hyphens
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_WIDE = str.maketrans({"＠": "@", "﹫": "@", "．": ".", "。": ".", "｡": ".", "﹒": ".", "\u00a0": " "})
_PLAIN = re.compile(
    r"[a-z0-9_+-]+(?:[.'][a-z0-9_+-]+)*@(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}"
)
#: ends of names that email-validator decides about (RFC 6761 and the like)
_SPECIAL = (".arpa", ".invalid", ".local", ".localhost", ".onion", ".test")
_SCHEME = re.compile(r"^\s*(?:mailto|smtp|e-?mail)\s*:\s*", re.I)
_BRACKETS = re.compile(r"<\s*((?:mailto:|smtp:)?[^<>\s@]+\s*@[^<>\s]+)\s*>", re.I)
_COMMENT = re.compile(r"\([^()@]*\)")
_AROUND = " \t\"'<>;,.()[]"

_AT = r"\s*[\[({<]\s*(?:at|@|ät)\s*[\])}>]\s*|\s*[_*]at[_*]\s*|\s+-at-\s+|\s+at\s+"
_DOT = r"\s*[\[({<]\s*(?:dot|punkt|point|\.)\s*[\])}>]\s*|\s*[_*]dot[_*]\s*|\s+-dot-\s+|\s+dot\s+|\."
_SAID = re.compile(
    rf"(?<![\w.+-])([\w+-](?:[\w.+-]{{0,62}}?[\w+-])?)({_AT})([\w-]{{1,63}}(?:(?:{_DOT})[\w-]{{2,63}}){{1,4}})\b", re.I
)
#: What makes of "jane at acme.example" an address, and not a meeting.
_SURE = re.compile(r"\bdot\b|_dot_|\*dot\*|[\[({<]|[_*]at[_*]|-at-", re.I)

#: Names under which one provider has the same mailbox.
_ONE_PROVIDER = {
    "googlemail.com": "gmail.com",
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("protonmail.com", "pm.me", "protonmail.ch"), "proton.me"),
    **dict.fromkeys(("ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua"), "yandex.ru"),
}
#: What these providers leave out of the name of a mailbox.
_LEFT_OUT = {"gmail.com": ".", "proton.me": ".-_"}


@lru_cache(maxsize=100_000)
def normal_email(raw: str) -> str | None:
    """Return an address in lower case without what stands around it, or None when the text holds no usable one.

    What may stand around it: a name, ``mailto:``, brackets, quotes, a comment, a second address, characters that nobody
    sees. "ida(at)acme.example" is an address, too.
    """
    simple = raw.strip().lower()
    if _PLAIN.fullmatch(simple) and _short(simple) and not simple.endswith(_SPECIAL) and "xn--" not in simple:
        return simple
    text = _UNSEEN.sub("", raw.translate(_WIDE)).strip()
    if "@" not in text:
        text = _SCHEME.sub("", unquote(plain_addresses(text)))
    if found := _BRACKETS.search(text):
        text = found[1]
    for part in _parts(text):
        if address := _checked(part):
            return address
    return None


def plain_addresses(text: str) -> str:
    """Write "jane [at] acme [dot] example" as an address, leaving sentences untouched."""

    def plain(found: re.Match[str]) -> str:
        if not _SURE.search(found[0]):
            return found[0]  # "meet us at acme.example" is no address
        domain = re.sub(_DOT, ".", found[3], flags=re.I)
        return f"{found[1]}@{domain}"

    return _SAID.sub(plain, text)


@lru_cache(maxsize=100_000)
def mailbox(email: str) -> str:
    """Return the mailbox that an address leads to, as the one address that stands for all of its spellings.

    It is for comparing, never for sending: not every server knows what follows a plus sign.
    """
    local, at, domain = email.strip().lower().rpartition("@")
    if not at:
        return email.strip().lower()
    if not domain.isascii():
        with suppress(ValueError):  # what is no name has no other spelling either
            domain = ascii_name(domain)
    domain = _ONE_PROVIDER.get(domain, domain)
    name = local.partition("+")[0]
    left_out = _LEFT_OUT.get(domain)
    if left_out and name:
        name = name.translate({ord(char): None for char in left_out})
    elif domain == "yandex.ru":
        name = name.replace("-", ".")
    return f"{name or local}@{domain}"


def mailbox_hash(email: str) -> str:
    """Return the SHA-256 of the mailbox that an address leads to."""
    return address_hash(mailbox(email))


def address_hashes(email: str) -> tuple[str, ...]:
    """Return the hashes by which an address is looked for: as it is written, and of its mailbox where that differs."""
    return tuple(dict.fromkeys((address_hash(email), mailbox_hash(email))))


def spellings(email: str) -> str:
    """Return a regular expression for lower-case text that finds every spelling of an address's mailbox.

    It may find more; what is found is compared by :func:`mailbox`. Written for Postgres (POSIX with ``\\`` escapes),
    and valid in Python as well.
    """
    name, _, domain = mailbox(email).rpartition("@")
    left_out = _LEFT_OUT.get(domain, "")
    between = "[" + "".join(f"\\{char}" for char in left_out) + "]*" if left_out else ""
    written = {domain, *(other for other, same in _ONE_PROVIDER.items() if same == domain)}
    if "xn--" in domain:
        from integrations.host_names import readable_name

        written.add(readable_name(domain))
    local = between.join("[.-]" if domain == "yandex.ru" and char in ".-" else _literal(char) for char in name)
    domains = "|".join(_literal(one) for one in sorted(written))
    return f"{local}{between}(\\+[^@ ]*)?@({domains})"


def _literal(text: str) -> str:
    return "".join(char if char.isalnum() else f"\\{char}" for char in text)


def _short(address: str) -> bool:
    return len(address) <= MAX_ADDRESS and address.index("@") <= MAX_LOCAL


def _parts(text: str) -> list[str]:
    """Return the parts of a text of which the first that is an address is meant."""
    whole = _COMMENT.sub(" ", text)
    words = whole.split()
    many = re.split(r"[;,|\n]+", whole)
    if len(many) == 1 and len(words) > 1 and all("@" in word.strip("@") for word in words):
        many = words  # one address after the other
    return many if sum("@" in part for part in many) else [whole]


def _checked(part: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    mail = bool(_SCHEME.match(part))
    text = _SCHEME.sub("", part)
    text = text.partition("?")[0] if mail or "?" in text else text
    text = re.sub(r"\s*@\s*", "@", unquote(text) if "%" in text and "@" not in text else text).strip(_AROUND)
    text = re.sub(r"%20", "", text)
    if len(text) > MAX_ADDRESS or "@" not in text:
        return None
    try:
        # test_environment lets ``.test`` pass: whether a domain exists is for DNS to say, not for syntax.
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized.lower()
