"""Screening, the one place where people on the suppression list are kept out of a campaign.

Every unit that brings people in passes them through :func:`screen` before its result is stored. Invariant: of a person
who must not be addressed nothing goes on but a hash, which keeps other sources from bringing them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agents.email_address import normal_email
from agents.lead_generation.answers import Screened
from agents.lead_generation.clean import Record, identities, normalised

if TYPE_CHECKING:
    from agents.ports import UnitContext


def screen(ctx: UnitContext, records: Sequence[Record]) -> Screened:
    """Split records into those who may be addressed and hashes of those who may not."""
    normal = {record.email: normal_email(record.email) for record in records if record.email}
    asked = sorted({email for email in normal.values() if email})
    barred = ctx.suppression.suppressed(asked) if asked else frozenset()
    named = [hashes_of(record) for record in records]
    known = ctx.suppression.barred(frozenset().union(*named)) if records else frozenset()
    kept: list[Record] = []
    hashes: set[str] = set()
    for record, own in zip(records, named, strict=True):
        if own & known or (record.email and normal[record.email] in barred):
            hashes |= own
        else:
            kept.append(record)
    return Screened(records=tuple(kept), suppressed=tuple(sorted(hashes)))


def hashes_of(record: Record) -> set[str]:
    """Return every identity by which another source may name the same person."""
    return identities(normalised(record))
