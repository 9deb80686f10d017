"""Writing of ad texts: one unit per platform, which asks the model once.

Invariant: a platform without a client has a unit too, which fails with the reason and makes its creative fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.ad_management.creative import AGENT
from agents.ad_management.units import Creative, OnPlatform, WriteCreative
from agents.ad_management.written import WrittenCreative
from agents.contacts import check_texts
from agents.model_call import ask
from agents.unit_kind import UnitKind
from integrations.ads.registry import available
from integrations.errors import BadRequestError

if TYPE_CHECKING:
    from agents.ports import UnitContext


def write(given: WriteCreative, ctx: UnitContext) -> Creative:
    """Ask the model for the texts of one platform's ads.

    Texts with a contact that the brief lacks are asked again, then left out. Raises InvalidAnswerError when nothing
    is left.
    """
    answer = ask(
        ctx,
        given,
        agent=AGENT,
        prompt=given.prompt,
        output=WrittenCreative,
        from_prose=WrittenCreative.from_prose,
        check=lambda written: check_texts(written.texts(), given.known),
        without=lambda written: written.without_foreign(given.known),
    )
    return Creative(**dict(answer.value), produced_by=answer.produced_by)


def refuse(given: OnPlatform, ctx: UnitContext) -> Creative:
    """Raise BadRequestError: there is no client for the platform."""
    del ctx
    raise BadRequestError(given.platform, f"is not supported in this version; use one of {', '.join(available())}")


WRITE_CREATIVE = UnitKind(name="write_creative", input=WriteCreative, output=Creative, run=write)
UNSUPPORTED = UnitKind(name="unsupported", input=OnPlatform, output=Creative, run=refuse)
