"""Erasure against hops that finish at the same moment: whoever is first, nothing of the person is left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import address_search
import pytest
from orchestrator_harness import Harness, MemoryBroker
from toys import Toy, toys

from agents.ports import UnitContext
from agents.state import Lead
from agents.unit import Unit
from orchestration.stores.suppression import SuppressionList

ROUNDS = 25
SPREAD_S = 0.02  #: about as long as a campaign of toys takes


class Finder(Toy):
    """Finds one person in each unit, in its journal and its result."""

    def update_state(self, state: Any, result: Any, now: datetime) -> Any:
        found = [out["records"] for stage in result for out in stage.outputs()]
        leads = tuple(Lead(lead_id=row["email"], email=row["email"]) for rows in found for row in rows)
        return state.evolve(leads=leads, qualified_leads=(*leads, Lead(lead_id="someone", score=0.9)))


def person(campaign_id: str, number: object) -> str:
    return f"person.{number}@{campaign_id}.example"


def find(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
    email = person(ctx.campaign_id, unit.input["value"])
    ctx.journal("page", {"people": [{"email": email}]})
    return {"value": 1, "records": [{"email": email}], "suppressed": []}


@pytest.fixture
def workers(database_url: str) -> Iterator[list[Harness]]:
    broker = MemoryBroker()
    agents = toys(stages=(1,))
    agents["lead_generation"] = Finder("lead_generation", (4,), find)
    made = [Harness(database_url, agents, worker=f"worker-{n}", broker=broker) for n in range(2)]
    yield made
    for one in made:
        one.close()


def finished(worker: Harness, campaign_id: str) -> bool:
    """Whether the campaign is completed, after another wake-up."""
    worker.orchestrator.run_hop(campaign_id)
    worker.deliver()
    return worker.reports.status(campaign_id)[0] == "completed"


def test_nothing_is_written_back_by_a_hop_in_flight(workers: list[Harness], wait_until: Callable[..., Any]) -> None:
    chance = random.Random(7)
    one, other = workers
    written_back: dict[str, Any] = {}
    with ThreadPoolExecutor(3) as threads:
        for number in range(ROUNDS):
            campaign_id = one.submit(f"c{number}")
            email, delay_s = person(campaign_id, 2), chance.uniform(0, SPREAD_S)

            def erase(email: str = email, delay_s: float = delay_s) -> None:
                until = time.perf_counter() + delay_s
                while time.perf_counter() < until:
                    pass
                SuppressionList(one.database).erase(email, "asked")

            hops = [threads.submit(worker.orchestrator.run_hop, campaign_id) for worker in (one, other)]
            threads.submit(erase).result()
            for hop in hops:
                hop.result()
            wait_until(lambda at=campaign_id: finished(other, at), message=lambda at=campaign_id: one.reports.show(at))
            if found := address_search.in_tables(one.database, email):
                written_back[campaign_id] = delay_s, found
            left = {lead.email for lead in one.reports.row(campaign_id).state.leads}
            assert left == {person(campaign_id, n) for n in (0, 1, 3)}, (campaign_id, delay_s)
    assert not written_back
