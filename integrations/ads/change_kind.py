"""What of a live campaign can be changed."""

from __future__ import annotations

from enum import StrEnum


class ChangeKind(StrEnum):
    """What of a live campaign can be changed."""

    DAILY_BUDGET = "daily_budget"
    AD_SWITCH = "ad_switch"
    AUDIENCE = "audience"
    NEGATIVE_KEYWORDS = "negative_keywords"
    BID = "bid"
    HOURS = "hours"
    END = "end"
    FREQUENCY = "frequency"

    @property
    def words(self) -> str:
        """Name for people, such as "the bid"."""
        return _WORDS[self]


_WORDS = {
    ChangeKind.DAILY_BUDGET: "the daily budget",
    ChangeKind.AD_SWITCH: "a single ad's status",
    ChangeKind.AUDIENCE: "the audience",
    ChangeKind.NEGATIVE_KEYWORDS: "negative keywords",
    ChangeKind.BID: "the bid",
    ChangeKind.HOURS: "the hours of the week",
    ChangeKind.END: "the end date",
    ChangeKind.FREQUENCY: "the frequency cap",
}
