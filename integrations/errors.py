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
    │   └── NotFoundError         the object we named does not exist there
    ├── NeedsAttentionError       a person has to act before any retry makes sense
    │   ├── CredentialsError      key missing, wrong or without the permission
    │   └── QuotaExhaustedError   the account's credit or periodic quota is used up
    ├── OutcomeUnknownError       sent, and no answer: it may have happened (effects are probed)
    └── NotNowError               admission said no; nothing was sent, no attempt is burnt

Invariant: every class survives JSON (``to_dict``/``from_dict``) and pickle, and its message never
holds a secret or a person's data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class IntegrationError(Exception):
    """Root of the tree.

    ``provider`` is the failing provider's name (``"serpapi"``), ``message`` one plain sentence,
    ``detail`` the provider's own short error code if it gave one, ``retry_after`` the seconds it
    asked us to wait.
    """

    code: ClassVar[str] = "integration_error"

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


class RateLimitedError(TransientError):
    """The provider asked us to slow down; ``retry_after`` holds its own figure when it gave one."""

    code = "rate_limited"


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


class NotNowError(IntegrationError):
    """Admission said no: nothing was sent and no attempt is burnt; ``retry_after`` says when."""

    code = "not_now"


def _tree(root: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [root, *(found for child in root.__subclasses__() for found in _tree(child))]


_BY_CODE: dict[str, type[IntegrationError]] = {found.code: found for found in _tree(IntegrationError)}
