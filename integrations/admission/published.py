"""Limits that providers publish, and the settings that override them.

Invariant: every figure here has a source. A provider that publishes none, or one per plan, has no limit here: its own
429 with Retry-After then pauses the whole fleet, and ``LIMIT_<PROVIDER>`` states what the plan allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from integrations.admission.limit import Limit
from integrations.ads.registry import platforms
from integrations.settings import SettingsError

# As of November 2026. Left out on purpose:
#   openai        per organisation, tier and model
#   serpapi       per plan, per hour (account.json: account_rate_limit_per_hour)
#   clearbit      per plan
#   pdl           per plan and endpoint, so that no one figure suits all
#: Limits of providers that are no ad platform; an ad platform's stands in its spec.
OWN: Mapping[str, Limit] = MappingProxyType(
    {
        # hunter.io/api-documentation/v2: verifier 300 a minute, finder and domain search 500; one limit for the account
        # has to suit both.
        "hunter": Limit(requests=300, period_s=60),
        # developers.hubspot.com/docs, API usage guidelines: a private app's 100 per 10 seconds, on each plan.
        "hubspot": Limit(requests=100, period_s=10),
        # docs.x.com, recent search: 450 per 15 minutes for an application.
        "x": Limit(requests=450, period_s=900),
    }
)

_PREFIX = "LIMIT_"
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FORM = re.compile(r"(?:(?P<requests>\d+)/(?P<times>\d*)(?P<unit>s|min|h|d))?(?:,(?P<concurrency>\d+))?")
_RIGHT = "10/s, 600/min, 450/15min, 10/s,4 (4 calls at a time), ,4 or none"


def published_limits() -> Mapping[str, Limit]:
    """Return what providers publish as their limits, by provider, without those that publish none."""
    limits = dict(OWN)
    for spec in platforms().values():
        if spec.published_limit is not None:
            limit = _parse(f"published_limit of {spec.name}", spec.published_limit)
            if limit is not None:
                limits[spec.name] = limit
    return MappingProxyType(limits)


def limits_from_env(env: Mapping[str, str], published: Mapping[str, Limit]) -> Mapping[str, Limit]:
    """Return the limits by provider: those ``published``, overridden by ``LIMIT_<PROVIDER>`` of ``env``.

    Any provider can be named. An empty setting counts as absent, and ``none`` removes a published limit. Raises
    SettingsError when a setting has another form; its text names the setting, the value and what would be right.
    """
    limits = dict(published)
    for name, value in env.items():
        if name.startswith(_PREFIX) and value.strip():
            provider = name.removeprefix(_PREFIX).lower()
            limit = _parse(name, value)
            if limit is None:
                limits.pop(provider, None)
            else:
                limits[provider] = limit
    return MappingProxyType(limits)


def _parse(name: str, value: str) -> Limit | None:
    text = re.sub(r"\s", "", value).lower()
    if text == "none":
        return None
    match = _FORM.fullmatch(text)
    if match is None or not text:
        raise SettingsError(f"{name}={value!r} is not of the form {_RIGHT}")
    requests, concurrency = match["requests"], match["concurrency"]
    try:
        return Limit(
            requests=int(requests) if requests else None,
            period_s=float(match["times"] or 1) * _UNITS[match["unit"]] if requests else 1.0,
            concurrency=int(concurrency) if concurrency else None,
        )
    except ValueError as error:
        raise SettingsError(f"{name}={value!r}: {error}; right would be {_RIGHT}") from None
