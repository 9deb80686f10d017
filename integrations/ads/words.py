"""A platform's own words: made fit to be shown, and read where they say more than its codes.

Pure. Platforms put what a person has to know (the least budget, the refused field) into a sentence and answer it under
codes that mean little. Invariants: what leaves :func:`own_words` is one line of at most :data:`MAX_WORDS` characters
without keys, addresses of people, or anything of a URL but its host; a sentence that asks for something to be changed
never reads as "try later".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from integrations.values import clean_text

MAX_WORDS = 300
HIDDEN = "***"
#: Credentials with fewer characters are account numbers or words: replacing them would spoil sentences.
MIN_SECRET = 8

_TAG = re.compile(r"<[/!a-zA-Z][^<>]{0,300}>")
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s\"'<>)\]]+")
_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_ASSIGNED = re.compile(
    r"\b(access_token|appsecret_proof|app_secret|client_secret|refresh_token|api_?key|password|authorization)"
    r"(\W{1,4})(?:bearer\s+)?[^\s\"'&,;]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\bbearer\s+[^\s\"',;]+", re.IGNORECASE)
#: Facebook's tokens begin with EAA, LinkedIn's with AQ; else a long run of letters and digits.
_TOKEN = re.compile(r"\bEAA\w{3,}|\bAQ[\w-]{10,}|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-zA-Z])[\w-]{24,}")

_LATER = re.compile(
    r"\b(?:try|retry|retrying|repeat|resubmit)\b[^.!?]{0,60}?"
    r"\b(?:later|shortly|soon|after a (?:while|few|moment|minute)|in (?:a|an|some|several|\d+) \w+)\b"
    r"|\bretry (?:the|your|this) (?:request|operation|call)\b"
    r"|\btemporar(?:y|ily)\b[^.!?]{0,30}?\b(?:unavailable|error|failure|issue|problem|down|overloaded)\b"
    r"|\b(?:transient|intermittent) (?:error|failure|issue|problem)\b"
    r"|\bconcurrent (?:modification|update|write|edit|request)",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"\b(?:try|retry)(?: (?:it|this|that|the request|your request))?(?: once more| again)?\s*$", re.I)
#: What a person would have to do first.
_MENDING = re.compile(
    r"\b(?:chang|choos|select|updat|correct|fix|check|remov|delet|add|enter|use|using|reduc|increas|rais|lower|upload"
    r"|provid|verif|review|pay|accept|archiv|shorten|replac|edit|adjust|specif|different|valid|another)\w*",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(
    r"\breduce the amount of data\b"
    r"|\b(?:response|result|page|payload|query|request)\b[^.!?]{0,30}\btoo (?:large|big|much)\b"
    r"|\btoo (?:large|much|many)\b[^.!?]{0,30}\b(?:data|results|rows|elements|records)\b|\bpage ?size\b[^.!?]{0,40}\b"
    r"(?:exceed|too|most|maximum|smaller)|\b(?:exceed|smaller)\w*[^.!?]{0,40}\bpage ?size\b",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"\bdo(?:es)? not exist|\bdoesn't exist|\bno longer exists?\b|\bnot found\b|\bunknown (?:urn|id|entity)\b"
    r"|\b(?:could not|couldn't|cannot|can not|can't) (?:be )?(?:find|found|loaded)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:\bID|\bid|\bexist|\burn:li:\w+)\W{1,3}(\d{3,})")


def own_words(*parts: object, secrets: Iterable[str] = ()) -> str:
    """Return what a platform said in one line fit to be shown, "" when none of ``parts`` is a text.

    A part that an earlier one already says is left out. ``secrets`` are credentials that the platform may quote.
    """
    hidden = sorted((one for one in secrets if len(one) >= MIN_SECRET), key=len, reverse=True)
    found: list[str] = []
    for part in parts:
        text = _shown(part, hidden) if isinstance(part, str) else ""
        if text and not any(text.rstrip(".") in earlier for earlier in found):
            found.append(text)
    joined = " ".join(
        f"{text}." if at + 1 < len(found) and text[-1:].isalnum() else text for at, text in enumerate(found)
    )
    return joined if len(joined) <= MAX_WORDS else joined[: MAX_WORDS - 1].rsplit(" ", 1)[0] + "…"


def says_try_later(text: str) -> bool:
    """Return whether a refusal asks to be tried again as it is, and for nothing to be changed first."""
    return any(
        bool(_LATER.search(sentence)) or (bool(_AGAIN.search(sentence)) and not _MENDING.search(sentence))
        for sentence in re.split(r"[.!?](?:\s|$)", text)
        if not re.search(r"\breduce the amount\b", sentence, re.IGNORECASE)
    )


def says_too_much(text: str) -> bool:
    """Return whether a refusal asks for a smaller question."""
    return bool(_TOO_MUCH.search(text))


def says_missing(text: str) -> bool:
    """Return whether a refusal says that an object does not exist."""
    return bool(_MISSING.search(text))


def named_ids(text: str) -> tuple[str, ...]:
    """Return the ids of objects that a platform's sentence names, such as ``Object with ID '123' does not exist``."""
    return tuple(dict.fromkeys(_NAMED.findall(text)))


def _shown(text: str, secrets: Iterable[str]) -> str:
    plain = clean_text(text[: 20 * MAX_WORDS])
    for secret in secrets:
        plain = plain.replace(secret, HIDDEN)
    plain = _URL.sub(_host, _TAG.sub(" ", plain))
    plain = _EMAIL.sub(HIDDEN, plain)
    plain = _BEARER.sub(HIDDEN, _ASSIGNED.sub(rf"\1\g<2>{HIDDEN}", plain))
    return " ".join(_TOKEN.sub(HIDDEN, plain).split())


def _host(found: re.Match[str]) -> str:
    try:
        return urlsplit(found[0]).hostname or HIDDEN
    except ValueError:
        return HIDDEN
