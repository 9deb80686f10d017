"""How good likelihoods are: whether the likelier ones said yes, and whether as many did as was said.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log

BINS = 10
_SURE = 1e-9  #: no likelihood is taken for a certainty


def auc(values: Sequence[float], answers: Sequence[bool]) -> float:
    """Return the area under the ROC curve: how often who said yes has a higher value than who said no.

    Equal values count half (Mann-Whitney). 0.5 is chance, and what is returned where all answers are the same.
    """
    yes = sum(answers)
    no = len(answers) - yes
    if not yes or not no:
        return 0.5
    ranks, below = 0.0, 0
    for _, tied in groupby(sorted(zip(values, answers, strict=True)), key=lambda pair: pair[0]):
        same = [answer for _, answer in tied]
        ranks += sum(same) * (below + (len(same) + 1) / 2)
        below += len(same)
    return (ranks - yes * (yes + 1) / 2) / (yes * no)


def calibration_error(likelihoods: Sequence[float], answers: Sequence[float | bool], bins: int = BINS) -> float:
    """Return the expected calibration error over bins of the same width.

    It is the mean difference between the likelihood said and the share of yes, weighted by the leads in a bin (Guo et
    al., "On Calibration of Modern Neural Networks", 2017, equation 3).
    """
    said, came, count = [0.0] * bins, [0.0] * bins, [0] * bins
    for likelihood, answer in zip(likelihoods, answers, strict=True):
        place = min(bins - 1, int(likelihood * bins))
        said[place] += likelihood
        came[place] += answer
        count[place] += 1
    return sum(abs(a - b) for a, b in zip(said, came, strict=True)) / max(1, sum(count))


def losses(likelihoods: Sequence[float], answers: Sequence[bool]) -> list[float]:
    """Return the logarithmic loss of each likelihood, in nats: how surprised it was by the answer."""
    return [
        -log(max(_SURE, likelihood if answer else 1.0 - likelihood))
        for likelihood, answer in zip(likelihoods, answers, strict=True)
    ]
