"""Closing summary: what a campaign found, wrote, placed and earned, for the marketer who asked for it.

Pure: a campaign's row and figures in, something to print out. Invariant: no lead's e-mail address or name is
printed, an unknown price is shown as tokens, and it says first of which world the campaign is, as its row has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from agents.overview import reported
from agents.registry import agents
from workers.cli.layout import heading, line, listed
from workers.cli.output import clean
from workers.cli.progress import units_text
from workers.cli.sections import drawn
from workers.cli.waiting import ATTENTION, question
from workers.cli.wording import (
    LIVE,
    LIVE_NOTE,
    agent_title,
    amounts,
    count,
    duration,
    model_spend,
    moment,
    money,
    state,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agents.overview import Section
    from agents.state import AgentError, MarketingAgentState
    from integrations.settings import Settings
    from orchestration.ledger.rows import CampaignRow
    from orchestration.stores.retention import Kept

ERRORS_SHOWN = 5
_MARKS: Mapping[str, tuple[str, str]] = {"completed": ("✓", "bold green"), "failed": ("✗", "bold red")}


def summary(
    row: CampaignRow,
    units: Mapping[str, int],
    spend: Mapping[str, Any],
    settings: Settings,
    *,
    asked: Mapping[str, object] | None = None,
    waits: str = "",
    kept: Kept | None = None,
) -> Iterable[RenderableType]:
    """Yield the summary, top to bottom.

    ``settings`` are those of the shell that shows it. ``units`` counts by status, ``spend`` is ``Reports.spend``'s,
    ``asked`` is the question that a person has to answer, ``waits`` says until when the campaign waits, ``kept`` how
    long people are kept.
    """
    found = row.state
    mark, style = _MARKS.get(row.status, ("·", "bold yellow"))
    title = Text(f"{mark} {clean(row.name)}: {state(row.status, row.mode)}", style=style)
    title.append(f" after {duration((found.updated_at - found.created_at).total_seconds())}", style="not bold")
    yield title
    if row.reason:
        yield line(clean(row.reason))
    if waits:
        yield line(waits[0].upper() + waits[1:])
    if (row.reason or "").startswith(ATTENTION):
        yield line(f"What is in question: campaigns resolve {row.campaign_id}")
    yield line(world_note(row.mode, settings), style="bold red" if row.mode == LIVE else "yellow")
    for section in sections_of(row):
        yield from drawn(section)
    yield from _money(found, spend, sandbox=row.mode != LIVE)
    if asked is not None:
        yield from question(asked, row.campaign_id)
    yield from _errors([error for error in found.errors if error.message not in (row.reason or "")])
    yield heading("More")
    route = " → ".join(agent_title(agent).lower() for agent in row.route)
    yield line(f"Route: {route or 'not begun'}")
    yield line(f"Units of work: {units_text(units)}")
    if kept is not None:
        yield line(_kept(kept))
    yield line(f"campaigns show {row.campaign_id} --json")
    yield line(f"campaigns history {row.campaign_id}")


def _kept(kept: Kept) -> str:
    """Say until when people are kept, as the campaign's retention has it."""
    if kept.swept_at is not None:
        return f"People were removed on {moment(kept.swept_at)[:10]}, as its retention has it; its figures stay"
    until = moment(kept.until)[:10] if kept.until is not None else "its end, and for its retention after it"
    return f"People are kept until {until}"


def world_note(mode: str, settings: Settings) -> str:
    """Say of which world a campaign of ``mode`` is, and which providers of a sandbox were outside.

    Only a shell of the sandbox knows of such providers.
    """
    if mode == LIVE:
        return LIVE_NOTE
    if settings.mode != LIVE and (outside := outside_sandbox(settings)):
        return f"Made in the sandbox (simulated; nothing was published), except {', '.join(outside)}."
    return "Made in the sandbox: leads, texts, ads and figures are simulated; nothing was published or spent."


def outside_sandbox(settings: Settings) -> list[str]:
    """Return the names of the providers that the user has pointed at another address of this machine."""
    return sorted(name for name, p in settings.providers.items() if not p.base_url.startswith(settings.sandbox_url))


def sections_of(row: CampaignRow) -> Iterator[Section]:
    """Yield what the agents tell, in the order of the route: those that the campaign has visited or begins with."""
    installed = agents()
    for agent in installed.values():
        if agent.name in row.route or any(edge.source is None for edge in agent.edges):
            yield from agent.overview(row.state)
    for name in dict.fromkeys(row.route):
        if name not in installed:
            yield from reported(row.state, name, agent_title(name))


def _money(state: MarketingAgentState, spend: Mapping[str, Any], *, sandbox: bool) -> Iterable[RenderableType]:
    budget = state.campaign_config.budget
    of = f" (budget {money(budget, state.campaign_config.currency)})" if budget is not None else ""
    yield heading("Money" + (" (simulated)" if sandbox else ""))
    yield listed([("Language model", model_spend(spend)), ("Ads", f"{amounts(spend['ads'])}{of}")])


def _errors(errors: Sequence[AgentError]) -> Iterable[RenderableType]:
    if not errors:
        return
    kinds = Counter(
        f"{agent_title(e.agent)}, {clean(e.provider) or 'our own code'}: {clean(e.message, 200)}" for e in errors
    )
    yield heading(count(len(errors), "error"))
    yield listed([("-", f"{text} (×{n})" if n > 1 else text) for text, n in kinds.most_common(ERRORS_SHOWN)])
    if len(kinds) > ERRORS_SHOWN:
        yield line(f"… and {len(kinds) - ERRORS_SHOWN} other kinds", style="dim")
