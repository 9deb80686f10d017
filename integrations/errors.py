"""Errors of outside systems, as one small tree of classes.

Each provider module maps what its client library raises into these classes. A foreign exception never leaves a unit,
because exceptions of client libraries neither pickle nor say whether a retry makes sense. The class decides what
happens next (see :mod:`integrations.retry`):

    IntegrationError
    ├── TransientError            the provider failed; the same call may succeed later
    │   ├── RateLimitedError      it asked us to slow down (``retry_after`` when it said so)
    │   └── TryAgainError         it refused this one call and said to try again; a few retries, then it has failed
    ├── PermanentError            the same call will fail again
    │   ├── BadRequestError       it refused our arguments
    │   │   ├── TooMuchAskedError it answers only less at once; the client asks for less
    │   │   └── ListTooShortError it counts too few people on a list for what shall be made of it
    │   ├── PolicyRefusedError    it refused our content
    │   ├── InvalidAnswerError    it answered in a form that we can't use
    │   ├── InvalidResultError    what was made of its answer can't be stored; a unit's last error
    │   ├── OutOfReachError       the provider's address may not be connected to; nothing was sent
    │   ├── NotFoundError         the object we named does not exist there
    │   └── ProviderUnavailableError  its outage outlasted ``max_wait_s``; a unit's last error, never raised by a call
    ├── NeedsAttentionError       a person has to act before any retry makes sense
    │   ├── CredentialsError      key missing, wrong or without the permission
    │   └── QuotaExhaustedError   the account's credit or periodic quota is used up
    ├── OutcomeUnknownError       sent without an answer: it may have been carried out (effects are probed)
    └── NotNowError               not now, mostly by admission; no attempt is counted
        ├── CircuitOpenError      the provider's breaker is open (``retry_after``: until its next probe)
        ├── StillWorkingError     it is still at what it was asked for; asked again, no attempt is counted
        ├── OverLimitError        a limit of requests or concurrent calls has no room before ``retry_after``
        └── OverBudgetError       a spend cap has no room; a person may raise it

``outage`` tells which classes are failures of the provider itself and count for its circuit breaker: no answer, an
unreadable answer, a 5xx. A refusal of our request, content, key or rate says that the provider works.

Invariant: every class survives JSON (``to_dict``/``from_dict``) and pickle, its text can be stored, and its message
never holds a secret or a person's data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from integrations.values import clean_text

#: Upper bound of a delay in seconds, also for a provider's Retry-After. The call is tried again after it.
MAX_DELAY_S = 900.0
MAX_DETAIL = 500  #: characters kept of a provider's error code


class IntegrationError(Exception):
    """Base class of all errors of outside systems.

    ``provider`` is the failing provider's name (``"serpapi"``), ``message`` one plain sentence, ``detail`` the
    provider's own short error code if it gave one, ``retry_after`` the seconds it asked us to wait.
    """

    code: ClassVar[str] = "integration_error"
    outage: ClassVar[bool] = False  #: whether it counts as a failure of the provider

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        detail: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        message, detail = clean_text(message), clean_text(detail)[:MAX_DETAIL] if detail else detail
        super().__init__(f"{provider}: {message}" + (f" [{detail}]" if detail else ""))
        self.provider = provider
        self.message = message
        self.detail = detail
        self.retry_after = retry_after

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form: code, provider, message, detail, retry_after (seconds)."""
        return {
            "code": self.code,
            "provider": self.provider,
            "message": self.message,
            "detail": self.detail,
            "retry_after": self.retry_after,
        }

    @staticmethod
    def from_dict(data: Mapping[str, object]) -> IntegrationError:
        """Rebuild the error that :meth:`to_dict` wrote, as the base class when the code is unknown."""
        error_class = _BY_CODE.get(str(data.get("code")), IntegrationError)
        detail, retry_after = data.get("detail"), data.get("retry_after")
        return error_class(
            str(data.get("provider", "")),
            str(data.get("message", "")),
            detail=detail if isinstance(detail, str) else None,
            retry_after=retry_after if isinstance(retry_after, int | float) else None,
        )

    def __reduce__(self) -> tuple[Callable[..., IntegrationError], tuple[dict[str, object]]]:
        return (IntegrationError.from_dict, (self.to_dict(),))


