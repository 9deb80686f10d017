"""Pieces of content that a campaign has, each with its earlier revisions as they were when a step ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.state import ContentPiece
from orchestration.flow.lineage import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRevision:
    """One revision of a piece."""

    step: int  #: at whose end it was there for the first time
    piece: ContentPiece


def pieces(checkpoints: Mapping[int, Checkpoint], present: Sequence[ContentPiece]) -> list[list[PieceRevision]]:
    """Return the revisions of each piece, oldest first, in the order of the campaign's pieces.

    What is ``present`` comes last, also where no step has ended with it yet: a person may just have edited it.
    """
    found: dict[str, list[PieceRevision]] = {one.piece_id: [] for one in present}
    newest = max(checkpoints, default=0)
    for step in sorted(checkpoints):
        listed = checkpoints[step].patch.get("generated_content")
        for item in listed if isinstance(listed, list) else ():
            piece = ContentPiece.model_validate(item)
            _add(found.setdefault(piece.piece_id, []), PieceRevision(step=step, piece=piece))
    for piece in present:
        _add(found[piece.piece_id], PieceRevision(step=newest + 1, piece=piece))
    return [each for each in found.values() if each]


def _add(revisions: list[PieceRevision], new: PieceRevision) -> None:
    if not any(_same(one.piece, new.piece) for one in revisions):
        revisions.append(new)


def _same(one: ContentPiece, other: ContentPiece) -> bool:
    return _text(one) == _text(other) and one.revision == other.revision


def _text(piece: ContentPiece) -> tuple[str, ...]:
    return (piece.title, piece.body, piece.meta_description, piece.call_to_action)


def changed_fields(before: ContentPiece, after: ContentPiece) -> Iterable[str]:
    """Return the names of the texts in which two revisions differ."""
    names = ("title", "body", "meta_description", "call_to_action")
    return [name for name, one, other in zip(names, _text(before), _text(after), strict=True) if one != other]
