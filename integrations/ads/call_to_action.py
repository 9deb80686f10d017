"""From a call to action in plain words to a platform's button.

Pure. Invariant: every text gives a button the platform knows; what nothing matches gives the mildest one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: (words to look for, Facebook's type, LinkedIn's label); the first hit in this order wins.
_BUTTONS: Sequence[tuple[str, str, str]] = (
    (r"demo|walkthrough", "TRY_DEMO", "REQUEST_DEMO"),
    (r"quote|pricing|estimate", "GET_QUOTE", "VIEW_QUOTE"),
    (r"download|guide|checklist|report|e-?book|white ?paper", "DOWNLOAD", "DOWNLOAD"),
    (r"register|webinar|seat|attend", "SIGN_UP", "REGISTER"),
    (r"subscribe|newsletter", "SUBSCRIBE", "SUBSCRIBE"),
    (r"apply", "APPLY_NOW", "APPLY"),
    (r"book|call|meeting|schedule", "BOOK_NOW", "REQUEST_DEMO"),
    (r"sign ?up|trial|start|try|create|join|free", "SIGN_UP", "SIGN_UP"),
    (r"shop|buy|order", "SHOP_NOW", "LEARN_MORE"),
    (r"contact|talk|chat", "CONTACT_US", "LEARN_MORE"),
    (r"offer|discount|claim|deal", "GET_OFFER", "LEARN_MORE"),
)


def facebook_button(text: str) -> str:
    """A ``call_to_action.type`` of Facebook's link ads."""
    return _match(text, 1)


def linkedin_button(text: str) -> str:
    """A ``contentCallToActionLabel`` of LinkedIn's posts."""
    return _match(text, 2)


def _match(text: str, column: int) -> str:
    for row in _BUTTONS:
        if re.search(rf"\b(?:{row[0]})", text.lower()):
            return row[column]
    return "LEARN_MORE"
