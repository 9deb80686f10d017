"""One process of the LangGraph contender: graphs over ``AsyncPostgresSaver``, driven over stdin and stdout.

A line in: {"workload", "ids", "slots"}; a line out: {"ids": [...], "started": [[...]], "seconds": [...]}.
Invariant: set up at its best: async, a saver and a compiled graph per slot over one pool (a shared saver
serialises all its calls behind a lock), the first node brings the leads in, as ours does.
"""

from __future__ import annotations

import asyncio
import json
import operator
import os
import sys
import time
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: TID251  # the contender itself
from langgraph.graph import END, START, StateGraph  # noqa: TID251  # the contender itself
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tests.bench.workload import HOPS, WORKLOADS, Workload, brief_json, delay_s, leads_json, payload

Connections = AsyncConnectionPool[AsyncConnection[dict[str, Any]]]


def merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """The reducer of the patches."""
    return {**left, **right}


class State(TypedDict, total=False):
    """The state of a thread."""

    campaign_id: str
    brief: dict[str, Any]
    leads: list[dict[str, Any]]
    content: Annotated[dict[str, Any], merge]
    started: Annotated[list[float], operator.add]


def graph(workload: Workload, saver: AsyncPostgresSaver) -> Any:
    """A node per unit; the nodes of a hop run side by side, and each starts when all of the last hop have ended."""

    def node(hop: int, unit: int) -> Any:
        async def run(state: State) -> State:
            begun = time.time()
            wait = delay_s(workload, state["campaign_id"], hop, unit)
            if wait:
                await asyncio.sleep(wait)
            patch: State = {"content": {f"h{hop}u{unit}": {"at": begun, **payload(hop, unit)}}}
            if unit == 0:
                patch["started"] = [begun]
                if hop == 0:
                    patch["leads"] = leads_json(workload.state_bytes)
            return patch

        return run

    builder = StateGraph(State)
    before: list[str] = []
    for hop in range(HOPS):
        names = [f"h{hop}u{unit}" for unit in range(workload.units)]
        for unit, name in enumerate(names):
            builder.add_node(name, node(hop, unit))
            # A list of starts is a join, which a single one doesn't need.
            builder.add_edge((before if len(before) > 1 else before[0]) if before else START, name)
        before = names
    for name in before:
        builder.add_edge(name, END)
    return builder.compile(checkpointer=saver)


async def run(pool: Connections, work: dict[str, Any]) -> dict[str, Any]:
    """Run the threads named in ``work``, ``slots`` at once."""
    workload = WORKLOADS[work["workload"]]
    waiting = list(reversed(work["ids"]))
    out: dict[str, Any] = {"ids": [], "started": [], "seconds": []}

    async def slot() -> None:
        compiled = graph(workload, AsyncPostgresSaver(pool))
        while waiting:
            campaign_id = waiting.pop()
            at = time.perf_counter()
            state = await compiled.ainvoke(
                {"campaign_id": campaign_id, "brief": brief_json()},
                {"configurable": {"thread_id": campaign_id}},
                durability=os.environ["BENCH_DURABILITY"],
            )
            if len(state["content"]) != HOPS * workload.units or not state["leads"]:
                raise RuntimeError(f"{campaign_id}: nodes are missing")
            out["ids"].append(campaign_id)
            out["started"].append(state["started"])
            out["seconds"].append(time.perf_counter() - at)

    await asyncio.gather(*(slot() for _ in range(work["slots"])))
    return out


async def main() -> None:
    """Take orders until stdin ends."""
    slots = int(os.environ["BENCH_SLOTS"])
    connections: Connections = AsyncConnectionPool(
        os.environ["BENCH_CONNINFO"],
        open=False,
        min_size=slots,
        max_size=slots,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "row_factory": dict_row,
            # Our role's own schema comes first by default, and it has a table "checkpoints" too.
            "options": "-c search_path=public",
        },
    )
    async with connections as pool:
        if os.environ.get("BENCH_SETUP") == "1":
            await AsyncPostgresSaver(pool).setup()
        print(json.dumps({"ready": True}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await run(pool, json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
