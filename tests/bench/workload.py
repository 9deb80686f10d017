"""What is measured: campaigns of four hops whose units do nothing, or only wait, over a state of a given size.

The four agents have the real names and plan real stages, so the whole path of a campaign runs, without a
provider. Invariant: every contender does the same work: the same leads enter the state in the first hop, each
unit returns the same payload, and waits as long as :func:`delay_s` says.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from agents.base import BaseAgent
from agents.config import CampaignConfig
from agents.names import ANALYTICS, LEAD_GENERATION
from agents.ports import UnitContext
from agents.registry import agent_names
from agents.registry import agents as installed_agents
from agents.state import CampaignPerformance, Lead, MarketingAgentState
from agents.unit import Stage, StageResult, Unit
from integrations.llm.prices import CostBound
from integrations.usage import Usage

HOPS = 4

#: What every unit goes through beside its own work: nothing; breaker and limits; these and the spend ledger.
NOTHING, ADMISSION, SPEND = "none", "admission", "spend"
PRICED = "gpt-4.1-mini"
#: Limits and a cap that are there, and never reached.
METERED = {"LIMIT_OPENAI": "1000000/s,100000", "DAILY_CAP_LLM": "1000000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of campaign."""

    name: str
    title: str
    units: int = 1  #: per hop, side by side
    wait_s: float = 0.0  #: mean time a unit waits
    jitter: float = 0.0  #: +- this part of ``wait_s``
    state_bytes: int = 5_000  #: JSON of the whole state after the first hop
    burst: int = 400  #: campaigns at once, for throughput and CPU
    alone: int = 30  #: campaigns one at a time, for latency

    @property
    def ideal_s(self) -> float:
        """Time that a campaign can't undercut (a stage lasts as long as its longest unit; jitter left out)."""
        return HOPS * self.wait_s


LINEAR = Workload(name="linear", title="linear: 4 hops of 1 unit, 5 kB state")
FANOUT = Workload(name="fanout", title="fan-out: 4 hops of 3 units, no-op", units=3, burst=300)
UNEVEN = Workload(
    name="uneven", title="uneven fan-out: 4 hops of 3 units of 50 ms ± 50 %", units=3, wait_s=0.05, jitter=0.5,
    burst=300, alone=10,
)  # fmt: skip
LARGE = Workload(name="large", title="large state: 4 hops of 1 unit, 200 kB state", state_bytes=200_000, burst=150)
SLEEP = Workload(name="sleep", title="sleeping units: 4 hops of 1 unit of 1 s", wait_s=1.0)
NAP = Workload(name="nap", title="sleeping units: 4 hops of 1 unit of 0.2 s", wait_s=0.2)

WORKLOADS: Mapping[str, Workload] = {w.name: w for w in (LINEAR, FANOUT, UNEVEN, LARGE, SLEEP, NAP)}


def config(workload: Workload) -> CampaignConfig:
    """The configuration of a campaign; its name carries the workload to the workers."""
    return CampaignConfig(name=workload.name, target_audience={"industry": "saas"})


def delay_s(workload: Workload, campaign_id: str, hop: int, unit: int) -> float:
    """How long a unit waits: uniform in the workload's range, the same in every run and for every contender."""
    if not workload.jitter:
        return workload.wait_s
    spread = Random(f"{campaign_id[-6:]}/{hop}/{unit}").uniform(-workload.jitter, workload.jitter)
    return workload.wait_s * (1 + spread)


def payload(hop: int, unit: int) -> dict[str, Any]:
    """What a unit returns beside its start time: about 200 bytes."""
    items = [{"id": f"{hop}-{unit}-{n}", "text": "a finding of some length"} for n in range(4)]
    return {"ok": True, "score": 0.5, "items": items}


