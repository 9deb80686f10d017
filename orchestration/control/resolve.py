"""Settlement by hand of effects whose outcome probes can't tell.

An effect whose creations all stayed without an answer makes its campaign wait for a person. What the person saw
on the platform is written into the unit's journal in the words that the effect's next attempt reads (see
:mod:`agents.effects`): the remote id, which it then adopts, or that the last creation was refused, after which it
may send anew. Invariant: the journal is changed only while the unit is ``unknown`` and holds what the decision
was made from, so an answer never meets an attempt at work; the same answer given twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agents.effects import INTENT, settling_entries, unsettled
from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.flow.holds import NEEDS_ATTENTION
from orchestration.ledger.database import Database, encode
from orchestration.reports.campaigns import Reports

#: Units ``u`` of campaign ``c`` that are at work: of its stage, or of a request about its ads.
_AT_WORK = (
    "((u.step = c.step AND u.stage = c.stage AND u.epoch = c.epoch) OR (u.step < 0 AND EXISTS (SELECT FROM "
    "marketing.ad_switches s WHERE s.campaign_id = c.campaign_id AND s.number = -u.step AND s.settled_at IS NULL)))"
)


class NoSuchUnitError(LookupError):
    """Raised when no such unit of the campaign is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectUnit:
    """Effect at work, which may have been carried out although no answer says so."""

    key: str
    provider: str
    effect_key: str  #: what the object's name carries at the platform
    status: str
    journal: Mapping[str, JsonValue]
    message: str  #: what the last attempt said

    @property
    def steps(self) -> tuple[str, ...]:
        """Objects in question, such as ``campaign`` or ``ad.1``, none while an attempt is at work."""
        return tuple(unsettled(self.journal)) if self.status == "unknown" else ()

    def says(self, found: str | None, step: str | None) -> bool:
        """Return whether this answer is in the journal already."""
        sent = [entry.removeprefix(INTENT) for entry in self.journal if entry.startswith(INTENT)]
        return any(
            settling_entries(self.journal, one, found).items() <= self.journal.items()
            for one in sent
            if step in (None, one)
        )


def open_units(database: Database, campaign_id: str) -> list[EffectUnit]:
    """Return the effects at work whose outcome only the platform knows.

    Raises CampaignNotFoundError when there is no such campaign.
    """
    Reports(database).status(campaign_id)
    return [unit for unit in _units(database, campaign_id) if unit.steps]


def resolve(
    verbs: Verbs, campaign_id: str, unit_key: str, *, actor: str, found: str | None = None, step: str | None = None
) -> str:
    """Record what became of an unsettled effect, and return the campaign's status after it.

    ``found`` is the id that the object has at the platform, of ``step`` when several are in question; None when it is
    not there, so that it may be made. A campaign that waits for this goes on once nothing else is in question. Raises
    CampaignNotFoundError when there is no such campaign, NoSuchUnitError when it has no such unit at work, and
    VerbRefusedError when the unit is not in question; the last two list what is.
    """
    database = verbs.ledger.database
    reports = Reports(database)
    verbs.admit(campaign_id)
    units = {unit.key: unit for unit in _units(database, campaign_id)}
    unit = units.get(unit_key)
    if unit is None:
        raise NoSuchUnitError(f"no unit {unit_key!r} is at work; {_in_question(units)}")
    if not unit.steps and unit.says(found, step):
        return reports.status(campaign_id)[0]
    if not unit.steps or (step is not None and step not in unit.steps):
        what = f"{step} of {unit_key}" if step else f"{unit_key} ({unit.status})"
        raise VerbRefusedError(f"{what} is not in question; {_in_question(units)}")
    if found is not None and step is None and len(unit.steps) > 1:
        raise VerbRefusedError(f"several objects of {unit_key} are in question, say which: {', '.join(unit.steps)}")
    settled = [step] if step is not None else unit.steps
    entries: dict[str, JsonValue] = {}
    for one in settled:
        entries |= settling_entries(unit.journal, one, found)
    if not _write(database, campaign_id, unit, entries):
        raise VerbRefusedError(f"unit {unit_key} has changed meanwhile; look at it and try again")
    told = {"unit": unit_key, "objects": ", ".join(settled), "found": found or "nothing"}
    verbs.changes.event(campaign_id, "resolved", told, actor=actor)
    status, reason = reports.status(campaign_id)
    waits = status == "waiting" and (reason or "").startswith(NEEDS_ATTENTION)
    return verbs.resume(campaign_id, actor=actor) if waits and not open_units(database, campaign_id) else status


def _units(database: Database, campaign_id: str) -> list[EffectUnit]:
    return database.records(
        EffectUnit,
        "SELECT u.key, u.provider, u.effect_key, u.status, u.journal, coalesce(u.error ->> 'message', '') AS message "
        "FROM marketing.campaigns c JOIN marketing.units u "
        f"ON u.campaign_id = c.campaign_id AND {_AT_WORK} "
        "WHERE c.campaign_id = %s AND u.effect_key IS NOT NULL ORDER BY u.step DESC, u.ordinal",
        campaign_id,
    )


def _write(database: Database, campaign_id: str, unit: EffectUnit, entries: Mapping[str, JsonValue]) -> bool:
    """Add to the journal and make the unit due, if it is still what the decision was made from.

    Or if it has the entries already: a statement may be run again after a lost connection.
    """
    rows = database.rows(
        "UPDATE marketing.units u SET journal = u.journal || %s::jsonb, due_at = NULL FROM marketing.campaigns c "
        f"WHERE c.campaign_id = %s AND u.campaign_id = c.campaign_id AND {_AT_WORK} "
        "AND u.key = %s AND u.status = 'unknown' AND u.journal IN (%s::jsonb, %s::jsonb) RETURNING true",
        encode(entries), campaign_id, unit.key, encode(unit.journal), encode({**unit.journal, **entries}),
    )  # fmt: skip
    return bool(rows)


def _in_question(units: Mapping[str, EffectUnit]) -> str:
    listed: Sequence[str] = [f"{u.key} ({', '.join(u.steps)})" for u in units.values() if u.steps]
    return f"in question: {'; '.join(listed)}" if listed else "nothing is in question"
