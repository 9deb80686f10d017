"""Whether texts make a difference for a campaign: after new ads that made none, no more are written or tried again.

Pure.
"""

from __future__ import annotations

from agents.actions import NewVariant
from agents.state import MarketingAgentState

MAX_UNTOLD = 2  #: new ads in a row that made no difference for the better that can be told


def indifferent(state: MarketingAgentState) -> bool:
    """Return whether the newest ads that were added have made no difference for the better that can be told."""
    effects = [one.effect for one in state.actions if isinstance(one.action, NewVariant) and one.done]
    newest = effects[-MAX_UNTOLD:]
    return len(newest) == MAX_UNTOLD and all(one is not None and one.verdict != "improved" for one in newest)


def told() -> str:
    """Return what people are told of it."""
    return (
        f"The last {MAX_UNTOLD} new ads made no difference for the better that can be told: texts stay as they are. "
        "Look at the offer, the landing page or the audience."
    )
