"""What tests of pausing a campaign with its ads share: a bench of real agents over the sandbox, and questions to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ad_platforms import ad_campaigns
from orchestrator_harness import Harness

from agents.registry import agents as real_agents
from integrations.settings import Settings
from orchestration.control.verbs import Verbs
from orchestration.execution.context import Resources
from orchestration.execution.reconcile import reconcile

BOTH = ["facebook_ads", "linkedin_ads"]
PAST = "clock_timestamp() - interval '60 seconds'"


def settings_of(sandbox: Any) -> Settings:
    """Settings whose world is the sandbox."""
    return Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""})


@contextmanager
def benches(database_url: str, settings: Settings) -> Iterator[Callable[..., Harness]]:
    """Makes benches of the real agents over the sandbox, or of given ones."""
    made: list[Harness] = []

    def make(**options: Any) -> Harness:
        one = Harness(database_url, options.pop("agents", None) or real_agents(), **options)
        one.orchestrator = replace(one.orchestrator, resources=Resources.of(settings, one.database))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def verbs(one: Harness) -> Verbs:
    """The verbs over its ledger."""
    return Verbs(ledger=one.ledger, agents=one.agents, wakeups=one.broker, clock=one.orchestrator.resources.clock)


def with_ads(one: Harness, **config: Any) -> None:
    """A campaign whose ads run, and that waits for their figures."""
    plain = {
        "lead_sources": [{"type": "search", "limit": 3}],
        "ad_platforms": ["facebook", "linkedin"],
        "budget": 1000,
        "content_required": False,
        "measure_after": "2h",
    }
    one.submit("c1", **{**plain, **config})
    one.orchestrator.run_hop("c1")
    one.deliver()
    assert status(one) == "waiting"


def shown(sandbox: Any) -> list[str]:
    """Platforms on which an ad is shown to people."""
    return sorted(ad["provider"] for ad in ad_campaigns(sandbox) if ad["status"].upper() == "ACTIVE")


def status(one: Harness) -> str:
    """The campaign's status."""
    return one.reports.status("c1")[0]


def reason(one: Harness) -> str:
    """The campaign's reason."""
    return one.reports.status("c1")[1] or ""


def said(one: Harness) -> list[str]:
    """What the campaign's state says of its ads."""
    return [creative.status for creative in one.reports.row("c1").state.ad_creatives]


def wake(one: Harness) -> int:
    """A tick some time after the last progress; how many it woke."""
    one.database.run("UPDATE marketing.campaigns SET progress_at = now() - interval '1 hour'")
    return tick(one)


def tick(one: Harness) -> int:
    """A tick; how many it woke."""
    return reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management")


def dead(one: Harness, worker: str) -> None:
    """The worker has been silent for longer than its lease, and ``one`` may judge."""
    one.ledger.beat()
    one.database.run("INSERT INTO marketing.workers (worker) VALUES (%s) ON CONFLICT DO NOTHING", worker)
    one.database.run(f"UPDATE marketing.workers SET fresh_since = {PAST}")
    one.database.run(f"UPDATE marketing.workers SET beat_at = {PAST} WHERE worker = %s", worker)
    one.database.run(f"UPDATE marketing.units SET started_at = {PAST} WHERE worker = %s", worker)


class NoMessages:
    """Queues with nothing in them."""

    def oldest(self, queue: str) -> None:
        """Nothing waits."""
