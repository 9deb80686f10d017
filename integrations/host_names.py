"""Host and mail domain names: the one form that name servers and comparisons take, and the one that people read.

IDNA 2008 (RFC 5891) with the mapping of UTS #46, non-transitional as browsers have it: ``ß`` and ``ς`` are letters of
their own, so ``straße.example`` is not ``strasse.example``. Python's own ``idna`` codec is IDNA 2003 and asks for the
wrong name. Pure.
"""

from __future__ import annotations

from functools import lru_cache

MAX_NAME, MAX_LABEL = 253, 63  #: characters, by RFC 1035 §2.3.4


@lru_cache(maxsize=100_000)
def ascii_name(name: str) -> str:
    """Return a domain name in lower-case ASCII (A-labels), without the final dot.

    Raises ValueError when the text is not a domain name.
    """
    text = name.strip().rstrip(".").lower()
    found = text if text.isascii() else _encoded(text)
    labels = found.split(".")
    if len(found) > MAX_NAME or not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise ValueError("not a domain name")
    if not all(char.isalnum() or char in "-_" for label in labels for char in label):
        raise ValueError("not a domain name")
    return found


@lru_cache(maxsize=100_000)
def readable_name(name: str) -> str:
    """Return a domain name in lower case as people read it (U-labels), without the final dot.

    Raises ValueError when the text is not a domain name.
    """
    found = ascii_name(name)
    if "xn--" not in found:
        return found
    import idna

    try:
        return idna.decode(found)
    except (idna.IDNAError, UnicodeError):
        return found  # a name that no registry gives out any more


def _encoded(text: str) -> str:
    """Return the A-labels of a name.

    Raises ValueError.
    """
    import idna

    try:
        return idna.encode(text, uts46=True, std3_rules=False, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        raise ValueError("not a domain name") from None
