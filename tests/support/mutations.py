"""Good input bent in ways that once did harm: 25 inputs an edge in the quick profile, 10,000 in the thorough one.

A test is given the number that a random source starts from, so that an example costs microseconds and a failure is told
by one number.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_QUICK = 25
THOROUGH = settings().max_examples > _QUICK


def arrivals(thorough: int = 10_000) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a test its ``start``: many in the thorough profile, few in the quick one."""

    def around(test: Callable[..., None]) -> Callable[..., None]:
        many = settings(
            max_examples=thorough if THOROUGH else _QUICK,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        return many(given(start=st.integers(0, 2**63))(test))

    return around


def _deep(levels: int) -> Any:
    found: Any = []
    for level in range(levels):
        found = [found] if level % 2 else {"a": found}
    return found


TEXTS = (
    *("", " ", "\0", "a\0b", "\x1b[31m", "\x7f", "\ud800", "\udfffx", "\ud83d\ude00", "\u202ereversed", "\u200b\ufeff"),
    *("null", "NaN", "-Infinity", "1e400", "9" * 5000, "x" * 20_000, "http://[bad", "https://a.example:99999/"),
    *("https://a.example/\0", "javascript:alert(1)", "jane@acme.example\0", "é" * 300, "=1+1", "a\nb\tc", "../../etc"),
)
VALUES = (
    *TEXTS,
    *(None, True, False, 0, -1, 10**20, -(10**20), 10**400, 1e308, -1e308, 5e-324),
    *(float("nan"), float("inf"), -float("inf"), [], {}, [[]], [None], {"": None}, {"\0": 1}, {"\ud800": "x"}),
)
_BYTES = (
    *(
        b"\0",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\xe2\x82",
        b"\r",
        b"\n",
        b"\x1a",
    ),
    *(b'"', b"'", b"\\u0000", b"\\ud800", b"\\", b",", b";", b"\t", b"{", b"}", b"[" * 2000, b'{"a":' * 1500, b"]"),
    *(b"NaN", b"1e999", b"9" * 5000, b"<![x]>", b"<![CDATA[", b"<!--", b"-->", b"</script>", b"&#0;", b"&#xd800;"),
    *(b'<base href="http://[bad">', b'<a href="http://[x">', b"<meta charset=unicode_escape>", b"<div>" * 300, b"%00"),
    *(b"x" * 6000, b"\n---\n", b"sep=\x00\n", b"*a", b"&a ", b": ", b"!!python/object:os.system "),
)


def bent(good: Any, rng: random.Random) -> Any:
    """Return a copy of some JSON with one to three of its places bent."""
    found = copy.deepcopy(good)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(found))
        if not places:
            return _value(rng)
        inside, key = rng.choice(places)
        what = rng.random()
        if what < 0.12:
            del inside[key]
        elif what < 0.2 and isinstance(inside, dict):
            inside[rng.choice(TEXTS)] = _value(rng)
        elif what < 0.24:
            inside[key] = _deep(rng.choice((70, 400)))
        elif what < 0.28:
            inside[key] = [copy.deepcopy(inside[key])] * rng.choice((0, 2, 150))
        elif what < 0.5 and isinstance(inside[key], str):
            inside[key] = spoilt(inside[key], rng)
        else:
            inside[key] = _value(rng)
    return found


def spoilt(text: str, rng: random.Random) -> str:
    """Return a text with something hostile in it."""
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(TEXTS) + text[at:]


def bent_json(good: Any, rng: random.Random) -> bytes:
    """Return bent JSON as bytes on the wire, one in three bent there too."""
    text = json.dumps(bent(good, rng), ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:  # a key that is there twice
        text = text.replace(b"{", b'{"name": "\\u0000", ', 1)
    return bent_bytes(text, rng) if rng.random() < 0.3 else text


def bent_bytes(good: bytes, rng: random.Random) -> bytes:
    """Return bytes with some put in, taken out, changed or cut off."""
    found = bytearray(good)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(found))
        what = rng.random()
        if what < 0.6:
            found[at:at] = rng.choice(_BYTES)
        elif what < 0.75:
            del found[at : at + rng.randint(1, 12)]
        elif what < 0.9:
            found[at : at + 1] = bytes([rng.randrange(256)])
        else:
            del found[at:]
    return bytes(found)


def _value(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(VALUES))


def _places(value: Any, depth: int = 12) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list) and depth:
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key], depth - 1)
