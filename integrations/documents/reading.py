"""Files of the user as Markdown: text as it is, HTML by its headings, PDF, Word and PowerPoint by markitdown.

markitdown is an optional extra (``marketing-agents[documents]``) and is loaded by the first file that needs it.
Invariant: what can't be read raises ValueError with the file's name and the reason; nothing of a file is executed or
fetched.
"""

from __future__ import annotations

import io
import re
from importlib.util import find_spec
from typing import Any

from integrations.values import clean_text
from integrations.web.markup import parsable

MAX_BYTES = 20_000_000
TEXT = frozenset({".md", ".txt", ".rst"})
HTML = frozenset({".html", ".htm"})
OFFICE = frozenset({".pdf", ".docx", ".pptx"})
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)  #: numbers of slides
SUFFIXES = TEXT | HTML | OFFICE


def read_document(name: str, data: bytes) -> str:
    """Return the text of a file with that name as Markdown.

    Raises ValueError when its type isn't one of SUFFIXES, when it is above MAX_BYTES, or can't be read.
    """
    suffix = "." + name.lower().rpartition(".")[2]
    if suffix not in SUFFIXES:
        raise ValueError(f"{name} is not one of {', '.join(sorted(SUFFIXES))}")
    if len(data) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB")
    if suffix in OFFICE:
        return clean_text(_converted(name, suffix, data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text") from None
    return clean_text(html_text(text) if suffix in HTML else text)


def html_text(html: str) -> str:
    """Return the text of a page as Markdown with its headings, without scripts, navigation and footers."""
    from bs4 import BeautifulSoup

    page = BeautifulSoup(parsable(html), "html.parser")
    for part in page(["script", "style", "noscript", "template", "nav", "footer"]):
        part.decompose()
    for depth in range(1, 5):
        for heading in page(f"h{depth}"):
            heading.replace_with(f"\n\n{'#' * depth} {' '.join(heading.get_text(' ').split())}\n\n")
    for block in page(["p", "li", "tr", "div", "br", "td", "th"]):
        block.append(" " if block.name in {"td", "th"} else "\n\n")
    return "\n".join(" ".join(line.split()) for line in page.get_text("").splitlines())


def _converted(name: str, suffix: str, data: bytes) -> str:
    if find_spec("markitdown") is None:
        raise ValueError(f"{name} needs an extra of this project: pip install 'marketing-agents[documents]'")
    from markitdown import MarkItDown, MarkItDownException, StreamInfo, converters

    try:
        # Without the others, which would take a broken file for plain text.
        reader = MarkItDown(enable_builtins=False, enable_plugins=False)
        built_in: Any = converters  # some of its constructors have no types
        for made in (built_in.PdfConverter, built_in.DocxConverter, built_in.PptxConverter):
            reader.register_converter(made())
        found = reader.convert_stream(io.BytesIO(data), stream_info=StreamInfo(extension=suffix))
    except MarkItDownException as error:
        raise ValueError(f"{name} can't be read ({type(error).__name__})") from None
    return _COMMENT.sub("", str(found.markdown))
