"""Content tasks of the sandbox's model: write a piece, revise one, paraphrase a question.

A first draft fails up to two checks, chosen by its topic, so that a campaign's optimise stage has work to do. A
revision corrects what its findings name. Invariant: an answer depends on the brief and the seed only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from integrations.sandbox.llm_text import MARK, Draw, Order, Writer, count, fitted, says
from integrations.sandbox.protocol import JsonObject

#: Checks that a first draft may fail, per kind of piece.
FAILABLE_CHECKS: Mapping[str, Sequence[str]] = {
    "page": (
        "meta_description",
        "keyword_in_title",
        "keyword_in_introduction",
        "keyword_density",
        "length",
    ),
    "email": ("length", "subject_length", "call_to_action"),
    "social": ("length", "call_to_action"),
    "ad": ("length", "call_to_action"),
}
_TONES: Mapping[str, str] = {
    "friendly": "We are glad you are here.",
    "casual": "Let's keep this simple.",
    "playful": "Ready for a little fun?",
    "urgent": "Today is a good day to act.",
    "inspirational": "Great things start small.",
}


def write_piece(brief: JsonObject, seed: int) -> dict[str, object]:
    """Write a first draft: {title, body, meta_description, call_to_action}."""
    return _piece(brief, seed, failed_checks(brief, seed))


def revise_piece(brief: JsonObject, seed: int) -> dict[str, object]:
    """Write a new version that passes the checks which the findings name.

    Findings that name no check are about a piece that passes, and its new version passes too.
    """
    named = {str(f.get("check")) for f in brief.get("findings", ()) if isinstance(f, Mapping)}
    failed = failed_checks(brief, seed)
    left = tuple(name for name in failed if name not in named) if named & set(failed) else ()
    return _piece(brief, seed, left)


def paraphrase_question(brief: JsonObject, seed: int) -> dict[str, object]:
    """Write other forms of a question: {questions: [...]}."""
    question = str(brief.get("question", "")).strip().rstrip("?")
    wanted = min(10, max(1, int(brief.get("count", 3))))
    frames = ("What is known about {}?", "Which facts answer this: {}?", "Where is {} described?", "{}: what matters?")
    drawn = Draw(f"{question}/{seed}").shuffled(frames)
    return {"questions": [drawn[i % len(drawn)].format(question) for i in range(wanted)]}


TASKS = {
    "write_piece": write_piece,
    **dict.fromkeys(("revise_piece", "optimize_seo", "adjust_length", "adjust_tone"), revise_piece),
    "paraphrase_question": paraphrase_question,
}


def failed_checks(brief: JsonObject, seed: int) -> tuple[str, ...]:
    """Return the checks that the first draft of a topic fails: none, one or two."""
    wanted = _requirement(brief)
    possible = FAILABLE_CHECKS.get(str(wanted.get("kind", "page")), FAILABLE_CHECKS["page"])
    if not wanted.get("keywords"):
        possible = [name for name in possible if not name.startswith("keyword")]
    if int(wanted.get("target_length", 400)) < 200:
        possible = [name for name in possible if name != "keyword_density"]
    draw = Draw(f"slips/{wanted.get('topic')}/{wanted.get('content_type')}/{seed}")
    return tuple(draw.shuffled(possible)[: draw.pick((0, 1, 1, 2))])


def _requirement(brief: JsonObject) -> JsonObject:
    found = brief.get("requirement")
    return found if isinstance(found, Mapping) else brief


def _piece(brief: JsonObject, seed: int, failed: Sequence[str]) -> dict[str, object]:
    wanted = _requirement(brief)
    given = brief.get("brand")
    brand: JsonObject = given if isinstance(given, Mapping) else {}
    keywords = [str(word) for word in wanted.get("keywords", ())]
    topic = str(wanted.get("topic") or (keywords[0] if keywords else "better results"))
    phrase = keywords[0] if keywords else ""
    audience = str(wanted.get("audience") or brief.get("audience_name") or "teams")[:40]
    kind = str(wanted.get("kind", "page"))
    revision = int(brief.get("revision", 1))
    made_from = (
        f"{topic}/{wanted.get('content_type')}/{phrase}/{audience}/{seed}/{revision}/{bool(brief.get('findings'))}"
    )
    draw = Draw(made_from)

    opening = "" if kind == "page" else _TONES.get(str(wanted.get("tone", "")).lower(), "")
    if kind == "email":
        opening = f"Hi there,\n\n{opening}".strip()
    opening = f"{MARK} {opening}".strip()
    target = int(wanted.get("target_length", 400))
    order = Order(
        words=int(target * (0.6 if "length" in failed else 1.0)) - count(opening),
        phrase=phrase if "keyword_density" not in failed else "",
        topic=topic if target >= 60 and not says(topic, phrase) else "",
        others=tuple(k for k in keywords[1:] if target >= 100 and not says(k, phrase)),
        required=tuple(map(str, brand.get("required_words", ()))),
        banned=tuple(map(str, brand.get("banned_words", ()))),
        audience=audience,
        brand=str(brand.get("name") or brand.get("product") or ""),
        headings=kind == "page" and target >= 150,
        phrase_first="keyword_in_introduction" not in failed,
    )
    body = f"{opening} {Writer(order, made_from).body()}".replace("\n\n ", "\n\n")
    action = str(
        wanted.get("call_to_action") or draw.pick(("See the plan", "Book a short call", "Start with one step"))
    )
    return {
        "title": _title(kind, topic, phrase, audience, draw, failed),
        "body": body,
        "meta_description": _meta(phrase or topic, audience, failed) if kind == "page" else "",
        "call_to_action": "" if "call_to_action" in failed else action,
    }


def _title(kind: str, topic: str, phrase: str, audience: str, draw: Draw, failed: Sequence[str]) -> str:
    subject = topic if not phrase or says(topic, phrase) else phrase
    if "keyword_in_title" in failed:
        subject = "a plan that works" if not phrase or says(topic, phrase) else topic
        if phrase and says(subject, phrase):
            subject = "a plan that works"
    if kind != "page":
        text = f"{MARK} {subject[:1].upper()}{subject[1:]}"
        if "subject_length" in failed:
            return f"{text}: all the things that we would like to tell you about it today, in one place"
        return text if len(text) <= 60 else text[:60].rsplit(" ", 1)[0]
    frames = (
        "{}: {} steps",
        "{}: {} clear steps",
        "{}: {} steps that work",
        "{}: {} steps you can take today",
        "{}: {} steps for busy teams who want results",
    )
    number = draw.pick((3, 4, 5, 7))
    titles = [f"{MARK} {frame.format(subject[:1].upper() + subject[1:], number)}" for frame in frames]
    # Result lists show some 40 to 56 characters.
    fitting = [title for title in titles if 42 <= len(title) <= 54]
    return fitting[-1] if fitting else titles[0 if len(titles[0]) > 54 else -1]


def _meta(subject: str, audience: str, failed: Sequence[str]) -> str:
    parts = (
        f"{MARK} How {subject} helps {audience} save time.",
        "Clear steps you can start this week,",
        "honest numbers to watch,",
        "and mistakes you can avoid.",
        "Read the short guide and pick your first step today.",
    )
    if "meta_description" in failed:
        return fitted(parts[:1], 10, 90)
    return fitted(parts, 125, 154)


def seed_of(*parts: str) -> int:
    """Return a number made from texts, for tasks that come without a seed."""
    return int.from_bytes(sha256("\x1f".join(parts).encode()).digest()[:4], "big")
