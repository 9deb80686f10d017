"""An orchestrator over a real database with wake-ups in memory, driven by the test."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.base import BaseAgent
from agents.config import CampaignConfig
from agents.ports import SystemClock
from integrations.settings import Mode, Settings
from orchestration.control.submission import prepare
from orchestration.execution.context import Resources
from orchestration.execution.executor import UnitSlots
from orchestration.execution.orchestrator import Orchestrator
from orchestration.ledger.database import Database
from orchestration.ledger.ledger import Ledger
from orchestration.reports.campaigns import Reports


@dataclass
class MemoryBroker:
    """Keeps wake-ups until the test delivers them."""

    queue: deque[tuple[str, ...]] = field(default_factory=deque)
    sent: list[tuple[str, ...]] = field(default_factory=list)
    refuses: bool = False  #: takes no message

    def _put(self, *message: str) -> None:
        self.queue.append(message)
        self.sent.append(message)

    def hop(self, campaign_id: str, agent: str, step: int, *, delay_s: float = 0.0) -> bool:
        if not self.refuses:
            self._put("hop", campaign_id, agent)
        return not self.refuses

    def chord(self, campaign_id: str, agent: str, step: int, stage: int, slots: int) -> None:
        for _ in range(slots):
            self._put("unit", campaign_id, str(step), str(stage))
        self._put("advance", campaign_id, str(step), str(stage))


class Harness:
    """One worker's orchestrator; make several over one database for several workers."""

    def __init__(
        self,
        database_url: str,
        agents: Mapping[str, BaseAgent],
        *,
        worker: str = "worker-a",
        placement: str = "auto",
        broker: MemoryBroker | None = None,
        mode: Mode = Mode.SANDBOX,
    ) -> None:
        self.database = Database(database_url)
        self.agents = agents
        self.ledger = Ledger(self.database, worker, mode)
        self.reports = Reports(self.database)
        self.broker = broker or MemoryBroker()
        self.slots = UnitSlots(8)
        self.orchestrator = Orchestrator(
            ledger=self.ledger,
            agents=agents,
            resources=Resources.of(Settings.from_env({}), self.database),
            wakeups=self.broker,
            slots=self.slots,
            placement=placement,
        )

    def submit(self, campaign_id: str = "c1", **config_keys: Any) -> str:
        """Insert a campaign, without a wake-up."""
        config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, **config_keys})
        row, stage = prepare(config, self.agents, now=SystemClock().now(), campaign_id=campaign_id)
        self.ledger.submit(row, stage)
        return campaign_id

    def deliver(self, limit: int = 1000) -> int:
        """Deliver queued messages until none is left; how many."""
        delivered = 0
        while self.broker.queue and delivered < limit:
            delivered += 1
            kind, *args = self.broker.queue.popleft()
            if kind == "hop":
                self.orchestrator.run_hop(*args)
            elif kind == "unit":
                if self.orchestrator.run_slot(args[0], int(args[1]), int(args[2])):
                    self.broker.queue.append((kind, *args))
            else:
                self.orchestrator.advance(args[0], int(args[1]), int(args[2]))
        return delivered

    def close(self) -> None:
        self.slots.close()
        self.database.close()
