"""Text cut into chunks along its headings and paragraphs, by langchain-text-splitters.

Invariants: no word of a text is lost but those of its headings, which each chunk below them carries; no chunk is longer
than CHUNK_CHARS; the same text gives the same chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrations.values import clean_text

#: Below the 256 tokens that small embedding models read, and what a prompt has room for.
CHUNK_CHARS = 1000
_HEADINGS = [("#" * depth, str(depth)) for depth in range(1, 5)]
#: Where a long text is cut, best place first.
_BORDERS = ["\n\n", "  \n", "\n", ". ", "? ", "! ", "。", "; ", ", ", " ", ""]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document."""

    heading: str  #: headings above it, outermost first, joined by " > "; "" for none
    text: str


def split(text: str) -> list[Chunk]:
    """Cut Markdown or plain text into chunks of at most CHUNK_CHARS characters, each below one heading."""
    from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

    sections = MarkdownHeaderTextSplitter(_HEADINGS).split_text(clean_text(text))
    cutter = RecursiveCharacterTextSplitter(
        separators=_BORDERS, keep_separator="end", chunk_size=CHUNK_CHARS, chunk_overlap=0
    )
    found = []
    for section in sections:
        heading = " > ".join(str(section.metadata[depth]) for depth in sorted(section.metadata))
        pieces = cutter.split_text(section.page_content)
        found += [Chunk(heading[:CHUNK_CHARS], piece) for piece in pieces if piece.strip()]
    return found or [Chunk("", piece) for piece in cutter.split_text(clean_text(text)) if piece.strip()]
