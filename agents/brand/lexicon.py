"""Words by which styles and subjects are known: jargon, hype, urgency, prices, and so on (``words.json``).

English and German, with a few of other languages where they are the same. Invariant: whole words and phrases only.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files


@cache
def listed(name: str) -> tuple[str, ...]:
    """Return the words of a list.

    Raises KeyError for a list that there isn't.
    """
    data = json.loads(files("agents.brand").joinpath("words.json").read_text(encoding="utf-8"))
    return tuple(data[name])


@cache
def pattern(name: str) -> re.Pattern[str]:
    """Return a pattern of the words of a list."""
    words = sorted(listed(name), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, words))})(?![\w-])", re.IGNORECASE)
