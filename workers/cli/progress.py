"""Following a campaign: what is read, how it is drawn on a terminal, and told in lines where there is none.

Reading is one place (:class:`Follower`); drawing and telling are pure functions of a :class:`Snapshot`.
Invariant: what is shown comes from the ledger alone, so a follower may come and go at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from agents.registry import agents
from workers.cli.output import clean
from workers.cli.waiting import question, until
from workers.cli.wording import TROUBLE, agent_title, amounts, count, duration, event_text, model_spend, state, words

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from orchestration.client import Campaigns
    from orchestration.reports.campaigns import CampaignEvent, StageProgress

POLL_S = 0.25
#: Spend reads the whole row, so it is asked less often than the counters.
SPEND_EVERY_S = 1.0
#: A campaign that nobody has begun after this time makes us look whether anybody works at all.
LONELY_S = 5.0
#: A stage that takes long is heard of this often where progress is told in lines.
LINE_EVERY_S = 5.0
TROUBLES_SHOWN = 3
DONE = ("succeeded", "failed", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A campaign at one moment."""

    name: str
    status: str
    reason: str | None = None
    campaign_id: str = ""
    waits: str = ""  #: until when, in words
    due_at: datetime | None = None  #: when its wait ends by itself
    asked: Mapping[str, object] | None = None  #: the question that a person has to answer
    ended: bool = False
    stages: Sequence[StageProgress] = ()
    spend: Mapping[str, Any] | None = None
    troubles: Sequence[str] = ()  #: the last notable events, newest last
    troubles_total: int = 0
    elapsed_s: float = 0.0  #: since it was submitted, until its end
    lonely: bool = False  #: it waits, and no worker is alive
    events: Sequence[CampaignEvent] = field(default_factory=tuple)  #: since the snapshot before

    @property
    def units(self) -> dict[str, int]:
        """Units by status, over all stages."""
        total: dict[str, int] = {}
        for stage in self.stages:
            for status, number in stage.units.items():
                total[status] = total.get(status, 0) + number
        return total


class Follower:
    """Reads snapshots of one campaign."""

    def __init__(self, client: Campaigns, campaign_id: str) -> None:
        self._client, self._id = client, campaign_id
        self._name = ""
        self._after = 0
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._troubles: list[str] = []
        self._spend: Mapping[str, Any] | None = None
        self._spend_at = 0.0
        self._began = time.monotonic()
        self._lonely = False

    def read(self) -> Snapshot:
        """Read the campaign as it is now.

        Raises CampaignNotFoundError and DatabaseUnavailableError.
        """
        from orchestration.reports.campaigns import TERMINAL

        reports = self._client.reports
        status, reason = reports.status(self._id)  # before the events, so that the last ones aren't missed
        ended = status in TERMINAL
        events = reports.events(self._id, after=self._after)
        self._note(events)
        now = time.monotonic()
        if ended or now - self._spend_at >= SPEND_EVERY_S:
            self._spend, self._spend_at = reports.spend(self._id), now
            self._lonely = not ended and self._is_lonely(status, now)
        last = self._last if ended else datetime.now(UTC)
        due_at = reports.due_at(self._id)
        return Snapshot(
            name=self._name,
            status=status,
            reason=reason,
            campaign_id=self._id,
            waits=until(status, reason, due_at, datetime.now(UTC)),
            due_at=due_at,
            asked=reports.open_approval(self._id) if status == "awaiting_approval" else None,
            ended=ended,
            stages=reports.stages(self._id),
            spend=self._spend,
            troubles=tuple(self._troubles[-TROUBLES_SHOWN:]),
            troubles_total=len(self._troubles),
            elapsed_s=(last - self._first).total_seconds() if last and self._first else 0.0,
            lonely=self._lonely,
            events=events,
        )

    def _note(self, events: Sequence[CampaignEvent]) -> None:
        for event in events:
            self._after, self._last = event.id, event.at
            self._first = self._first or event.at
            self._name = clean(event.data.get("name", "")) if event.kind == "submitted" else self._name
            if event.kind in TROUBLE:
                self._troubles.append(event_text(event))

    def _is_lonely(self, status: str, now: float) -> bool:
        from orchestration.reports.fleet import live_workers

        return (
            status in ("queued", "running") and now - self._began > LONELY_S and not live_workers(self._client.database)
        )


