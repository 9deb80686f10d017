"""Read of an ad account before anything is paid: whether it can run ads, in which money, from which budget on.

Pure. Invariant: every sentence of :func:`account_problems` says what would be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AdAccount:
    """An ad account as its platform shows it."""

    currency: str = ""  #: ISO 4217, "" when the platform doesn't say
    trouble: str = ""  #: why it can't run ads, in words; "" when it can
    time_zone: str = ""  #: IANA name of the zone in which its days begin, "" when the platform doesn't say
    min_daily: Decimal | None = None  #: least daily budget in ``currency``, major units; None: not told


def account_problems(account: AdAccount, currency: str, daily: Decimal) -> list[str]:
    """Return why a campaign of ``daily`` ``currency`` a day can't run in this account, in words."""
    problems = [f"the ad account can't run ads: {account.trouble}"] if account.trouble else []
    if account.currency and account.currency != currency:
        problems.append(f"the ad account counts in {account.currency}, the campaign in {currency}")
    elif account.min_daily is not None and daily < account.min_daily:
        problems.append(
            f"a daily budget of {daily} {currency} is too low: the ad account takes no less than "
            f"{account.min_daily} {currency} a day"
        )
    return problems
