"""Scores of passages by their words and by their meaning, for one question in several wordings, made into one.

By meaning: the cosine of the question's and the passage's vectors. By words: the passage's part of the most BM25 that
the question could bring, in [0, 1]. Their weighted sum did better than fusing ranks, which lets one common word that
heads a poor ranking outdo a near meaning (``docs/knowledge.md`` has the figures). Invariant: pure functions; ties keep
the order in which the items were found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

WORDS_WEIGHT = 0.3  #: beside the cosine's 1


def hybrid(by_words: Mapping[int, float], by_meaning: Mapping[int, float]) -> dict[int, float]:
    """Return the score of every item that either way has found.

    ``by_meaning`` holds the nearest items: what it lacks is at most as near as the last of them.
    """
    if not by_meaning:
        return dict(by_words)
    last = min(by_meaning.values())
    found = dict.fromkeys((*by_meaning, *by_words))
    return {item: by_meaning.get(item, last) + WORDS_WEIGHT * by_words.get(item, 0.0) for item in found}


def fuse(asked: Sequence[tuple[float, Mapping[int, float]]]) -> list[tuple[int, float]]:
    """Return (item, score) best first, the score being the sum over wordings of weight times score."""
    scores: dict[int, float] = defaultdict(float)
    for weight, found in asked:
        for item, score in found.items():
            scores[item] += weight * score
    return sorted(scores.items(), key=lambda pair: -pair[1])
