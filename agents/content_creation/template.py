"""A piece without a model: the brief in plain sentences, for when no model could be reached for long.

Invariant: it says only what the user's own brief says, so there is nothing in it to be wrong about; it is marked as a
template where it is kept, so that a person or the next optimisation round can replace it.
"""

from __future__ import annotations

from agents.content_creation.units import Brief, WrittenPiece


def template_piece(brief: Brief) -> WrittenPiece:
    """Write the piece that ``brief`` allows."""
    wanted, brand = brief.requirement, brief.brand
    topic = wanted.topic.strip()
    speaker = brand.name or brand.product or "We"
    audience = wanted.audience or "our readers"
    title = topic[:1].upper() + topic[1:]
    sentences = [f"This is about {topic}, for {audience}."]
    if brand.description:
        sentences.append(brand.description.strip().rstrip(".") + ".")
    if brand.product and brand.name:
        sentences.append(f"{brand.name} offers {brand.product}.")
    if wanted.keywords:
        sentences.append(f"What it covers: {', '.join(wanted.keywords)}.")
    missing = [word for word in brand.required_words if word.lower() not in " ".join(sentences).lower()]
    if missing:
        sentences.append(f"In short: {', '.join(missing)}.")
    call = wanted.call_to_action or "Learn more"
    where = f" at {brand.website}" if brand.website else ""
    sentences.append(f"{call}{where}.")
    return WrittenPiece(
        title=title,
        body="\n\n".join((" ".join(sentences[:-1]), sentences[-1])),
        meta_description=f"{title}, for {audience}. {speaker}: {call}."[:155],
        call_to_action=call,
    )
