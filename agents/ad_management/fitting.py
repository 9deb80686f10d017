"""Ads cut to a platform's limits, each with the angle that its texts build on.

Pure. Invariants: every text is within the platform's limits and holds no banned word; no two ads say the same; on a
platform whose ads show several texts, all ads have as many headlines, and as many descriptions, as the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agents.ad_management.cutting import cut, fit, gist, says_any
from integrations.ads.limits import PlatformLimits

COMBINED_HEADLINES = 5  #: most headlines of an ad that shows several


@dataclass(frozen=True, slots=True, kw_only=True)
class Ad:
    """Texts of one ad."""

    angle: str
    headlines: tuple[str, ...]
    descriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """Plain words that stand in where a writer's are of no use, the last of each kind short enough everywhere."""

    angle: str
    headlines: Sequence[str]
    descriptions: Sequence[str]


def fit_ads(
    ads: Sequence[Ad], spare: Spare, limits: PlatformLimits, *, banned: Sequence[str] = (), control: Ad | None = None
) -> tuple[Ad, ...]:
    """Return ``control`` as it is, then the first of ``ads`` that can be cut to the limits, as many as there may be.

    Where nothing is left and nothing stays, an ad of ``spare`` words. Raises ValueError when even they don't fit.
    """
    make = _single if limits.combined_ads is None else _combined
    kept = (control,) if control else ()
    found = make(ads, spare, limits, banned, kept)
    if not found and not kept:
        words = Ad(angle=spare.angle, headlines=tuple(spare.headlines), descriptions=tuple(spare.descriptions))
        found = make([words], spare, limits, banned, ())
        found = found[: 1 if limits.combined_ads else limits.min_headlines]
    if not found and not kept:
        raise ValueError(f"no text fits into {limits.headline_width} and {limits.description_width} characters")
    return (*kept, *found)


def _single(
    ads: Sequence[Ad], spare: Spare, limits: PlatformLimits, banned: Sequence[str], kept: Sequence[Ad]
) -> tuple[Ad, ...]:
    """Make each pair of headline and description an ad, the first pair of each first."""
    plain = _shown(spare.descriptions, limits.description_width, limits, banned)
    said = {gist(headline) for ad in kept for headline in ad.headlines}
    found: list[Ad] = []
    for angle, headline, description in _pairs(ads):
        head = _shown([headline], limits.headline_width, limits, banned)
        body = _shown([description], limits.description_width, limits, banned) or plain
        if len(kept) + len(found) < limits.ads and head and body and gist(head) not in said:
            said.add(gist(head))
            found.append(Ad(angle=angle, headlines=(head,), descriptions=(body,)))
    return tuple(found)


def _combined(
    ads: Sequence[Ad], spare: Spare, limits: PlatformLimits, banned: Sequence[str], kept: Sequence[Ad]
) -> tuple[Ad, ...]:
    """Give each ad several headlines and descriptions, filled up with spare words where it has too few."""
    heads = len(kept[0].headlines) if kept else limits.min_headlines
    bodies = len(kept[0].descriptions) if kept else limits.min_descriptions
    most_heads, most_bodies = (heads, bodies) if kept else (COMBINED_HEADLINES, limits.max_descriptions)
    said = [{gist(text) for text in ad.headlines} for ad in kept]
    found: list[Ad] = []
    for ad in ads:
        if len(kept) + len(found) >= limits.ads:
            break
        if not _shown(ad.headlines, limits.headline_width, limits, banned):
            continue
        made = Ad(
            angle=ad.angle,
            headlines=fit(
                ad.headlines,
                spare.headlines,
                least=heads,
                most=most_heads,
                width=limits.headline_width,
                limits=limits,
                banned=banned,
            ),
            descriptions=fit(
                ad.descriptions,
                spare.descriptions,
                least=bodies,
                most=most_bodies,
                width=limits.description_width,
                limits=limits,
                banned=banned,
            ),
        )
        if {gist(text) for text in made.headlines} not in said:
            said.append({gist(text) for text in made.headlines})
            found.append(made)
    heads = min((len(ad.headlines) for ad in (*kept, *found)), default=0)
    bodies = min((len(ad.descriptions) for ad in (*kept, *found)), default=0)
    return tuple(
        Ad(angle=ad.angle, headlines=ad.headlines[:heads], descriptions=ad.descriptions[:bodies]) for ad in found
    )


def _pairs(ads: Sequence[Ad]) -> Iterator[tuple[str, str, str]]:
    """Yield (angle, headline, description): the first pair of each ad, then the second ones, and so on."""
    for at in range(max((len(ad.headlines) for ad in ads), default=0)):
        for ad in ads:
            if at < len(ad.headlines) and ad.descriptions:
                yield ad.angle, ad.headlines[at], ad.descriptions[at % len(ad.descriptions)]


def _shown(texts: Iterable[str], width: int, limits: PlatformLimits, banned: Sequence[str]) -> str:
    """Return the first text that can be cut to ``width`` and holds no banned word, "" without one."""
    cuts = (cut(text, width, limits) for text in texts)
    return next((text for text in cuts if text and not says_any(text, banned)), "")
