"""Google's Data Manager over REST: the service through which Customer Match is reached.

The Google Ads API takes no new users of Customer Match since 2026-04-01 (CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE;
Google Ads developer blog, 2026-03-04). Data Manager needs the same OAuth client and a refresh token that was granted
its scope too, and no developer token. It is spoken to without Google's packages: every worker removes a person who is
erased. Invariants: a call is one request, bounded and admitted; no key gets into a URL or an error. Sources: "Configure
destinations" and the REST reference of the Data Manager API, v1.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.ads.google.customer_match import ACCOUNT_TYPE, Body
from integrations.ads.google.data_manager_errors import codes, refusal
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.oauth import AccessToken
from integrations.ads.google.spec import SPEC
from integrations.ads.platform import Wire
from integrations.errors import IntegrationError
from integrations.fields import Fields, inner
from integrations.http import HttpReply, QueryValue, credential, send
from integrations.http_errors import error_class, retry_after
from integrations.settings import ProviderSettings

LIVE_URL = "https://datamanager.googleapis.com"
VERSION = "v1"


class DataManager:
    """One account's Data Manager, safe to use from several threads."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._token = AccessToken(settings)

    @property
    def customer_id(self) -> str:
        """Number of the account, without the dashes that Google shows it with."""
        return credential(self._settings, "customer_id").replace("-", "")

    @property
    def manager_id(self) -> str:
        """Number of the manager account through which the user has access, "" without one."""
        return self._settings.options["login_customer_id"].replace("-", "")

    @property
    def url(self) -> str:
        """Address of the service: Google's own host, or another base URL, which serves it too."""
        assert SPEC.provider is not None
        base = self._settings.base_url
        return f"{LIVE_URL if base == SPEC.provider.live_url else base}/{VERSION}"

    def lists(self, list_id: str = "") -> str:
        """Return the path of the account's lists, or of one."""
        path = f"accountTypes/{ACCOUNT_TYPE}/accounts/{self.customer_id}/userLists"
        return f"{path}/{list_id}" if list_id else path

    def get(self, path: str, params: Mapping[str, QueryValue] | None = None, *, wire: Wire) -> Fields:
        """Return the object at ``path``."""
        return self._call("GET", path, wire, params=params)

    def post(self, path: str, body: Body, *, wire: Wire) -> Fields:
        """Send ``body`` and return the answer."""
        return self._call("POST", path, wire, body=body)

    def delete(self, path: str, *, wire: Wire) -> None:
        """Delete the object at ``path``."""
        self._call("DELETE", path, wire)

    def _call(
        self,
        method: str,
        path: str,
        wire: Wire,
        *,
        params: Mapping[str, QueryValue] | None = None,
        body: Body | None = None,
    ) -> Fields:
        bearer = self._token.current(wire)
        return wire(lambda timeout: self._sent(method, path, bearer, timeout, params, body))

    def _sent(
        self,
        method: str,
        path: str,
        bearer: str,
        timeout: float,
        params: Mapping[str, QueryValue] | None,
        body: Body | None,
    ) -> Fields:
        secrets = [bearer, *self._settings.credentials.values()]

        def refused(reply: HttpReply) -> type[IntegrationError]:
            """Raise what the body means, else return the class by the status."""
            if reply.status == 401:
                self._token.forget(bearer)
            found = refusal(_error(reply), secrets=secrets)
            if found is not None:
                if found.retry_after is None:
                    found.retry_after = retry_after(reply.headers)
                raise found
            return error_class(method, reply.status)

        # Requests about members name the manager in their destination, and ignore the header.
        manager = self.manager_id if path.startswith("accountTypes/") else ""
        reply = send(
            PROVIDER,
            method,
            f"{self.url}/{path}",
            reach=self._settings.reach,
            timeout=timeout,
            params=params,
            json=body,
            headers={
                "Authorization": f"Bearer {bearer}",
                **({"login-account": f"accountTypes/{ACCOUNT_TYPE}/accounts/{manager}"} if manager else {}),
            },
            classify=refused,
            describe=lambda reply: codes(_error(reply), secrets=secrets),
        )
        return reply.json_object()


def _error(reply: HttpReply) -> Fields:
    """Return the google.rpc.Status in an error's body, {} without one."""
    try:
        return inner(reply.json_object(), "error")
    except IntegrationError:
        return {}