class Screen(Protocol):
    """Where snapshots are shown."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest one."""
        ...


Look = Callable[[float], None]


def follow(follower: Follower, screen: Screen, look: Look) -> Snapshot:
    """Show the campaign until it has ended, and return the last snapshot.

    ``look(seconds)`` passes the time between two snapshots (it may look after processes) and raises to stop.
    """
    while True:
        snapshot = follower.read()
        screen.show(snapshot)
        if snapshot.ended:
            return snapshot
        look(POLL_S)


@contextmanager
def screen(console: Console, *, world: str = "") -> Iterator[Screen]:
    """Open a redrawn view on a terminal, else lines.

    ``world`` is the campaign's, which the view's title names: "sandbox", "live".
    """
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console, world)
        return
    from rich.live import Live

    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        yield _Redrawn(live, console, world)


class _Redrawn:
    def __init__(self, live: Live, console: Console, world: str) -> None:
        self._live, self._console, self._world = live, console, world
        self._frame = 0
        self._questions = Questions(console, world)

    def show(self, snapshot: Snapshot) -> None:
        self._frame += 1
        self._questions.tell(snapshot)
        height = max(4, self._console.height - 8)
        self._live.update(draw(snapshot, frame=self._frame, world=self._world, most_hops=height), refresh=True)


class Questions:
    """Prints each question once, where it stays to be read."""

    def __init__(self, console: Console, world: str = "") -> None:
        self._console, self._world = console, world
        self._told: set[str] = set()

    def tell(self, snapshot: Snapshot) -> None:
        """Print the question of ``snapshot``, if it is a new one."""
        asked = snapshot.asked
        if asked is None or str(asked["approval_id"]) in self._told:
            return
        self._told.add(str(asked["approval_id"]))
        for part in question(asked, snapshot.campaign_id, mode=self._world):
            self._console.print(part)


class Lines:
    """One line per change, for logs and pipes."""

    def __init__(self, console: Console, world: str = "") -> None:
        self._console, self._world = console, world
        self._told: dict[tuple[int, int], tuple[int, float]] = {}
        self._status: tuple[object, ...] = ()
        self._questions = Questions(console, world)

    def show(self, snapshot: Snapshot) -> None:
        """Print what has changed since the last one."""
        for line in self.lines(snapshot, time.monotonic()):
            self._console.print(f"{duration(snapshot.elapsed_s):>5}  {line}", soft_wrap=True)
        self._questions.tell(snapshot)

    def lines(self, snapshot: Snapshot, now: float) -> list[str]:
        """Return the lines for ``snapshot``, told at ``now`` (seconds), in the order of the campaign's steps."""
        found = [(event.step or 0, _RANK.get(event.kind, 2), event_text(event)) for event in snapshot.events]
        told = [one for one, event in zip(found, snapshot.events, strict=True) if event.kind in _TOLD]
        told += [(stage.step, 1, f"{agent_title(stage.agent)}: {text}") for stage, text in self._moved(snapshot, now)]
        return [text for *_, text in sorted(told, key=lambda one: one[:2])] + self._news(snapshot)

    def _moved(self, snapshot: Snapshot, now: float) -> Iterator[tuple[StageProgress, str]]:
        for stage in snapshot.stages:
            key, done, total = (stage.step, stage.stage), finished(stage), sum(stage.units.values())
            before, at = self._told.get(key, (-1, 0.0))
            if done == before or (done < total and before >= 0 and now - at < LINE_EVERY_S):
                continue
            self._told[key] = (done, now)
            yield stage, stage_text(stage)

    def _news(self, snapshot: Snapshot) -> list[str]:
        known = (snapshot.status, snapshot.reason, snapshot.due_at, snapshot.lonely)
        if known == self._status:
            return []
        self._status = known
        status = state(snapshot.status, self._world) + (f" ({clean(snapshot.reason)})" if snapshot.reason else "")
        if snapshot.waits:
            status += f"; {snapshot.waits}"
        if snapshot.lonely:
            status += "; no worker is running: start `campaigns up`"
        return [f"Status: {status}"]


