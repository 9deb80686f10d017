"""Facebook's usage headers: how much of its limits is used, and how long the fleet does better to wait.

Pure. Sources: "Rate Limits" of the Graph API ("Headers") and "Rate Limiting" of the Marketing API:

    x-business-use-case-usage  per business object and use case, percent of an hour's calls, CPU time and total time;
                               ``estimated_time_to_regain_access`` in minutes once it is throttled
    x-app-usage                the same three percentages of the app's calls of an hour
    x-ad-account-usage         ``acc_id_util_pct``, and the seconds until it is 0 again (``reset_time_duration``)

Invariant: a header that can't be read asks for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.http_errors import retry_after
from integrations.values import parse_json

#: Percent of a limit up to which nothing is slowed down.
FREE = 75.0
HOUR_S = 3600.0
BUSINESS, APP, ACCOUNT = "x-business-use-case-usage", "x-app-usage", "x-ad-account-usage"
_PERCENTAGES = ("call_count", "total_cputime", "total_time")


def slow_down_seconds(headers: Mapping[str, str]) -> float:
    """Return the seconds for which no new work should begin, 0 while no limit is used by more than :data:`FREE`.

    That is the time in which the window of the limit forgets what is above it, when little is called meanwhile.
    """
    hourly = max((_number(usage.get(name)) for usage in _hourly(headers) for name in _PERCENTAGES), default=0.0)
    account = _json(headers.get(ACCOUNT))
    used, reset = _number(account.get("acc_id_util_pct")), _number(account.get("reset_time_duration"))
    found = [(hourly - FREE) / 100 * HOUR_S]
    if used > FREE:
        found.append((used - FREE) / used * reset)
    return max(0.0, *found)


def regain_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long an answer that refuses asks us to wait: the longest of the headers, else Retry-After.

    None when there is no such header.
    """
    found = [
        60.0 * minutes
        for usage in _business(headers)
        if (minutes := _number(usage.get("estimated_time_to_regain_access"))) > 0
    ]
    account = _json(headers.get(ACCOUNT))
    used, reset = _number(account.get("acc_id_util_pct")), _number(account.get("reset_time_duration"))
    if used >= 100 and reset > 0:
        found.append(reset)
    return max(found) if found else retry_after(headers)


def _hourly(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    yield from _business(headers)
    yield _json(headers.get(APP))


def _business(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for entries in _json(headers.get(BUSINESS)).values():
        yield from (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = parse_json(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
