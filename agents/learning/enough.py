"""How many outcomes it takes before anything is learned.

Pure, and without numpy, as most looks end here.
"""

from __future__ import annotations

LEAST_OUTCOMES, LEAST_EACH = 60, 8
MOST_OUTCOMES = 2000  #: the newest; older ones say less of today, and fitting takes time


def missing(outcomes: int, yes: int) -> str | None:
    """Return what is missing, in words, of leads with outcomes of which so many said yes, or None when nothing is."""
    if outcomes < LEAST_OUTCOMES:
        return f"{outcomes} of at least {LEAST_OUTCOMES} leads with an outcome"
    if min(yes, outcomes - yes) < LEAST_EACH:
        return f"{yes} said yes and {outcomes - yes} said no; of each at least {LEAST_EACH} are needed"
    return None
