"""The closing summary: what a campaign found, wrote, placed and earned, for the marketer who asked for it.

Pure: a campaign's row and figures in, something to print out. Invariant: nobody's e-mail address or name is
printed, a price nobody knows is shown as tokens, and what was made in the sandbox says so first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from workers.cli.layout import Rows, heading, line, listed
from workers.cli.output import clean
from workers.cli.progress import units_text
from workers.cli.waiting import ATTENTION, question
from workers.cli.wording import agent_title, amounts, count, duration, model_spend, money, platform_title, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agents.state import AgentError, CampaignPerformance, Lead, MarketingAgentState
    from integrations.settings import Settings
    from orchestration.ledger.rows import CampaignRow

TOP_LEADS = 5
ERRORS_SHOWN = 5
SUGGESTIONS_SHOWN = 3
_MARKS: Mapping[str, tuple[str, str]] = {"completed": ("✓", "bold green"), "failed": ("✗", "bold red")}


def summary(
    row: CampaignRow,
    units: Mapping[str, int],
    spend: Mapping[str, Any],
    settings: Settings,
    *,
    asked: Mapping[str, Any] | None = None,
    waits: str = "",
) -> Iterable[RenderableType]:
    """The summary, top to bottom. ``units`` counts by status; ``spend`` is ``Reports.spend``'s; ``asked`` is the
    question that a person has to answer, ``waits`` until when the campaign waits."""
    state = row.state
    mark, style = _MARKS.get(row.status, ("·", "bold yellow"))
    title = Text(f"{mark} {clean(row.name)}: {words(row.status)}", style=style)
    title.append(f" after {duration((state.updated_at - state.created_at).total_seconds())}", style="not bold")
    yield title
    if row.reason:
        yield line(clean(row.reason))
    if waits:
        yield line(waits[0].upper() + waits[1:])
    if (row.reason or "").startswith(ATTENTION):
        yield line(f"What is in question: campaigns resolve {row.campaign_id}")
    world = world_note(settings)
    if world:
        yield line(world, style="yellow")
    yield from _leads(state)
    if "content_creation" in row.route:
        yield from _content(state)
    if "ad_management" in row.route:
        yield from _ads(state)
    if "analytics" in row.route:
        yield from _results(state.campaign_performance)
        yield from _score(state)
    yield from _money(state, spend, sandbox=bool(world))
    if asked is not None:
        yield from question(asked, row.campaign_id)
    yield from _errors([error for error in state.errors if error.message not in (row.reason or "")])
    yield heading("More")
    route = " → ".join(agent_title(agent).lower() for agent in row.route)
    yield line(f"Route: {route or 'not begun'}")
    yield line(f"Units of work: {units_text(units)}")
    yield line(f"campaigns show {row.campaign_id} --json")
    yield line(f"campaigns history {row.campaign_id}")


def world_note(settings: Settings) -> str:
    """Says that the world was the sandbox, and which providers were not; empty in live mode."""
    from integrations.settings import Mode

    if settings.mode is not Mode.SANDBOX:
        return ""
    if outside := outside_sandbox(settings):
        return f"Made in the sandbox (simulated; nothing was published), except {', '.join(outside)}."
    return "Made in the sandbox: leads, texts, ads and figures are simulated; nothing was published or spent."


def outside_sandbox(settings: Settings) -> list[str]:
    """Providers that the user has pointed elsewhere, by name."""
    return sorted(name for name, p in settings.providers.items() if not p.base_url.startswith(settings.sandbox_url))


def _leads(state: MarketingAgentState) -> Iterable[RenderableType]:
    best = sorted(state.qualified_leads, key=lambda lead: -(lead.score or 0.0))[:TOP_LEADS]
    yield heading("Leads")
    yield line(f"{len(state.leads):,} found, {len(state.qualified_leads):,} qualified")
    told = [(_score_of(lead), _who(lead), "; ".join(lead.score_reasons)) for lead in best]
    if told:
        yield listed([pair for score, who, why in told for pair in ((score, who), ("", why))], quiet=True)
    if len(state.qualified_leads) > len(best):
        yield line(f"… and {len(state.qualified_leads) - len(best):,} more", style="dim")


def _score_of(lead: Lead) -> str:
    return "?" if lead.score is None else f"{lead.score:.2f}"


def _who(lead: Lead) -> str:
    company = lead.company or lead.domain or "a company without a name"
    return f"{lead.job_title} at {company}" if lead.job_title else company


def _content(state: MarketingAgentState) -> Iterable[RenderableType]:
    yield heading("Content")
    if not state.generated_content:
        yield line("nothing written")
        return
    table = Rows(["Title", "Type", ">Words", ">Asked", ">SEO"])
    for piece in state.generated_content:
        title = piece.title + (f" (revision {piece.revision})" if piece.revision > 1 else "")
        asked = f"{piece.target_length:,}" if piece.target_length else ""
        table.add(title, words(piece.content_type), f"{piece.word_count:,}", asked, f"{piece.seo_score:.2f}")
    yield table


def _ads(state: MarketingAgentState) -> Iterable[RenderableType]:
    yield heading("Ads")
    if not state.ad_creatives:
        yield line("none placed" if state.ad_platforms else "no platform was asked for")
        return
    table = Rows(["Platform", "Headline", ">Per day", "Status"], wide=1)
    for ad in state.ad_creatives:
        budget = "" if ad.daily_budget is None else money(ad.daily_budget, ad.currency)
        table.add(platform_title(ad.platform), next(iter(ad.headlines), ""), budget, words(ad.status))
    yield table
    failed = [ad for ad in state.ad_creatives if ad.error]
    if failed:
        yield listed([("!", f"{platform_title(ad.platform)}: {clean(ad.error, 200)}") for ad in failed])


def _results(performance: CampaignPerformance) -> Iterable[RenderableType]:
    if not performance.platforms:
        return
    yield heading("Results")
    table = Rows(["Platform", ">Days", ">Seen", ">Clicks", ">CTR", ">Conversions", ">Spend", ">CPA", ">Score"], wide=-1)
    for one in performance.platforms:
        table.add(
            platform_title(one.platform),
            str(one.days),
            f"{one.impressions:,}",
            f"{one.clicks:,}",
            "" if one.ctr is None else f"{one.ctr:.2%}",
            f"{one.conversions:,}",
            money(one.spend, one.currency),
            "" if one.cpa is None else f"{one.cpa:,.2f}",
            "" if one.score is None else f"{one.score:.2f}",
        )
    yield table


def _score(state: MarketingAgentState) -> Iterable[RenderableType]:
    performance = state.campaign_performance
    yield heading("Score")
    if performance.overall_score is None:
        yield line("not measured")
        return
    rounds = [f"{one.overall_score:.2f}" for one in performance.rounds]
    history = f"; round by round {' → '.join(rounds)}" if len(rounds) > 1 else ""
    yield line(f"{performance.overall_score:.2f} of 1.00{history}")
    if performance.suggestions:
        yield listed([("-", suggestion) for suggestion in performance.suggestions[:SUGGESTIONS_SHOWN]])


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
