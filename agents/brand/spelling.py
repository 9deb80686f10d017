"""Rules about British and American spelling."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from agents.brand.rule import Rule, having, names


def rules(guideline: str) -> Iterator[Rule]:
    """Read the rules about spelling from a guideline."""
    british = names(guideline, r"(?:british|uk|oxford)\b(?! comma)|en-gb")
    american = names(guideline, r"(?:american|u\.?s\.?)(?: |-)(?:english|spelling)|american\b|en-us")
    if not names(guideline, "spell|english|british|american|en-"):
        return
    if british and american:  # "British, not American"
        found = re.search(r"british|american|\buk\b|\bus\b", guideline, re.IGNORECASE)
        british = found is not None and found[0].lower() in ("british", "uk")
        american = not british
    if british or american:
        wrong = _american() if british else _british()
        yield Rule("British spelling" if british else "American spelling", having(wrong))


@cache
def _lists() -> dict[str, list[str]]:
    text = files("agents.brand").joinpath("spelling.json").read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found


def _american() -> str:
    lists = _lists()
    return rf"\b(?:{'|'.join(lists['american'])}|(?:{'|'.join(lists['ize'])})iz(?:e|es|ed|ing|ation|ations|er|ers))\b"


def _british() -> str:
    lists = _lists()
    return rf"\b(?:{'|'.join(lists['british'])}|(?:{'|'.join(lists['ize'])})is(?:e|es|ed|ing|ation|ations|er|ers))\b"
