"""Accounts on social networks and messengers in a plain text: handles, and names behind a messenger's name.

Pure. Links to them are web addresses (:mod:`agents.contacts.addresses`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.contacts.contact import ACCOUNT, Contact, words

_HANDLE = re.compile(r"(?<![\w@.])@(?P<name>[^\W\d_][\w.]{2,30})")
_REDDIT = re.compile(r"(?<![\w/])/?u/(?P<name>[A-Za-z0-9_-]{3,})")
_MESSENGERS = "telegram|whatsapp|signal|skype|wechat|weixin|viber|discord|kik|threema|icq|snapchat|session|wire"
_NETWORKS = f"{_MESSENGERS}|line|instagram|insta|facebook|twitter|tiktok|linkedin|youtube|mastodon|bluesky|reddit"
_ID = r"(?:id|handle|user(?:[ -]?name)?|account|name|konto|benutzer|compte|cuenta)"
_NAMED = re.compile(
    rf"\b(?:{_NETWORKS})[ -]?(?P<id>{_ID})?\s?(?P<sign>[:=]|\s(?:is|as|ist|als|under|unter|como)\s)?\s?@?"
    r"(?P<name>[\w.:#+-]{3,40})(?P<end>\s?(?:$|[.,;!?)\n]))?",
    re.IGNORECASE,
)
_ON = re.compile(
    r"\b(?:message|dm|add|contact|follow|write(?: to)?|text|find|search(?: for)?|kontaktiere|schreib\w*|folge|suivez"
    r"|sigue)\s+"
    rf"(?P<name>@?\w{{0,30}}[\d_]\w{{0,30}})\s+(?:on|in|via|auf|bei|über|sur|en)\s+(?:{_NETWORKS})\b",
    re.IGNORECASE,
)
_MARKED = re.compile(r"[\d_#:]|\w\.\w")  #: of account names, not of words
_MESSENGER = re.compile(rf"(?:{_MESSENGERS})\b", re.IGNORECASE)
#: What stands behind "@" and is nobody: words, rules of style sheets, annotations.
_NOBODY = words(
    "home work scale school night least most once media import font keyframes supports layer container page override"
    " param return deprecated all here everyone channel team you user username name"
)


def accounts(text: str) -> Iterator[Contact]:
    """Yield the accounts that a text in plain characters names, in lower case and without "@"."""
    for match in (*_HANDLE.finditer(text), *_REDDIT.finditer(text), *_ON.finditer(text)):
        name = match["name"].lower().strip("@.")
        if name not in _NOBODY:
            yield Contact(ACCOUNT, name)
    for match in _NAMED.finditer(text):
        colon = match["sign"] is not None and match["sign"] in ":="
        name = match["name"].rstrip(".:")
        telling = bool(_MARKED.search(name)) and bool(
            match["sign"] or match["id"] or re.search(r"[^\W\d_]\w*_\w", name)
        )
        alone = colon and match["end"] is not None and _MESSENGER.match(match[0])
        if telling or (match["id"] and match["id"].lower() != "name" and colon) or alone:
            yield Contact(ACCOUNT, match["name"].lower().strip("@.:"))
