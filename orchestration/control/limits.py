"""Change of a campaign's own spend caps while it runs.

The caps live in the campaign's configuration, in its row; reserving reads them there, under the lock under which
they are changed here, so no grant sees a cap that is not in force. Invariants: a limit never goes below what is
spent and held already; every change is an event with who, old and new; a campaign that waits for its budget looks
again at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from agents.config import CampaignConfig
from orchestration.control.verbs import STATUSES, VerbRefusedError, Verbs
from orchestration.ledger.changes import lock, note
from orchestration.ledger.database import Transaction, encode
from orchestration.ledger.waiting import Deferrals
from orchestration.reports.campaigns import TERMINAL, CampaignNotFoundError
from orchestration.spend.ads import RUNNING_DAILY
from orchestration.spend.models import amount_text

Amount = Decimal | int | str


def change_limits(
    verbs: Verbs,
    campaign_id: str,
    *,
    actor: str,
    llm: Amount | None = None,
    ads: Amount | None = None,
    ads_per_day: Amount | None = None,
) -> str:
    """Set the limits that are given (``llm`` in USD, the others in the campaign's currency) and return its status.

    Raises CampaignNotFoundError when there is no such campaign, ConfigError when a limit is no amount or below the
    campaign's budget, WrongWorldError as every verb does, VerbRefusedError when the campaign has ended, is of another
    world, or a limit is below what is spent and held.
    """
    given = {"llm": llm, "ads": ads, "ads_per_day": ads_per_day}
    wanted = {name: str(value) for name, value in given.items() if value is not None}
    if not wanted:
        raise VerbRefusedError("say which limit changes: llm, ads or ads_per_day")
    database = verbs.ledger.database
    config = verbs.admit(campaign_id).state.campaign_config
    data = config.model_dump(mode="json")
    limits = CampaignConfig.parse({**data, "limits": {**data["limits"], **wanted}}).limits.model_dump(mode="json")
    status = database.transaction(lambda tx: _change(tx, campaign_id, {name: limits[name] for name in wanted}, actor))
    Deferrals(database).wake("budget", campaign_id=campaign_id)
    return status


def _change(tx: Transaction, campaign_id: str, wanted: Mapping[str, str], actor: str) -> str:
    found = lock(tx, campaign_id, STATUSES)
    if found is None:
        raise CampaignNotFoundError(campaign_id)
    if found.status in (*TERMINAL, "cancelling"):
        ended = " and has ended" if found.status in TERMINAL else ""
        raise VerbRefusedError(f"campaign {campaign_id} is {found.status}{ended}: its limits can't be changed")
    tx.rows("SELECT marketing.spend_lock_ads()")
    config = tx.value("SELECT state -> 'campaign_config' FROM marketing.campaigns WHERE campaign_id = %s", campaign_id)
    currency, old = str(config["currency"]), dict(config.get("limits") or {})
    for name, limit in wanted.items():
        taken = _taken(tx, campaign_id, name, currency)
        if Decimal(limit) < taken:
            per_day = "runs a day" if name == "ads_per_day" else "is spent and held"
            amount = f"{amount_text(taken)} {'USD' if name == 'llm' else currency}"
            raise VerbRefusedError(f"limits.{name} can't go below the {amount} that {per_day} already")
    told = {
        name: f"{limit} (was {old.get(name) or 'none'})"
        for name, limit in wanted.items()
        if old.get(name) is None or Decimal(old[name]) != Decimal(limit)
    }
    if told:
        new = {**old, **wanted}
        tx.run(
            "UPDATE marketing.campaigns SET state = jsonb_set(state, '{campaign_config,limits}', %s), "
            "revision = revision + 1, updated_at = now() WHERE campaign_id = %s",
            encode(new), campaign_id,
        )  # fmt: skip
        note(tx, found, "limits_changed", {**told, "old": old, "new": new}, actor=actor)
    return found.status


def _taken(tx: Transaction, campaign_id: str, name: str, currency: str) -> Decimal:
    """Return what is spent and held under a limit, or runs a day, under the lock that reserving takes too."""
    if name == "llm":
        sql = "SELECT held + settled FROM marketing.spend_total(%s, 'USD')"
        return Decimal(tx.value(sql, f"campaign:{campaign_id}"))
    amount = "held + settled" if name == "ads" else RUNNING_DAILY
    where = "kind = 'ads' AND campaign_id = %s AND currency = %s"
    sql = f"SELECT coalesce(sum({amount}), 0) FROM marketing.spend WHERE {where}"
    return Decimal(tx.value(sql, campaign_id, currency))
