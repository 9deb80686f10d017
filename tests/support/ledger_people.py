"""What people do to the campaigns of :class:`ledger_machine.LedgerMachine`, and the answers that end one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from ledger_snapshot import SeenCampaign, seen
from orchestrator_harness import Harness
from spend_bench import verbs

from integrations.settings import Settings
from orchestration.control.verbs import VerbRefusedError
from orchestration.flow.lineage import NoSuchStepError
from orchestration.ledger.waiting import Deferrals

PAST = "clock_timestamp() - interval '10 minutes'"
#: What people may do by the campaign's status; in any other they are refused. The first of a list come most.
_ALIVE = ("pause", "pause", "retry", "pause", "fork", "cancel")
_STILL = ("back0", "back1", "back2", "fork", "back0", "cancel")
VERBS: dict[str, Sequence[str]] = {
    **dict.fromkeys(("queued", "running"), _ALIVE),
    "waiting": ("resume", "pause", *_STILL),
    "paused": ("resume", "resume", *_STILL),
    "awaiting_approval": ("approve", "approve", "pause", "reject", *_STILL),
    "failed": ("retry", "retry", *_STILL),
    **dict.fromkeys(("completed", "cancelled", "cancelling"), _STILL),
}
REFUSED = ("resume", "approve", "reject", "retry", "pause")


def say(bench: Harness, number: int, row: SeenCampaign, *, may_fork: bool) -> tuple[str, list[str]]:
    """Say the verb that a number stands for, which may be refused with a reason, and name it and the fork it made."""
    told, campaign = verbs(bench), row.campaign_id
    choices = REFUSED if number % 8 == 7 else VERBS[row.status]
    verb, made = choices[number // 8 % len(choices)], list[str]()
    with suppress(VerbRefusedError, NoSuchStepError):
        match verb:
            case "fork" if may_fork:
                made.append(told.fork(campaign, 1, actor="ann", settings=Settings.from_env({})))
            case "back0" | "back1" | "back2":
                told.retry(campaign, actor="ann", from_step=int(verb[-1]))
            case "reject":
                told.reject(campaign, actor="ann", reason="no")
            case "pause" | "resume" | "cancel" | "retry" | "approve":
                getattr(told, verb)(campaign, actor="ann")
    return verb, made


def end(bench: Harness, campaign: str, time_passes: Callable[[], None]) -> None:
    """Bring a campaign to its end by what a fleet does by itself, but for a person's answers."""
    told, database = verbs(bench), bench.database
    for _ in range(30):
        row = seen(database, [campaign]).campaigns[campaign]
        if row.ended:
            return
        if row.status == "paused" or (row.reason or "").startswith("needs_attention"):
            told.resume(campaign, actor="ann")
        elif row.status == "awaiting_approval":
            told.approve(campaign, actor="ann")
        elif row.status == "waiting":
            database.run(f"UPDATE marketing.campaigns SET due_at = {PAST} WHERE campaign_id = %s", campaign)
        database.run("UPDATE marketing.units SET due_at = NULL WHERE campaign_id = %s", campaign)
        time_passes()
        Deferrals(database).tick()
        bench.ledger.reconcile()
        bench.orchestrator.run_hop(campaign)
        bench.broker.queue.clear()
    raise AssertionError(f"does not end: {row}")