#: Planned stages are told from the counters, so their events would say it twice.
_TOLD = TROUBLE | {"submitted", "hop_started", "hop_finished"}
#: Order of lines within a step; a stage's line is 1, trouble 2.
_RANK: Mapping[str, int] = {"submitted": 0, "hop_started": 0, "hop_finished": 3}


def finished(stage: StageProgress) -> int:
    """Count the units of the stage that are over."""
    return sum(stage.units.get(status, 0) for status in DONE)


def stage_text(stage: StageProgress) -> str:
    """``write 2/3 (1 failed)``."""
    failed = stage.units.get("failed", 0)
    return f"{words(stage.name)} {finished(stage)}/{sum(stage.units.values())}" + (
        f" ({failed} failed)" if failed else ""
    )


def draw(snapshot: Snapshot, *, frame: int = 0, world: str = "", most_hops: int = 100) -> RenderableType:
    """Draw the view: the agents' route with ticks, then units, money and trouble."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text(snapshot.name or "Campaign", style="bold")
    title.append(f"  {words(snapshot.status)} · {duration(snapshot.elapsed_s)}", style="default not bold")
    if world:
        title.append(f" · {world}", style="not bold yellow")

    hops = Table.grid(padding=(0, 2, 0, 0))
    hops.add_column(no_wrap=True)
    hops.add_column(no_wrap=True)
    hops.add_column(overflow="fold")
    for mark, style, agent, text in _hops(snapshot, frame)[-most_hops:]:
        hops.add_row(
            Text(mark, style=style), Text(agent, style=style), Text(text, style="dim" if style == "dim" else "")
        )

    figures = Table.grid(padding=(0, 2, 0, 0))
    figures.add_column(style="dim", no_wrap=True)
    figures.add_column(overflow="fold")
    figures.add_row("Units", Text(units_text(snapshot.units)))
    if snapshot.spend is not None:
        figures.add_row("Spend", Text(f"model {model_spend(snapshot.spend)} · ads {amounts(snapshot.spend['ads'])}"))
    if snapshot.reason:
        figures.add_row("Reason", Text(clean(snapshot.reason), style="yellow"))
    if snapshot.waits:
        figures.add_row("Waits", Text(snapshot.waits, style="yellow"))
    if snapshot.lonely:
        figures.add_row("Waiting", Text("no worker is running: start `campaigns up`", style="yellow"))
    for number, trouble in enumerate(snapshot.troubles):
        label = count(snapshot.troubles_total, "notice") if number == 0 else ""
        figures.add_row(label, Text(trouble, style="yellow", overflow="ellipsis", no_wrap=True))
    return Group(title, hops, figures)


def units_text(units: Mapping[str, int]) -> str:
    """``46 of 50 done, 1 failed, 3 running``."""
    over = sum(units.get(status, 0) for status in DONE)
    parts = [f"{over} of {sum(units.values())} done"]
    parts += [
        f"{units[status]} {status}" for status in ("failed", "skipped", "unknown", "running") if units.get(status)
    ]
    return ", ".join(parts)


_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def _hops(snapshot: Snapshot, frame: int) -> list[tuple[str, str, str, str]]:
    """(mark, style, agent, text) of each hop so far, then of the agents that come next."""
    by_step: dict[int, list[StageProgress]] = {}
    for stage in snapshot.stages:
        by_step.setdefault(stage.step, []).append(stage)
    last = max(by_step, default=-1)
    visits: dict[str, int] = {}
    rows = []
    for step, stages in sorted(by_step.items()):
        agent = stages[0].agent
        visits[agent] = visits.get(agent, 0) + 1
        name = agent_title(agent) + (f" (round {visits[agent]})" if visits[agent] > 1 else "")
        text = " · ".join(stage_text(stage) for stage in stages)
        if step < last or snapshot.status == "completed":
            rows.append(("✓", "green", name, text))
        elif snapshot.status in ("failed", "cancelled"):
            rows.append(("✗", "red", name, text))
        elif snapshot.status == "running":
            rows.append((_SPINNER[frame % len(_SPINNER)], "cyan", name, text))
        else:
            rows.append(("·", "yellow", name, text))
    if not snapshot.ended and by_step:
        names = list(agents())
        at_work = by_step[last][0].agent
        following = names[names.index(at_work) + 1 :] if at_work in names else []
        rows += [(" ", "dim", agent_title(name), "") for name in following]
    return rows
