"""Outcomes of leads: what came of addressing one, as people and other systems report it."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What came of a lead."""

    WON = "won"  #: became a customer
    MEETING = "meeting"  #: wants to talk
    LOST = "lost"  #: said no, or nothing
    BOUNCED = "bounced"  #: the address takes no mail

    @property
    def yes(self) -> bool | None:
        """Whether the lead wanted what was offered, or None where that is not known.

        A bounce is about the address: a person whom no message has reached has said nothing.
        """
        return None if self is Outcome.BOUNCED else self is not Outcome.LOST
