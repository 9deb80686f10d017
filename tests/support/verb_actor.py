"""A person's program in a process of its own: random verbs on given campaigns, under injected faults.

``python verb_actor.py SEED COUNT SECONDS ID ...`` prints a JSON object: {"told": [[verb, outcome, text], ...],
"forks": [id, ...]}; outcome is "ok" or the class of the error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import faults
import postgres_faults
import redis_faults

MOST_FORKS = 2
#: The first ones come most often.
VERBS = (
    "pause", "resume", "pause_ads", "resume", "resume", "retry", "retry0", "retry1", "retry2", "approve", "reject",
    "rework", "fork", "cancel", "pause", "resume",
)  # fmt: skip


def verbs(campaigns: Any, campaign_id: str, random: Random, actor: str) -> dict[str, Callable[[], Any]]:
    """The verbs that there are, ready to be said."""
    handle = campaigns.get(campaign_id)
    changes = {"approval": {"gate": "none"}}
    return {
        "pause": lambda: handle.pause(actor=actor),
        "pause_ads": lambda: handle.pause(ads=True, actor=actor),
        "resume": lambda: handle.resume(actor=actor),
        "cancel": lambda: handle.cancel(actor=actor),
        "retry": lambda: handle.retry(actor=actor),
        **{f"retry{n}": lambda n=n: handle.retry(from_step=n, actor=actor) for n in range(3)},
        "approve": lambda: handle.approve(actor=actor),
        "reject": lambda: handle.reject("no", actor=actor),
        "rework": lambda: handle.reject("too loud", rework=True, actor=actor),
        "fork": lambda: handle.fork(random.choice([0, 1, 2]), changes=changes, actor=actor).campaign_id,
    }


def main(seed: int, count: int, seconds: float, ids: list[str]) -> dict[str, Any]:
    """Say ``count`` verbs, spread over so many seconds."""
    from orchestration import Campaigns

    random, campaigns = Random(seed), Campaigns.from_env(dict(os.environ))
    told: list[tuple[str, str, str]] = []
    forks: list[str] = []
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + seconds * number / count - time.monotonic()))
        campaign_id, verb = random.choice([*ids, *forks]), random.choice(VERBS)
        if verb == "fork" and len(forks) >= MOST_FORKS:
            continue
        try:
            answer = verbs(campaigns, campaign_id, random, f"actor-{seed}")[verb]()
            told.append((verb, "ok", str(answer)))
            if verb == "fork":
                forks.append(answer)
        except Exception as error:  # told to the test, which knows the ones that may come
            told.append((verb, type(error).__name__, str(error)[:200].replace(campaign_id, "ID")))
    campaigns.close()
    return {"told": told, "forks": forks}


if __name__ == "__main__":
    injector = faults.Injector(Path(os.environ[faults.VARIABLE]), " ".join(sys.argv[1:3]))
    postgres_faults.install(injector.draw)
    redis_faults.install(injector.draw)
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])))
