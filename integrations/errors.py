"""Every way an outside system can say no, as one small tree.

Each provider module maps what its client raises into these classes at its own edge; a foreign
exception never crosses a unit's boundary, because provider exceptions neither pickle nor say
whether a retry makes sense. The class *is* the decision's input (see :mod:`integrations.retry`):

    IntegrationError
    ├── TransientError            the provider failed; the same call may succeed later
    │   └── RateLimitedError      it asked us to slow down (``retry_after`` when it said so)
    ├── PermanentError            the same call will fail again
    │   ├── BadRequestError       it refused our arguments
    │   ├── PolicyRefusedError    it refused our content
    │   ├── InvalidAnswerError    it answered what we can't use (after re-asks)
    │   ├── NotFoundError         the object we named does not exist there
    │   └── ProviderUnavailableError  its outage outlasted our patience (``max_wait``); only ever a final word
    ├── NeedsAttentionError       a person has to act before any retry makes sense
    │   ├── CredentialsError      key missing, wrong or without the permission
    │   └── QuotaExhaustedError   the account's credit or periodic quota is used up
    ├── OutcomeUnknownError       sent, and no answer: it may have happened (effects are probed)
    └── NotNowError               admission said no; nothing was sent, no attempt is burnt
        ├── CircuitOpenError      the provider's breaker is open (``retry_after``: until its next probe)
        ├── OverLimitError        a limit of requests or concurrent calls has no room before ``retry_after``
        └── OverBudgetError       a spend cap has no room; a person may raise it

``outage`` tells which classes are failures of the provider itself and count for its circuit breaker: no
answer, an answer nobody can read, a 5xx. A refusal of our request, of our content, of our key or of our pace
says that the provider works.

Invariant: every class survives JSON (``to_dict``/``from_dict``) and pickle, and its message never
holds a secret or a person's data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

#: No provider's Retry-After is obeyed beyond this many seconds in one go; it is asked again then.
MAX_DELAY_S = 900.0


class IntegrationError(Exception):
    """Root of the tree.

    ``provider`` is the failing provider's name (``"serpapi"``), ``message`` one plain sentence,
    ``detail`` the provider's own short error code if it gave one, ``retry_after`` the seconds it
    asked us to wait.
    """

    code: ClassVar[str] = "integration_error"
    outage: ClassVar[bool] = False  #: does it count as a failure of the provider?

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        detail: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{provider}: {message}" + (f" [{detail}]" if detail else ""))
        self.provider = provider
        self.message = message
        self.detail = detail
        self.retry_after = retry_after

    def to_dict(self) -> dict[str, Any]:
        """JSON form: code, provider, message, detail, retry_after (seconds)."""
        return {
            "code": self.code,
            "provider": self.provider,
            "message": self.message,
            "detail": self.detail,
            "retry_after": self.retry_after,
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> IntegrationError:
        """Rebuild the error that :meth:`to_dict` wrote; an unknown code becomes the root class."""
        error_class = _BY_CODE.get(str(data.get("code")), IntegrationError)
        return error_class(
            str(data.get("provider", "")),
            str(data.get("message", "")),
            detail=data.get("detail"),
            retry_after=data.get("retry_after"),
        )

    def __reduce__(self) -> tuple[Callable[..., IntegrationError], tuple[dict[str, Any]]]:
        return (IntegrationError.from_dict, (self.to_dict(),))


class TransientError(IntegrationError):
    """The provider failed (5xx, timeout before sending, refused connection); a retry may succeed."""

    code = "transient"
    outage = True


class RateLimitedError(TransientError):
    """The provider asked us to slow down; ``retry_after`` holds its own figure when it gave one."""

    code = "rate_limited"
    outage = False


class PermanentError(IntegrationError):
    """The same call will fail again; retrying is pointless."""

    code = "permanent"


class BadRequestError(PermanentError):
    """The provider refused our arguments."""

    code = "bad_request"


class PolicyRefusedError(PermanentError):
    """The provider refused our content for its policy's sake."""

    code = "policy_refused"


class InvalidAnswerError(PermanentError):
    """The provider answered, but not in a form we can use."""

    code = "invalid_answer"


class NotFoundError(PermanentError):
    """The object we named does not exist at the provider."""

    code = "not_found"


class ProviderUnavailableError(PermanentError):
    """The provider's outage lasted longer than the unit was to wait for it."""

    code = "provider_unavailable"


class NeedsAttentionError(IntegrationError):
    """A person has to act (a key, a bill, a permission) before a retry makes sense."""

    code = "needs_attention"


class CredentialsError(NeedsAttentionError):
    """The credentials are missing, wrong, or lack the permission."""

    code = "credentials"


class QuotaExhaustedError(NeedsAttentionError):
    """The account's credit or periodic quota is used up."""

    code = "quota_exhausted"


class OutcomeUnknownError(IntegrationError):
    """The request was sent and no answer came: it may or may not have happened."""

    code = "outcome_unknown"
    outage = True


class NotNowError(IntegrationError):
    """Admission said no: nothing was sent and no attempt is burnt; ``retry_after`` says when."""

    code = "not_now"


class CircuitOpenError(NotNowError):
    """The provider's circuit breaker is open; ``retry_after`` says when it is probed."""

    code = "circuit_open"


class OverLimitError(NotNowError):
    """A limit shared by the fleet has no room; ``retry_after`` is the caller's own slot in time.

    ``detail`` is ``"share"`` when no slot was reserved because the campaign holds as many as it may: what else it
    has for this provider should not even be begun before then.
    """

    code = "over_limit"


class OverBudgetError(NotNowError):
    """A spend cap has no room for the call's upper bound; ``detail`` names the cap."""

    code = "over_budget"


def _tree(root: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [root, *(found for child in root.__subclasses__() for found in _tree(child))]


_BY_CODE: dict[str, type[IntegrationError]] = {found.code: found for found in _tree(IntegrationError)}
