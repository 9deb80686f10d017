"""Verbs of a campaign: pause, resume, cancel, retry, go back, fork, approve, reject.

Every verb is an event with who and when. Invariant: each is safe to repeat and safe against running units: one
compare-and-set on the row; what already is so changes nothing, and what can't be done is said. A verb is refused in a
process of another mode than the database's, and for a campaign of another world than the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from agents.base import BaseAgent
from agents.messages import PERSON, MessageType, message
from agents.ports import Clock
from agents.state import ApprovalGrant, MarketingAgentState
from agents.stop_all import stopping_agent
from agents.stopping import OFF, ON, ORDERED, Wanted
from integrations.settings import Settings
from orchestration.control.submission import config_hash, forked
from orchestration.flow.holds import NEEDS_ATTENTION, Hold, hold_for
from orchestration.flow.lineage import restore
from orchestration.flow.routing import begin_hop
from orchestration.flow.transition import Event, Transition, approval_request, event, held
from orchestration.ledger.ad_switches import AdSwitches
from orchestration.ledger.changes import PAUSED_FROM, CampaignChanges, StatusChange
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import CampaignRow
from orchestration.reports.campaigns import TERMINAL, CampaignNotFoundError
from orchestration.stores.lead_weights import LeadWeights
from orchestration.stores.retention import Retention
from orchestration.wakeups import Wakeups

LIVE = ("queued", "running", "waiting", "awaiting_approval")
STATUSES = (*LIVE, "paused", "cancelling", "completed", "failed", "cancelled")
STILL = ("completed", "failed", "cancelled", "paused", "waiting", "awaiting_approval")  #: nothing of it is at work


class VerbRefusedError(ValueError):
    """Raised when the campaign is not in a status that allows the verb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbs:
    """Verbs over one ledger, each of which returns the campaign's status after it."""

    ledger: Ledger
    agents: Mapping[str, BaseAgent]
    wakeups: Wakeups
    clock: Clock

    @property
    def changes(self) -> CampaignChanges:
        """Changes to the rows of the ledger's database."""
        return self.ledger.changes

    def pause(self, campaign_id: str, *, actor: str, ads: bool = False) -> str:
        """Start nothing new, and finish and keep what runs.

        Ads go on, unless ``ads``: then they are paused on their platforms too, as soon as nothing of the campaign is at
        work any more.
        """

        def paused(told: str = "", **data: str) -> StatusChange:
            reason = f"paused by {actor}{told}"
            return StatusChange(status="paused", event="paused", actor=actor, reason=reason, data=data)

        row = self.admit(campaign_id)
        if self._changing(row):
            if ads:
                raise VerbRefusedError(f"the ads of campaign {campaign_id} are being changed: pause them after that")
            AdSwitches(self.ledger).stay_paused(row, go_on=False)
            return row.status
        switch = AdSwitches(self.ledger).newest(row) if row.status == "paused" else None
        if ads and any(agent.stop(row.state) is not None for agent in self.agents.values()):
            if switch is not None and switch.off and not switch.unreached:
                return row.status
            return self._switch(row, (*LIVE, "paused"), OFF, paused("; its ads are being paused", ads="paused too"))
        if switch is not None and switch.resuming:
            return self._switch(row, ("paused",), ON, paused("; its ads go on"))
        return self._change(campaign_id, LIVE, paused())

    def resume(self, campaign_id: str, *, actor: str) -> str:
        """Go on after a pause, or after what needed attention was mended.

        Ads that a pause has switched off are switched on first: the campaign is ``paused`` until they are.
        """
        row = self.admit(campaign_id)
        if row.status == "waiting" and (row.reason or "").startswith(NEEDS_ATTENTION):
            self.changes.make_due(row)
            return self._change(campaign_id, ("waiting",), StatusChange(status="running", event="resumed", actor=actor))
        if row.status in LIVE:
            return row.status
        if self._changing(row):
            AdSwitches(self.ledger).stay_paused(row, go_on=True)
            return row.status
        switch = AdSwitches(self.ledger).newest(row) if row.status == "paused" else None
        if switch is not None and switch.resuming:
            return row.status
        if switch is not None and not switch.ads_restored:
            reason = f"resumed by {actor}; goes on when its ads are on again"
            change = StatusChange(status="paused", event="resuming", actor=actor, reason=reason)
            return self._switch(row, ("paused",), ON, change, go_on=True)
        return self._change(campaign_id, ("paused",), StatusChange(status=PAUSED_FROM, event="resumed", actor=actor))

    def end_wait(self, campaign_id: str, *, actor: str) -> str:
        """Go on at once with what waits for a time, such as a campaign's next optimisation.

        Raises VerbRefusedError for a campaign that waits for something else, or not at all.
        """
        row = self.admit(campaign_id)
        if row.status in ("queued", "running"):
            return row.status
        if row.status != "waiting" or row.hold is None:
            why = f": {row.reason}" if row.reason else ""
            said = f"campaign {campaign_id} is {row.status}{why}"
            raise VerbRefusedError(f"{said}; only one that waits for a time of its own is measured now")
        data = {"instead_of": row.reason or ""}
        change = StatusChange(status="running", event="wait_ended", actor=actor, data=data)
        return self._change(campaign_id, ("waiting",), change)

    def cancel(self, campaign_id: str, *, actor: str, reason: str | None = None) -> str:
        """Start nothing new, pause the campaign's ads on their platforms, end as cancelled."""
        row = self.admit(campaign_id)
        if row.status in ("cancelled", "cancelling"):
            return row.status
        self.changes.decide_approvals(campaign_id, "withdrawn", actor, reason)
        why = f"cancelled by {actor}" + (f": {reason}" if reason else "")
        data = {"reason": reason} if reason else None
        change = StatusChange(status="cancelling", event="cancelling", actor=actor, reason=why, data=data)
        return self._change(campaign_id, (*LIVE, "paused", "failed", "completed"), change)

    def retry(self, campaign_id: str, *, actor: str, from_step: int | None = None) -> str:
        """Repeat what failed, or everything from a step on."""
        self.refuse_swept(campaign_id)
        if from_step is not None:
            return self._go_back(campaign_id, from_step, actor)
        row = self.admit(campaign_id)
        if row.status in ("queued", "running"):
            return row.status
        if row.status != "failed":
            raise VerbRefusedError(
                f"campaign {campaign_id} is {row.status}; only a failed one is retried (or --from-step)"
            )
        if row.agent is None:
            raise VerbRefusedError(
                f"campaign {campaign_id} was cancelled and not all its ads are paused: cancel it again"
            )
        if self.changes.retry_failed(campaign_id, actor) == 0:
            # Nothing failed in the ledger: a defect ended it. With mended code the join is decided anew.
            return self._change(campaign_id, ("failed",), StatusChange(status="running", event="retried", actor=actor))
        self._wake(campaign_id)
        return "running"

    def fork(
        self,
        campaign_id: str,
        from_step: int,
        *,
        actor: str,
        settings: Settings,
        changes: Mapping[str, object] | None = None,
        new_id: str | None = None,
    ) -> str:
        """Submit a campaign that begins at a step of this one, with its leads, content and reports, and return its id.

        It is of the parent's world. The parent and its ads are only read: the fork's first change creates its own.
        ``changes`` are keys of the configuration; the approval gate asks before every effect unless they say otherwise.
        Raises NoSuchStepError when there is no such step, and ConfigError and SettingsError as any submit does.
        """
        row = self.admit(campaign_id)
        self.refuse_swept(campaign_id)
        found = restore(self.ledger.checkpoints(campaign_id), row.base_step, from_step, at_work=self._at_work(row))
        config = forked(found.state.campaign_config, changes or {}, settings, row.mode)
        now = self.clock.now()
        inherited = found.state.evolve(
            campaign_id=new_id or uuid4().hex,
            campaign_config=config,
            target_audience=config.target_audience,
            content_requirements=config.content_requirements,
            ad_platforms=config.ad_platforms,
            approvals=(),
            created_at=now,
        )
        if from_step == 0:  # its leads are found anew
            learned = LeadWeights(self.ledger.database).current(config, row.mode)
            inherited = inherited.evolve(lead_weights=learned)
        origin = event("forked", 0, found.agent, {"from": campaign_id, "from_step": from_step}, actor=actor)
        transition = self._begin(inherited, found.agent, 0, origin)
        new, hashed = inherited.campaign_id, config_hash(config)
        self.changes.fork(new, campaign_id, row.mode, config.name, hashed, transition, now)
        told = {"to": inherited.campaign_id, "from_step": from_step}
        self.changes.event(campaign_id, "was_forked", told, actor=actor)
        if transition.hold is None:
            self._wake(inherited.campaign_id)
        return inherited.campaign_id

    def approve(self, campaign_id: str, *, actor: str) -> str:
        """Agree to exactly what was asked, and go on, or ask the next question about the same stage."""
        row = self.admit(campaign_id)
        hold = row.hold or {}
        if row.status != "awaiting_approval":
            return self._already(row, "approved")
        now = self.clock.now()
        grant = ApprovalGrant.model_validate({**hold, "by": actor, "at": now})
        after = self._answered(row.state, row.agent or "", {"approved": True, "kind": grant.kind, "by": actor})
        after = after.evolve(approvals=(*row.state.approvals, grant))
        following = self._next_hold(row, after)
        if following is not None and following.approval:
            question = approval_request(after, following, now)
            after = after.evolve(agent_messages=(*after.agent_messages, question))
        patch = after.model_dump(mode="json", include={"approvals", "agent_messages"})
        if following is not None:
            asked = self.changes.ask_next(row, following, actor=actor, kind=grant.kind, patch=patch)
            return asked if asked is not None else self._already(self.admit(campaign_id), "approved")
        change = StatusChange(status="running", event="approved", actor=actor, patch=patch, data={"kind": grant.kind})
        changed = self.changes.set_status(campaign_id, ("awaiting_approval",), change, revision=row.revision)
        if changed is None:
            return self._already(self.admit(campaign_id), "approved")
        self.changes.decide_approvals(campaign_id, "approved", actor, None)
        self._wake(campaign_id)
        return changed

    def _next_hold(self, row: CampaignRow, state: MarketingAgentState) -> Hold | None:
        """Return what the held stage still waits for once ``state`` holds the answer to its open question."""
        agent = self.agents[row.agent or ""]
        begins = row.stage == 0 and len(row.route) > 1
        came_from = self.agents.get(row.route[-2]) if begins else None
        return hold_for(state, agent, self.ledger.planned(row), came_from, self.clock.now())

    def reject(self, campaign_id: str, *, actor: str, reason: str, rework: bool = False, expired: bool = False) -> str:
        """Refuse what was asked, and cancel the campaign, or send it back to be reworked for the reason."""
        row = self.admit(campaign_id)
        if row.status != "awaiting_approval":
            return self._already(row, "rejected")
        self.changes.decide_approvals(campaign_id, "expired" if expired else "rejected", actor, reason)
        self.changes.event(campaign_id, "rejected", {"reason": reason, "rework": rework}, actor=actor)
        if not rework:
            return self.cancel(campaign_id, actor=actor, reason=reason)
        payload = {"approved": False, "reason": reason, "by": actor, "rework": True}
        answered = self._answered(row.state, row.agent or "", payload)
        agent, reworked = self._reworked(row, answered, reason)
        origin = event("rework", row.step + 1, agent, {"reason": reason}, actor=actor)
        transition = self._begin(reworked, agent, row.step + 1, origin)
        if not self._sent_back(row, ("awaiting_approval",), transition):
            return self._already(self.admit(campaign_id), "rejected")
        self._wake(campaign_id)
        return transition.status

    def _reworked(self, row: CampaignRow, state: MarketingAgentState, reason: str) -> tuple[str, MarketingAgentState]:
        """Return the agent that does its work anew, the one that was last on the route, and the state for it."""
        for name in reversed(row.route):
            agent = self.agents.get(name)
            reworked = agent.rework(state, reason, row.step, self.clock.now()) if agent is not None else None
            if reworked is not None:
                return name, reworked
        raise VerbRefusedError(f"no agent of campaign {row.campaign_id} can do its work anew: reject it without rework")

    def _go_back(self, campaign_id: str, step: int, actor: str) -> str:
        row = self.admit(campaign_id)
        if row.status not in STILL:
            raise VerbRefusedError(
                f"campaign {campaign_id} is {row.status}; pause it before it goes back to step {step}"
            )
        switch = AdSwitches(self.ledger).newest(row)
        if switch is not None and not switch.ads_restored:
            raise VerbRefusedError(
                f"campaign {campaign_id} is paused with its ads: resume it and pause it without its ads, "
                f"then it can go back to step {step}"
            )
        found = restore(self.ledger.checkpoints(campaign_id), row.base_step, step, at_work=self._at_work(row))
        # What people have decided since stays: their approvals, and the limits that they have changed.
        limits = row.state.campaign_config.limits
        config = found.state.campaign_config.model_copy(update={"limits": limits})
        kept = found.state.evolve(approvals=row.state.approvals, campaign_config=config)
        origin = event("went_back", row.step + 1, found.agent, {"to_step": step}, actor=actor)
        transition = self._begin(kept, found.agent, row.step + 1, origin)
        if not self._sent_back(row, STILL, transition, base=found.base):
            raise VerbRefusedError(f"campaign {campaign_id} has changed meanwhile; look at it and try again")
        if transition.hold is None:
            self._wake(campaign_id)
        return transition.status

    def _sent_back(
        self, row: CampaignRow, origin: Sequence[str], transition: Transition, *, base: int | None = None
    ) -> bool:
        """Send the campaign to ``transition``, and return False when it has changed.

        Raises VerbRefusedError when an effect of the stage at work is of unknown outcome: a line of work that is left
        behind asks no more.
        """
        in_the_way = self.changes.redirect(row, origin, transition, base=base, keep_effects=True)
        if in_the_way:
            raise VerbRefusedError(
                f"campaign {row.campaign_id} can't go back yet: {', '.join(in_the_way)} may have been carried out "
                f"without an answer. Let it be looked for (`campaigns resume {row.campaign_id}`, if it is paused or "
                f"waits), or say what is there: campaigns resolve {row.campaign_id} {in_the_way[0]}"
            )
        return in_the_way is not None

    def _switch(
        self, row: CampaignRow, origin: Sequence[str], wanted: Wanted, pause: StatusChange, *, go_on: bool = False
    ) -> str:
        """Request that the campaign's ads be off, or on again, and return its status."""
        agent = stopping_agent(row.state, self.agents)
        if not AdSwitches(self.ledger).ask(row, origin, wanted, agent=agent, go_on=go_on, pause=pause):
            verb, still = ("resumed", None) if go_on else ("paused", "paused")
            return self._already(self.admit(row.campaign_id), verb, wanted=still)
        self.wakeups.hop(row.campaign_id, agent, row.step)
        return "paused"

    def _changing(self, row: CampaignRow) -> bool:
        """Return whether the campaign is paused because its ads are being changed."""
        found = AdSwitches(self.ledger).open(row) if row.status == "paused" else None
        return found is not None and found.wanted == ORDERED

    def _begin(self, state: MarketingAgentState, agent: str, step: int, origin: Event) -> Transition:
        """Return a transition to the first stage of a hop of ``agent``."""
        now = self.clock.now()
        begun = begin_hop(state, agent, step, now)
        stage = self.agents[agent].plan(begun, [])
        if stage is None:
            raise VerbRefusedError(f"{agent} has nothing to do there")
        hold = hold_for(begun, self.agents[agent], stage, None, now)
        events = [origin, event("hop_started", step, agent, {})]
        return held(state, begun, stage, 0, hold, [], events, now)

    def _answered(self, state: MarketingAgentState, agent: str, payload: Mapping[str, object]) -> MarketingAgentState:
        answer = message(
            sender=PERSON,
            receiver=agent,
            message_type=MessageType.APPROVAL_RESPONSE,
            payload=payload,
            correlation_id=f"{state.campaign_id}/{state.step}",
            now=self.clock.now(),
            ordinal=len(state.agent_messages),
        )
        return state.evolve(agent_messages=(*state.agent_messages, answer))

    def _change(self, campaign_id: str, origin: Sequence[str], change: StatusChange) -> str:
        changed = self.changes.set_status(campaign_id, origin, change)
        if changed is None:
            return self._already(self.admit(campaign_id), change.event, wanted=change.status)
        if changed in ("running", "queued", "cancelling"):
            self._wake(campaign_id)
        return changed

    def _already(self, row: CampaignRow, participle: str, *, wanted: str | None = None) -> str:
        """Return the status of a campaign that is as wanted already.

        Raises VerbRefusedError, which says why the verb can't be done, when it is not.
        """
        if row.status == wanted:
            return row.status
        ended = " and has ended" if row.status in TERMINAL else ""
        raise VerbRefusedError(f"campaign {row.campaign_id} is {row.status}{ended}: it can't be {participle}")

    def admit(self, campaign_id: str) -> CampaignRow:
        """Return the row of a campaign that this process may change.

        Raises WrongWorldError when the process is of another mode than the database, CampaignNotFoundError when there
        is no such campaign, VerbRefusedError when it belongs to the world that the database has left.
        """
        mode = self.ledger.world.require()
        row = self.ledger.load(campaign_id)
        if row is None:
            raise CampaignNotFoundError(campaign_id)
        if row.mode is not mode:
            raise VerbRefusedError(
                f"campaign {campaign_id} is a {row.mode} campaign, and this database has been {mode} since: it can be "
                f"read, and is never continued in another world; submit a campaign of its own"
            )
        return row

    def refuse_swept(self, campaign_id: str) -> None:
        """Refuse a campaign that has no people any more (VerbRefusedError)."""
        kept = Retention(self.ledger.database).of(campaign_id)
        if kept is not None and kept.swept_at is not None:
            raise VerbRefusedError(
                f"campaign {campaign_id} has lost its people when its retention was over ({kept.swept_at:%Y-%m-%d}): "
                "submit a new one"
            )

    def _at_work(self, row: CampaignRow) -> tuple[int, str] | None:
        return (row.step, row.agent) if row.agent is not None else None

    def _wake(self, campaign_id: str) -> None:
        row = self.admit(campaign_id)
        # An ended campaign that is cancelled has no agent at work.
        self.wakeups.hop(campaign_id, row.agent or stopping_agent(row.state, self.agents), row.step)
