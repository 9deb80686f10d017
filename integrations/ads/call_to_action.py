"""From a call to action in plain words to what it wants people to do.

Pure; each platform has its own buttons for that. Invariant: every text gives an intent; what nothing matches gives the
mildest one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum


class Intent(StrEnum):
    """What a call to action wants people to do."""

    DEMO = "demo"
    QUOTE = "quote"
    DOWNLOAD = "download"
    REGISTER = "register"
    SUBSCRIBE = "subscribe"
    APPLY = "apply"
    BOOK = "book"
    SIGN_UP = "sign_up"
    SHOP = "shop"
    CONTACT = "contact"
    OFFER = "offer"
    LEARN_MORE = "learn_more"


#: Words to look for; the first hit in this order wins.
_WORDS: Sequence[tuple[str, Intent]] = (
    (r"demo|walkthrough", Intent.DEMO),
    (r"quote|pricing|estimate", Intent.QUOTE),
    (r"download|guide|checklist|report|e-?book|white ?paper", Intent.DOWNLOAD),
    (r"register|webinar|seat|attend", Intent.REGISTER),
    (r"subscribe|newsletter", Intent.SUBSCRIBE),
    (r"apply", Intent.APPLY),
    (r"book|call|meeting|schedule", Intent.BOOK),
    (r"sign ?up|trial|start|try|create|join|free", Intent.SIGN_UP),
    (r"shop|buy|order", Intent.SHOP),
    (r"contact|talk|chat", Intent.CONTACT),
    (r"offer|discount|claim|deal", Intent.OFFER),
)


def intent(text: str) -> Intent:
    """Return what the call to action ``text`` wants people to do."""
    return next(
        (found for words, found in _WORDS if re.search(rf"\b(?:{words})", text.lower())),
        Intent.LEARN_MORE,
    )
