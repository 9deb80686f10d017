"""One campaign, for programs: what it is, and the verbs that change what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from agents.action_log import ActionRecord
from agents.actions import Action
from agents.state import MarketingAgentState
from integrations.settings import Mode
from orchestration.control.editing import edit
from orchestration.control.excluding import Excluded
from orchestration.control.excluding import exclude as exclude_lead
from orchestration.control.excluding import include as include_lead
from orchestration.control.limits import Amount, change_limits
from orchestration.control.ordering import act, set_budget, undo
from orchestration.control.resolve import resolve as resolve_unit
from orchestration.reports.campaigns import TERMINAL, Approval, CampaignEvent
from orchestration.reports.leads import EVERYONE, FileRows, LeadFilter, LeadRow, file_rows_of, leads_of
from orchestration.reports.pieces import PieceCost, PieceRevision, costs, pieces
from orchestration.reports.spend import CampaignSpending, campaign_spend

if TYPE_CHECKING:
    from orchestration.client import Campaigns

POLL_S = 0.2  #: how often a waiting client looks at the row


class CampaignHandle:
    """Campaign that is read afresh at each access.

    The verbs return its status, or what they say themselves. All raise CampaignNotFoundError when it is gone,
    WrongWorldError when this client is of another mode than the database, and VerbRefusedError when the campaign's
    status or world does not allow the verb.
    """

    def __init__(self, campaigns: Campaigns, campaign_id: str) -> None:
        self._campaigns = campaigns
        self.campaign_id = campaign_id

    def __repr__(self) -> str:
        return f"CampaignHandle({self.campaign_id!r})"

    @property
    def status(self) -> str:
        """queued | running | waiting | awaiting_approval | paused | cancelling | completed | failed | cancelled."""
        return self._campaigns.reports.status(self.campaign_id)[0]

    @property
    def mode(self) -> Mode:
        """World that the campaign is of: ``live`` is real providers and real money."""
        return self._campaigns.reports.mode(self.campaign_id)

    @property
    def reason(self) -> str | None:
        """Why the campaign waits, failed, or ended early."""
        return self._campaigns.reports.status(self.campaign_id)[1]

    @property
    def state(self) -> MarketingAgentState:
        """State as of the last finished hop."""
        return self._campaigns.reports.row(self.campaign_id).state

    def show(self) -> dict[str, object]:
        """Return the contract's JSON, as ``orchestration.reports.campaigns.Reports.show`` describes it."""
        return self._campaigns.reports.show(self.campaign_id)

    def leads(self, wanted: LeadFilter = EVERYONE) -> list[LeadRow]:
        """Return the leads that are ``wanted``, by default all, the best first."""
        return leads_of(self._campaigns.database, self.campaign_id, wanted)

    def pieces(self) -> list[list[PieceRevision]]:
        """Return each piece of content with all its revisions, oldest first."""
        checkpoints = self._campaigns.verbs.ledger.checkpoints(self.campaign_id)
        return pieces(checkpoints, self.state.generated_content)

    def piece_costs(self) -> Mapping[str, PieceCost]:
        """Return what each piece has cost at language models, by its id."""
        return costs(self._campaigns.database, self.campaign_id)

    def edit(self, piece_id: str, texts: Mapping[str, str], *, actor: str = "client") -> str:
        """Give a piece other texts while the campaign asks about it, so that an approval covers those.

        ``texts``: title, body, meta_description and call_to_action, those that change.
        """
        return edit(self._campaigns.verbs, self.campaign_id, piece_id, texts, actor=actor)

    def file_rows(self) -> FileRows:
        """Return what became of each row of the campaign's own files."""
        return file_rows_of(self._campaigns.database, self.campaign_id)

    def exclude(self, lead: str, *, reason: str = "", actor: str = "client") -> Excluded:
        """Keep a lead, named by its id or an address, out of what is still to come: batches, customer lists.

        The result says where the lead has been put already. Raises NoSuchLeadError.
        """
        return exclude_lead(self._campaigns.verbs, self.campaign_id, lead, actor=actor, reason=reason)

    def include(self, lead: str, *, actor: str = "client") -> bool:
        """Take an exclusion back, and return whether there was one.

        Raises NoSuchLeadError.
        """
        return include_lead(self._campaigns.verbs, self.campaign_id, lead, actor=actor)

    def pause(self, *, ads: bool = False, actor: str = "client") -> str:
        """Start nothing new, and finish and keep what runs.

        Ads go on, unless ``ads``: then ``reason`` tells whether they are off already.
        """
        return self._campaigns.verbs.pause(self.campaign_id, actor=actor, ads=ads)

    def resume(self, *, actor: str = "client") -> str:
        """Go on after a pause, or after what needed attention was mended.

        Ads that a pause has switched off are switched on first; the campaign is ``paused`` until they are.
        """
        return self._campaigns.verbs.resume(self.campaign_id, actor=actor)

    def measure_now(self, *, actor: str = "client") -> str:
        """Measure and optimise now what waits for a time to do it.

        Raises VerbRefusedError for a campaign that doesn't.
        """
        return self._campaigns.verbs.end_wait(self.campaign_id, actor=actor)

    def cancel(self, *, actor: str = "client", reason: str | None = None) -> str:
        """Start nothing new, pause the ads on their platforms, end as cancelled."""
        return self._campaigns.verbs.cancel(self.campaign_id, actor=actor, reason=reason)

    def approve(self, *, actor: str = "client") -> str:
        """Agree to exactly what was asked."""
        return self._campaigns.verbs.approve(self.campaign_id, actor=actor)

    def reject(self, reason: str, *, rework: bool = False, actor: str = "client") -> str:
        """Refuse what was asked: cancel, or with ``rework`` go back to content with the reason."""
        return self._campaigns.verbs.reject(self.campaign_id, actor=actor, reason=reason, rework=rework)

    def retry(self, *, from_step: int | None = None, actor: str = "client") -> str:
        """Repeat what failed, or everything from a step on.

        Raises NoSuchStepError, which lists the steps, when there is no such step.
        """
        return self._campaigns.verbs.retry(self.campaign_id, actor=actor, from_step=from_step)

    def fork(
        self, from_step: int, *, changes: Mapping[str, object] | None = None, actor: str = "client"
    ) -> CampaignHandle:
        """Submit a campaign that begins at a step of this one, with ads of its own that it asks for unless changed.

        Raises NoSuchStepError as :meth:`retry`, ConfigError and SettingsError as :meth:`Campaigns.submit` does.
        """
        new_id = self._campaigns.verbs.fork(
            self.campaign_id, from_step, actor=actor, settings=self._campaigns.settings, changes=changes
        )
        return CampaignHandle(self._campaigns, new_id)

    def resolve(self, unit: str, *, found: str | None = None, step: str | None = None, actor: str = "client") -> str:
        """Settle what probes can't: the id that was ``found`` at the platform, or None when it is not there.

        See ``orchestration.control.resolve.resolve``; ``open_units`` beside it lists what is in question. Raises
        NoSuchUnitError when no such unit is at work.
        """
        return resolve_unit(self._campaigns.verbs, self.campaign_id, unit, actor=actor, found=found, step=step)

    def limits(
        self,
        *,
        llm: Amount | None = None,
        ads: Amount | None = None,
        ads_per_day: Amount | None = None,
        actor: str = "client",
    ) -> str:
        """Change spend caps, ``llm`` in USD, the others in the campaign's currency."""
        return change_limits(
            self._campaigns.verbs, self.campaign_id, actor=actor, llm=llm, ads=ads, ads_per_day=ads_per_day
        )

    def act(self, action: Action | Mapping[str, object] | str, *, actor: str = "client") -> str:
        """Carry an action out on the platforms at once, and return its id.

        ``action`` is one of :mod:`agents.actions`, a mapping of its keys (``{"kind": "pause_ad", "platform": ...,
        "ad": "ad.2"}``), or the id of an action that was proposed. :meth:`actions` tells what has become of it. Raises
        VerbRefusedError with what would be right, before anything is stored, for what is no action or may not be done.
        """
        return act(self._campaigns.verbs, self.campaign_id, action, actor=actor)

    def undo(self, action_id: str, *, actor: str = "client") -> str:
        """Put back at once what an action has changed, and return the action's id.

        Raises VerbRefusedError when there is no such action, it is not in force, or a later one builds on it.
        """
        return undo(self._campaigns.verbs, self.campaign_id, action_id, actor=actor)

    def set_budget(self, amount: Amount, *, actor: str = "client") -> str:
        """Spend ``amount`` in all over the schedule, in the campaign's currency, on the platforms from now on.

        Returns the id of the action, or "" where no platform has to be told: no ads run yet, or that is the budget
        already. Raises ConfigError for what is no amount or above ``limits.ads``, and VerbRefusedError for less than
        is spent already.
        """
        return set_budget(self._campaigns.verbs, self.campaign_id, amount, actor=actor)

    def actions(self) -> tuple[ActionRecord, ...]:
        """Return what was done about the ads or is proposed, by the campaign itself and by people, oldest first."""
        return self.state.actions

    def spend(self) -> CampaignSpending:
        """Return what is spent and held, by agent, provider and model."""
        return campaign_spend(self._campaigns.database, self.campaign_id)

    def approval(self) -> Approval | None:
        """Return the open question, exactly what will be published and spent, or None when nothing is asked."""
        return self._campaigns.reports.open_approval(self.campaign_id)

    def history(self) -> list[CampaignEvent]:
        """Return all events so far."""
        return self._campaigns.reports.events(self.campaign_id)

    def watch(self, *, timeout: float | None = None) -> Iterator[CampaignEvent]:
        """Yield events as they come, until the campaign has ended.

        Raises TimeoutError when that takes longer than ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        after = 0
        while True:
            ended = self.status in TERMINAL  # read before the events, so that the last ones aren't missed
            for event in self._campaigns.reports.events(self.campaign_id, after=after):
                after = event.id
                yield event
            if ended:
                return
            _pause(deadline, self.campaign_id)

    def wait(self, timeout: float | None = None) -> str:
        """Wait for the end and return the status.

        Raises TimeoutError when that takes longer than ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.status) not in TERMINAL:
            _pause(deadline, self.campaign_id)
        return status


def _pause(deadline: float | None, campaign_id: str) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(f"campaign {campaign_id} has not ended in time")
    time.sleep(POLL_S)
