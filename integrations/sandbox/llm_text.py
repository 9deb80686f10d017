"""Text generator of the sandbox's model: English marketing text about any topic, of a given length.

Sentences come from templates, drawn in an order that a hash decides. They are short, active and linked, so that a text
passes the usual checks of readability unless a task wants it to fail. Invariant: the same seed text and the same order
give the same words, on every machine and in every process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")

MARK = "[sandbox]"  #: stands before everything that the sandbox's model writes

NEAR_END = 18  #: with fewer words left, sentences are chosen by their length

LINKS = (
    "First,",
    "In addition,",
    "As a result,",
    "For example,",
    "However,",
    "Therefore,",
    "In short,",
    "Meanwhile,",
    "After that,",
    "Even so,",
    "In fact,",
    "Of course,",
    "For this reason,",
    "In the end,",
)
STOCK = (
    "a short list of goals keeps {team} on track {when}",
    "one clear {thing} beats {n} vague ones",
    "{team} can test a new {thing} in a single day",
    "good numbers show which {thing} earns a second look",
    "people trust a {thing} that answers their own question",
    "small gains add up when you review them {when}",
    "buyers read the first line and then decide",
    "a simple {thing} is easy to share with {team}",
    "you can start with the tools you have today",
    "{n} honest examples say more than a long promise",
    "a calm plan leaves room for the odd surprise",
    "every strong {thing} begins with a real need",
    "{team} should write down what worked and what did not",
    "clear roles help {team} move at a steady pace",
    "you save hours if you reuse what already works",
    "plain words make a hard topic feel light",
    "a quick call with {n} customers can change the whole plan",
    "the best time to ask for feedback is right after a win",
    "{audience} want proof, so show them a result they can check",
    "your next {thing} can build on the last one",
    "a shared page keeps facts and tasks in one place",
    "it pays to cut one weak step {when}",
    "most teams find their first quick win within {n} weeks",
    "a good {thing} tells people what to do next",
    "cost drops once {team} stops the work nobody reads",
    "fresh eyes often spot the gap that you missed",
    "you learn more from one sharp test than from ten talks",
    "a steady rhythm turns good plans into habits",
    "new leads like to see how others solved the same problem",
    "{team} can agree on one measure and watch it {when}",
    "strong offers name the gain and the price in one breath",
    "the right question saves {audience} a lot of work",
    "each step needs an owner and a date",
    "a short pause before launch helps you catch slips",
    "readers stay longer when a page loads fast and reads well",
    "trust grows if you keep the small promises too",
    "a friendly tone costs nothing and opens doors",
    "the numbers from last month show where to look first",
    "{n} fixed slots in the week protect the work that matters",
    "people come back to a brand that respects their time",
    "small steps win",
    "start with one clear step",
    "the next step is yours",
)
WITH_PHRASE = (
    "{phrase} works best with a clear goal and a short list of steps",
    "many {audience} ask how {phrase} fits into a busy week",
    "a fresh look at {phrase} often pays for itself in {n} weeks",
    "you can judge {phrase} by the hours that it gives back",
    "the path to better {phrase} starts with one honest review",
    "a short guide to {phrase} helps new people find their feet",
    "good habits around {phrase} spread fast inside {team}",
    "{team} can try {phrase} on one small project first",
)
WITH_OTHER = (
    "{phrase} belongs on the same list, because both draw on the same facts",
    "it also helps to look at {phrase} before you plan the next month",
    "{phrase} deserves a place in the plan as well, so that nothing falls between two chairs",
)
WITH_BRAND = (
    "{brand} keeps each step in one place, so that nothing slips",
    "with {brand}, {team} can see the next task at a glance",
    "people who use {brand} start small and grow from there",
)
WITH_TOPIC = (
    'the question behind this page is simple: "{phrase}"',
    'people who look for "{phrase}" want an answer that they can use',
    'keep "{phrase}" in mind when you weigh the next step',
)
WITH_WORD = ("remember the word {phrase} here, because it says what we stand for",)
HEADINGS = (
    "Where to start",
    "A plan you can keep",
    "What works in practice",
    "Mistakes that cost time",
    "How to see progress",
    "Questions to ask first",
    "Small steps with a big effect",
    "What your team needs",
    "Next steps",
)
SLOTS: Mapping[str, Sequence[str]] = {
    "team": ("your team", "the team", "your people"),
    "thing": ("message", "offer", "page", "plan", "story", "headline"),
    "when": ("each week", "every Monday", "once a month", "after each launch"),
    "n": ("two", "three", "four", "five"),
}


class Draw:
    """Random choices that depend on a seed text only."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def number(self, below: int) -> int:
        """Return a number from 0 up to ``below`` - 1."""
        self._count += 1
        digest = sha256(f"{self._seed}\x1f{self._count}".encode()).digest()
        return int.from_bytes(digest[:6], "big") % below

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[self.number(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return all of the items in random order."""
        rest = list(items)
        return [rest.pop(self.number(len(rest))) for _ in range(len(rest))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Requirements of a text."""

    words: int
    phrase: str = ""  #: the keyphrase; used in some 1.2 % of the words
    topic: str = ""  #: named once, and once more for every 200 words
    others: tuple[str, ...] = ()  #: keywords, each used once
    required: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    audience: str = "teams"
    brand: str = ""
    headings: bool = True
    phrase_first: bool = True  #: whether the first sentence has the keyphrase


def count(text: str) -> int:
    """Return the number of words of a text, as the checks count them."""
    return len(re.findall(r"[^\W_]+(?:['’\-][^\W_]+)*", text))


def says(text: str, phrase: str) -> bool:
    """Return whether a text has a phrase as whole words."""
    return bool(phrase) and re.search(rf"(?<!\w){re.escape(phrase)}s?(?!\w)", text, re.IGNORECASE) is not None


class Writer:
    """Writer of one text to an order."""

    def __init__(self, order: Order, seed: str) -> None:
        self._order = order
        self._draw = Draw(seed)
        self._deck: list[str] = []
        self._links: list[str] = []
        self._openings: list[str] = []
        self._said = 0

    def body(self) -> str:
        """Return the text in Markdown, within a few words of the ordered length."""
        order = self._order
        due: list[tuple[Sequence[str], str]] = [(WITH_TOPIC, order.topic)] * bool(order.topic)
        due += [(WITH_OTHER, phrase) for phrase in order.others]
        due += [(WITH_WORD, phrase) for phrase in order.required]
        if order.brand:
            due += [(WITH_BRAND, order.brand)] * max(1, order.words // 200)
        due += [(WITH_TOPIC, order.topic)] * (order.words // 200 if order.topic else 0)
        blocks: list[str] = []
        paragraph: list[str] = []
        total, phrases, headings = 0, 0, self._draw.shuffled(HEADINGS)
        in_section = 0
        while order.words - total > 3:
            left = order.words - total
            wanted = self._phrases_wanted(total) if order.phrase else 0
            if phrases < wanted and left > 8:
                sentence = self._sentence(WITH_PHRASE, order.phrase, left)
                phrases += 1
            elif due and total > 12 and left > 12 and self._said % 2 == 0:
                stock, phrase = due.pop(0)
                sentence = self._sentence(stock, phrase, left)
            else:
                sentence = self._sentence(STOCK, "", left)
            if not sentence:
                break
            paragraph.append(sentence)
            total += count(sentence)
            in_section += count(sentence)
            if len(paragraph) >= 4:
                blocks.append(" ".join(paragraph))
                paragraph = []
                if order.headings and in_section > 110 and order.words - total > 60:
                    heading = headings[len(blocks) % len(headings)]
                    blocks.append(f"## {heading}")
                    total, in_section = total + count(heading), 0
        if paragraph:
            blocks.append(" ".join(paragraph))
        return "\n\n".join(blocks)

    def _phrases_wanted(self, total: int) -> int:
        sparse = 0 if self._order.phrase_first else 1
        every = 80 if self._order.words >= 200 else max(25, self._order.words // 3)
        return max(0, 1 + total // every - sparse)

    def _sentence(self, stock: Sequence[str], phrase: str, left: int) -> str:
        """Return the next sentence from a stock of templates, near the text's end the one of the closest length."""
        pool = self._from_deck() if stock is STOCK else self._draw.shuffled(stock)
        allowed = [
            (template, text)
            for template in pool
            for text in self._forms(self._fill(template, phrase), left)
            if not any(says(text, word) for word in self._order.banned)
        ]
        if not allowed and stock is STOCK and len(self._deck) < len(STOCK):
            self._deck = []  # the sentences left in it are not allowed
            return self._sentence(stock, phrase, left)
        if not allowed:
            return ""
        fresh = [one for one in allowed if self._openings[-2:] != [one[1].split()[0].lower()] * 2] or allowed
        near_end = left < NEAR_END
        template, text = min(fresh, key=lambda one: abs(count(one[1]) - left)) if near_end else fresh[0]
        if near_end and count(text) >= 2 * left:
            return ""
        if template in self._deck:
            self._deck.remove(template)
        if self._links and text.startswith(self._links[0]):
            self._links.pop(0)
        self._openings.append(text.split()[0].lower())
        self._said += 1
        return text

    def _forms(self, plain: str, left: int) -> tuple[str, ...]:
        """Return a sentence by itself, or at regular intervals with a linking word before it."""
        alone = plain[0].upper() + plain[1:] + "."
        if left < NEAR_END or self._said % 5 not in (1, 3):
            return (alone,)
        if not self._links:
            self._links = self._draw.shuffled(LINKS)
        return (f"{self._links[0]} {plain}.",)

    def _from_deck(self) -> list[str]:
        if not self._deck:
            self._deck = self._draw.shuffled(STOCK)
        return list(self._deck)

    def _fill(self, template: str, phrase: str) -> str:
        slots = {name: self._draw.pick(values) for name, values in SLOTS.items()}
        audience = "buyers" if says(self._order.audience, self._order.phrase) else self._order.audience
        return template.format(audience=audience, brand=self._order.brand, phrase=phrase, **slots)


def fitted(parts: Sequence[str], low: int, high: int) -> str:
    """Join parts until the text has ``low`` characters, cut at a word so that it has at most ``high``."""
    text = ""
    for part in parts:
        if len(text) >= low:
            break
        text = f"{text} {part}".strip()
    if len(text) <= high:
        return text
    return text[:high].rsplit(" ", 1)[0].rstrip(" ,;:.") + "."
