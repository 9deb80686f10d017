"""What the model is asked for a creative, and its answer made fit for a platform.

Pure. Invariant: whatever the model wrote, the texts that leave here are within the platform's limits and
hold no banned word and no contact that the brief lacks; where nothing usable is left, the brand's own plain words stand
in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from agents.ad_management.cutting import cut, fit, tidy
from agents.answer_form import AnswerForm, at_most, first
from agents.contacts import KnownContacts, foreign_contacts
from agents.contacts.brief import brief_contacts
from agents.messages import AgentMessage, MessageType
from agents.state import AdCreative, ContentPiece, MarketingAgentState
from agents.untrusted import Untrusted
from integrations.ads.registry import platform as platform_spec

AGENT = "ad_management"
MAX_PIECES = 5  #: content pieces that a creative is cut from
MAX_SUGGESTIONS = 8
MAX_TEXTS = 30  #: headlines, or descriptions, in an answer
MAX_TEXT_CHARS = 500
CALL_TO_ACTION_WIDTH = 30
DEFAULT_CALL_TO_ACTION = "Learn more"


#: A text of an ad as a model writes it, which is cut to the platform's limits later.
AdText = Annotated[str, at_most(MAX_TEXT_CHARS), Field(max_length=MAX_TEXT_CHARS)]


class WrittenCreative(AnswerForm):
    """Answer of the model: texts of the ads on one platform."""

    headlines: Annotated[list[AdText], first(MAX_TEXTS)] = Field(
        min_length=1, max_length=MAX_TEXTS, description="short lines, each of them able to stand alone"
    )
    descriptions: Annotated[list[AdText], first(MAX_TEXTS)] = Field(
        min_length=1, max_length=MAX_TEXTS, description="one or two sentences each"
    )
    call_to_action: AdText = Field(description="two to four words, beginning with a verb")

    def texts(self) -> dict[str, str]:
        """Return what people read, by field."""
        headlines = {f"headlines.{at}": text for at, text in enumerate(self.headlines)}
        descriptions = {f"descriptions.{at}": text for at, text in enumerate(self.descriptions)}
        return {**headlines, **descriptions, "call_to_action": self.call_to_action}

    def without_foreign(self, known: KnownContacts) -> WrittenCreative | None:
        """Return the texts that name no contact but ``known``, or None when those left are no ad."""
        kept = WrittenCreative.model_construct(
            headlines=_own(self.headlines, known),
            descriptions=_own(self.descriptions, known),
            call_to_action=(_own([self.call_to_action], known) or [""])[0],
        )
        if not kept.headlines or not kept.descriptions or foreign_contacts("\n".join(kept.texts().values()), known):
            return None
        return kept

    @classmethod
    def from_prose(cls, text: str) -> WrittenCreative:
        """Take the lines of an answer in plain text, which are cut to the platform's limits like any others."""
        lines = [line for part in text.splitlines() for line in re.split(r"(?<=[.!?])\s+", part.strip("#*- ")) if line]
        return cls(headlines=lines[:5], descriptions=lines[:4], call_to_action="Learn more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts within a platform's limits."""

    headlines: tuple[str, ...]
    descriptions: tuple[str, ...]
    call_to_action: str


def source_pieces(state: MarketingAgentState) -> tuple[ContentPiece, ...]:
    """Return the pieces that creatives are cut from: ad copy and landing pages first, else in their order."""
    first = {"ad_copy": 0, "landing_page": 1}
    ranked = sorted(
        enumerate(state.generated_content), key=lambda entry: (first.get(entry[1].content_type, 2), entry[0])
    )
    return tuple(piece for _, piece in ranked[:MAX_PIECES])


def suggestions_for(messages: Sequence[AgentMessage], platform: str) -> list[str]:
    """Return what analytics suggests for this platform, newest message last, each text once."""
    found: dict[str, None] = {}
    for item in messages:
        if item.message_type is not MessageType.OPTIMIZATION_SUGGESTION:
            continue
        listed = item.payload.get("suggestions")
        for entry in listed if isinstance(listed, list | tuple) else []:
            if isinstance(entry, Mapping) and entry.get("platform") in (platform, "", None):
                found[str(entry.get("text", ""))[:500]] = None
            elif isinstance(entry, str):
                found[entry[:500]] = None
    return [text for text in found if text.strip()][:MAX_SUGGESTIONS]


def brief(
    state: MarketingAgentState, facts: Mapping[str, object], platform: str, suggestions: Sequence[str]
) -> dict[str, object]:
    """Return the facts for one platform's creative, without personal data."""
    limits = platform_spec(platform).limits
    previous = next((c for c in state.ad_creatives if c.platform == platform and c.headlines), None)
    found: dict[str, object] = {
        "task": "write_creative",
        "platform": platform,
        "limits": {
            "headlines": _bounds(limits.min_headlines, limits.max_headlines, limits.headline_width),
            "descriptions": _bounds(limits.min_descriptions, limits.max_descriptions, limits.description_width),
        },
        **facts,
        "suggestions": [Untrusted(text) for text in suggestions],
    }
    if previous is not None:
        found["previous"] = {
            "headlines": [Untrusted(text) for text in previous.headlines],
            "descriptions": [Untrusted(text) for text in previous.descriptions],
            "call_to_action": Untrusted(previous.call_to_action),
        }
    return found


def texts(written: WrittenCreative, state: MarketingAgentState, platform: str) -> Texts:
    """Cut the model's answer to the platform's limits."""
    limits = platform_spec(platform).limits
    banned, known = state.campaign_config.brand.banned_words, brief_contacts(state.campaign_config)
    headlines, descriptions, action = _fallbacks(state, known)
    (wanted,) = _own([cut(written.call_to_action, CALL_TO_ACTION_WIDTH, limits)], known) or ("",)
    return Texts(
        headlines=fit(
            _own(written.headlines, known),
            headlines,
            least=limits.min_headlines,
            most=limits.max_headlines,
            width=limits.headline_width,
            limits=limits,
            banned=banned,
        ),
        descriptions=fit(
            _own(written.descriptions, known),
            descriptions,
            least=limits.min_descriptions,
            most=limits.max_descriptions,
            width=limits.description_width,
            limits=limits,
            banned=banned,
        ),
        call_to_action=wanted or action,
    )


def changed(texts: Texts, landing_url: str, previous: AdCreative | None) -> bool:
    """Return whether the ads say anything else than those of ``previous``."""
    return previous is None or (texts.headlines, texts.descriptions, texts.call_to_action, landing_url) != (
        previous.headlines,
        previous.descriptions,
        previous.call_to_action,
        previous.landing_url,
    )


def _bounds(least: int, most: int, width: int) -> dict[str, int]:
    return {"min": least, "max": most, "chars": width}


def _own(texts: Sequence[str], known: KnownContacts) -> list[str]:
    """Return the texts that name no contact but ``known``."""
    return [text for text in texts if not foreign_contacts(text, known)]


def _fallbacks(state: MarketingAgentState, known: KnownContacts) -> tuple[list[str], list[str], str]:
    """Return plain words that are true of every campaign, the last of each kind short enough for every platform."""
    config = state.campaign_config
    subject = config.brand.product or config.brand.name or config.name
    pieces = source_pieces(state)
    headlines = [*(tidy(p.title) for p in pieces), subject, "See how it works", "Read more today", "Get to know us"]
    descriptions = [
        *(tidy(p.meta_description) for p in pieces),
        config.brand.description or "",
        "See how it works and decide for yourself.",
        "Read more on our website.",
    ]
    action = next((p.call_to_action for p in pieces if p.call_to_action), DEFAULT_CALL_TO_ACTION)
    short = action if len(action) <= CALL_TO_ACTION_WIDTH else DEFAULT_CALL_TO_ACTION
    return _own(headlines, known), _own(descriptions, known), (_own([short], known) or [DEFAULT_CALL_TO_ACTION])[0]
