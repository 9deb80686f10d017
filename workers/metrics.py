"""Prometheus metrics of the fleet, served beside Flower's own on its ``/metrics``.

Flower has metrics of tasks and queues. This module adds those stored in Postgres and Redis: campaigns, units, retries,
deferrals, fallbacks, circuit breakers, limits, spend. Invariants: a scrape changes nothing; a service that can't be
reached is reported as down and its metrics are left out; the values of labels come from small, known sets, so they
identify no campaign or person.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from integrations.admission import Admission, BreakerState
from integrations.errors import NotNowError
from integrations.settings import Settings
from orchestration.client import connected
from orchestration.execution.call_guard import admission
from orchestration.ledger.database import Database, DatabaseUnavailableError
from orchestration.ledger.waiting import Deferrals
from orchestration.reports.fleet import Counted, counted, fleet_status, has_schema
from orchestration.reports.spend import fleet_spend

log = logging.getLogger(__name__)

#: Value of the metric of a breaker's state.
STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}

#: Counter of the workers -> (metric, help text).
_COUNTERS = {
    "retries": ("marketing_retries", "Calls that failed and are tried again"),
    "deferrals": ("marketing_deferrals", "Units postponed because their provider could not be called"),
    "fallbacks": ("marketing_fallbacks", "Units done by a fallback of their provider"),
}


class FleetCollector(Collector):
    """A Prometheus collector that reads Postgres and Redis at each scrape."""

    def __init__(self, settings: Settings, database: Database, breakers: Admission | None) -> None:
        self._settings = settings
        self._database = database
        self._breakers = breakers

    @staticmethod
    def from_env() -> FleetCollector | None:
        """Return a collector for the fleet named by the environment or MARKETING_HOME, or None without a database."""
        settings = connected()
        if settings.database_url is None:
            return None
        return FleetCollector(settings, Database(settings.database_url, pool_size=1), admission(settings))

    def describe(self) -> Iterable[Metric]:
        """Return no metrics, because registering must not wait for a database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics except those of a service that is down."""
        try:
            self._database.check()
            found = [*self._ledger()] if has_schema(self._database) else []
            up = 1
        except DatabaseUnavailableError:
            found, up = [], 0
        yield GaugeMetricFamily("marketing_database_up", "Postgres answers", up)
        yield from found
        yield from self._admission()

    def _ledger(self) -> Iterator[Metric]:
        now = fleet_status(self._database)
        yield GaugeMetricFamily("marketing_workers", "Worker processes with a recent heartbeat", now.workers)
        yield _gauge("marketing_campaigns", "Unfinished campaigns", ("status",), _each(now.campaigns))
        yield _gauge("marketing_units_pending", "Unstarted units of running campaigns", ("agent",), _each(now.pending))
        yield _gauge("marketing_units_running", "Units that a worker runs now", ("agent",), _each(now.running))
        switches = [((switch.provider,), 1.0) for switch in Deferrals(self._database).switches()]
        yield _gauge("marketing_provider_switched_off", "Providers switched off by hand", ("provider",), switches)
        yield from _counters(counted(self._database))
        names = ("mode", "kind", "currency")
        spent = CounterMetricFamily("marketing_spend", "Money settled so far", labels=names)
        held = GaugeMetricFamily("marketing_spend_held", "Money reserved", labels=names)
        spending = fleet_spend(self._database, self._settings)
        other = spending["other_world"]
        for one in (spending, *([other] if other is not None else [])):
            for kind, totals in one["total"]["totals"].items():
                for currency, total in totals.items():
                    labels = (one["mode"], kind, currency)
                    spent.add_metric(labels, float(total["settled"]))
                    held.add_metric(labels, float(total["held"]))
        yield spent
        yield held

    def _admission(self) -> Iterator[Metric]:
        if self._breakers is None:
            return
        try:
            circuits = self._breakers.status()
        except NotNowError:
            yield GaugeMetricFamily("marketing_breakers_up", "Redis answers for breakers and limits", 0)
            return
        yield GaugeMetricFamily("marketing_breakers_up", "Redis answers for breakers and limits", 1)
        state = GaugeMetricFamily("marketing_breaker_state", "0 closed, 1 half-open, 2 open", labels=("circuit",))
        admitted = CounterMetricFamily("marketing_calls_admitted", "Calls let through", labels=("circuit",))
        refused = CounterMetricFamily("marketing_calls_refused", "Calls refused", labels=("circuit", "reason"))
        in_use = GaugeMetricFamily("marketing_limit_in_use", "Calls within the limit's period", labels=("account",))
        waiting = GaugeMetricFamily("marketing_limit_waiting", "Slots reserved for later", labels=("account",))
        limits = {}
        for one in circuits:
            state.add_metric((one.key,), STATES[one.state])
            admitted.add_metric((one.key,), one.admitted)
            for reason, number in one.deferred.items():
                refused.add_metric((one.key, reason), number)
            if one.limit is not None:
                limits[one.circuit.account_key] = one
        for account, one in limits.items():
            in_use.add_metric((account,), one.requests)
            waiting.add_metric((account,), one.waiting)
        yield from (state, admitted, refused, in_use, waiting)


def _counters(found: Iterable[Counted]) -> Iterator[Metric]:
    """Yield the workers' counters, and whether each can use its limits and breakers."""
    up = GaugeMetricFamily("marketing_admission_up", "The worker's limits and breakers answer", labels=("worker",))
    families: dict[str, CounterMetricFamily] = {}
    for one in found:
        if one.counter == "admission_up":
            up.add_metric((one.worker,), one.value)
        elif one.counter in _COUNTERS:
            names = ("worker", *sorted(one.labels))
            name, text = _COUNTERS[one.counter]
            family = families.setdefault(name, CounterMetricFamily(name, text, labels=names))
            family.add_metric((one.worker, *(one.labels[label] for label in sorted(one.labels))), one.value)
    yield up
    yield from families.values()


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for at, value in values:
        family.add_metric(at, value)
    return family


def _each(found: Mapping[str, int]) -> list[tuple[tuple[str, ...], float]]:
    return [((key,), float(value)) for key, value in found.items()]
