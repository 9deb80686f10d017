"""Read of an ad account before anything is paid: whether it can run ads, in which money, from which budget on.

Pure. Invariant: every sentence of :func:`account_problems` says what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from integrations.ads.goal import Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class AdAccount:
    """An ad account as its platform shows it."""

    currency: str = ""  #: ISO 4217, "" when the platform doesn't say
    trouble: str = ""  #: why it can't run ads, in words; "" when it can
    time_zone: str = ""  #: IANA name of the zone in which its days begin, "" when the platform doesn't say
    min_daily: Decimal | None = None  #: least daily budget in ``currency``, major units; None: not told
    unserved: Mapping[Goal, str] = field(default_factory=dict)  #: goal -> why it can't be counted there, in words


def account_problems(account: AdAccount, currency: str, daily: Decimal, goal: Goal) -> list[str]:
    """Return why a campaign of ``daily`` ``currency`` a day for ``goal`` can't run in this account, in words."""
    problems = [f"the ad account can't run ads: {account.trouble}"] if account.trouble else []
    if goal in account.unserved:
        problems.append(account.unserved[goal])
    if account.currency and account.currency != currency:
        problems.append(f"the ad account counts in {account.currency}, the campaign in {currency}")
    elif account.min_daily is not None and daily < account.min_daily:
        problems.append(
            f"a daily budget of {daily} {currency} is too low: the ad account takes no less than "
            f"{account.min_daily} {currency} a day"
        )
    return problems
