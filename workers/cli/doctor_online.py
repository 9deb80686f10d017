"""What ``campaigns doctor --online`` finds about each provider: keys, rights, limits, breaker, version.

All are asked side by side (:func:`integrations.online.ask`), each in a thread that is left behind when it takes too
long. Invariants: the fleet's admission is only read, never passed: no slot is taken, nothing counts for a breaker, and
a provider whose breaker is open is asked all the same; no secret is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integrations.admission import BreakerState, Limit, limits_from_env, published_limits
from integrations.errors import NotNowError
from integrations.online import Standing, ask
from integrations.provider_registry import provider_specs
from workers.cli.doctor_services import TimeLimitError, within
from workers.cli.finding import Finding
from workers.cli.wording import span, words

if TYPE_CHECKING:
    from integrations.provider_specs import ProviderSpec
    from integrations.settings import Settings

TIMEOUT_S = 8.0  #: of one request of a question
LIMIT_S = 30.0  #: of a whole question, with loading its client


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReport:
    """One provider: how it stands, and what this fleet keeps about it."""

    standing: Standing
    limit: Limit | None  #: that the fleet keeps
    limit_from: str  #: "published", the variable that overrides it, or ""
    breakers: Mapping[str, str] | None  #: circuit -> state; None: no Redis that tells


def ask_all(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> list[ProviderReport]:
    """Ask every known provider, in the order of their names' registration."""
    specs = list(provider_specs().values())
    published = published_limits() if settings.limits_published else {}
    limits = limits_from_env(settings.limits, published)
    states = _breakers(settings)
    with ThreadPoolExecutor(max_workers=len(specs) or 1, thread_name_prefix="online") as pool:
        standings = list(pool.map(lambda spec: _ask(spec, settings, timeout_s), specs))
    reports = []
    for standing in standings:
        name = standing.provider
        variable = f"LIMIT_{name.upper()}"
        own = bool(settings.limits.get(variable, "").strip())
        source = variable if own else "published" if name in limits else ""
        circuits = None if states is None else {key: state for (who, key), state in states.items() if who == name}
        reports.append(ProviderReport(standing=standing, limit=limits.get(name), limit_from=source, breakers=circuits))
    return reports


def finding(report: ProviderReport) -> Finding:
    """Return the line of one provider."""
    one, check = report.standing, report.standing.check
    parts = list(one.problems) + list(one.notes)
    if one.accepted:
        parts.insert(0, "credentials accepted")
    if check is not None:
        told = {"rights": ", ".join(check.rights), "account": check.account, "left": check.remaining}
        version = f"{check.version}, until about {check.version_ends}" if check.version_ends else check.version
        told["API version"] = version
        parts += [f"{name}: {text}" for name, text in told.items() if text]
    if one.configured:
        parts.append(f"limit: {_limit(report)}")
    for key, state in (report.breakers or {}).items():
        if state != BreakerState.CLOSED:
            parts.append(f"breaker {key}: {words(state)}")
    return Finding(f"Provider {one.provider}", one.state, "; ".join(parts))


def as_data(report: ProviderReport) -> dict[str, object]:
    """Return one provider as JSON."""
    one, check, limit = report.standing, report.standing.check, report.limit
    return {
        "provider": one.provider,
        "state": one.state,
        "configured": one.configured,
        "missing": list(one.missing),
        "reachable": one.reachable,
        "accepted": one.accepted,
        "rights": list(check.rights) if check else None,
        "lacking": list(check.lacking) if check else None,
        "account": check.account if check else None,
        "remaining": check.remaining if check else None,
        "version": check.version if check else None,
        "version_ends": check.version_ends.isoformat() if check and check.version_ends else None,
        "limit": None
        if limit is None
        else {"requests": limit.requests, "period_s": limit.period_s, "concurrency": limit.concurrency},
        "limit_from": report.limit_from,
        "breakers": None if report.breakers is None else dict(report.breakers),
        "problems": list(one.problems),
        "notes": list(one.notes),
    }


def _ask(spec: ProviderSpec, settings: Settings, timeout_s: float) -> Standing:
    today = datetime.now(UTC).date()
    try:
        return within(LIMIT_S, lambda: ask(spec, settings, timeout_s=timeout_s, today=today))
    except TimeLimitError as error:
        problem = str(error)
    except Exception as error:  # of a question that a package brings; the others are told all the same
        problem = f"its question failed with {type(error).__name__}"
    return Standing(provider=spec.name, state="wrong", configured=True, reachable=False, problems=(problem,))


def _breakers(settings: Settings) -> dict[tuple[str, str], str] | None:
    """Return the state of every circuit that the fleet has used, by provider and key."""
    from orchestration.execution.call_guard import admission

    fleet = admission(settings)
    if fleet is None:
        return None
    try:
        return {(one.circuit.provider, one.key): one.state.value for one in fleet.status()}
    except NotNowError:
        return None
    finally:
        fleet.close()


def _limit(report: ProviderReport) -> str:
    limit = report.limit
    if limit is None:
        return "none known" if not report.limit_from else f"none ({report.limit_from})"
    parts = [f"{limit.requests} per {span(limit.period_s)}"] if limit.requests else []
    parts += [f"{limit.concurrency} at once"] if limit.concurrency else []
    return f"{', '.join(parts)} ({report.limit_from})"
