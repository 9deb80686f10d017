"""Questions to the knowledge base as vectors, asked of the embedding model inside a unit.

Invariants: a model is asked only where documents have vectors of it; an answer that was paid for is journaled, so that
a second attempt doesn't pay again; whatever is wrong with the model, the question is still asked by its words, and the
reason is told. A limit of the fleet that is reached for the moment lets the unit wait, as it does for any call.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.ports import Embedded, UnitContext
from integrations.errors import IntegrationError, OverLimitError
from integrations.llm.errors import PROVIDER
from integrations.llm.prices import CostBound

ENTRY = "vectors"  #: journal entry


def embed_questions(ctx: UnitContext, questions: Sequence[str], brand: str) -> tuple[Embedded | None, str]:
    """Return the vectors of some questions, or None and why they are asked by words alone.

    Raises OverLimitError when the fleet's limits have no room now.
    """
    settings = ctx.providers.settings
    model, asked = settings.embedding_model, [*dict.fromkeys(filter(str.strip, questions))]
    if not settings.embeds or not ctx.retriever.embedded_with(model, brand):
        return None, f"no document is embedded with {model}"
    vectors = ctx.journaled(ENTRY)
    if vectors is None:
        client = ctx.providers.embeddings
        bound = CostBound(entry=ENTRY, model=model, amount=client.upper_bound(asked))
        try:
            found = ctx.call(PROVIDER, lambda timeout: client.embed(asked, timeout=timeout), scope=model, cost=bound)
        except OverLimitError:
            raise
        except IntegrationError as error:
            return None, f"the embedding model can't be asked: {error}"
        vectors = [list(vector) for vector in found.vectors]
        ctx.journal(ENTRY, vectors, found.usage)
    return Embedded(model, dict(zip(asked, vectors, strict=True))), ""
