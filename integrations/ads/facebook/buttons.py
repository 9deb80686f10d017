"""Buttons of Facebook's link ads."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.ads.call_to_action import Intent, intent

BUTTONS: Mapping[Intent, str] = {
    Intent.DEMO: "TRY_DEMO",
    Intent.QUOTE: "GET_QUOTE",
    Intent.DOWNLOAD: "DOWNLOAD",
    Intent.REGISTER: "SIGN_UP",
    Intent.SUBSCRIBE: "SUBSCRIBE",
    Intent.APPLY: "APPLY_NOW",
    Intent.BOOK: "BOOK_NOW",
    Intent.SIGN_UP: "SIGN_UP",
    Intent.SHOP: "SHOP_NOW",
    Intent.CONTACT: "CONTACT_US",
    Intent.OFFER: "GET_OFFER",
    Intent.LEARN_MORE: "LEARN_MORE",
}


def button(call_to_action: str) -> str:
    """Return the ``call_to_action.type`` of a link ad."""
    return BUTTONS[intent(call_to_action)]
