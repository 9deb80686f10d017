"""Encodings of text files, judged by byte order marks, validity and plausibility.

Invariant: a file that says its encoding, or is valid UTF-8, is read so and nothing is guessed. Any other is read in the
encoding whose text is the most plausible (:mod:`agents.lead_files.letters`), and the warnings name it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agents.lead_files.double_encoding import Repair, repair_of
from agents.lead_files.letters import plausibility
from integrations.values import clean_text

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
#: Encodings that are tried, with the logarithm of how often they are met beside Windows-1252.
_CANDIDATES = {
    "cp1252": 0.0, "utf-8-mixed": -0.5, "cp932": -1.0, "gb18030": -1.0, "cp1251": -1.5, "cp1250": -1.5,
    "big5hkscs": -1.5, "cp949": -1.5, "cp1253": -2.0, "cp1254": -2.0, "cp1255": -2.0, "cp1256": -2.0, "cp1257": -2.5,
    "mac_roman": -2.0, "iso8859_2": -3.0, "euc_jp": -3.0, "koi8_r": -3.5, "cp874": -3.0, "cp850": -3.5, "cp866": -4.0,
    "cp852": -5.0, "cp1258": -3.0, "mac_latin2": -5.0, "iso8859_7": -4.0, "cp437": -5.0, "mac_cyrillic": -5.0,
    "mac_greek": -5.0, "mac_turkish": -5.0,
}  # fmt: skip
_TITLES = {
    "utf-8": "UTF-8", "utf-8-mixed": "UTF-8 with bytes of Windows-1252", "cp932": "Shift-JIS", "gb18030": "GBK",
    "big5hkscs": "Big5", "cp949": "EUC-KR", "euc_jp": "EUC-JP", "mac_roman": "Mac-Roman", "koi8_r": "KOI8-R",
    "mac_latin2": "Mac-Latin2", "mac_cyrillic": "Mac-Cyrillic", "mac_greek": "Mac-Greek", "mac_turkish": "Mac-Turkish",
    "iso2022_jp": "ISO-2022-JP", "cp874": "TIS-620", "cp850": "DOS code page 850", "cp852": "DOS code page 852",
    "cp866": "DOS code page 866", "cp437": "DOS code page 437", "iso8859_2": "ISO 8859-2", "iso8859_7": "ISO 8859-7",
}  # fmt: skip
_MIXED_ERRORS = "utf8_or_cp1252"
_BAD_BYTE = -14.0  #: of a byte that the encoding does not have
_SAMPLE = 160  #: lines with bytes beyond ASCII that are judged
_LONGEST = 4_000  #: bytes of a line that are judged
_CHUNK = 1 << 20
_WINDOW, _WINDOWS = 1 << 17, 16  #: bytes of a part of the file that lines are taken from, and number of parts
_HIGH = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A file's text, read as often as needed without being held as a whole."""

    data: bytes
    codec: str
    errors: str = "replace"
    guessed: bool = False
    repair: Repair | None = None  #: undoes a wrong decoding that happened before the file was written

    @property
    def encoding(self) -> str:
        """Name of the encoding for people."""
        name = "utf-8-mixed" if self.errors == _MIXED_ERRORS else self.codec
        return _title(name)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader of the file should know."""
        said = []
        if self.guessed:
            said.append(
                f"does not say its encoding; read as {self.encoding}, judged by its letters. If names look wrong, save "
                "it as UTF-8"
            )
        if self.repair:
            said.append(f"held UTF-8 that had been read as {_title(self.repair.codec)}; put right")
        return tuple(said)

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends as ``\\n``, cleaned of what can't be stored."""
        _register()
        with io.TextIOWrapper(io.BytesIO(self.data), encoding=self.codec, errors=self.errors, newline=None) as stream:
            for number, line in enumerate(stream):
                text = line if number else line.lstrip("\ufeff")
                if text.endswith("\ufffd"):  # the file was cut in the middle of its last character
                    text = text.rstrip("\ufffd")
                if self.repair and not text.isascii():
                    text = self.repair.apply(text)
                yield clean_text(text)

    def whole(self) -> str:
        """Return the text as a whole."""
        return "".join(self.lines())


