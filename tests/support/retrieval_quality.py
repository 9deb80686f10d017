"""The labelled set of questions to a marketer's handbook, the measures, and BM25 as the books have it.

Each line of ``tests/data/knowledge/questions.tsv`` is a question, the section that answers it, and its group: *other
words* shares hardly a word with the handbook on purpose, and weights were chosen by it; *unseen* asks as people do, and
was written after that and measured once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import checkout
import numpy as np

FOLDER = "tests/data/knowledge"


@dataclass(frozen=True)
class Labelled:
    """A question and the heading of the section that answers it."""

    question: str
    section: str
    group: str


@dataclass(frozen=True)
class Quality:
    """Measures of a ranking: shares of questions."""

    recall_at_5: float
    ndcg_at_10: float


def handbook() -> str:
    return checkout.read(f"{FOLDER}/handbook.md")


def questions() -> list[Labelled]:
    lines = [line.split("\t") for line in checkout.read(f"{FOLDER}/questions.tsv").splitlines()]
    return [Labelled(*fields) for fields in lines]


def measure(asked: Sequence[Labelled], rank: Callable[[str], Sequence[str]]) -> Quality:
    """``rank`` gives the headings of the passages found for a question, best first.

    With one right section a question, nDCG (Jarvelin and Kekalainen, 2002) is 1 / log2(1 + rank).
    """
    ranks = []
    for one in asked:
        found = list(rank(one.question))[:10]
        ranks.append(found.index(one.section) + 1 if one.section in found else math.inf)
    return Quality(
        recall_at_5=sum(rank <= 5 for rank in ranks) / len(ranks),
        ndcg_at_10=sum(1 / math.log2(1 + rank) for rank in ranks if rank <= 10) / len(ranks),
    )


class Bm25:
    """Okapi BM25 (Robertson and Zaragoza, 2009), straight from the formula, over texts as lists of words."""

    def __init__(self, texts: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75) -> None:
        self._counts = [Counter(text) for text in texts]
        self._k1, self._b = k1, b
        self._mean = sum(map(len, texts)) / len(texts)
        self._frequency = Counter(word for counts in self._counts for word in counts)

    def rank(self, question: Sequence[str]) -> list[tuple[int, float]]:
        """(number of the text, score) of those that share a word with the question, best first."""
        found = {}
        for n, counts in enumerate(self._counts):
            score = 0.0
            for word in set(question) & counts.keys():
                df = self._frequency[word]
                idf = math.log(1 + (len(self._counts) - df + 0.5) / (df + 0.5))
                length = 1 - self._b + self._b * counts.total() / self._mean
                score += idf * counts[word] * (self._k1 + 1) / (counts[word] + self._k1 * length)
            if score:
                found[n] = score
        return sorted(found.items(), key=lambda pair: -pair[1])


def recorded_vectors(chunks: Sequence[str]) -> dict[str, list[float]]:
    """What all-MiniLM-L6-v2 (:mod:`minilm`) made of the questions and, in their order, of the handbook's chunks."""
    with np.load(checkout.ROOT / FOLDER / "vectors.npz") as recorded:
        texts = [*(one.question for one in questions()), *chunks]
        rows = np.vstack([recorded["questions"], recorded["chunks"]]).astype(float)
    return dict(zip(texts, rows.tolist(), strict=True))
