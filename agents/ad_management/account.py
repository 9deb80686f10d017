"""Look at each platform's ad account before the campaign pays for anything.

A disabled account, one in another currency, a budget under its least, or a goal that it can't count is known to the
platform from the start; found out when the ads are placed it has cost the leads and the content. Invariant: a platform
that can't be asked stops nothing: its dry run before the ads asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agents.ad_management import daily_budgets
from agents.ad_management.units import CheckAccount, CheckedAccount
from agents.state import MarketingAgentState
from agents.unit import Unit
from agents.unit_kind import UnitKind
from integrations.ads.account import account_problems
from integrations.ads.registry import available
from integrations.errors import (
    BadRequestError,
    NeedsAttentionError,
    NotNowError,
    OutcomeUnknownError,
    TransientError,
)

if TYPE_CHECKING:
    from agents.ports import UnitContext


def check(given: CheckAccount, ctx: UnitContext) -> CheckedAccount:
    """Ask for the account once.

    Raises NeedsAttentionError for one that can't run ads, or none for the campaign's goal, and BadRequestError for a
    campaign that doesn't fit it.
    """
    platform = ctx.providers.ads(given.platform)
    try:
        account = platform.account(wire=lambda send: ctx.call(platform.name, send))
    except (TransientError, OutcomeUnknownError, NotNowError):
        return CheckedAccount(seen=False)
    problems = account_problems(account, given.currency, given.daily_budget, given.goal)
    if account.trouble or given.goal in account.unserved:
        raise NeedsAttentionError(platform.name, "; ".join(problems), detail="ad account")
    if problems:
        raise BadRequestError(platform.name, "; ".join(problems), detail="ad account")
    return CheckedAccount(seen=True, currency=account.currency, time_zone=account.time_zone)


CHECK_ACCOUNT = UnitKind(name="check_account", input=CheckAccount, output=CheckedAccount, run=check)


def checks(state: MarketingAgentState) -> Sequence[Unit]:
    """Plan one look per platform that the campaign begins on."""
    names = [name for name in state.ad_platforms if name in available()]
    config, daily = state.campaign_config, daily_budgets.budgets(state, names)
    return [
        CHECK_ACCOUNT.unit(
            f"account:{name}",
            CheckAccount(platform=name, daily_budget=daily[name], currency=config.currency, goal=config.ads_goal),
            provider=name,
        )
        for name in names
    ]
