"""What tests may see of the caller's environment: no service, key, proxy, setting of ours or width of a terminal.

A developer's OPENAI_API_KEY or DATABASE_URL must neither reach a test nor change its outcome.
"""

from __future__ import annotations

from collections.abc import MutableMapping

_SUFFIXES = ("_URL", "_URI", "_API_KEY", "_TOKEN", "_SECRET", "_PROXY")
_PREFIXES = (
    "BREAKER_",
    "CELERY_",
    "CHAOS_",
    "CLEARBIT_",
    "CRASH_",
    "FACEBOOK_",
    "FLOWER_",
    "GOOGLE_",
    "HUNTER_",
    "LANGCHAIN_",  # tracing of prompts to an outside service
    "LANGSMITH_",
    "LINKEDIN_",
    "LLM_",
    "MARKETING_",
    "OPENAI_",
    "OTEL_",
    "PG",  # libpq's defaults: PGHOST, PGUSER, PGPASSWORD, ...
    "SERPAPI_",
    "WEB_",
    "X_",
)
_NAMES = frozenset({"COLUMNS", "DNS_RESOLVER", "HTTP_TIMEOUT", "LINES", "PROBE_DELAY", "STAGE_PLACEMENT"})
#: Read by tools that run the tests, not by the code under test.
_KEPT = frozenset({"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"})


def is_stripped(name: str) -> bool:
    """Whether the variable ``name`` is taken away from tests."""
    upper = name.upper()
    if upper in _KEPT:
        return False
    return upper in _NAMES or upper.endswith(_SUFFIXES) or upper.startswith(_PREFIXES)


def clean(environment: MutableMapping[str, str], *, home: str) -> None:
    """Strip ``environment`` in place and set sandbox mode with its own MARKETING_HOME."""
    for name in [name for name in environment if is_stripped(name)]:
        del environment[name]
    environment["MARKETING_MODE"] = "sandbox"
    environment["MARKETING_HOME"] = home