def decode(data: bytes) -> Text:
    """Find out the encoding of a file."""
    _register()
    if data.startswith(codecs.BOM_UTF8) and not _is_utf8(data):
        data = data[len(codecs.BOM_UTF8) :]  # another program has added lines in its own encoding, or only the mark
    for mark, codec in _MARKS:
        if data.startswith(mark) and not (codec == "utf-16-le" and data.startswith(codecs.BOM_UTF32_LE)):
            return _repaired(Text(data=data, codec=codec))
    if wide := _by_nulls(data):
        return _repaired(Text(data=data, codec=wide))
    if re.search(rb"\x1b(?:\$[@B]|\(J)", data[: 4 * _CHUNK]) and data.isascii():
        return Text(data=data, codec="iso2022_jp")
    if _is_utf8(data):
        return _repaired(Text(data=data, codec="utf-8"))
    best = _most_plausible(_samples(data))
    if best == "utf-8-mixed":
        return _repaired(Text(data=data, codec="utf-8", errors=_MIXED_ERRORS, guessed=True))
    return Text(data=data, codec=best, guessed=True)


def _by_nulls(data: bytes) -> str | None:
    """Return UTF-16 or UTF-32 without a mark, told by where its zero bytes are."""
    head = data[: 1 << 16]
    head = head[: len(head) // 4 * 4]
    if len(head) < 8 or b"\0" not in head:
        return None
    zeros = [head[at::4].count(0) / (len(head) // 4) for at in range(4)]
    if min(zeros[1:]) > 0.9 and zeros[0] < 0.1 and zeros[3] > 0.98:
        return "utf-32-le"
    if min(zeros[:3]) > 0.9 or (zeros[0] > 0.98 and zeros[1] > 0.98 and zeros[3] < 0.1):
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if max(even, odd) < 0.1 or min(even, odd) > max(even, odd) / 5:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK], final=start + _CHUNK >= len(data))
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # the file was cut in the middle of its last character
    return True


def _samples(data: bytes) -> list[bytes]:
    """Return lines with bytes beyond ASCII, from the whole file."""
    starts = range(0, len(data), max(_WINDOW, len(data) // _WINDOWS))
    windows = (data[start : start + _WINDOW] for start in starts)
    lines = (line for window in windows for line in window.splitlines())
    found = [line for line in lines if not line.isascii() and len(line) <= _LONGEST]
    if not found:  # one line, such as JSON, or bytes beyond ASCII between the windows
        first = _HIGH.search(data)
        at = max(0, (first.start() if first else 0) - 200)
        found = [data[at : at + _LONGEST]]
    step = max(1, len(found) // _SAMPLE)
    return [*dict.fromkeys(found[::step])][: 2 * _SAMPLE]


def _most_plausible(lines: Sequence[bytes]) -> str:
    scores = {codec: prior + _score(lines, codec) for codec, prior in _CANDIDATES.items()}
    return max(scores, key=lambda codec: scores[codec])


def _score(lines: Sequence[bytes], codec: str) -> float:
    total = 0.0
    for line in lines:
        if codec == "utf-8-mixed":
            text = line.decode("utf-8", _MIXED_ERRORS)
            total += -1.5 * (len(line.decode("utf-8", "ignore").encode()) != len(line))
        else:
            text = line.decode(codec, "replace")
        bad = text.count("\ufffd")
        total += plausibility(text.replace("\ufffd", "")) + _BAD_BYTE * bad
    return total


def _repaired(text: Text) -> Text:
    lines = []
    for line in text.lines():
        if not line.isascii():
            lines.append(line[:_LONGEST])
            if len(lines) >= 4 * _SAMPLE:
                break
    repair = repair_of(lines) if lines else None
    return replace(text, repair=repair) if repair else text


def _title(codec: str) -> str:
    if codec.startswith(("utf-16", "utf-32")):
        return codec[:6].upper() + (" LE" if codec.endswith("le") else " BE")
    return _TITLES.get(codec) or f"Windows-{codec.removeprefix('cp')}"


def _utf8_or_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace"), error.end


def _register() -> None:
    codecs.register_error(_MIXED_ERRORS, _utf8_or_cp1252)
