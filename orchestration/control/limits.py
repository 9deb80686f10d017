"""Raising and lowering a campaign's own spend caps while it runs.

The caps live in the campaign's configuration, in its row; reserving reads them there, under the lock under which
they are changed here, so no grant sees a cap that is not in force. Invariants: a limit never goes below what is
spent and held already; every change is an event with who, old and new; a campaign that waits for its budget looks
again at once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from agents.config import CampaignConfig
from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.ledger.database import encode
from orchestration.ledger.waiting import Deferrals
from orchestration.reports.campaigns import TERMINAL, CampaignNotFoundError, Reports
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
    """Set the limits that are given (``llm`` in USD, the others in the campaign's currency); its status after it.

    Raises CampaignNotFoundError, ConfigError for what is no amount or below the campaign's budget, VerbRefusedError
    for a campaign that has ended and for a limit below what is spent and held.
    """
    given = {"llm": llm, "ads": ads, "ads_per_day": ads_per_day}
    wanted = {name: str(value) for name, value in given.items() if value is not None}
    if not wanted:
        raise VerbRefusedError("say which limit changes: llm, ads or ads_per_day")
    database = verbs.ledger.database
    config = Reports(database).row(campaign_id).state.campaign_config
    data = config.model_dump(mode="json")
    limits = CampaignConfig.parse({**data, "limits": {**data["limits"], **wanted}}).limits.model_dump(mode="json")
    changed: dict[str, Any] | None = database.rows(
        "SELECT marketing.spend_limits(%s, %s, %s)",
        campaign_id,
        encode({name: limits[name] for name in wanted}),
        actor,
    )[0][0]
    if changed is None:
        raise CampaignNotFoundError(campaign_id)
    if changed.get("refused") == "ended":
        status = str(changed["status"])
        ended = " and has ended" if status in TERMINAL else ""
        raise VerbRefusedError(f"campaign {campaign_id} is {status}{ended}: its limits can't be changed")
    if changed.get("refused") == "below":
        name = str(changed["limit"])
        currency = "USD" if name == "llm" else config.currency
        taken = amount_text(Decimal(changed["taken"]))
        per_day = "runs a day" if name == "ads_per_day" else "is spent and held"
        raise VerbRefusedError(f"limits.{name} can't go below the {taken} {currency} that {per_day} already")
    Deferrals(database).wake("budget", campaign_id=campaign_id)
    return str(changed["status"])
