"""Refusals of the sandbox's Google Ads, in the forms that Google has for them: gRPC trailers and REST bodies.

Invariant: a refusal is a GoogleAdsFailure of the package's own messages, so no code can be named that Google lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.sandbox.protocol import RpcResponse, waiting

FAILURE = "google.ads.googleads.v26.errors.googleadsfailure-bin"
_FAILURE_TYPE = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
REQUEST_ID = ("request-id", "sandbox-request")
#: kind of the first error -> gRPC status, its name, HTTP status; all others are INVALID_ARGUMENT
_STATUSES: Mapping[str, tuple[int, str, int]] = {
    "authenticationError": (16, "UNAUTHENTICATED", 401),
    "authorizationError": (7, "PERMISSION_DENIED", 403),
    "quotaError": (8, "RESOURCE_EXHAUSTED", 429),
    "internalError": (13, "INTERNAL", 500),
}
_INVALID = (3, "INVALID_ARGUMENT", 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error of a failure."""

    kind: str  #: member of ErrorCode in JSON, such as "campaignError"
    code: str  #: name in its enumeration
    message: str
    path: tuple[str | int, ...] = ()  #: field names, each perhaps followed by its index
    details: Mapping[str, Any] = field(default_factory=dict)  #: ErrorDetails in JSON

    def to_json(self) -> dict[str, Any]:
        """Return GoogleAdsError in JSON."""
        elements: list[dict[str, Any]] = []
        for part in self.path:
            if isinstance(part, int):
                elements[-1]["index"] = part
            else:
                elements.append({"fieldName": part})
        found: dict[str, Any] = {"errorCode": {self.kind: self.code}, "message": self.message}
        if elements:
            found["location"] = {"fieldPathElements": elements}
        return {**found, "details": dict(self.details)} if self.details else found


class Refused(Exception):
    """Raised for a request that is refused as a whole."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


def refused(kind: str, code: str, message: str, *path: str | int, **details: Any) -> Refused:
    """Return the refusal with one error."""
    return Refused(Fault(kind=kind, code=code, message=message, path=path, details=details))


def response(faults: Sequence[Fault], *, retry_after_s: float | None = None) -> RpcResponse:
    """Return a refusal in both forms."""
    from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
    from google.protobuf.json_format import ParseDict

    failure = {"errors": [fault.to_json() for fault in faults], "requestId": REQUEST_ID[1]}
    trailer = ParseDict(failure, GoogleAdsFailure.pb()()).SerializeToString()
    code, name, status = _STATUSES.get(faults[0].kind, _INVALID)
    said = "Request contains an invalid argument." if code == _INVALID[0] else faults[0].message
    body = {"code": status, "message": said, "status": name, "details": [{"@type": _FAILURE_TYPE, **failure}]}
    return RpcResponse(
        status=status,
        body={"error": body},
        headers=waiting(retry_after_s),
        code=code,
        message=said,
        trailers=(REQUEST_ID, (FAILURE, trailer)),
    )


def quota(retry_after_s: float) -> RpcResponse:
    """Return the refusal of a developer token that asks too often."""
    details = {
        "quotaErrorDetails": {
            "rateScope": "DEVELOPER",
            "rateName": "Number of operations for basic access",
            "retryDelay": f"{retry_after_s:g}s",
        }
    }
    fault = Fault(
        kind="quotaError",
        code="RESOURCE_TEMPORARILY_EXHAUSTED",
        message="Too many requests. Retry in a while.",
        details=details,
    )
    return response([fault], retry_after_s=retry_after_s)


def unavailable(retry_after_s: float | None) -> RpcResponse:
    """Return the answer of a service that is down, which names a wait where one is given."""
    from google.protobuf.duration_pb2 import Duration
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    status = Status(code=14, message="The service is currently unavailable.")
    if retry_after_s is not None:
        seconds = int(retry_after_s)
        delay = Duration(seconds=seconds, nanos=round((retry_after_s - seconds) * 1e9))
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return RpcResponse(
        status=503,
        body={"error": {"code": 503, "message": status.message, "status": "UNAVAILABLE"}},
        headers=waiting(retry_after_s),
        code=14,
        message=status.message,
        trailers=(REQUEST_ID, ("grpc-status-details-bin", status.SerializeToString())),
    )
