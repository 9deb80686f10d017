"""What happened to an ad campaign of the sandbox, in simulated days: budgets, settings, and which ads ran when.

The campaign's own clock counts days from its start. Ads of new texts (a new token, see :mod:`integrations.ads.naming`)
begin a stretch of :data:`FIRST_DAYS` days, which belong to them alone and go by at once when the campaign runs, so that
a first report has something to tell; ``advance`` adds days, in which every ad runs that is switched on. Invariant: what
is changed has an effect from the next day on, so a day that has gone by never changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from integrations.sandbox.ad_setting import NEUTRAL, Setting, relation

T = TypeVar("T")

FIRST_DAYS = 7


@dataclass(slots=True, kw_only=True)
class Generation:
    """Ads of one set of texts."""

    token: str  #: which texts
    extra: int = 0  #: days beyond the first ones, before the next generation began
    ran: bool = False  #: was the campaign enabled while they were its newest ads?
    #: ad -> since which day of the campaign it is switched on or off, oldest first, its addition included
    ads: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Days until the next generation began, or until now."""
        return FIRST_DAYS + self.extra if self.ran else 0


@dataclass(slots=True, kw_only=True)
class Life:
    """What happened to one ad campaign."""

    start: date
    enabled: bool = False
    budgets: list[tuple[int, str]]  #: daily budget since which day, oldest first
    settings: list[tuple[int, Setting]] = field(default_factory=lambda: [(0, NEUTRAL)])
    usual_aim: float = 1.0  #: size of the aim that it was made with
    generations: list[Generation] = field(default_factory=list)

    @staticmethod
    def starting(start: date, budget: str, enabled: bool = False) -> Life:
        """Return the life of a campaign that has just been made."""
        return Life(start=start, enabled=enabled, budgets=[(0, budget)])

    @property
    def budget(self) -> str:
        """Daily budget of now."""
        return self.budgets[-1][1]

    @property
    def clock(self) -> int:
        """Simulated days that have gone by."""
        return sum(generation.days for generation in self.generations)

    def ad_added(self, token: str, name: str, *, shown: bool = True) -> None:
        """Note an ad, by its name in reports, which is not ``shown`` when the review refuses it.

        Ads of one token that come before any day is advanced are a set: all of them lived from its first day.
        """
        found = next((one for one in self.generations if one.token == token), None)
        if found is None:
            found = Generation(token=token, ran=self.enabled)
            begin = self.clock
            self.generations.append(found)
        else:
            begin = self.begin(found)
        since = begin if found is self.generations[-1] and not found.extra else self.clock
        if name in found.ads:
            self._switch(found, name, shown)
        else:
            found.ads[name] = [(since, shown)]

    def ad_switched(self, name: str, enabled: bool) -> None:
        """Resume or pause one ad from the next day on, and do nothing for a name that is not known."""
        for generation in self.generations:
            if name in generation.ads:
                self._switch(generation, name, enabled)

    def _switch(self, generation: Generation, name: str, enabled: bool) -> None:
        generation.ads[name] = _since(generation.ads[name], max(self.clock, generation.ads[name][0][0]), enabled)

    def budget_changed(self, amount: str) -> None:
        """Change the campaign's budget from the next day on."""
        self.budgets = _since(self.budgets, self.clock, amount)

    def setting_changed(self, setting: Setting) -> None:
        """Change the campaign's setting from the next day on."""
        if setting != self.settings[-1][1]:
            self.settings = _since(self.settings, self.clock, setting)

    def stands(self, setting: Setting, aim: float) -> None:
        """Note how the campaign is set from the next day on, with the size of its aim.

        What it is aimed at when it gets its first ad is its usual aim, to which its audience is relative.
        """
        if not self.generations:
            self.usual_aim = aim
        self.setting_changed(replace(setting, audience=relation(aim, self.usual_aim)))

    def switched(self, enabled: bool) -> None:
        """Enable or pause the campaign."""
        self.enabled = enabled
        if enabled and self.generations:
            self.generations[-1].ran = True

    def advance(self, days: int) -> None:
        """Let simulated days go by."""
        if self.enabled and self.generations:
            self.generations[-1].extra += days

    def begin(self, wanted: Generation) -> int:
        """Return the day on which a generation began."""
        return sum(one.days for one in self.generations[: self.generations.index(wanted)])

    def running(self) -> list[tuple[int, tuple[str, ...]]]:
        """Return the ads that ran since which day, oldest first, where each entry holds until the next."""
        first_days: dict[int, Generation] = {}  # day on which a generation began to run -> it
        alone: Generation | None = None
        begin = 0
        for generation in self.generations:
            if generation.ran:
                first_days[begin] = generation
                begin += generation.days
        changes: dict[int, list[tuple[str, bool]]] = {day: [] for day in first_days}
        changes |= {day + FIRST_DAYS: [] for day in first_days if day + FIRST_DAYS not in changes}
        for generation in self.generations:
            for name, switches in generation.ads.items():
                for day, shown in switches:
                    changes.setdefault(day, []).append((name, shown))
        found, switched_on, until = [], dict[str, bool](), 0
        for day in sorted(changes):
            for name, shown in changes[day]:
                switched_on.pop(name, None)
                if shown:
                    switched_on[name] = True
            if day in first_days:
                alone, until = first_days[day], day + FIRST_DAYS
            if day < begin:
                own = alone.ads if alone is not None and day < until else switched_on
                found.append((day, tuple(sorted(name for name in switched_on if name in own))))
        return found

    def budget_on(self, day: int) -> Decimal:
        """Return the daily budget of a day."""
        return Decimal(on(self.budgets, day))

    def setting_on(self, day: int) -> Setting:
        """Return the setting of a day."""
        return on(self.settings, day)

    def to_json(self) -> dict[str, Any]:
        """JSON form, for the sandbox's state file."""
        return {
            "start": self.start.isoformat(),
            "enabled": self.enabled,
            "budgets": [list(entry) for entry in self.budgets],
            "settings": [[day, one.to_json()] for day, one in self.settings],
            "usual_aim": self.usual_aim,
            "generations": [
                {
                    "token": one.token,
                    "extra": one.extra,
                    "ran": one.ran,
                    "ads": {name: [list(entry) for entry in switches] for name, switches in one.ads.items()},
                }
                for one in self.generations
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Life:
        """Read what :meth:`to_json` wrote."""
        return Life(
            start=date.fromisoformat(data["start"]),
            enabled=data["enabled"],
            budgets=[(day, amount) for day, amount in data["budgets"]],
            settings=[(day, Setting.from_json(one)) for day, one in data["settings"]],
            usual_aim=data["usual_aim"],
            generations=[
                Generation(
                    token=one["token"],
                    extra=one["extra"],
                    ran=one["ran"],
                    ads={name: [(day, shown) for day, shown in switches] for name, switches in one["ads"].items()},
                )
                for one in data["generations"]
            ],
        )


def on(entries: list[tuple[int, T]], day: int) -> T:
    """Return the value that holds on a day, of values since days, the first one before them all."""
    at = bisect_right([since for since, _ in entries], day) - 1
    return entries[max(0, at)][1]


def _since(entries: list[tuple[int, T]], day: int, value: T) -> list[tuple[int, T]]:
    return [*(entry for entry in entries if entry[0] < day), (day, value)]
