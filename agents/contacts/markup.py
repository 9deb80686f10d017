"""HTML and Markdown in a text: what it links to, what in it acts, and how it reads without it.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.contacts.contact import LINK, MARKUP, Contact, words

_TAG = re.compile(r"<\s*/?\s*([a-zA-Z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*'){0,3000})/?>?")
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_SEPARATE = words("br p div li ul ol td tr th h1 h2 h3 h4 h5 h6 hr table section article")
_ACTS = words(
    "script iframe frame frameset object embed applet form input button textarea select link meta base style svg math"
    " template portal audio video source track"
)
_HANDLER = re.compile(r"(?:^|[\s/\"'])on[a-zA-Z]{3,}\s*=", re.IGNORECASE)
_VALUE = re.compile(
    r"\b(?:href|src|srcset|action|formaction|data|poster|background|cite|ping|srcdoc|style|content)\s*=\s*"
    r"(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"\]\(\s*(?:<([^<>]*)>|([^()]*(?:\([^()]*\)[^()]*)*))\)?|^\s{0,3}\[[^\]\n]{1,200}\]:\s?(\S+)", re.MULTILINE
)
_EMPHASIS = re.compile(r"\*{1,3}|`+|~~|\\(?=[^\w\s])|(?<!\w)_{1,3}|_{1,3}(?!\w)")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")
#: Schemes of targets that the other rules read: addresses and numbers.
_READ_ELSEWHERE = ("http:", "https:", "mailto:", "tel:", "sms:")


def targets(text: str) -> list[str]:
    """Return what Markdown links, images, references and HTML attributes of a text lead to, as a browser reads it."""
    found = ["".join(filter(None, match.groups())) for match in _TARGET.finditer(text)]
    for tag in _TAG.finditer(text):
        found += ["".join(filter(None, match.groups())) for match in _VALUE.finditer(tag[2])]
    # A browser drops line breaks and tabs inside an address; what follows a space is a link's title.
    return [re.sub(r"[\t\r\n]|\\n", "", one).strip().replace("\\", "/") for one in found]


def acting(text: str) -> Iterator[Contact]:
    """Yield the HTML of a text that acts by itself, and the targets whose scheme no other rule reads."""
    for tag in _TAG.finditer(text):
        name = tag[1].lower()
        if name in _ACTS or _HANDLER.search(tag[2]):
            yield Contact(MARKUP, name)
    for target in targets(text):
        scheme = _SCHEME.match(target)
        if scheme and not target.lower().startswith(_READ_ELSEWHERE):
            yield Contact(LINK, scheme[0].lower())


def without(text: str) -> str:
    """Return a text as it reads once its markup is drawn: without tags, comments, emphasis and escapes."""
    text = _TAG.sub(lambda tag: " " if tag[1].lower() in _SEPARATE else "", _COMMENT.sub("", text))
    return _EMPHASIS.sub("", text)
