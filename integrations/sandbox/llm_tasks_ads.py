"""Advertising tasks of the sandbox's model: write a creative, suggest changes.

A creative follows the brief: the audience, the keywords, the language, the tone, the limits, and one ad for each angle
that it asks for (:mod:`integrations.sandbox.llm_angles`). The model knows no world's rule of good text, and suggestions
are no orders to it.
Invariant: an answer depends on the brief and the seed only, and every draft stays within the limits that the brief
names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.sandbox.llm_angles import ANGLES, ENGLISH, STOCKS, TONES, Stock
from integrations.sandbox.llm_text import MARK, Draw, says
from integrations.sandbox.protocol import JsonObject


def write_creative(brief: JsonObject, seed: int) -> dict[str, object]:
    """Write {ads: [{angle, headlines, descriptions}], call_to_action}, each ad within ``brief["limits"]``."""
    language = str(brief.get("language") or _section(brief, "brand").get("language") or ENGLISH).lower()[:2]
    language = language if language in STOCKS else ENGLISH
    angles = _angles(brief)
    draw = Draw(f"creative/{brief.get('platform')}/{_subject(brief)}/{_audience(brief)}/{seed}/{_previous(brief)}")
    words = _words(brief, draw)
    tone = TONES[language].get(str(brief.get("tone") or _section(brief, "brand").get("voice") or "").lower(), "")
    return {
        "ads": [_ad(brief, STOCKS[language][angle], angle, words, tone, draw) for angle in angles],
        "call_to_action": STOCKS[language][angles[0]].action,
    }


def _ad(
    brief: JsonObject, stock: Stock, angle: str, words: Mapping[str, str], tone: str, draw: Draw
) -> dict[str, object]:
    descriptions = [text.format(**words) for text in stock.descriptions]
    spoken = [f"{tone} {text}" for text in descriptions] if tone else []
    banned = [str(word) for word in _section(brief, "brand").get("banned_words", ())]
    limits = _section(brief, "limits")
    headlines = draw.shuffled([text.format(**words) for text in stock.headlines])
    return {
        "angle": angle,
        "headlines": _within(headlines, limits.get("headlines"), banned),
        "descriptions": _within([*spoken, *descriptions], limits.get("descriptions"), banned),
    }


def suggest(brief: JsonObject, seed: int) -> dict[str, object]:
    """Suggest changes: {suggestions: [{about, text}]}, for each platform under its benchmark and for weak content."""
    found = []
    for platform, figures in sorted(_section(brief, "figures").items()):
        if not isinstance(figures, Mapping):
            continue
        usual = figures.get("benchmark") or {}
        low = [name for name in ("ctr", "cvr") if (figures.get(name) or 0) < (usual.get(name) or 0)]
        if low:
            found.append((platform, f"The {' and the '.join(low)} is below the benchmark: try another angle than now."))
    for piece in brief.get("content", ()):
        if isinstance(piece, Mapping) and piece.get("findings"):
            found.append(("content", f"Mend what the checks found: {str(piece['findings'][0])[:120]}."))
    if not found:
        found.append(("content", "Keep the present texts and test one new headline against them."))
    return {"suggestions": [{"about": about, "text": f"{MARK} {text}"} for about, text in found[:6]]}


TASKS = {"write_creative": write_creative, "suggest": suggest}


def _angles(brief: JsonObject) -> list[str]:
    """Return the asked angles in their order, the plain one where none is asked for."""
    asked = [one.get("angle") for one in brief.get("ads", ()) if isinstance(one, Mapping)]
    return [str(one) for one in asked if one in ANGLES] or [ANGLES[0]]


def _words(brief: JsonObject, draw: Draw) -> dict[str, str]:
    subject, audience = _subject(brief), _audience(brief)
    return {
        "subject": subject,
        "Subject": _capital(subject),
        "audience": audience,
        "Audience": _capital(audience),
        "few": str(draw.pick((3, 4))),
        "more": str(draw.pick((5, 6, 7))),
    }


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


def _previous(brief: JsonObject) -> str:
    return "/".join(map(str, _section(brief, "previous").get("headlines", ())))


def _section(brief: JsonObject, name: str) -> JsonObject:
    found = brief.get(name)
    return found if isinstance(found, Mapping) else {}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
