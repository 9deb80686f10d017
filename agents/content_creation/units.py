"""What units of content creation are given and answer.

Invariants: a brief's JSON has only the keys that its task has, because the model reads it as it stands; what documents,
models and reviewers have written is held as text from outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from agents.answer_form import AnswerForm, at_most
from agents.config import Brand, ContentRequirement
from agents.contacts import KnownContacts
from agents.model_call import ModelCall
from agents.state import GuidelineVerdict
from agents.unit_kind import Part
from agents.untrusted import Untrusted

PROSE_TITLE_CHARS = 120


class WrittenPiece(AnswerForm):
    """What the model answers with."""

    title: Annotated[str, at_most(300), Field(min_length=1, max_length=300)]
    body: Annotated[str, Field(min_length=1, max_length=60_000)]
    meta_description: Annotated[str, at_most(1_000), Field(max_length=1_000)] = ""
    call_to_action: Annotated[str, at_most(300), Field(max_length=300)] = ""

    def texts(self) -> dict[str, str]:
        """Return what people read, by field."""
        return {
            "title": self.title,
            "body": self.body,
            "meta_description": self.meta_description,
            "call_to_action": self.call_to_action,
        }

    @classmethod
    def from_prose(cls, text: str) -> WrittenPiece:
        """Take a piece from a model that answers in plain text, where its first line is the title."""
        first = text.lstrip("# ").split("\n", 1)[0].strip()
        title = first if len(first) <= PROSE_TITLE_CHARS else re.split(r"(?<=[.!?])\s+", first)[0]
        return cls.model_validate({"title": title[:PROSE_TITLE_CHARS] or "Untitled", "body": text[:60_000]})


class Written(WrittenPiece):
    """One version of a piece."""

    label: str  #: of the assignment
    sources: tuple[str, ...] = ()  #: ids of the passages that the writer was shown
    produced_by: str  #: the path that made it


class Retrieve(Part):
    """A question to the knowledge base."""

    label: str
    question: str
    variants: tuple[str, ...]  #: the same in other words
    brand: str = ""  #: whose documents may be used, beside those of every brand


class Excerpt(Part):
    """A passage of the knowledge base, cut to what a prompt has room for."""

    chunk_id: str
    title: Untrusted
    text: Untrusted


class Retrieved(Part):
    """What the knowledge base has to say."""

    label: str
    passages: tuple[Excerpt, ...]
    words_only: str = ""  #: why the question was asked by words alone; "": by meaning, too


class Wanted(Part):
    """One required piece, with nothing left open."""

    content_type: str
    kind: str  #: of text, as the checks count it
    topic: str
    keywords: tuple[str, ...]
    tone: str
    target_length: int  #: words
    audience: str
    language: str
    call_to_action: str | None


class Existing(Part):
    """Version that is to be rewritten."""

    title: Untrusted
    body: Untrusted
    meta_description: Untrusted
    call_to_action: Untrusted


class Complaint(Part):
    """What is wrong with a version."""

    check: str  #: name of the check, which the program gives
    message: Untrusted


class Gap(Part):
    """How far a version is from the length asked for, in words of its body."""

    words_now: int
    words_wanted: int
    difference: int  #: above 0: to be added


class Brief(Part):
    """Facts that a writer is given."""

    task: Literal["write_piece", "revise_piece", "optimize_seo", "adjust_length", "adjust_tone"]
    campaign: str
    brand: Annotated[Brand, PlainSerializer(lambda brand: brand.model_dump(mode="json", exclude_defaults=True))]
    audience: Mapping[str, JsonValue]
    earlier_rounds: tuple[Mapping[str, JsonValue], ...]
    requirement: Wanted
    revision: int
    piece: Existing | None = None
    findings: tuple[Complaint, ...] | None = None
    suggestions: tuple[Untrusted, ...] | None = None
    length: Gap | None = None
    ads_won_with: str | None = None  #: the angle of ads that has surely brought more than the others, and what it is

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        dumped: dict[str, object] = handler(self)
        return {name: value for name, value in dumped.items() if value is not None}


class Write(ModelCall):
    """A piece that is to be written or rewritten."""

    label: str
    piece_id: str
    brief: Brief
    passages: tuple[Excerpt, ...]
    known: KnownContacts = KnownContacts()  #: the contacts that it may name
    max_tokens: int


class Score(Part):
    """A version whose score is to be worked out."""

    label: str
    written: Written
    requirement: ContentRequirement
    brand: Brand
    sources: tuple[Untrusted, ...] = ()  #: passages that the writer was shown


class Found(Part):
    """What a check says of a version."""

    check: str
    points: int
    message: str


class Scored(Part):
    """What the checks for search and readers say of a version."""

    label: str
    seo_score: float
    readability: float | None
    findings: tuple[Found, ...]  #: those with something to say


class CheckBrand(ModelCall):
    """A version that is to be held against what the brand asks of texts."""

    label: str
    written: Written
    requirement: ContentRequirement
    brand: Brand
    asked: tuple[str, ...] = ()  #: guidelines that only a judge can read


class BrandChecked(Part):
    """What house rules, guidelines and tone say of a version."""

    label: str
    findings: tuple[Found, ...]  #: what is broken
    verdicts: tuple[GuidelineVerdict, ...]


class FitLength(Part):
    """A version that is to be cut or completed by whole sentences."""

    label: str
    written: Written
    requirement: ContentRequirement
    brand: Brand
    spare: tuple[str, ...] = ()  #: bodies of other versions of the piece
    known: KnownContacts = KnownContacts()
