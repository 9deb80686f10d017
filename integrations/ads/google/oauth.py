"""Access tokens of Google's OAuth: one request with the refresh token brings one that is good for an hour.

The SDK would refresh by itself, inside gRPC, without a bound of its own and with the token server's words in gRPC's
error text; so it is given a token with each call. Invariants: a refresh is a wire call of its own, bounded and admitted
like any; no key gets into a URL or an error. Source: "Using OAuth 2.0 for Web Server Applications" (token endpoint).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.spec import SPEC
from integrations.ads.platform import Wire
from integrations.ads.words import own_words
from integrations.errors import CredentialsError, IntegrationError, OutcomeUnknownError, TransientError
from integrations.fields import missing
from integrations.http import HttpReply, credential, fits_header, send
from integrations.settings import ProviderSettings

LIVE_TOKEN_URL = "https://oauth2.googleapis.com/token"
#: A token that ends within so many seconds is replaced before a call.
MARGIN_S = 60.0
#: The grant or the client is refused (RFC 6749 §5.2): a person has to authorise anew.
REFUSED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied", "deleted_client"})


class AccessToken:
    """Access token of one account, for all threads of the process."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._token, self._until = "", float("-inf")  #: until: of ``time.monotonic()``

    def current(self, wire: Wire, *, margin_s: float = MARGIN_S) -> str:
        """Return a token that is good for ``margin_s`` more seconds, a new one when the last is not."""
        token, until = self._token, self._until
        if time.monotonic() + margin_s >= until:
            token, lifetime = wire(self._fetched)
            self._token, self._until = token, time.monotonic() + lifetime
        return token

    def forget(self, token: str) -> None:
        """Use ``token`` no more, which Google has refused."""
        if token == self._token:
            self._until = float("-inf")

    @property
    def url(self) -> str:
        """Address of the token endpoint: Google's, or ``/token`` below another base URL."""
        assert SPEC.provider is not None
        base = self._settings.base_url
        return LIVE_TOKEN_URL if base == SPEC.provider.live_url else f"{base}/token"

    def _fetched(self, timeout: float) -> tuple[str, float]:
        """Return a new token and the seconds that it is good for.

        Raises CredentialsError before anything is sent when any key of the account can't be sent.
        """
        for name in self._settings.credentials:
            credential(self._settings, name)
        keys = {name: credential(self._settings, name) for name in ("client_id", "client_secret", "refresh_token")}
        try:
            reply = send(
                PROVIDER,
                "POST",
                self.url,
                reach=self._settings.reach,
                timeout=timeout,
                form={"grant_type": "refresh_token", **keys},
                classify=_classified,
                describe=lambda reply: _text(_body(reply), "error") or None,
                words=lambda reply: own_words(_text(_body(reply), "error_description"), secrets=keys.values()),
            )
            body = reply.json_object()
        except OutcomeUnknownError as error:  # asked anew, it only brings another token
            raise TransientError(PROVIDER, error.message, detail=error.detail) from None
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token or not fits_header(token):
            raise missing(PROVIDER, "access_token", TransientError)
        known = isinstance(lifetime, int | float) and not isinstance(lifetime, bool)
        return token, float(lifetime) if known else 0.0  # type: ignore[arg-type]  # ``known`` says that it is a number


def _classified(reply: HttpReply) -> type[IntegrationError] | None:
    return CredentialsError if _text(_body(reply), "error") in REFUSED else None


def _body(reply: HttpReply) -> Mapping[str, Any]:
    try:
        return reply.json_object()
    except IntegrationError:
        return {}


def _text(body: Mapping[str, Any], key: str) -> str:
    found = body.get(key)
    return own_words(found) if isinstance(found, str) else ""
