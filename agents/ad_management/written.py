"""What the model answers for the ads of one platform: one ad for each angle that it was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.angles.angle import Angle
from agents.answer_form import AnswerForm, at_most, first
from agents.contacts import KnownContacts, foreign_contacts

MAX_ADS = 10  #: in an answer
MAX_TEXTS = 15  #: headlines, or descriptions, of one ad in an answer
MAX_TEXT_CHARS = 500

#: A text of an ad as a model writes it, which is cut to the platform's limits later.
AdText = Annotated[str, at_most(MAX_TEXT_CHARS), Field(max_length=MAX_TEXT_CHARS)]


class WrittenAd(AnswerForm):
    """One ad."""

    angle: Angle = Field(description="the angle of the brief that the texts build on")
    headlines: Annotated[list[AdText], first(MAX_TEXTS)] = Field(
        min_length=1, max_length=MAX_TEXTS, description="short lines, each of them able to stand alone"
    )
    descriptions: Annotated[list[AdText], first(MAX_TEXTS)] = Field(
        min_length=1, max_length=MAX_TEXTS, description="one or two sentences each"
    )


class WrittenCreative(AnswerForm):
    """Answer of the model: the ads on one platform."""

    ads: Annotated[list[WrittenAd], first(MAX_ADS)] = Field(
        min_length=1, max_length=MAX_ADS, description="one for each angle of the brief, in its order"
    )
    call_to_action: AdText = Field(description="two to four words, beginning with a verb")

    def texts(self) -> dict[str, str]:
        """Return what people read, by field."""
        found = {
            f"ads.{number}.{kind}.{at}": text
            for number, ad in enumerate(self.ads)
            for kind, texts in (("headlines", ad.headlines), ("descriptions", ad.descriptions))
            for at, text in enumerate(texts)
        }
        return {**found, "call_to_action": self.call_to_action}

    def without_foreign(self, known: KnownContacts) -> WrittenCreative | None:
        """Return the texts that name no contact but ``known``, or None when those left are no ad."""
        cleaned = [
            WrittenAd.model_construct(
                angle=ad.angle, headlines=own(ad.headlines, known), descriptions=own(ad.descriptions, known)
            )
            for ad in self.ads
        ]
        kept = WrittenCreative.model_construct(
            ads=[ad for ad in cleaned if ad.headlines and ad.descriptions],
            call_to_action=(own([self.call_to_action], known) or [""])[0],
        )
        if not kept.ads or foreign_contacts("\n".join(kept.texts().values()), known):
            return None
        return kept

    def ordered(self, angles: Sequence[Angle]) -> list[WrittenAd]:
        """Return one ad for each of ``angles`` that was written, then those that were not asked for."""
        left, found = list(self.ads), []
        for angle in angles:
            if (ad := next((one for one in left if one.angle is angle), None)) is not None:
                found.append(ad)
                left.remove(ad)
        return [*found, *left]

    @classmethod
    def from_prose(cls, text: str) -> WrittenCreative:
        """Take the lines of an answer in plain text, which are cut to the platform's limits like any others."""
        lines = [line for part in text.splitlines() for line in re.split(r"(?<=[.!?])\s+", part.strip("#*- ")) if line]
        ad = WrittenAd(angle=Angle.PLAIN, headlines=lines[:5], descriptions=lines[:4])
        return cls(ads=[ad], call_to_action="Learn more")


def own(texts: Sequence[str], known: KnownContacts) -> list[str]:
    """Return the texts that name no contact but ``known``."""
    return [text for text in texts if not foreign_contacts(text, known)]