class TransientError(IntegrationError):
    """Raised when the provider failed (5xx, connect time-out, refused connection) and a retry may succeed."""

    code = "transient"
    outage = True


class RateLimitedError(TransientError):
    """Raised when the provider asked us to slow down, with its own ``retry_after`` when it gave one."""

    code = "rate_limited"
    outage = False


class TryAgainError(TransientError):
    """Raised when the provider works and refused one call, which it wants to be tried again.

    Nothing was carried out. Used-up retries are the end, in the provider's words: it is no outage to wait for.
    """

    code = "try_again"
    outage = False


class PermanentError(IntegrationError):
    """Raised when the same call would fail again."""

    code = "permanent"


class BadRequestError(PermanentError):
    """Raised when the provider refused our arguments."""

    code = "bad_request"


class TooMuchAskedError(BadRequestError):
    """Raised when the provider answers only a smaller question, such as a shorter page of a listing."""

    code = "too_much_asked"


class ListTooShortError(BadRequestError):
    """Raised when the provider counts too few people on a list for what shall be made of it."""

    code = "list_too_short"


class PolicyRefusedError(PermanentError):
    """Raised when the provider refused our content by its policy."""

    code = "policy_refused"


class InvalidAnswerError(PermanentError):
    """Raised when the provider answered in a form that we can't use."""

    code = "invalid_answer"


class InvalidResultError(PermanentError):
    """Final error of a unit whose result, or a part of it on the way, can't be stored, while its cost is booked."""

    code = "invalid_result"


class OutOfReachError(PermanentError):
    """Raised before anything is sent when a provider's address may not be connected to.

    The rule is that of :mod:`integrations.outbound`.
    """

    code = "out_of_reach"


class NotFoundError(PermanentError):
    """Raised when the object that we named does not exist at the provider."""

    code = "not_found"


class ProviderUnavailableError(PermanentError):
    """Final error of a unit whose provider's outage outlasted the unit's ``max_wait_s``."""

    code = "provider_unavailable"


class NeedsAttentionError(IntegrationError):
    """Raised when a person has to act (a key, a bill, a permission) before a retry makes sense."""

    code = "needs_attention"


class CredentialsError(NeedsAttentionError):
    """Raised when the credentials are missing, wrong, or lack the permission."""

    code = "credentials"


class QuotaExhaustedError(NeedsAttentionError):
    """Raised when the account's credit or periodic quota is used up."""

    code = "quota_exhausted"


class OutcomeUnknownError(IntegrationError):
    """Raised when a request was sent and no answer came, so that it may have been carried out."""

    code = "outcome_unknown"
    outage = True


class NotNowError(IntegrationError):
    """Raised when admission refuses a call, which was not sent and counts as no attempt.

    ``retry_after`` says when to try again.
    """

    code = "not_now"


class CircuitOpenError(NotNowError):
    """Raised when the provider's circuit breaker is open, with ``retry_after`` until its next probe."""

    code = "circuit_open"


class StillWorkingError(NotNowError):
    """Raised when a provider is still at what it was asked for, with ``retry_after`` until it is asked again.

    It works, so nothing has failed and no fallback is used.
    """

    code = "still_working"


class OverLimitError(NotNowError):
    """Raised when a limit of the fleet has no room before ``retry_after``, the caller's reserved slot.

    ``detail`` is ``"share"`` when no slot was reserved because the campaign holds as many as it may. Its other calls
    to this provider should not be begun before ``retry_after`` either.
    """

    code = "over_limit"


class OverBudgetError(NotNowError):
    """Raised when a spend cap, named in ``detail``, has no room for the call's upper bound."""

    code = "over_budget"


def _tree(root: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [root, *(found for child in root.__subclasses__() for found in _tree(child))]


_BY_CODE: dict[str, type[IntegrationError]] = {found.code: found for found in _tree(IntegrationError)}
