"""What is left of leads when the time for which a campaign keeps people is over: figures, and no one whom they are of.

Pure. Invariant: there are as many leads as before, in the same order, with their scores; a lead that stands in several
lists has the same number in all.
"""

from __future__ import annotations

from pydantic import JsonValue

from agents.erasure import PEOPLE

#: Fields of a lead that are kept: none of them, nor all together, says who it was.
KEPT = ("email_status", "industry", "sources", "collected_at", "legal_basis", "score", "qualified_at")


class Anonymous:
    """Leads without people, numbered from 1 in the order in which they are seen."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def leads(self, leads: JsonValue) -> JsonValue:
        """Return a list of leads (as the state holds them) with :data:`KEPT` alone."""
        return [self._lead(lead) for lead in leads if isinstance(lead, dict)] if isinstance(leads, list) else []

    def patch(self, patch: JsonValue) -> JsonValue:
        """Return keys of a state with their lists of people without people."""
        if not isinstance(patch, dict):
            return patch
        return {name: self.leads(value) if name in PEOPLE else value for name, value in patch.items()}

    def _lead(self, lead: dict[str, JsonValue]) -> JsonValue:
        number = self._numbers.setdefault(str(lead.get("lead_id")), str(len(self._numbers) + 1))
        return {"lead_id": number, **{name: lead[name] for name in KEPT if name in lead}}
