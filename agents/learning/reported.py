"""What is reported of a lead, by a person or another system: strangers' data until it is checked here.

Pure. Invariant: a refusal names the key, its value and what would be right, and never repeats an address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from agents.config_problems import ConfigError, choice
from agents.config_values import shown
from agents.email_address import normal_email
from agents.learning.outcomes import Outcome

AHEAD = timedelta(days=1)  #: what clocks and time zones may be apart
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_FIELDS = ("lead", "outcome", "at", "campaign")
MAX_TEXT = 200  #: characters of any value
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One outcome of a lead, which is named by its id or by its address."""

    lead_id: str | None
    email: str | None  #: normalised
    outcome: Outcome
    at: datetime | None  #: None: now
    campaign: str | None  #: where several have the lead


def reported(fields: Mapping[str, object], *, now: datetime) -> Reported:
    """Check the fields ``lead`` (an id or an address), ``outcome``, ``at`` and ``campaign`` of a report.

    Raises ConfigError listing everything that is wrong.
    """
    problems = [unknown_field(key) for key in fields if key not in _FIELDS]
    lead, outcome, at, campaign = (fields.get(key) for key in _FIELDS)
    email = normal_email(lead) if isinstance(lead, str) and len(lead) <= 2 * MAX_TEXT else None
    if email is None and not _is_name(lead):
        problems.append(f"lead={_hidden(lead)}: write the id of a lead, or the e-mail address of one")
    elif email is None and "@" in str(lead):
        problems.append("lead: is no e-mail address; write one such as jane@example.com, or the id of a lead")
    found = _outcome(outcome)
    if found is None:
        problems.append(f"outcome={_hidden(outcome)}: use {choice([*Outcome])}")
    moment = None
    try:
        moment = _moment(at, now)
    except ValueError as error:
        problems.append(f"at={_hidden(at)}: {error}")
    if campaign is not None and not _is_name(campaign):
        problems.append(f"campaign={_hidden(campaign)}: write the id of a campaign")
    if problems or found is None:
        raise ConfigError(problems)
    return Reported(
        lead_id=None if email else str(lead).strip(),
        email=email,
        outcome=found,
        at=moment,
        campaign=None if campaign is None else str(campaign).strip(),
    )


def unknown_field(key: object) -> str:
    """Return the refusal of what is no field of a report."""
    return f"{shown(key)}: unknown; send lead, outcome, at and campaign"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and _NAME.fullmatch(value) is not None


def _hidden(value: object) -> str:
    return "(an address)" if "@" in str(value) else shown(value)


def _outcome(value: object) -> Outcome | None:
    name = value.strip().lower() if isinstance(value, str) else ""
    return Outcome(name) if name in {*Outcome} else None


def _moment(value: object, now: datetime) -> datetime | None:
    """Read a time in ISO 8601, in UTC where it has no zone, and a day as its noon.

    Raises ValueError, whose text says what would be right.
    """
    if value is None or value == "":
        return None
    words = "write a time such as 2026-03-31T14:00:00Z or a day such as 2026-03-31"
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, str) and len(value) <= MAX_TEXT:
        try:
            day = re.fullmatch(r"\s*(\d{4}-\d{2}-\d{2})\s*", value)
            found = (
                datetime.combine(date.fromisoformat(day[1]), time(12)) if day else datetime.fromisoformat(value.strip())
            )
        except ValueError:
            raise ValueError(words) from None
    else:
        raise ValueError(words)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    if not found >= OLDEST:
        raise ValueError("is before 2000; write the day on which it came about")
    if found > now + AHEAD:
        raise ValueError("is in the future; write the time at which it came about")
    return found.astimezone(UTC)
