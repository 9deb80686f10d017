"""Units that write: a question to the knowledge base, and one to the model for each version of a piece.

Invariants: a piece that no model has written says so; no piece leaves here that names a contact which the brief lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import prompts
from agents.contacts import check_texts
from agents.content_creation.length import fitted
from agents.content_creation.template import template_piece
from agents.content_creation.units import Excerpt, FitLength, Retrieve, Retrieved, Write, Written, WrittenPiece
from agents.fallbacks import TEMPLATE
from agents.model_call import ask
from agents.names import CONTENT_CREATION
from agents.question_vectors import embed_questions
from agents.unit_kind import UnitKind
from agents.untrusted import Untrusted, fence
from integrations.errors import InvalidAnswerError

if TYPE_CHECKING:
    from agents.ports import UnitContext

PACKAGE = "agents.content_creation"
MAX_PASSAGES = 5
MAX_PASSAGE_CHARS = 1200
_NOTHING = "(nothing)"


def retrieve(given: Retrieve, ctx: UnitContext) -> Retrieved:
    """Ask the knowledge base by words, and by meaning where its documents and the question can be embedded."""
    embedded, why = embed_questions(ctx, [given.question, *given.variants], given.brand)
    found = ctx.retriever.query_knowledge(
        given.question,
        strategy="multi_query",
        limit=MAX_PASSAGES,
        variants=given.variants,
        brand=given.brand,
        embedded=embedded,
    )
    passages = tuple(
        Excerpt(chunk_id=p.chunk_id, title=Untrusted(p.title), text=Untrusted(p.text[:MAX_PASSAGE_CHARS]))
        for p in found[:MAX_PASSAGES]
    )
    return Retrieved(label=given.label, passages=passages, words_only=why)


def write(given: Write, ctx: UnitContext) -> Written:
    """Ask the model for one version of a piece, or fill the template when that is what is left.

    Raises InvalidAnswerError when every version names a contact that the brief lacks.
    """

    def check(piece: WrittenPiece) -> None:
        check_texts(piece.texts(), given.known)

    if ctx.fallback == TEMPLATE:
        try:
            check(template_piece(given.brief))
        except ValueError as error:
            raise InvalidAnswerError("local", f"the piece from the brief can't be used: {error}") from None
        return _written(given, template_piece(given.brief), f"{TEMPLATE} (no model could be reached)")
    template = prompts.load(PACKAGE, given.brief.task)
    facts = prompts.brief(given.brief.model_dump())
    quoted = [fence("knowledge", p.title, p.text, limit=MAX_PASSAGE_CHARS + 200) for p in given.passages]
    answer = ask(
        ctx,
        given,
        agent=CONTENT_CREATION,
        prompt=prompts.render(template, brief=facts, knowledge="\n\n".join(quoted) or _NOTHING),
        shorter=prompts.render(template, brief=facts, knowledge=_NOTHING) if quoted else None,
        output=WrittenPiece,
        max_tokens=given.max_tokens,
        from_prose=WrittenPiece.from_prose,
        check=check,
    )
    return _written(given, answer.value, answer.produced_by, *(passage.chunk_id for passage in given.passages))


def fit_length(given: FitLength, ctx: UnitContext) -> Written:
    """Cut or complete a version by whole sentences, where writers could not hit the length."""
    del ctx
    body, how = fitted(given)
    made = f"{given.written.produced_by} ({how})" if how else given.written.produced_by
    return given.written.model_copy(update={"body": body, "produced_by": made})


RETRIEVE = UnitKind(name="retrieve", input=Retrieve, output=Retrieved, run=retrieve)
WRITE = UnitKind(name="write", input=Write, output=Written, run=write)  #: a new piece
REWRITE = UnitKind(name="rewrite", input=Write, output=Written, run=write)  #: a piece of an earlier round
#: Steps for a draft that misses a check.
OPTIMIZE_SEO = UnitKind(name="optimize_seo", input=Write, output=Written, run=write)
ADJUST_LENGTH = UnitKind(name="adjust_length", input=Write, output=Written, run=write)
ADJUST_TONE = UnitKind(name="adjust_tone", input=Write, output=Written, run=write)
FIT_LENGTH = UnitKind(name="fit_length", input=FitLength, output=Written, run=fit_length)


def _written(given: Write, piece: WrittenPiece, produced_by: str, *sources: str) -> Written:
    return Written(
        label=given.label,
        title=piece.title,
        body=piece.body,
        meta_description=piece.meta_description,
        call_to_action=piece.call_to_action,
        sources=sources,
        produced_by=produced_by,
    )
