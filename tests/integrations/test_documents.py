"""Files become Markdown, and Markdown chunks that lose no word."""

from __future__ import annotations

import io
from importlib.util import find_spec

import pytest

from integrations.documents.chunking import CHUNK_CHARS, Chunk, split
from integrations.documents.reading import read_document

office = pytest.mark.skipif(find_spec("markitdown") is None, reason="the extra `documents` is not installed")


def test_chunks_are_bounded_and_lose_no_word() -> None:
    text = "\n\n".join(" ".join(f"w{p}-{n}" for n in range(size)) for p, size in enumerate((5, 500, 100, 90, 1)))
    chunks = split(text)
    assert all(len(chunk.text) <= CHUNK_CHARS for chunk in chunks)
    assert " ".join(chunk.text for chunk in chunks).split() == text.split()


def test_a_chunk_knows_the_headings_above_it() -> None:
    assert split("# Prices\n\n## Refunds\nMoney back\n\n# Team\nUs") == [
        Chunk("Prices > Refunds", "Money back"),
        Chunk("Team", "Us"),
    ]
    assert split("# Only a heading") == [Chunk("", "# Only a heading")]
    assert split(" \n ") == []


def test_a_page_is_read_by_its_headings() -> None:
    page = b"<nav>Menu</nav><h2>Refunds</h2><p>Money <b>back</b></p><script>x()</script>"
    assert split(read_document("a.html", page)) == [Chunk("Refunds", "Money back")]


@office
def test_slides_are_read() -> None:
    from pptx import Presentation

    slides = Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Refunds", "Money back"
    file = io.BytesIO()
    slides.save(file)
    assert split(read_document("deck.pptx", file.getvalue())) == [Chunk("Refunds", "Money back")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.exe", b"MZ", "is not one of"),
        ("x.md", b"\xff\xfe\x00", "is not UTF-8"),
        pytest.param("x.pdf", b"%PDF", "can't be read", marks=office),
        pytest.param("x.docx", b"PK", "can't be read", marks=office),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=f"{name} {said}"):
        read_document(name, content)
