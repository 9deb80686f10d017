"""Advertising tasks of the sandbox's model: write a creative, suggest changes.

A first draft is mediocre: it names the audience and says little else. With suggestions in the brief a draft has
concrete numbers (of steps and questions, never of invented results), a clear call to action and different headlines.
Invariant: an answer depends on the brief and the seed only, and every draft stays within the limits that the brief
names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.sandbox.llm_text import MARK, Draw, says
from integrations.sandbox.protocol import JsonObject


def write_creative(brief: JsonObject, seed: int) -> dict[str, object]:
    """Write {headlines, descriptions, call_to_action} within ``brief["limits"]``."""
    better = bool(brief.get("suggestions"))
    subject, audience, role = _subject(brief), _audience(brief), _role(brief)
    # A further revision differs from the one before it; first drafts of one brief are all the same.
    before = _previous(brief) if better else ""
    draw = Draw(f"creative/{brief.get('platform')}/{subject}/{audience}/{seed}/{before}")
    if better:
        headlines = draw.shuffled(_sharp_headlines(subject, audience, role, draw))
        descriptions = _sharp_descriptions(subject, audience, role, draw)
        action = draw.pick(("Book a demo", "Get the checklist", "Start a free trial"))
    else:
        headlines = _plain_headlines(subject, audience)
        descriptions = _plain_descriptions(subject, audience)
        action = draw.pick(("Learn more", "Learn more", "Find out more"))
    banned = [str(word) for word in _section(brief, "brand").get("banned_words", ())]
    limits = _section(brief, "limits")
    return {
        "headlines": _within(headlines, limits.get("headlines"), banned),
        "descriptions": _within(descriptions, limits.get("descriptions"), banned),
        "call_to_action": action,
    }


def suggest(brief: JsonObject, seed: int) -> dict[str, object]:
    """Suggest changes: {suggestions: [{about, text}]}, for each platform under its benchmark and for weak content."""
    found = []
    for platform, figures in sorted(_section(brief, "figures").items()):
        if not isinstance(figures, Mapping):
            continue
        usual = figures.get("benchmark") or {}
        if (figures.get("ctr") or 0) < (usual.get("ctr") or 0):
            found.append((platform, "Open the headline with a question that the audience asks itself."))
        if (figures.get("cvr") or 0) < (usual.get("cvr") or 0):
            found.append((platform, "Say in the description what happens after the click, in one step."))
    for piece in brief.get("content", ()):
        if isinstance(piece, Mapping) and piece.get("findings"):
            found.append(("content", f"Mend what the checks found: {str(piece['findings'][0])[:120]}."))
    if not found:
        found.append(("content", "Keep the present texts and test one new headline against them."))
    return {"suggestions": [{"about": about, "text": f"{MARK} {text}"} for about, text in found[:6]]}


TASKS = {"write_creative": write_creative, "suggest": suggest}


def _plain_headlines(subject: str, audience: str) -> list[str]:
    return [
        f"{_capital(subject)} for {audience}",
        f"{_capital(subject)} for {audience} companies",
        f"{_capital(subject)} made for {audience}",
        _capital(subject),
    ]


def _plain_descriptions(subject: str, audience: str) -> list[str]:
    return [
        f"{_capital(subject)} helps {audience} teams work with less effort. Learn more on our website.",
        f"Learn more about {subject} for {audience}.",
    ]


def _sharp_headlines(subject: str, audience: str, role: str, draw: Draw) -> list[str]:
    few, more = draw.pick((3, 4)), draw.pick((5, 6, 7))
    return [
        f"{more} questions {audience} teams ask",
        f"Plan {subject} in {few} steps",
        f"{_capital(audience)}: {few} checks before you buy",
        f"{role}: {more} ways to start small",
        f"Book 15 minutes on {subject}",
        f"{_capital(audience)} in {few} steps",
    ]


def _sharp_descriptions(subject: str, audience: str, role: str, draw: Draw) -> list[str]:
    few = draw.pick((3, 4))
    return [
        f"See how {audience} teams plan {subject} in {few} steps. Book a short demo and compare for yourself.",
        f"{few} steps, one page, no jargon: the {audience} checklist for {subject}. Get it and start today.",
        f"{_capital(audience)}: start with {few} steps. Book a demo today.",
    ]


def _within(texts: Sequence[str], bounds: object, banned: Sequence[str]) -> list[str]:
    """Return the texts that fit the bounds, and at least one, which is cut at a word if need be."""
    width, most = (int(bounds["chars"]), int(bounds["max"])) if isinstance(bounds, Mapping) else (90, 3)
    allowed = [text for text in texts if not any(says(text, word) for word in banned)] or list(texts)
    fitting = [text for text in allowed if len(text) <= width]
    if not fitting:
        fitting = [allowed[-1][:width].rsplit(" ", 1)[0]]
    return list(dict.fromkeys(fitting))[:most]


def _subject(brief: JsonObject) -> str:
    brand, audience = _section(brief, "brand"), _section(brief, "audience")
    content = [piece for piece in brief.get("content", ()) if isinstance(piece, Mapping)]
    keywords = [str(word) for piece in content for word in piece.get("keywords", ())]
    candidates = [
        brand.get("product"),
        *keywords,
        *audience.get("keywords", ()),
        brand.get("name"),
        brief.get("campaign"),
    ]
    found = [str(word).strip() for word in candidates if word and str(word).strip()]
    return next((word for word in found if len(word) <= 30), "our product")


def _audience(brief: JsonObject) -> str:
    audience = _section(brief, "audience")
    for name in ("industries", "interests", "keywords", "job_titles"):
        if audience.get(name):
            return str(audience[name][0])[:20]
    return "business"


def _role(brief: JsonObject) -> str:
    titles = _section(brief, "audience").get("job_titles") or ["Your team"]
    return str(titles[0])[:20]


def _previous(brief: JsonObject) -> str:
    return "/".join(map(str, _section(brief, "previous").get("headlines", ())))


def _section(brief: JsonObject, name: str) -> JsonObject:
    found = brief.get(name)
    return found if isinstance(found, Mapping) else {}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
