"""Answers to questions that were not answered in time, as the campaign says."""

from __future__ import annotations

import logging

from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.ledger.ledger import Ledger

log = logging.getLogger(__name__)


def expire_approvals(ledger: Ledger, verbs: Verbs) -> int:
    """Carry out the policy of questions that were not answered in time, and return how many."""
    expired = ledger.changes.expired_approvals()
    for campaign_id in expired:
        row = ledger.load(campaign_id)
        if row is None:
            continue
        try:
            if row.state.campaign_config.approval.on_expiry == "approve":
                verbs.approve(campaign_id, actor="policy")
            else:
                verbs.reject(campaign_id, actor="policy", reason="not decided in time", expired=True)
        except VerbRefusedError as error:  # a person decided at the same moment
            log.info("%s", error)
    return len(expired)
