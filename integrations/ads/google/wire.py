"""GoogleAdsService over the official SDK: searches and atomic mutates, each one gRPC call.

The SDK gives messages, service and interceptors (headers, GoogleAdsException). Fenced in (google-ads 34.0.0): no
time-out and no retry by default; INTERNAL and RESOURCE_EXHAUSTED, so every quota error, come as google.api_core's
exceptions with the GoogleAdsFailure in the trailers of their cause; neither kind can be pickled; its logger writes
whole requests at DEBUG and is left out. Importing it takes a second and 70 MB, so the first call imports it.
Invariants: every call has a time-out and a token (:mod:`integrations.ads.google.oauth`), and returns Google's answer in
protobuf's JSON form (``{"campaign": {"id": "1"}}``) or raises an error of :mod:`integrations.errors`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.ads.google.channel import open_channel
from integrations.ads.google.errors import PROVIDER, failure_error, status_error
from integrations.ads.google.oauth import AccessToken
from integrations.ads.google.spec import SPEC
from integrations.ads.page_size import MAX_OBJECTS
from integrations.ads.platform import Wire
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NeedsAttentionError,
    OutcomeUnknownError,
    TransientError,
)
from integrations.fields import missing
from integrations.http import credential
from integrations.settings import ProviderSettings

VERSION = "v26"
_FAILURE = f"google.ads.googleads.{VERSION}.errors.googleadsfailure-bin"
_STATUS = "grpc-status-details-bin"
#: So many seconds a token is good for at least when a creation begins, between whose intent and call none is fetched.
_CREATION_MARGIN_S = 180.0
Row = dict[str, Any]


class GoogleAdsWire:
    """One account's GoogleAdsService, safe to use from several threads."""

    def __init__(self, settings: ProviderSettings, token: AccessToken) -> None:
        self._settings = settings
        self._token = token
        self._lock = threading.Lock()
        self._service: Any = None
        self._pid = 0

    @property
    def customer_id(self) -> str:
        """Number of the account, without the dashes that Google shows it with."""
        return credential(self._settings, "customer_id").replace("-", "")

    def rows(self, query: str, *, wire: Wire) -> Iterator[Row]:
        """Yield the rows of a query, one wire call a page."""
        page_token = ""
        seen = 0
        while seen < MAX_OBJECTS:
            asked = {"customer_id": self.customer_id, "query": query, "page_token": page_token}
            page = self._call("search", asked, wire, write=False)
            found = page.get("results", [])
            if not isinstance(found, list):
                raise TransientError(PROVIDER, "answered a search without results")
            yield from (row for row in found if isinstance(row, dict))
            seen += len(found) or 1
            page_token = str(page.get("nextPageToken") or "")
            if not page_token:
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_OBJECTS} objects")

    def ready(self, wire: Wire) -> None:
        """Make sure that the next call needs no new token first."""
        self._token.current(wire, margin_s=_CREATION_MARGIN_S)

    def mutate(self, operations: Sequence[Mapping[str, Any]], *, wire: Wire, validate_only: bool = False) -> list[str]:
        """Carry all operations out or none, and return the resource names of their results, in their order.

        Returns no names for a dry run (``validate_only``). Raises OutcomeUnknownError for an answer that lacks some.
        """
        asked = {
            "customer_id": self.customer_id,
            "mutate_operations": list(operations),
            "partial_failure": False,
            "validate_only": validate_only,
        }
        answer = self._call("mutate", asked, wire, write=not validate_only)
        if validate_only:
            return []
        responses = answer.get("mutateOperationResponses", [])
        names = [_resource_name(one) for one in responses] if isinstance(responses, list) else []
        if len(names) != len(operations) or not all(names):
            raise missing(PROVIDER, "mutateOperationResponses.resourceName", OutcomeUnknownError)
        return names

    def _call(self, method: str, request: Mapping[str, Any], wire: Wire, *, write: bool) -> Row:
        token = self._token.current(wire)
        return wire(lambda timeout: self._sent(method, request, token, timeout, write=write))

    def _sent(self, method: str, request: Mapping[str, Any], token: str, timeout: float, *, write: bool) -> Row:
        assert SPEC.package is not None
        if missing := SPEC.package.missing():
            raise NeedsAttentionError(PROVIDER, missing)
        import grpc
        from google.ads.googleads.errors import GoogleAdsException
        from google.api_core.exceptions import GoogleAPICallError
        from google.protobuf.json_format import MessageToDict

        service = self._connected(timeout)
        metadata = [("authorization", f"Bearer {token}")]
        try:
            answer = getattr(service, method)(request=dict(request), timeout=timeout, retry=None, metadata=metadata)
            if method == "search":
                answer = next(iter(answer.pages))  # the pager would ask for the other pages by itself
            found: Row = MessageToDict(type(answer).pb(answer))
            return found
        except GoogleAdsException as error:
            call = error.error
        except GoogleAPICallError as error:
            call = error.__cause__
        except grpc.RpcError as error:
            call = error
        except (TypeError, ValueError, LookupError) as error:
            raise BadRequestError(PROVIDER, f"the SDK refused the request ({type(error).__name__})") from None
        raise self._refused(call, service, token, write=write)

    def _connected(self, timeout: float) -> Any:
        """Return the service, with a new channel after a fork (sockets don't survive one) and after a failed one."""
        with self._lock:
            if self._service is None or self._pid != os.getpid():
                self._service, self._pid = self._opened(timeout), os.getpid()
            return self._service

    def _opened(self, timeout: float) -> Any:
        import grpc
        from google.ads.googleads.interceptors import ExceptionInterceptor, MetadataInterceptor
        from google.ads.googleads.v26.services.services.google_ads_service import GoogleAdsServiceClient
        from google.ads.googleads.v26.services.services.google_ads_service.transports import (
            GoogleAdsServiceGrpcTransport,
        )

        manager = self._settings.options["login_customer_id"].replace("-", "")
        interceptors = (
            MetadataInterceptor(credential(self._settings, "developer_token"), manager or None),
            ExceptionInterceptor(VERSION, use_proto_plus=True),
        )
        channel = grpc.intercept_channel(open_channel(self._settings, timeout=timeout), *interceptors)
        return GoogleAdsServiceClient(transport=GoogleAdsServiceGrpcTransport(channel=channel))

    def _refused(self, call: Any, service: Any, token: str, *, write: bool) -> IntegrationError:
        """Return the error for a call that did not succeed."""
        status = getattr(call.code(), "name", "") if hasattr(call, "code") else ""
        details = call.details() if hasattr(call, "details") else ""
        trailers = dict(call.trailing_metadata() or ()) if status else {}
        secrets = [token, *(self._settings.credentials.values())]
        if status == "UNAVAILABLE":
            with self._lock:
                if self._service is service:
                    self._service = None
        failure = _failure(trailers.get(_FAILURE))
        found = failure_error(failure, write=write, secrets=secrets) if failure else None
        if found is None:
            found = status_error(
                status,
                details if isinstance(details, str) else "",
                write=write,
                answered=bool(trailers),
                wait=_retry_delay(trailers.get(_STATUS)),
                secrets=secrets,
            )
        if status == "UNAUTHENTICATED":
            self._token.forget(token)
        return found


def _resource_name(response: Any) -> str:
    """Return the resource name in the one result that a response holds."""
    results = [one for one in response.values() if isinstance(one, dict)] if isinstance(response, dict) else []
    name = results[0].get("resourceName") if results else None
    return name if isinstance(name, str) else ""


def _failure(trailer: Any) -> Row | None:
    """Return a GoogleAdsFailure of the trailers in JSON form."""
    from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError

    if not isinstance(trailer, bytes):
        return None
    try:
        found: Row = MessageToDict(GoogleAdsFailure.pb(GoogleAdsFailure.deserialize(trailer)))
    except (DecodeError, ValueError):
        return None
    return found


def _retry_delay(trailer: Any) -> float | None:
    """Return the seconds of a RetryInfo among the details of a status, if any."""
    from google.protobuf.message import DecodeError
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    if not isinstance(trailer, bytes):
        return None
    try:
        for detail in Status.FromString(trailer).details:
            info = RetryInfo()
            if detail.Unpack(info):
                return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    except DecodeError:
        return None
    return None
