"""Checks that need English words: transition words and the passive voice.

Word lists in a file of their own, so that the checks stay readable and another language can get its own. Invariant:
pure functions of one sentence.
"""

from __future__ import annotations

import re

_TRANSITIONS = (
    r"above all|accordingly|additionally|after that|afterwards|also|although|another|as a result|"
    r"as long as|as soon as|at first|at last|at the same time|because|before|besides|but also|"
    r"by contrast|by the way|consequently|despite|earlier|either|especially|even if|even so|even though|"
    r"eventually|every time|finally|first|for example|for instance|for this reason|from now on|"
    r"furthermore|hence|however|if|in addition|in brief|in comparison|in conclusion|in contrast|in fact|"
    r"in other words|in particular|in short|in summary|in that case|in the end|in the meantime|indeed|"
    r"instead|just as|last|lastly|later|likewise|meanwhile|moreover|most of all|namely|neither|"
    r"nevertheless|next|nonetheless|not only|now that|of course|on the contrary|on the other hand|"
    r"on the whole|once|otherwise|overall|provided that|rather|regardless|second|secondly|similarly|"
    r"simultaneously|since|so that|soon|specifically|still|such as|that is why|that way|then|therefore|"
    r"third|thirdly|this means|though|thus|to begin with|to illustrate|to sum up|too|ultimately|unless|"
    r"until|what is more|whatever|when|whenever|whereas|while|with this in mind|yet"
)
_TRANSITION = re.compile(rf"\b(?:{_TRANSITIONS})\b", re.IGNORECASE)

_IRREGULAR = (
    r"beaten|become|begun|bent|bound|bought|broken|brought|built|burnt|caught|chosen|cut|done|drawn|"
    r"driven|eaten|fallen|fed|felt|fought|found|forgotten|frozen|given|gone|grown|heard|held|hidden|hit|"
    r"hurt|kept|known|laid|led|left|lent|let|lost|made|meant|met|paid|put|read|run|said|seen|sent|set|"
    r"shown|shut|sold|spent|split|spread|stolen|struck|sworn|swept|taken|taught|thought|thrown|told|"
    r"understood|won|worn|written"
)
_PASSIVE = re.compile(
    r"\b(?:am|is|are|was|were|be|been|being|get|gets|got|gotten)\s+(?:\w+ly\s+|not\s+|never\s+|often\s+)?"
    rf"(?:\w{{2,}}ed|{_IRREGULAR})\b",
    re.IGNORECASE,
)
# Words on -ed after "to be" that describe a state rather than an act.
_STATES = re.compile(
    r"\b(?:interested|excited|pleased|tired|worried|supposed|indeed|need|speed|used to)\b", re.IGNORECASE
)


def transition(sentence: str) -> bool:
    """Return whether a sentence ties in with its neighbours by a transition word or phrase."""
    return _TRANSITION.search(sentence) is not None


def participle(sentence: str) -> bool:
    """Return whether a sentence, or a part of it, is in the passive voice."""
    found = _PASSIVE.search(sentence)
    return found is not None and _STATES.search(found.group()) is None
