"""Python client: enqueue campaigns, follow them, read them.

Light on purpose: importing it loads no model or ad SDK. Invariants: a campaign is durable as soon as ``submit``
returns, also when its wake-up message is lost; a client of another mode (MARKETING_MODE) than the database's reads and
does nothing else: what would change something raises WrongWorldError.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.learning.reported import reported, unknown_field
from agents.ports import SystemClock
from agents.registry import agents
from integrations.fleet_note import read_note
from integrations.fleet_secrets import with_secrets
from integrations.plugins import PluginError
from integrations.settings import Mode, Settings, SettingsError
from orchestration.control.lead_paths import file_ids, read_files
from orchestration.control.library import Library
from orchestration.control.outcomes import Recorded, take_reports
from orchestration.control.recalibration import recalibrate_due
from orchestration.control.received import checked_key, received, refusal_key
from orchestration.control.submission import IdempotencyConflictError, admitted, prepare
from orchestration.control.verbs import Verbs
from orchestration.execution.call_guard import CallGuard, admission
from orchestration.execution.context import Resources
from orchestration.execution.list_removals import remove_listed
from orchestration.execution.place_removals import take_off_places
from orchestration.handle import CampaignHandle
from orchestration.ledger.database import Database, DatabaseUnavailableError, UnstorableError
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.waiting import Deferrals
from orchestration.ledger.world import World, WrongWorldError
from orchestration.reports.campaigns import CampaignSummary, Reports
from orchestration.reports.spend import FleetSpending, fleet_spend
from orchestration.stores.customer_lists import RemovalBook
from orchestration.stores.deliveries import LeavingBook
from orchestration.stores.erasure import Removed
from orchestration.stores.lead_files import LeadFileStore
from orchestration.stores.lead_weights import LeadWeights, Version
from orchestration.stores.outcomes import Outcomes
from orchestration.stores.refusals import Refusals
from orchestration.stores.suppression import SuppressionList

if TYPE_CHECKING:
    from orchestration.wakeups import Wakeups

log = logging.getLogger(__name__)

#: By which a submission is refused for what it asks for.
_REFUSALS = (ConfigError, SettingsError, IdempotencyConflictError, WrongWorldError)


class Campaigns:
    """Campaigns of one database."""

    def __init__(self, settings: Settings, *, wakeups: Wakeups | None = None, database: Database | None = None) -> None:
        settings = with_secrets(settings)
        if settings.database_url is None:
            raise SettingsError(
                "DATABASE_URL is not set and no fleet runs under MARKETING_HOME: set it, or start `campaigns up`"
            )
        self.settings = settings
        self.database = database or Database(settings.database_url, pool_size=1)
        self.reports = Reports(self.database)
        self.knowledge = Library(settings, self.database)
        self.weights = LeadWeights(self.database)
        self._ledger = Ledger(self.database, "client", settings.mode)
        self._files = LeadFileStore(self.database)
        self._refusals = Refusals(self.database)
        self._wakeups = wakeups

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Campaigns:
        """Connect to DATABASE_URL and REDIS_URL, or to the fleet that ``campaigns up`` runs under MARKETING_HOME.

        That fleet's mode is the client's where MARKETING_MODE is not set.
        """
        return cls(connected(env))

    def submit(
        self,
        config: CampaignConfig,
        *,
        idempotency_key: str | None = None,
        campaign_id: str | None = None,
        lead_files: Path | None = None,
    ) -> CampaignHandle:
        """Enqueue a campaign.

        The same ``idempotency_key`` (1 to 200 characters) with the same configuration gives the same campaign.
        ``campaign_id`` may be given where runs are compared; it must be new. What the configuration leaves out is
        filled in for the database's world. ``lead_files`` is the one folder that lead files are read from, and
        relative paths begin there; without it any file is read that the configuration names. Raises
        IdempotencyConflictError when the key belongs to another configuration or world, ConfigError and SettingsError
        when the campaign can't work, WrongWorldError when this client is of another mode than the database; nothing
        is stored then.
        """
        for key, name in ((idempotency_key, "idempotency_key"), (campaign_id, "campaign_id")):
            if key is not None:
                checked_key(key, name)
        config, files = read_files(admitted(config, self.settings, self._mode), lead_files)
        self._files.require({*file_ids(config)} - {file.file_id for file in files})
        row, stage = prepare(
            config,
            agents(),
            now=datetime.now(UTC),
            campaign_id=campaign_id,
            idempotency_key=idempotency_key,
            lead_weights=self.weights.current(config, self._mode) if config.lead_sources else None,
        )
        for file in files:
            self._files.add(file)
        found = self._ledger.submit(row, stage)
        if not found.created and found.mode is not self._mode:
            raise IdempotencyConflictError(
                f"idempotency_key={idempotency_key!r} belongs to campaign {found.campaign_id}, which is a {found.mode} "
                f"campaign, and this database has been {self._mode} since; use another key"
            )
        if not found.created and found.config_hash != row["config_hash"]:
            raise IdempotencyConflictError(
                f"idempotency_key={idempotency_key!r} belongs to campaign {found.campaign_id}, whose configuration "
                "differs; use another key, or submit the same configuration"
            )
        if found.created:
            BestEffort(lambda: self.wakeups).hop(found.campaign_id, str(row["agent"]), 0)
        return CampaignHandle(self, found.campaign_id)

    def get(self, campaign_id: str) -> CampaignHandle:
        """Return the handle of a campaign.

        Raises CampaignNotFoundError when there is no such campaign.
        """
        self.reports.status(campaign_id)
        return CampaignHandle(self, campaign_id)

    def take(self, config: object, key: object, *, task_id: object, unknown: Sequence[object] = ()) -> str | None:
        """Submit what was sent by task name, and return the campaign's id, or None when it was refused.

        Whatever was sent, a refusal is recorded under its key, or under the id of its task when it has no usable one
        (:meth:`refusal`). Raises DatabaseUnavailableError when Postgres stays away: then nothing is decided.
        """
        try:
            parsed, checked = received(config, key, unknown)
            return self.submit(parsed, idempotency_key=checked).campaign_id
        except DatabaseUnavailableError:
            raise
        except (*_REFUSALS, PluginError, UnstorableError) as error:
            problems = ConfigError(getattr(error, "problems", [str(error)])).problems
        except Exception as error:  # a defect of ours must not send the message round and round
            problems = _defect("a campaign", error)
        self._refuse("a campaign", refusal_key(key, task_id), problems)
        return None

    def take_outcome(self, fields: Mapping[str, object], *, task_id: object, unknown: Sequence[object] = ()) -> bool:
        """Record an outcome that was sent by task name, and return False when it was refused.

        ``fields`` are those of :meth:`outcome`. A refusal is recorded under the id of its task (:meth:`refusal`).
        Raises DatabaseUnavailableError when Postgres stays away: then nothing is decided.
        """
        try:
            strange = [unknown_field(name) for name in unknown]
            refused = self.outcomes([fields], actor="task").refused if not strange else {}
            problems = [*strange, *refused.get(0, "").splitlines()]
        except DatabaseUnavailableError:
            raise
        except (WrongWorldError, UnstorableError) as error:
            problems = [str(error)]
        except Exception as error:
            problems = _defect("an outcome", error)
        if problems:
            self._refuse("an outcome", refusal_key(None, task_id), problems)
        return not problems

    def _refuse(self, what: str, place: str | None, problems: Sequence[str]) -> None:
        if place is None:
            log.error("%s sent by task name is refused and can't be recorded, without a key and a task id", what)
        else:
            log.warning("%s sent by task name is refused, see the refusal %s: %s", what, place, problems[0])
            self.refuse(place, problems)

    def refuse(self, idempotency_key: str, problems: Sequence[str]) -> None:
        """Record why what was sent by task name was refused."""
        self._refusals.record(idempotency_key, problems)

    def refusal(self, idempotency_key: str) -> list[str] | None:
        """Return why what was sent by task name was refused, or None when it was not.

        A campaign that came without a usable key, and an outcome, is found under the id of its task.
        """
        return self._refusals.find(idempotency_key)

    def outcome(
        self, lead: str, outcome: str, *, at: datetime | str | None = None, campaign: str | None = None
    ) -> bool:
        """Record what came of a lead (won, meeting, lost or bounced), and return False when that was known already.

        ``lead`` is a lead's id or one of its addresses, ``campaign`` is needed where several have it, and ``at`` is now
        unless it is given. Raises ConfigError for anything else, and for a lead that there is not; WrongWorldError.
        """
        fields = {"lead": lead, "outcome": outcome, "at": at, "campaign": campaign}
        recorded = self.outcomes([fields])
        if recorded.refused:
            raise ConfigError(recorded.refused[0].splitlines())
        return bool(recorded.new)

    def outcomes(self, reports: Sequence[Mapping[str, object]], *, actor: str = "client") -> Recorded:
        """Record what came of leads, each with the fields of :meth:`outcome`, and return what became of the reports.

        Whatever is wrong with one, the others are recorded. Raises WrongWorldError.
        """
        self.world.require()
        now = datetime.now(UTC)
        checked, places, refused = [], [], {}
        for place, fields in enumerate(reports):
            try:
                checked.append(reported(fields, now=now))
                places.append(place)
            except ConfigError as error:
                refused[place] = "\n".join(error.problems)
        found = take_reports(self.database, checked, actor=actor)
        refused |= {places[place]: problem for place, problem in found.refused.items()}
        return Recorded(new=found.new, known=found.known, refused=dict(sorted(refused.items())))

    def outcome_counts(self) -> Sequence[tuple[str, str, str, Mapping[str, int]]]:
        """Return how many outcomes were reported, as (mode, account, audience, number by outcome)."""
        return Outcomes(self.database).counts()

    def recalibrate(self) -> list[Version]:
        """Learn now from outcomes that have come, as the fleet does by itself, and return the new versions."""
        self.world.require()
        return recalibrate_due(self.database)

    def erase(self, email: str) -> Removed:
        """Suppress a person for ever and remove what is stored about them, here, on customer lists and where leads go.

        What a platform or a place could not do now is done by the fleet as soon as it can (``Removed.lists_left``,
        ``places_left``). Raises ConfigError for what is no e-mail address, WrongWorldError as everything that changes
        something does.
        """
        self.world.require()
        removed = SuppressionList(self.database).erase(email, "erased on request")
        lists, places = RemovalBook(self.database), LeavingBook(self.database)
        if not lists.left() and not places.left():
            return removed
        told, taken_off = self._remove_outside()
        return replace(removed, lists=told, lists_left=lists.left(), places=taken_off, places_left=places.left())

    def _remove_outside(self) -> tuple[int, int]:
        """Take people off customer lists and places now, and return how many lists could be told, and leads taken."""
        admitting = admission(self.settings)
        try:
            guard = CallGuard(
                self.settings,
                admitting,
                switched_off=lambda: {one.provider: "" for one in Deferrals(self.database).switches()},
            )
            resources = Resources.of(self.settings, self.database, guard=guard)
            return remove_listed(resources), take_off_places(resources)
        finally:
            if admitting is not None:
                admitting.close()

    def list(self, *, status: str | None = None) -> list[CampaignSummary]:
        """Return campaigns, the newest first."""
        return self.reports.campaigns(status=status)

    def spend(self) -> FleetSpending:
        """Return what all campaigns have spent, today and in total."""
        return fleet_spend(self.database, self.settings)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    @property
    def world(self) -> World:
        """World of the database, as this client sees it."""
        return self._ledger.world

    @cached_property
    def _mode(self) -> Mode:
        """Mode of the database and of this client: read once, and looked at again by the statement that submits."""
        return self.world.require()

    @property
    def wakeups(self) -> Wakeups:
        """Messages to the fleet, over a broker connection that is made on first use."""
        if self._wakeups is None:
            from orchestration.execution.canvas import CeleryWakeups, producer

            self._wakeups = CeleryWakeups(producer(self.settings.redis_url or ""))
        return self._wakeups

    @property
    def verbs(self) -> Verbs:
        """Verbs of campaigns, for each of which the handle has a method."""
        return Verbs(
            ledger=self._ledger, agents=agents(), wakeups=BestEffort(lambda: self.wakeups), clock=SystemClock()
        )


def _defect(what: str, error: Exception) -> list[str]:
    log.exception("%s sent by task name was refused by a defect", what)
    return [f"{type(error).__name__} in our own code (see the worker's log)"]


class BestEffort:
    """Wake-ups of a client, which may fail: without a broker the row is safe and the reconciler finds it."""

    def __init__(self, wakeups: Callable[[], Wakeups]) -> None:
        self._wakeups = wakeups

    def hop(self, campaign_id: str, agent: str, step: int, *, delay_s: float = 0.0) -> bool:
        """Publish if the broker is there, and return whether it took the message."""
        try:
            return self._wakeups().hop(campaign_id, agent, step, delay_s=delay_s)
        except Exception as error:  # the broker's client may raise any class: the row is safe
            log.warning("campaign %s is stored; its wake-up was not published (%s)", campaign_id, type(error).__name__)
            return False

    def chord(self, campaign_id: str, agent: str, step: int, stage: int, slots: int) -> None:
        """Refuse, because clients spread nothing."""
        raise NotImplementedError("a client publishes no chord")


def connected(env: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the environment, those of the fleet under MARKETING_HOME where it names no database.

    Whoever uses that fleet's database is of its mode and its sandbox, unless the environment says otherwise. With a
    database of its own the environment lacks at most the fleet's Redis. Raises SettingsError as
    :func:`~integrations.fleet_secrets.with_secrets` does.
    """
    settings = with_secrets(Settings.from_env(env))
    if settings.database_url and settings.redis_url:
        return settings
    note = read_note(settings.home)
    if note is None:
        return settings
    if settings.database_url:
        return with_secrets(settings.model_copy(update={"redis_url": note.redis_url}))
    return with_secrets(Settings.from_env(env, defaults=note.environment))
