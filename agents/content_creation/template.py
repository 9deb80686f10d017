"""A piece without a model: the brief in plain sentences, for when no model could be reached for long.

Invariant: it says only what the user's own brief says, so there is nothing in it to be wrong about; it is marked as a
template where it is kept, so that a person or the next optimisation round can replace it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.content_creation.drafts import WrittenPiece


def template_piece(brief: Mapping[str, Any]) -> WrittenPiece:
    """The piece that ``brief`` (``ContentCreation``'s facts for one requirement) allows."""
    wanted, brand = brief["requirement"], brief.get("brand", {})
    topic = str(wanted["topic"]).strip()
    speaker = str(brand.get("name") or brand.get("product") or "We")
    audience = str(wanted.get("audience") or "our readers")
    title = topic[:1].upper() + topic[1:]
    sentences = [f"This is about {topic}, for {audience}."]
    if brand.get("description"):
        sentences.append(str(brand["description"]).strip().rstrip(".") + ".")
    if brand.get("product") and brand.get("name"):
        sentences.append(f"{brand['name']} offers {brand['product']}.")
    if wanted.get("keywords"):
        sentences.append(f"What it covers: {', '.join(map(str, wanted['keywords']))}.")
    required = [str(word) for word in brand.get("required_words", ())]
    missing = [word for word in required if word.lower() not in " ".join(sentences).lower()]
    if missing:
        sentences.append(f"In short: {', '.join(missing)}.")
    call = str(wanted.get("call_to_action") or "Learn more")
    where = f" at {brand['website']}" if brand.get("website") else ""
    sentences.append(f"{call}{where}.")
    return WrittenPiece.model_validate(
        {
            "title": title,
            "body": "\n\n".join((" ".join(sentences[:-1]), sentences[-1])),
            "meta_description": f"{title}, for {audience}. {speaker}: {call}."[:155],
            "call_to_action": call,
        }
    )
