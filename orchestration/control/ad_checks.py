"""Ads that can't do what they are for, told at submit: what is asked of a campaign beside its settings.

Pure; nobody is asked. Invariant: each problem names the key or the variable, and what would be right.
"""

from __future__ import annotations

from agents.config import CampaignConfig
from integrations.ads.audience import ListUse, list_problem
from integrations.ads.goal import goal_problem
from integrations.ads.landing import is_example
from integrations.ads.lookalike import lookalike_problem
from integrations.ads.registry import platform
from integrations.settings import Mode, Settings


def ad_problems(config: CampaignConfig, settings: Settings) -> list[str]:
    """Return why the ads of ``config`` can't work under ``settings``, nothing for a campaign without ads."""
    if not config.ad_platforms:
        return []
    return [*_landing(config, settings.mode), *_goal(config, settings), *_lists(config, settings)]


def _landing(config: CampaignConfig, mode: Mode) -> list[str]:
    """Return what is wrong with the page that the ads lead to, which matters in live only."""
    website = config.brand.website
    if mode is not Mode.LIVE:
        return []
    if website is None:
        return ["brand.website: is missing; write the page that the ads lead to, such as https://www.your-brand.com/"]
    if is_example(website):
        return [f"brand.website={website}: is a name for examples; write the brand's own page that the ads lead to"]
    return []


def _goal(config: CampaignConfig, settings: Settings) -> list[str]:
    """Return which of the platforms can't serve the campaign's goal, and what they need for it."""
    problems = []
    for name in config.ad_platforms:
        found = settings.providers.get(name)
        problem = goal_problem(platform(name), config.ads_goal, found.options if found is not None else {})
        if problem is not None:
            problems.append(problem)
    return problems


def _lists(config: CampaignConfig, settings: Settings) -> list[str]:
    """Return which of the platforms can't have the campaign's customer list, and what they need for it."""
    if config.customer_list is None:
        return []
    problems = []
    for name in config.ad_platforms:
        found = settings.providers.get(name)
        if problem := list_problem(platform(name), found.options if found is not None else {}):
            problems.append(f"customer_list: {problem}; leave it out, or the platform")
        elif config.customer_list.use is ListUse.LOOKALIKE and (problem := lookalike_problem(platform(name))):
            right = f"write use: target or use: exclude, or leave {name} out of ad_platforms"
            problems.append(f"customer_list.use=lookalike: {problem}; {right}")
    return problems
