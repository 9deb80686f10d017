"""Error table of OpenAI-compatible servers: from what the client library raises to our classes.

The server's own code decides first (a 429 may be a rate limit or an unpaid bill), then the words of servers without
codes, then the HTTP status. Sources: OpenAI's "Error codes" guide, and the answers of vLLM, llama.cpp, LM Studio and
Ollama.

    a code of CODES                         its class, for every status
    400, 413, 422 that tell of a full context BadRequestError, ``detail`` context_length_exceeded
    a status of STATUSES                    its class; 429 after retry-after-ms or Retry-After
    other 3xx, 4xx                          BadRequestError
    5xx                                     TransientError
    not sent: no connection came about      TransientError, ``detail`` unreachable
    no answer, time-out, hung up            TransientError: a completion changes nothing, so a retry only costs money
    an answer that is no chat completion    TransientError, ``detail`` malformed_response
    a base URL that is not a URL            BadRequestError

A completion that is empty, refused, cut off or filtered is an answer (:mod:`integrations.llm.answer`), not an error. An
error with status 200 gets the status that it means (:mod:`integrations.llm.body_errors`) before it comes here.
Invariant: :func:`translate` returns an IntegrationError for every exception, and neither the key nor a prompt is in its
message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    OutOfReachError,
    PermanentError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.http_errors import retry_after as plain_retry_after
from integrations.llm.body import UnreadableBodyError
from integrations.outbound import AddressRefusedError

if TYPE_CHECKING:
    import openai

PROVIDER = "openai"
CONTEXT_OVERFLOW = "context_length_exceeded"
#: ``detail`` of a TransientError for an answer that came, was paid for, and can't be read.
MALFORMED = "malformed_response"
UNREACHABLE = "unreachable"  #: ``detail`` of a TransientError when nothing was sent
#: ``detail`` of a TransientError after which a call may have been paid for; a status without an answer is not billed.
MAY_HAVE_COST = frozenset({"timeout", "connection", MALFORMED, None})

#: The server's ``error.code`` (or ``error.type``) -> our class.
CODES: Mapping[str, type[IntegrationError]] = MappingProxyType(
    {
        "insufficient_quota": QuotaExhaustedError,
        "billing_hard_limit_reached": QuotaExhaustedError,
        "billing_not_active": QuotaExhaustedError,
        "content_filter": PolicyRefusedError,
        "content_policy_violation": PolicyRefusedError,
        "invalid_prompt": PolicyRefusedError,
        "invalid_api_key": CredentialsError,
        "account_deactivated": CredentialsError,
        "model_not_found": NotFoundError,
        CONTEXT_OVERFLOW: BadRequestError,
    }
)
#: HTTP status -> (our class, our message).
STATUSES: Mapping[int, tuple[type[IntegrationError], str]] = MappingProxyType(
    {
        400: (BadRequestError, "the model server refused the request"),
        401: (CredentialsError, "the key is missing or wrong (OPENAI_API_KEY)"),
        402: (QuotaExhaustedError, "the account has no credit left"),
        403: (CredentialsError, "the key lacks the permission for this model or region (OPENAI_API_KEY)"),
        404: (NotFoundError, "the model or address does not exist (LLM_MODEL, OPENAI_BASE_URL)"),
        408: (TransientError, "the model server gave up waiting"),
        409: (TransientError, "the model server reports a conflict"),
        413: (BadRequestError, "the request is too large"),
        422: (BadRequestError, "the model server can't process the request"),
        425: (TransientError, "the model server asks to send the request later"),
        429: (RateLimitedError, "too many requests or tokens"),
    }
)
#: Statuses whose message is repeated, because it tells the user what to change.
_EXPLAINED = frozenset({400, 404, 413, 422})
# OpenAI has a code for it; vLLM, llama.cpp, LM Studio and Ollama have words only.
OVERFLOW = re.compile(
    r"maximum context length|context[_ ]length[_ ]exceeded|context (size|window|length)|prompt is too long"
    r"|input tokens exceed",
    re.IGNORECASE,
)
_SECRET = re.compile(r"(sk-|Bearer\s+)[^\s\"',]+")
#: Addresses, and the refused input that servers with pydantic's messages send back.
_PRIVATE = re.compile(r"https?://\S+|[^\s@\"'<>]+@[^\s@\"'<>]+|['\"]?\binput(_value)?['\"]?\s*[:=].*")


def translate(
    error: Exception, *, key: str = "", now: datetime | None = None, answer: str = "chat completion"
) -> IntegrationError:
    """Return our error for an exception of the client library.

    ``key`` is removed from text of the server that is repeated. ``now`` is the time that a Retry-After date is compared
    with. ``answer``: what was asked for.
    """
    import httpx2
    import openai

    if isinstance(error, IntegrationError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, key, now or datetime.now(UTC))
    if _caused_by(error, AddressRefusedError):
        return OutOfReachError(PROVIDER, "its address is not on this machine (sandbox mode); nothing was sent")
    if _caused_by(error, UnreadableBodyError):
        return _malformed(error, answer)
    if isinstance(error, openai.APIConnectionError):
        if _caused_by(error, httpx2.UnsupportedProtocol, httpx2.InvalidURL):
            return BadRequestError(PROVIDER, "its base URL is not a URL we can use (OPENAI_BASE_URL)")
        if _caused_by(error, httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            return TransientError(PROVIDER, "the model server can't be reached", detail=UNREACHABLE)
        if isinstance(error, openai.APITimeoutError):
            return TransientError(PROVIDER, "no answer within the time limit", detail="timeout")
        return TransientError(PROVIDER, "the model server hung up", detail="connection")
    if isinstance(
        error,
        openai.APIResponseValidationError | ValueError | LookupError | TypeError | AttributeError | RecursionError,
    ):
        return _malformed(error, answer)  # what the library could not read in spite of all
    if isinstance(error, openai.APIError):
        return TransientError(PROVIDER, "the model server reported an error")
    return PermanentError(PROVIDER, f"the model client failed with {type(error).__name__}")


def _malformed(error: BaseException | None, answer: str) -> TransientError:
    """Return the error for an answer that can't be read, with our own reader's words where it was the one to fail."""
    while error is not None and not isinstance(error, UnreadableBodyError):
        error = error.__cause__
    why = f": {error}" if error is not None else ""
    return TransientError(PROVIDER, f"the answer is no {answer}{why}", detail=MALFORMED)


def _caused_by(error: BaseException | None, *classes: type[BaseException]) -> bool:
    """Return whether an exception, or one that it was raised from, is of one of the classes."""
    while error is not None:
        if isinstance(error, classes):
            return True
        error = error.__cause__
    return False


def _from_status(error: openai.APIStatusError, key: str, now: datetime) -> IntegrationError:
    status = int(error.status_code)
    code = error_code(error)
    said = str(error.message or "")
    if status in (400, 413, 422) and code not in CODES and OVERFLOW.search(said):
        code = CONTEXT_OVERFLOW
    default: tuple[type[IntegrationError], str] = (TransientError, f"the model server failed (HTTP {status})")
    if status < 500:
        default = (BadRequestError, f"the model server refused the request (HTTP {status})")
    error_class, text = STATUSES.get(status, default)
    error_class = CODES.get(code or "", error_class)
    if code == CONTEXT_OVERFLOW:
        text = "the prompt is longer than the model's context"
    elif error_class is QuotaExhaustedError:
        text = "the account's credit or quota is used up"
    elif error_class is PolicyRefusedError:
        text = "the content filter refused the request"
    elif status in _EXPLAINED and said:
        text = f"{text}: {_safe(said, key)}"
    return error_class(PROVIDER, text, detail=code or str(status), retry_after=retry_after(error.response.headers, now))


def error_code(error: openai.APIStatusError) -> str | None:
    """Return the server's short code of a status error: ``code``, else a ``type`` that we know."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and code:
        return code[:60]
    kind = getattr(error, "type", None)
    return kind if isinstance(kind, str) and kind in CODES else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds to wait by OpenAI's own ``retry-after-ms``, else by Retry-After, or None without both."""
    milliseconds = plain_retry_after({"Retry-After": headers.get("retry-after-ms") or ""}, now)
    if milliseconds is not None:
        return milliseconds / 1000.0
    return plain_retry_after({"Retry-After": headers.get("retry-after") or ""}, now)


def _safe(text: str, key: str) -> str:
    """Return at most 200 characters of a server's message, without keys, addresses and the input.

    It removes what looks like one of them.
    """
    if key:
        text = text.replace(key, "***")
    text = _PRIVATE.sub("***", _SECRET.sub(r"\1***", " ".join(text.split())))
    return text if len(text) <= 200 else text[:197] + "..."
