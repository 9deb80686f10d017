"""A text cut or completed to its length, by whole sentences.

What is cut is the choice of sentences that comes to the right number of words and loses least: never the first nor the
last sentence, the keyphrase and required words last. What is added comes from other versions of the same piece, then
from the brief; sources are never quoted unasked. Invariants: pure; no sentence is ever cut in two; a text that can't be
brought to its length is brought as near as its sentences allow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agents.config import Brand
from agents.contacts import check_texts
from agents.content_creation.units import FitLength
from agents.readability import sentences, word_count, words
from agents.seo.keyphrase import uses
from agents.seo.style import bounds

_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_ROUNDS = 4  #: a section that loses its last sentence loses its heading too, which changes the count
_KEYWORD, _NEEDED, _FIRST_OF_PARAGRAPH = 6, 30, 1  #: what it costs to lose such a sentence, beside 1 for any


@dataclass
class _Block:
    """A heading, or a paragraph or list with its sentences or items."""

    parts: list[str] = field(default_factory=list)
    heading: bool = False
    items: bool = False

    def text(self) -> str:
        return ("\n" if self.items else " ").join(self.parts)


def fitted(given: FitLength) -> tuple[str, str]:
    """Return the body at its length, and how it was made: "cut", "completed" or "" when it is as it was."""
    body = given.written.body.strip()
    target = given.requirement.target_length
    low, high = bounds(target)
    count = word_count(body)
    if target <= 0 or low <= count <= high:
        return body, ""
    if count > high:
        return _cut(body, low, high, given), "cut to its length"
    longer = _completed(body, low, high, given)
    return longer, "completed from other versions" if longer != body else ""


def _blocks(body: str) -> list[_Block]:
    found: list[_Block] = []
    for raw in re.split(r"\n\s*\n", body):
        rest: list[str] = []
        for line in [*raw.split("\n"), ""]:
            if re.match(r"\s{0,3}#{1,6}\s", line):
                found += _prose(rest)
                rest = []
                found.append(_Block([line.strip()], heading=True))
            elif line.strip():
                rest.append(line)
        found += _prose(rest)
    return found


def _prose(lines: Sequence[str]) -> list[_Block]:
    if not lines:
        return []
    if all(_ITEM.match(line) for line in lines):
        return [_Block([line.rstrip() for line in lines], items=True)]
    if any(_ITEM.match(line) for line in lines):
        return [_Block([line.rstrip() for line in lines], items=True)]
    text = " ".join(line.strip() for line in lines)
    return [_Block(sentences(text) or [text])]


def _joined(blocks: Sequence[_Block]) -> str:
    kept: list[_Block] = []
    for at, block in enumerate(blocks):
        if not block.parts:
            continue
        if block.heading and not _has_text(blocks[at + 1 :]):
            continue
        kept.append(block)
    return "\n\n".join(block.text() for block in kept)


def _has_text(after: Sequence[_Block]) -> bool:
    """Return whether anything stands between a heading and the next one."""
    for block in after:
        if block.heading:
            return False
        if block.parts:
            return True
    return False


def _cut(body: str, low: int, high: int, given: FitLength) -> str:
    for protected in (True, False):
        shorter = body
        for _ in range(_ROUNDS):
            count = word_count(shorter)
            if count <= high:
                break
            blocks = _blocks(shorter)
            places = [(b, p) for b, block in enumerate(blocks) if not block.heading for p in range(len(block.parts))]
            free = places[1:-1] if protected else places[1:]
            sizes = {place: word_count(blocks[place[0]].parts[place[1]]) for place in free}
            losses = {place: _loss(blocks, place, given) for place in free}
            gone = _chosen(free, sizes, losses, count - high, count - low)
            if not gone:
                break
            for b, p in sorted(gone, reverse=True):
                del blocks[b].parts[p]
            shorter = _joined(blocks)
        if low <= word_count(shorter) <= high or not protected:
            return shorter
    return body


def _loss(blocks: Sequence[_Block], place: tuple[int, int], given: FitLength) -> int:
    part = blocks[place[0]].parts[place[1]]
    loss = 1 + _FIRST_OF_PARAGRAPH * (place[1] == 0)
    if given.requirement.keywords and uses(part, given.requirement.keywords[0]):
        loss += _KEYWORD
    needed = (*given.requirement.keywords[1:], *given.brand.required_words, given.requirement.call_to_action or "")
    loss += _NEEDED * any(uses(part, word) for word in needed if word)
    return 10 * loss - min(9, place[0])  # of two equal sentences the later one


def _chosen(
    places: Sequence[tuple[int, int]],
    sizes: Mapping[tuple[int, int], int],
    losses: Mapping[tuple[int, int], int],
    least: int,
    most: int,
) -> list[tuple[int, int]]:
    """Return the places whose sizes sum to ``least`` to ``most`` at the smallest loss, else the nearest sum below."""
    best: dict[int, tuple[int, tuple[tuple[int, int], ...]]] = {0: (0, ())}
    for place in places:
        for total, (loss, chosen) in sorted(best.items(), reverse=True):
            bigger = total + sizes[place]
            if sizes[place] == 0 or bigger > most:
                continue
            if bigger not in best or best[bigger][0] > loss + losses[place]:
                best[bigger] = (loss + losses[place], (*chosen, place))
    right = {total: entry for total, entry in best.items() if least <= total <= most}
    if right:
        return list(min(right.values(), key=lambda entry: entry[0])[1])
    return list(best[max(best)][1])


def _completed(body: str, low: int, high: int, given: FitLength) -> str:
    said = {_key(part) for block in _blocks(body) for part in block.parts}
    count = word_count(body)
    pool: list[_Block] = []
    for spare in given.spare:
        for block in _blocks(spare):
            fresh = [part for part in block.parts if not block.heading and _key(part) not in said]
            fresh = [part for part in fresh if _allowed(part, given)]
            said |= {_key(part) for part in fresh}
            if fresh:
                pool.append(_Block(fresh, items=block.items))
    for line in _of_the_brief(given.brand):
        if _key(line) not in said and _allowed(line, given):
            said.add(_key(line))
            pool.append(_Block([line]))
    places = [(b, p) for b, block in enumerate(pool) for p in range(len(block.parts))]
    sizes = {(b, p): word_count(pool[b].parts[p]) for b, p in places}
    # A paragraph is added whole rather than in parts: what comes first in the pool costs least.
    losses = {(b, p): 1 + b for b, p in places}
    taken = set(_chosen(places, sizes, losses, low - count, high - count))
    added = [
        _Block([part for p, part in enumerate(block.parts) if (b, p) in taken], items=block.items)
        for b, block in enumerate(pool)
    ]
    blocks = _blocks(body)
    end = max(1, len(blocks) - 1) if len(blocks) > 1 and not blocks[-1].heading else len(blocks)
    if end < len(blocks) and blocks[end - 1].heading:
        end -= 1  # not between a heading and its text
    return _joined([*blocks[:end], *added, *blocks[end:]])


def _of_the_brief(brand: Brand) -> list[str]:
    """Return what the brief itself says in whole sentences."""
    return sentences(brand.description or "")


def _allowed(part: str, given: FitLength) -> bool:
    try:
        check_texts({"body": part}, given.known)
    except ValueError:
        return False
    return not any(uses(part, word) for word in given.brand.banned_words)


def _key(part: str) -> str:
    return " ".join(words(part)).lower()
