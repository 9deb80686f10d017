"""What people are told about the ads of a campaign: one per platform, with its budget, its status and its trouble.

Pure.
"""

from __future__ import annotations

from agents.overview import Block, Cell, Column, Line, Money, Platform, Points, Quoted, Section, Table, Term
from agents.state import AdCreative, MarketingAgentState
from integrations.ads.audience import ListUse

_USES = {
    ListUse.TARGET: "shown to {} of the leads only",
    ListUse.EXCLUDE: "not shown to {} of the leads",
    ListUse.LOOKALIKE: "shown to people like {} of the leads, and not to those",
}
COLUMNS = (Column("Platform"), Column("Headline", wraps=True), Column("Per day", number=True), Column("Status"))


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell what was placed, and what failed for which reason."""
    return (Section("Ads", _blocks(state)),)


def _blocks(state: MarketingAgentState) -> tuple[Block, ...]:
    ads = state.ad_creatives
    if not ads:
        return (Line(("none placed" if state.ad_platforms else "no platform was asked for",)),)
    failed = tuple((Platform(ad.platform), ": ", Quoted(ad.error)) for ad in ads if ad.error)
    blocks: list[Block] = [Table(COLUMNS, tuple(map(_row, ads)))]
    if wanted := state.campaign_config.customer_list:
        lists = tuple(
            (Platform(ad.platform), ": ", _USES[wanted.use].format(ad.listed)) for ad in ads if ad.listed is not None
        )
        without = tuple((Platform(ad.platform), ": ", Quoted(ad.unlisted)) for ad in ads if ad.unlisted)
        blocks += [Points((*lists, *without))] if lists or without else []
    return (*blocks, Points(failed, trouble=True)) if failed else tuple(blocks)


def _row(ad: AdCreative) -> tuple[Cell, ...]:
    budget = "" if ad.daily_budget is None else Money(ad.daily_budget, ad.currency)
    return Platform(ad.platform), next(iter(ad.headlines), ""), budget, Term(ad.status)
