"""Buttons of LinkedIn's posts, of which there are fewer."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.ads.call_to_action import Intent, intent

BUTTONS: Mapping[Intent, str] = {
    Intent.DEMO: "REQUEST_DEMO",
    Intent.QUOTE: "VIEW_QUOTE",
    Intent.DOWNLOAD: "DOWNLOAD",
    Intent.REGISTER: "REGISTER",
    Intent.SUBSCRIBE: "SUBSCRIBE",
    Intent.APPLY: "APPLY",
    Intent.BOOK: "REQUEST_DEMO",
    Intent.SIGN_UP: "SIGN_UP",
}


def button(call_to_action: str) -> str:
    """Return the ``contentCallToActionLabel`` of a post."""
    return BUTTONS.get(intent(call_to_action), "LEARN_MORE")
