"""What a campaign's ads are for, and what a platform needs to serve that.

Pure. Invariant: a goal that a platform can't serve is told with the variables that would let it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.ads.spec import PlatformSpec


class Goal(StrEnum):
    """What the ads of a campaign shall bring."""

    TRAFFIC = "traffic"  #: visits of the landing page
    LEADS = "leads"  #: people who leave their contact, on a form of the platform's or on the landing page
    SALES = "sales"  #: purchases on the landing page


def goal_problem(spec: PlatformSpec, goal: Goal, options: Mapping[str, str]) -> str | None:
    """Return why ads for ``goal`` can't run on a platform with these provider ``options``, None when they can."""
    if goal not in spec.goals:
        served = ", ".join(spec.goals)
        return f"goal={goal}: {spec.title} can't serve it in this version; there it is one of: {served}"
    needed = spec.goals[goal]
    if not needed or any(options.get(name) for name in needed):
        return None
    known = spec.provider.options if spec.provider is not None else {}
    variables = " or ".join(known[name].variable for name in needed if name in known)
    return f"goal={goal}: {spec.title} needs {variables} in the environment"
