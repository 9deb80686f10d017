"""Decoding of pages, by the label of whichever charset they name (WHATWG Encoding Standard, by webencodings).

A label means what it means to browsers: ``iso-8859-1`` is Windows-1252, ``gb2312`` is GB 18030, ``shift_jis`` is
Microsoft's own. Labels that browsers don't know are Python's names for charsets, or words of people for them.
Invariants: a page is never lost for a byte that its charset lacks; a label that the page's own bytes disprove is not
believed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from integrations.values import clean_text

UTF_8, WESTERN = "utf-8", "cp1252"
SCANNED = 4096  #: bytes at the beginning in which a page may name its charset
BAD_SHARE = 0.5  #: of the characters beyond ASCII that may be broken before a charset is not believed
_LABEL = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:()+-]+)", re.I)
_SKIPPED = re.compile(rb"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1|\Z)", re.I | re.S)
_META = re.compile(rb"<meta\b[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:()+-]+)", re.I)
_XML = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:()+-]+)", re.I)
#: Codecs of Python that are no charset of any page; some take quadratic time.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined"})
#: Python's codecs that know fewer characters than the charset that browsers take for the label.
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030"}
#: Python's codecs of charsets in which a character has several bytes.
_SEVERAL_BYTES = frozenset(
    {UTF_8, "gb18030", "big5hkscs", "euc_jp", "iso2022_jp", "cp932", "cp949", "utf-16-le", "utf-16-be"}
)


def decode(body: bytes, content_type: str) -> str:
    """Decode a page to clean text: by byte order mark, else the first charset that it names and that fits."""
    if body.startswith(b"\xef\xbb\xbf"):
        return clean_text(body.decode("utf-8-sig", "replace"))
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return clean_text(body.decode("utf-16", "replace"))
    return clean_text(_decoded(body, content_type))


def _decoded(body: bytes, content_type: str) -> str:
    best, share = "", 2.0
    for codec in dict.fromkeys((*_named(body, content_type), UTF_8)):
        text = body.decode(codec, "replace")
        if "\ufffd" not in text:
            return text if codec in _SEVERAL_BYTES or body.isascii() else _or_utf_8(body, text)
        if codec not in _SEVERAL_BYTES:
            return _or_utf_8(body, text)  # a charset of one byte each lacks a few of them
        bad = text.count("\ufffd") / max(1, sum(not char.isascii() for char in text))
        if bad < share:
            best, share = text, bad
    return best if share <= BAD_SHARE else body.decode(WESTERN, "replace")


def _or_utf_8(body: bytes, text: str) -> str:
    """Return UTF-8's reading where it is one: other text that passes for it is next to impossible."""
    try:
        return body.decode(UTF_8)
    except UnicodeDecodeError:
        return text


def _named(body: bytes, content_type: str) -> Iterator[str]:
    """Yield Python's codecs for the labels that the answer and the page name."""
    head = _SKIPPED.sub(b" ", body[:SCANNED])
    header, meta, xml = _LABEL.search(content_type), _META.search(head), _XML.match(body)
    if header and (codec := _codec(header[1])) and (b"\0" in body[:64] or not codec.startswith("utf-16")):
        yield codec
    for label in (found[1].decode("ascii", "replace") for found in (meta, xml) if found):
        codec = _codec(label)
        if codec:
            # What could be read as ASCII so far is no UTF-16.
            yield UTF_8 if codec.startswith("utf-16") else codec


def _codec(label: str) -> str | None:
    """Return Python's codec for a label, None for one that no page has."""
    import webencodings

    found = webencodings.lookup(label)
    if found is None:
        return _of_people(label.lower())
    if found.name == "replacement":
        return None
    if found.name == "x-user-defined":
        return WESTERN
    return _WIDER.get(found.name) or str(found.codec_info.name)


def _of_people(label: str) -> str | None:
    """Return the codec of a label that is no standard's: ``win-1251``, ``utf8mb4``, ``cp850``."""
    if page := re.fullmatch(r"(?:win(?:dows)?|cp|ms|x-cp|ibm|dos)[-_ ]?(\d{3,4})", label):
        label = f"cp{page[1]}"
    if re.match(r"utf[-_ ]?8", label):
        return UTF_8
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    return found.name if found.name not in _NO_CHARSETS and found._is_text_encoding else None
