"""Text as it is compared: one spelling for what people write in several."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TRANSCRIBED = re.compile(r"(?<=[aou])e")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """Return a text in lower case without accents, "ae", "oe", "ue" like the umlauts that they stand for."""
    text = unicodedata.normalize("NFKC", text).lower().replace("ß", "ss").replace("’", "'").replace("ø", "o")
    text = _TRANSCRIBED.sub("", text.replace("ł", "l").replace("œ", "oe").replace("æ", "ae").replace("ı", "i"))
    if not text.isascii():
        split = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize("NFC", "".join(char for char in split if not "\u0300" <= char <= "\u036f"))
    return text


@lru_cache(maxsize=50_000)
def words(text: str) -> str:
    """Return the text's words in lower case with one space between them."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower()))


def has_cjk(text: str) -> bool:
    """Return whether a text has Chinese, Japanese or Korean characters, which stand without spaces."""
    return _CJK.search(text) is not None
