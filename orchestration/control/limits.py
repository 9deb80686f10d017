"""Change of a campaign's own spend caps while it runs.

The caps live in the campaign's configuration, in its row; reserving reads them there, under the lock under which
they are changed here, so no grant sees a cap that is not in force. A cap on ads below the budget lowers the budget with
it, and one below what the ads still may spend, or spend a day, is followed by an order to the platforms
(:mod:`orchestration.control.ordering`). Invariants: a limit never goes below what is spent; the cap is in force before
the platforms are told, so after a crash in between the same command finishes it; every change is an event with who, old
and new; a campaign that waits for its budget looks again at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation

from agents.config import CampaignConfig
from orchestration.control.ordering import check_spread, spread
from orchestration.control.verbs import STATUSES, VerbRefusedError, Verbs
from orchestration.ledger.changes import lock, note
from orchestration.ledger.database import Database, Transaction, encode
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

    Ads that run spend no more than the limits allow from now on: the campaign is paused until its platforms know.
    Raises CampaignNotFoundError when there is no such campaign, ConfigError when a limit is no amount, WrongWorldError
    as every verb does, VerbRefusedError when the campaign has ended, is of another world, a limit is below what is
    spent (``llm``: or held), no platform takes as little as would be left, or its ads are being changed just now.
    """
    given = {"llm": llm, "ads": ads, "ads_per_day": ads_per_day}
    wanted = {name: str(value) for name, value in given.items() if value is not None}
    if not wanted:
        raise VerbRefusedError("say which limit changes: llm, ads or ads_per_day")
    database = verbs.ledger.database
    state = verbs.admit(campaign_id).state
    after = _limited(state.campaign_config, wanted)
    if _over(database, campaign_id, after, state.campaign_config, wanted):
        check_spread(verbs, state.evolve(campaign_config=after), actor=actor)
    limits = after.limits.model_dump(mode="json")
    status = database.transaction(lambda tx: _change(tx, campaign_id, {name: limits[name] for name in wanted}, actor))
    Deferrals(database).wake("budget", campaign_id=campaign_id)
    row = verbs.admit(campaign_id)
    if not _over(database, campaign_id, row.state.campaign_config, state.campaign_config, wanted):
        return status
    try:
        told = spread(verbs, row, actor=actor)
    except VerbRefusedError as error:
        raise VerbRefusedError(
            f"the limit is in force, but the ads that run could not be told yet: {error}; give the command again"
        ) from None
    return status if told is None else verbs.admit(campaign_id).status


def _limited(config: CampaignConfig, wanted: Mapping[str, str]) -> CampaignConfig:
    """Return a configuration with other limits, and with a budget within them.

    Raises ConfigError for a limit that is none.
    """
    data = config.model_dump(mode="json")
    budget = config.budget
    if budget is not None and "ads" in wanted:
        with suppress(InvalidOperation):  # what is no amount is told by the configuration
            given = Decimal(wanted["ads"])
            budget = given if 0 < given < budget else budget
    return CampaignConfig.parse({**data, "budget": budget, "limits": {**data["limits"], **wanted}})


def _over(
    database: Database, campaign_id: str, config: CampaignConfig, before: CampaignConfig, wanted: Mapping[str, str]
) -> bool:
    """Return whether ads that run may spend more than ``wanted`` limits, of ``config``, allow."""
    if "ads" in wanted and config.limits.ads is not None:
        if config.budget != before.budget:
            return True
        if database.transaction(lambda tx: _taken(tx, campaign_id, "ads", config.currency)) > config.limits.ads:
            return True
    if "ads_per_day" not in wanted or config.limits.ads_per_day is None:
        return False
    runs = database.transaction(lambda tx: _taken(tx, campaign_id, "ads_per_day", config.currency))
    return runs > config.limits.ads_per_day


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
    for name, counted in (("llm", "is spent and held"), ("ads", "is spent")):
        taken = (
            _taken(tx, campaign_id, "settled" if name == "ads" else name, currency) if name in wanted else Decimal(0)
        )
        if name in wanted and Decimal(wanted[name]) < taken:
            amount = f"{amount_text(taken)} {'USD' if name == 'llm' else currency}"
            raise VerbRefusedError(f"limits.{name} can't go below the {amount} that {counted} already")
    told = {
        name: f"{limit} (was {old.get(name) or 'none'})"
        for name, limit in wanted.items()
        if old.get(name) is None or Decimal(old[name]) != Decimal(limit)
    }
    if told:
        new = {**old, **wanted}
        budget = config.get("budget")
        if budget is not None and "ads" in wanted and Decimal(wanted["ads"]) < Decimal(budget):
            told["budget"] = f"{wanted['ads']} (was {budget})"
            budget = wanted["ads"]
        tx.run(
            "UPDATE marketing.campaigns SET state = jsonb_set(jsonb_set(state, '{campaign_config,limits}', %s), "
            "'{campaign_config,budget}', %s), revision = revision + 1, updated_at = now() WHERE campaign_id = %s",
            encode(new), encode(budget), campaign_id,
        )  # fmt: skip
        note(tx, found, "limits_changed", {**told, "old": old, "new": new}, actor=actor)
    return found.status


def _taken(tx: Transaction, campaign_id: str, name: str, currency: str) -> Decimal:
    """Return what is spent and held under a limit, or runs a day, under the lock that reserving takes too."""
    if name == "llm":
        sql = "SELECT held + settled FROM marketing.spend_total(%s, 'USD')"
        return Decimal(tx.value(sql, f"campaign:{campaign_id}"))
    amount = {"ads": "held + settled", "settled": "settled", "ads_per_day": RUNNING_DAILY}[name]
    where = "kind = 'ads' AND campaign_id = %s AND currency = %s"
    sql = f"SELECT coalesce(sum({amount}), 0) FROM marketing.spend WHERE {where}"
    return Decimal(tx.value(sql, campaign_id, currency))
