"""Addresses in a plain text: URLs of any scheme, e-mail addresses, bare domains, IP addresses.

Pure. A bare name with a dot counts as a web address when it ends like a domain by the public suffix list, but for what
the rules in :func:`_is_no_domain` say: file names, words joined by a missing space, forms of companies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from agents.contacts.contact import LINK, MAIL, PHONE, WEB, Contact, is_domain, plain_host, words

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST = rf"(?:{_LABEL}\.){{1,20}}{_LABEL}"
_END = r"[^\s<>\"'`)\]}|]*"
_URL = re.compile(
    rf"(?<![^\W_])(?P<scheme>[a-z][a-z0-9+.-]{{1,30}}):(?P<rest>[/\\]{{2,}}{_END})"
    rf"|(?<![^\W_])(?P<web>https?|ftps?|wss?):(?P<loose>[/\\]?[^\s/\\<>\"'`]{_END})"
    rf"|(?<![:\w/\\])(?P<bare>[/\\]{{2}}{_HOST}{_END})",
    re.IGNORECASE,
)
#: Where another URL begins inside one, as in the target of a redirect.
_NESTED = re.compile(r"(?=(?<![^\W_])[a-z][a-z0-9+.-]{1,30}:[/\\]{2})|(?=(?<![:\w/\\])[/\\]{2}\w)", re.IGNORECASE)
_WEB_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "ws", "wss"})
#: Schemes that open another program without slashes; common words among them are told by what follows.
_OPENS = re.compile(
    r"(?<![\w-])(?P<scheme>mailto|tel|callto|smsto?|mmsto?|javascript|vbscript|whatsapp|tg|skype|viber|threema|sgnl|xmpp"
    r"|sips?|facetime(?:-audio)?|magnet|bitcoin|ethereum|litecoin|lightning|intent|view-source|jar|fb-messenger|weixin"
    r"|zoommtg|msteams|data(?=:[\w.+-]+/[\w.+-]+[;,]))\s?:(?P<rest>\s?[^\s<>\"')\]]+)",
    re.IGNORECASE,
)
_CALLS = frozenset({"tel", "callto", "sms", "smsto", "mms", "mmsto"})
_LOCAL = r"(?:\"[^\"\n]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]{1,64})"
_MAIL = re.compile(rf"(?P<local>{_LOCAL})@(?P<host>{_HOST}|\[[0-9a-fA-F.:]+(?:IPv6:[0-9a-fA-F:]+)?\])")
#: A mailbox at a provider whose ending everybody can add.
_BOX = re.compile(
    r"(?<![\w@.-])(?P<local>[\w.+-]{2,64})@(?P<host>gmail|googlemail|outlook|hotmail|yahoo|gmx|icloud|protonmail|proton)\b"
)
_BARE = re.compile(rf"(?<![\w@.-])(?P<host>{_HOST})(?![\w@-])(?P<path>[:/?#]{_END})?")
_WWW = re.compile(rf"(?<![\w@.-])www\.(?P<host>{_LABEL})(?![\w.-])", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]\w|\w)")
_IPV6 = re.compile(r"(?<![\w:.])\[?(?=[0-9a-fA-F:]*\d)[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}\]?(?![\w:])")
_VERSION = re.compile(
    r"(?:\bv|version|release|ver\.?|build|fassung|versión|os x|macos|ios|windows|android|chrome|kernel|firmware|update"
    r"|upgrade to)\s?$",
    re.IGNORECASE,
)
_FILES = words("md py sh rs pl ps zip mov so ai cc vb java app")
_FILE_STEMS = words(
    "readme changelog license contributing main index setup install script test tests app run build config manage"
    " deploy start conftest notes todo utils models views settings example"
)
_FILE_WORDS = re.compile(
    r"(?:\b(?:file|files|script|scripts|module|edit|run|open|in|execute|datei|skript|fichier|archivo)\s+|`)$",
    re.IGNORECASE,
)
_JOINED = words("in it is so to my no be at me am as we or by do us you")
_FORMS = words("kg ltd inc llc sa ag")
_Reader = Callable[[re.Match[str], str], list[Contact]]
_DEGREE = re.compile(r"[A-Z]\.(?:Sc|Ed|Eng|Mus|St|Ac)")
#: An object and its part, as in a program: "user.name".
_CODE = words("user this self item list array object data string event document window customer lead")
_MEMBERS = words("name email map date day page style zip link id")
_TECHNOLOGY = re.compile(r"(?:ASP|ADO|VB|ML)\.NET")


def addresses(text: str) -> Iterator[Contact]:
    """Yield the addresses of a text in plain characters, each rule reading what the ones before it left."""
    found: list[Contact] = []
    text = _take(_URL, text, _url, found)
    text = _take(_OPENS, text, _opened, found)
    text = _take(_MAIL, text, _mail, found)
    text = _take(_BOX, text, _mail, found)
    text = _take(_IPV6, text, _ipv6, found)
    text = _take(_IPV4, text, _ipv4, found)
    text = _take(_WWW, text, lambda match, _text: [Contact(WEB, plain_host(match["host"]))], found)
    _take(_BARE, text, _bare, found)
    yield from found


def _take(pattern: re.Pattern[str], text: str, read: _Reader, found: list[Contact]) -> str:
    """Add what ``read`` makes of each match, and return the text without those matches."""

    def replace(match: re.Match[str]) -> str:
        contacts = read(match, text)
        found.extend(contacts)
        return " " if contacts else match[0]

    return pattern.sub(replace, text)


def _url(match: re.Match[str], text: str) -> list[Contact]:
    scheme, rest = _parts(match)
    first, *nested = _NESTED.split(rest)
    found = [one for inner in nested if inner and (again := _URL.match(inner)) for one in _one(*_parts(again))]
    return [*_one(scheme, rest if nested else first), *found]


def _parts(match: re.Match[str]) -> tuple[str, str]:
    """Return the scheme and all that follows its slashes."""
    rest = match["rest"] or match["loose"] or match["bare"]
    scheme = (match["scheme"] or match["web"] or "http").lower()
    return scheme, rest.replace("\\", "/").lstrip("/").rstrip(".,;:!?")


def _one(scheme: str, rest: str) -> list[Contact]:
    if scheme not in _WEB_SCHEMES:
        return [Contact(LINK, f"{scheme}://{rest}")]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = re.sub(r":\d*$", "", authority.rpartition("@")[2])
    return [Contact(WEB, plain_host(host), _path(rest[len(authority) :]))] if host else []


def _opened(match: re.Match[str], text: str) -> list[Contact]:
    scheme, rest = match["scheme"].lower(), match["rest"].strip()
    if scheme == "mailto":
        mails = [one for found in _MAIL.finditer(rest) for one in _mail(found, rest)]
        return mails or ([Contact(LINK, f"mailto:{rest}")] if rest != match["rest"] or "@" in rest else [])
    if scheme in _CALLS:
        digits = re.sub(r"\D", "", re.split(r"[?;,&]", rest)[0])
        return [Contact(PHONE, digits)] if len(digits) > 2 and match["rest"] == rest else []
    return [Contact(LINK, f"{scheme}:{rest}")] if match["rest"] == rest else []


def _mail(match: re.Match[str], _text: str) -> list[Contact]:
    return [Contact(MAIL, f"{match['local']}@{match['host']}".lower().strip(".'"))]


def _ipv4(match: re.Match[str], text: str) -> list[Contact]:
    numbers = [int(part) for part in match[0].split(".")]
    if max(numbers) > 255 or _VERSION.search(text[: match.start()][-20:]):
        return []
    return [Contact(WEB, match[0])]


def _ipv6(match: re.Match[str], _text: str) -> list[Contact]:
    try:
        return [Contact(WEB, str(ip_address(match[0].strip("[]"))))]
    except ValueError:
        return []


def _bare(match: re.Match[str], text: str) -> list[Contact]:
    host = match["host"]
    path = match["path"] or ""
    if not is_domain(host.lower()) or (not path.strip("/:?#") and _is_no_domain(host, text, match)):
        return []
    return [Contact(WEB, plain_host(host), _path(re.sub(r"^:\d*", "", path)))]


def _is_no_domain(host: str, text: str, match: re.Match[str]) -> bool:
    """Return whether a name that ends like a domain is something else, by its form and what stands around it."""
    name, _, end = host.rpartition(".")
    ending = end.lower()
    after, before = text[match.end("host") :][:12], text[: match.start("host")][-16:]
    if _TECHNOLOGY.fullmatch(host):
        return True
    if name.isdigit() and ending in ("am", "pm", "st"):
        return True
    if "." not in name and name.lower() in ("co", "pty", "pvt") and ending in _FORMS:
        return True
    if end.istitle() and ending in _JOINED and re.match(r"\s+[^\W\d_A-Z]", after):
        return True  # two sentences without a space between them
    if _DEGREE.fullmatch(host) or (name.lower() in _CODE and ending in _MEMBERS):
        return True
    if "." not in name and ending in _FILES:
        return name.isupper() or name.lower() in _FILE_STEMS or bool(_FILE_WORDS.search(before))
    return False


def _path(text: str) -> str:
    return "" if text in ("", "/") else text.rstrip(".,;:!?/")
