"""Editing of a text that a person is asked about, before they approve it.

Invariant: what was planned on the text of before is planned anew, and the question is asked anew, so an approval covers
exactly the edited text.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.flow.holds import hold_for
from orchestration.flow.routing import begin_hop
from orchestration.flow.transition import event, held


def edit(verbs: Verbs, campaign_id: str, subject: str, texts: Mapping[str, str], *, actor: str) -> str:
    """Give a piece of content other texts while the campaign asks about it, and return the campaign's status.

    ``subject``: the piece's id; ``texts``: title, body, meta_description, call_to_action, those that change. Raises
    VerbRefusedError when the campaign does not ask about content just now, has no such piece, or a text can't be.
    """
    row = verbs.admit(campaign_id)
    name = row.agent or ""
    maker = row.route[-2] if row.stage == 0 and len(row.route) > 1 else ""
    if row.status != "awaiting_approval" or maker not in verbs.agents or name not in verbs.agents:
        raise VerbRefusedError(
            f"campaign {campaign_id} is {row.status}: a text is edited while it is asked about (approval.gate: content)"
        )
    now = verbs.clock.now()
    try:
        after = verbs.agents[maker].edited(row.state, subject, texts, actor, now)
    except ValueError as error:
        raise VerbRefusedError(f"campaign {campaign_id}: {error}") from None
    if after is None:
        raise VerbRefusedError(f"campaign {campaign_id} has no piece {subject!r} that can be edited now")
    if after is row.state:
        return row.status
    step = row.step + 1
    begun = begin_hop(after, name, step, now)
    stage = verbs.agents[name].plan(begun, [])
    if stage is None:
        raise VerbRefusedError(f"campaign {campaign_id}: {name} has nothing to do with the edited text")
    hold = hold_for(begun, verbs.agents[name], stage, verbs.agents[maker], now)
    told = {"subject": subject, "texts": ", ".join(sorted(texts))}
    events = [event("edited", step, name, told, actor=actor), event("hop_started", step, name, {})]
    transition = held(row.state, begun, stage, 0, hold, [], events, now)
    if not verbs.send_back(row, ("awaiting_approval",), transition):
        raise VerbRefusedError(f"campaign {campaign_id} has changed just now: try again in a moment")
    if transition.hold is None:
        verbs.wakeups.hop(campaign_id, name, step)
    return transition.status