@cache
def leads(state_bytes: int) -> tuple[Lead, ...]:
    """As many leads as fill a state up to ``state_bytes`` of JSON."""
    rest = MarketingAgentState.initial(config(LINEAR), campaign_id="0" * 32, now=datetime(2026, 1, 1, tzinfo=UTC))
    one = len(_lead(0).model_dump_json())
    return tuple(_lead(n) for n in range(max(1, (state_bytes - len(rest.model_dump_json())) // (one + 1))))


def _lead(number: int) -> Lead:
    """A lead as varied as real ones, so that it compresses no better."""
    draw = Random(number)
    person, company = f"{draw.getrandbits(36):09x}", f"{draw.getrandbits(32):08x}"
    return Lead(
        lead_id=f"{draw.getrandbits(48):012x}",
        email=f"{person}@{company}.example",
        name=f"Person {person}",
        job_title=draw.choice(("Director of Engineering", "CTO", "Head of Growth", "VP Sales", "Founder")),
        company=f"Company {company}",
        domain=f"{company}.example",
        industry="saas",
        company_size=draw.randrange(10, 5000),
        profile_url=f"https://people.example/in/{draw.getrandbits(128):032x}",
        sources=("search",),
        score=0.7,
        score_reasons=("company size: 0.3", "executive title: 0.4"),
    )


@cache
def leads_json(state_bytes: int) -> list[dict[str, Any]]:
    """The same leads as plain JSON values, for contenders without our models."""
    return [lead.model_dump(mode="json") for lead in leads(state_bytes)]


@cache
def brief_json() -> dict[str, Any]:
    """What a campaign's state holds before its first hop, as plain JSON values."""
    state = MarketingAgentState.initial(config(LINEAR), campaign_id="0" * 32, now=datetime(2026, 1, 1, tzinfo=UTC))
    return json.loads(state.model_dump_json())  # type: ignore[no-any-return]  # an object, as a model dumps to one


class BenchAgent(BaseAgent):
    """An agent of one stage whose units wait and return a payload."""

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]  # one class stands for all four
        self.edges = installed_agents()[name].edges  # type: ignore[misc]
        self.hop = list(installed_agents()).index(name)

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        return ""

    def build_input(self, state: MarketingAgentState) -> Mapping[str, Any]:
        return {}

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        if results:
            return None
        workload = WORKLOADS[state.campaign_config.name]
        units = [
            Unit(
                key=f"u{n}", kind="bench", provider="local",
                input={"n": n, "delay_s": delay_s(workload, state.campaign_id, self.hop, n)},
            )
            for n in range(workload.units)
        ]  # fmt: skip
        return Stage(name="work", units=units)

    def run(self, unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        begun = time.time()
        kind = os.environ.get("BENCH_ADMISSION") or NOTHING
        if kind == NOTHING:
            if unit.input["delay_s"]:  # sleep(0) is no nothing: it gives the processor away
                time.sleep(unit.input["delay_s"])
        else:
            bound = CostBound(entry="answer", model=PRICED, amount=Decimal("0.01")) if kind == SPEND else None
            ctx.call("openai", lambda _timeout: time.sleep(unit.input["delay_s"]), scope=PRICED, cost=bound)
        if kind == SPEND:
            used = Usage(
                provider="openai", model=PRICED, input_tokens=700, output_tokens=300, cost=Decimal("0.0004")
            )  # fmt: skip
            ctx.journal("answer", {"text": "an answer"}, used)
        return {"at": begun, **payload(self.hop, unit.input["n"])}

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        if self.name == LEAD_GENERATION:
            found = leads(WORKLOADS[state.campaign_config.name].state_bytes)
            return state.evolve(leads=found, qualified_leads=found[:1])
        if self.name == ANALYTICS:
            return state.evolve(campaign_performance=CampaignPerformance(overall_score=1.0))
        return state

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, Any]:
        return {"leads": len(after.leads)}


def bench_agents() -> dict[str, BaseAgent]:
    """The four agents."""
    return {name: BenchAgent(name) for name in agent_names()}
