"""Vectors of the sandbox's embedding model: words and parts of words, each at a place that its hash names.

They know forms of words and slips of the pen, no meanings. Invariant: the same text has the same vector on any machine.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from hashlib import blake2b

EMBEDDING_MODEL = "sandbox-embedding-1"
SIZE = 256


def embed(text: str) -> list[float]:
    """Return the vector of a text, of length 1 (all zeros but the first place for one without words)."""
    parts: Counter[str] = Counter()
    for word in re.findall(r"\w+", text.casefold()):
        parts[word] += 3
        parts.update(f"^{word}$"[at : at + 4] for at in range(max(1, len(word) - 1)))
    found = [0.0] * SIZE
    for part, times in parts.items():
        number = int.from_bytes(blake2b(part.encode("utf-8", "replace"), digest_size=4).digest(), "big")
        found[number % SIZE] += math.sqrt(times) * (1 if number >> 31 else -1)
    length = math.hypot(*found)
    return [value / length for value in found] if length else [1.0, *found[1:]]
