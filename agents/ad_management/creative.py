"""What the model is asked for a creative, and its answer made fit for a platform.

Pure. Invariant: whatever the model wrote, the texts that leave here are within the platform's limits and
hold no banned word and no contact that the brief lacks; where nothing usable is left, the brand's own plain words stand
in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.ad_management.cutting import cut, tidy
from agents.ad_management.fitting import COMBINED_HEADLINES, Ad, Spare, fit_ads
from agents.ad_management.running import creative_on
from agents.ad_management.variants import Variants, variants
from agents.ad_management.written import WrittenCreative, own
from agents.angles.angle import EXPLAINED, Angle
from agents.angles.learned import learned, told
from agents.contacts import KnownContacts
from agents.contacts.brief import brief_contacts
from agents.messages import AgentMessage, MessageType
from agents.state import AdCreative, ContentPiece, MarketingAgentState
from agents.untrusted import Untrusted
from agents.wanted import counted
from integrations.ads.registry import platform as platform_spec

AGENT = "ad_management"
MAX_PIECES = 5  #: content pieces that a creative is cut from
MAX_SUGGESTIONS = 8
CALL_TO_ACTION_WIDTH = 30
DEFAULT_CALL_TO_ACTION = "Learn more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of a platform's ads, within its limits."""

    headlines: tuple[str, ...]  #: split evenly over the ads, in their order
    descriptions: tuple[str, ...]  #: split evenly over the ads, in their order
    call_to_action: str
    angles: tuple[str, ...]  #: of each ad, of number 1 first
    control: int | None = None  #: number of the ad that stayed


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
    state: MarketingAgentState,
    facts: Mapping[str, object],
    platform: str,
    suggestions: Sequence[str],
    wanted: Variants | None = None,
) -> dict[str, object]:
    """Return the facts for one platform's creative, without personal data.

    ``wanted``: the ads that are written, None for all that the platform shall have.
    """
    limits, wanted = platform_spec(platform).limits, wanted or variants(state, platform)
    what = counted(state.campaign_config)
    several = limits.combined_ads is not None
    previous = next((c for c in state.ad_creatives if c.platform == platform and c.headlines), None)
    found: dict[str, object] = {
        "task": "write_creative",
        "platform": platform,
        "ads": [{"angle": angle, "asks_for": EXPLAINED[angle]} for angle in wanted.angles],
        "limits": {
            "headlines": _bounds(
                limits.min_headlines if several else 1, COMBINED_HEADLINES if several else 1, limits.headline_width
            ),
            "descriptions": _bounds(
                limits.min_descriptions if several else 1,
                limits.max_descriptions if several else 1,
                limits.description_width,
            ),
        },
        **facts,
        "suggestions": [Untrusted(text) for text in suggestions],
    }
    if seen := told(learned(state.campaign_performance.daily, what), what):
        found["learned"] = seen
    if previous is not None:
        found["previous"] = {
            "headlines": [Untrusted(text) for text in previous.headlines],
            "descriptions": [Untrusted(text) for text in previous.descriptions],
            "call_to_action": Untrusted(previous.call_to_action),
        }
    if wanted.control is not None:
        found["stays"] = {
            "angle": wanted.control.angle,
            "headlines": [Untrusted(text) for text in wanted.control.headlines],
            "descriptions": [Untrusted(text) for text in wanted.control.descriptions],
        }
    return found


def texts(written: WrittenCreative, state: MarketingAgentState, platform: str) -> Texts:
    """Cut the model's answer to the platform's limits, beside the ad that stays.

    An answer without an ad that is new leaves the ads as they are.
    """
    limits, wanted = platform_spec(platform).limits, variants(state, platform)
    known = brief_contacts(state.campaign_config)
    ads = ads_within(written, state, platform, wanted)
    previous = creative_on(state, platform)
    if previous is not None and ads == (wanted.control,):
        return Texts(
            headlines=previous.headlines,
            descriptions=previous.descriptions,
            call_to_action=previous.call_to_action,
            angles=previous.angles,
            control=previous.control,
        )
    (action,) = own([cut(written.call_to_action, CALL_TO_ACTION_WIDTH, limits)], known) or ("",)
    return Texts(
        headlines=tuple(text for ad in ads for text in ad.headlines),
        descriptions=tuple(text for ad in ads for text in ad.descriptions),
        call_to_action=action or _action(state, known),
        angles=tuple(ad.angle for ad in ads),
        control=1 if wanted.control is not None else None,
    )


def ads_within(written: WrittenCreative, state: MarketingAgentState, platform: str, wanted: Variants) -> tuple[Ad, ...]:
    """Cut the model's ads to the platform's limits, after the one that stays."""
    known = brief_contacts(state.campaign_config)
    return fit_ads(
        [
            Ad(
                angle=ad.angle,
                headlines=tuple(own(ad.headlines, known)),
                descriptions=tuple(own(ad.descriptions, known)),
            )
            for ad in written.ordered(wanted.angles)
        ],
        _spare(state, known),
        platform_spec(platform).limits,
        banned=state.campaign_config.brand.banned_words,
        control=wanted.control,
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


def _spare(state: MarketingAgentState, known: KnownContacts) -> Spare:
    """Return plain words that are true of every campaign."""
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
    return Spare(angle=Angle.PLAIN, headlines=own(headlines, known), descriptions=own(descriptions, known))


def _action(state: MarketingAgentState, known: KnownContacts) -> str:
    """Return the call to action of the content, a plain one where it has none that fits."""
    found = next((p.call_to_action for p in source_pieces(state) if p.call_to_action), DEFAULT_CALL_TO_ACTION)
    short = found if len(found) <= CALL_TO_ACTION_WIDTH else DEFAULT_CALL_TO_ACTION
    return (own([short], known) or [DEFAULT_CALL_TO_ACTION])[0]
