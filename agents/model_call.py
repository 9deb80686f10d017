"""One question to a language model with a typed answer: paid once, validated here, re-asked at most twice.

Every agent's model calls go through :func:`ask`. Invariants: a raw answer is journaled *before* it is validated, so
that a crash, a failed validation or a newer program never pays for it again; an answer that can't be read is journaled
at the most that it can have cost; a unit asks again at most twice in its life, whatever died meanwhile, for its journal
names each time; no call has tools, and the form of its answer is closed; what leaves is an object of the caller's type
or an IntegrationError; error messages name fields, never contents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Generic, NamedTuple, TypedDict, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agents.answer_form import AnswerForm, check_closed
from agents.config import Models
from agents.fallbacks import model_of
from agents.ports import UnitContext
from agents.unit_kind import Part
from agents.untrusted import RULE
from integrations.errors import BadRequestError, InvalidAnswerError, PolicyRefusedError, TransientError
from integrations.llm.answer import UNREADABLE, RawAnswer
from integrations.llm.completion import CHARS_PER_TOKEN
from integrations.llm.errors import CONTEXT_OVERFLOW, MALFORMED
from integrations.llm.prices import CostBound
from integrations.llm.schema import extract
from integrations.usage import Usage

T = TypeVar("T", bound=AnswerForm)

PROVIDER = "openai"
MAX_REASKS = 2
#: Tokens of an answer whose caller names no bound: without one, nobody could say what a call costs at most.
MAX_ANSWER_TOKENS = 4096
ASKED_AGAIN = "asked_again"  #: journal entry: the entries of all answers that a unit has asked for again
#: Seconds before an answer that could not be read is asked for again: a gateway's page goes away by itself.
UNREADABLE_WAITS_S = (5.0, 20.0)
QUOTED_CHARS = 20_000  #: of an answer that can't be used, as the model is shown it again


class ModelCall(Part):
    """How a model is asked, as base of the inputs of all units that ask one."""

    system: str  #: the standing instruction
    model: str | None = None  #: None: the deployment's own
    temperature: float = 0.2
    seed: int = 7


class Prompted(ModelCall):
    """A question that was written when its unit was planned."""

    prompt: str


class Choice(TypedDict):
    """What a campaign's ``models`` say about its calls."""

    model: str | None
    temperature: float
    seed: int


def choice(models: Models) -> Choice:
    """Return the fields of a :class:`ModelCall` that a campaign chooses."""
    return {"model": models.default, "temperature": models.temperature, "seed": models.seed}


class Answer(NamedTuple, Generic[T]):
    """Validated answer and the path that made it, such as ``openai:gpt-4.1-mini``."""

    value: T
    produced_by: str


def ask(
    ctx: UnitContext,
    call: ModelCall,
    *,
    agent: str,
    prompt: str,
    output: type[T],
    max_tokens: int = MAX_ANSWER_TOKENS,
    entry: str = "answer",
    shorter: str | None = None,
    from_prose: Callable[[str], T] | None = None,
    check: Callable[[T], None] | None = None,
    without: Callable[[T], T | None] | None = None,
) -> Answer[T]:
    """Ask once, and again when the answer can't be used: :data:`MAX_REASKS` times at most for the whole unit.

    ``entry`` names the journal entries (``answer``, ``answer.1``, ``answer.2``): give each question of a unit
    its own. A unit whose fallback is another model asks that one instead. ``shorter`` is the prompt without its
    dispensable parts, sent once when the model says that ``prompt`` exceeds its context. ``from_prose`` reads the last
    answer of a model that can't write JSON at all; what it makes is marked in ``produced_by``. ``check`` raises
    ValueError, in words for the model and for people, about an answer that has the form and still can't be used; after
    the re-asks ``without`` may return what of it can. ``max_tokens`` bounds the answer; it grows when the answer was
    cut off.

    Raises PolicyRefusedError (the model or its filter declined), InvalidAnswerError (no usable answer after
    the re-asks), and what the call itself raises (TransientError, NotNowError, ...); TransientError also for an answer
    that can't be read, while the unit may ask again.
    """
    check_closed(output)
    other = model_of(ctx.fallback)
    if other is not None:  # an answer of the first model must not be taken for the other one's
        call, entry = call.model_copy(update={"model": other}), f"{entry}@{other}"
    path = "" if other is None else " (fallback)"
    question = _question(call.system, prompt)
    messages, place, answers = question, entry, 0
    while True:
        journaled = ctx.journaled(place)
        if journaled is not None:
            raw = RawAnswer.from_dict(journaled)
        else:
            try:
                raw = _send(ctx, call, output, messages, max_tokens, place)
            except BadRequestError as error:
                if error.detail != CONTEXT_OVERFLOW or shorter is None:
                    raise
                question, shorter = _question(call.system, shorter), None
                raw = _send(ctx, call, output, question, max_tokens, place)
        answers += 1
        _declined(raw, agent)
        try:
            return Answer(_validated(raw, output, check), f"{PROVIDER}:{raw.model}{path}")
        except ValueError as error:
            problem = str(error)
        if raw.finish_reason == "length":
            max_tokens = 2 * max(max_tokens, raw.usage.output_tokens, 1024)
        place = f"{entry}.{answers}"
        if not _may_ask_again(ctx, place):
            break
        if raw.finish_reason == UNREADABLE and journaled is None:
            wait_s = UNREADABLE_WAITS_S[min(answers, len(UNREADABLE_WAITS_S)) - 1]
            raise TransientError(PROVIDER, problem, detail=MALFORMED, retry_after=wait_s)
        messages = [*question, *_reask(raw, problem)]
        if ctx.journaled(place) is None:
            ctx.journal(ASKED_AGAIN, sorted({*_asked_again(ctx), place}))
    for value, how in _second_best(raw, output, from_prose, check, without):
        return Answer(value, f"{PROVIDER}:{raw.model}{path} ({how})")
    name, asked = output.__name__, "1 answer" if answers == 1 else f"{answers} answers"
    raise InvalidAnswerError(PROVIDER, f"{agent}: no usable {name} in {asked}: {problem}")


def _send(
    ctx: UnitContext, call: ModelCall, output: type[BaseModel], messages: list[dict[str, str]], limit: int, place: str
) -> RawAnswer:
    """Return an answer, journaled under ``place``, whose finish reason is UNREADABLE when it can't be read."""
    models, schema, name = ctx.providers.models, output.model_json_schema(), output.__name__
    most = models.upper_bound(messages, schema=schema, schema_name=name, model=call.model, max_tokens=limit)
    chosen = call.model or ctx.providers.settings.llm_model
    try:
        raw = ctx.call(
            PROVIDER,
            lambda timeout: models.complete(
                messages,
                schema=schema,
                schema_name=name,
                model=call.model,
                temperature=call.temperature,
                seed=call.seed,
                max_tokens=limit,
                timeout=timeout,
            ),
            scope=chosen,
            cost=CostBound(entry=place, model=chosen, amount=most),
        )
    except TransientError as error:
        if error.detail != MALFORMED:
            raise
        sent = sum(len(message["content"]) for message in messages) // CHARS_PER_TOKEN + 1
        usage = Usage(provider=PROVIDER, model=chosen, input_tokens=sent, output_tokens=limit, cost=most)
        raw = RawAnswer.unreadable(usage)
    ctx.journal(place, raw.to_dict(), raw.usage)
    return raw


def _asked_again(ctx: UnitContext) -> frozenset[str]:
    """Return the entries of the answers that the unit has asked for again so far."""
    found = ctx.journaled(ASKED_AGAIN)
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset()


def _may_ask_again(ctx: UnitContext, place: str) -> bool:
    """Return whether the unit may ask for an answer under ``place``, or has done so already."""
    asked = _asked_again(ctx)
    return place in asked or len(asked) < MAX_REASKS


def _question(system: str, prompt: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": f"{system}\n{RULE}"}, {"role": "user", "content": prompt}]


def _declined(raw: RawAnswer, agent: str) -> None:
    if raw.refusal:
        raise PolicyRefusedError(PROVIDER, f"the model refused a request of {agent}", detail="refusal")
    if raw.finish_reason == "content_filter":
        raise PolicyRefusedError(PROVIDER, f"a request of {agent} met the content filter", detail="content_filter")


def _second_best(
    raw: RawAnswer,
    output: type[T],
    from_prose: Callable[[str], T] | None,
    check: Callable[[T], None] | None,
    without: Callable[[T], T | None] | None,
) -> Iterator[tuple[T, str]]:
    """Yield what the last answer can still be used as, and how it was made: from its prose, or cut."""
    with suppress(ValueError):
        if from_prose is not None and raw.text.strip() and "{" not in raw.text and raw.finish_reason != "length":
            found, how = from_prose(raw.text.strip()), "prose"
            with suppress(ValueError):
                if check is not None:
                    check(found)
                yield found, how
        else:
            found, how = _validated(raw, output), ""
        kept = without(found) if without is not None else None
        if kept is not None:
            yield kept, f"{how}, cut".removeprefix(", ")


def _validated(raw: RawAnswer, output: type[T], check: Callable[[T], None] | None = None) -> T:
    """Return the typed answer, which passes ``check``.

    Raises ValueError, which says in plain words what is wrong with it, without quoting it.
    """
    if raw.finish_reason == UNREADABLE:
        raise ValueError("the answer is no chat completion")
    if not raw.text.strip():
        raise ValueError("the answer is empty")
    try:
        found = output.model_validate(extract(raw.text))
        if check is not None:
            check(found)
        return found
    except ValidationError as error:
        listed = [
            f"{_place(item)}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_input=False)[:8]
        ]
        problem = "; ".join(listed)
    except ValueError as error:
        problem = str(error)
    if raw.finish_reason == "length":
        problem = f"the answer was cut off at its maximum length ({problem})"
    raise ValueError(problem)


def _place(problem: ErrorDetails) -> str:
    """Return where an answer is wrong, without a name that the answer itself has brought up."""
    place = problem["loc"][:-1] if problem["type"] == "extra_forbidden" else problem["loc"]
    return ".".join(map(str, place)) or "object"


def _reask(raw: RawAnswer, problem: str) -> list[dict[str, str]]:
    if raw.finish_reason == UNREADABLE:
        return []
    again = f"That answer can't be used: {problem}. Answer the request again, completely and only as the JSON object."
    if not raw.text.strip():
        return [{"role": "user", "content": again}]
    return [{"role": "assistant", "content": raw.text[:QUOTED_CHARS]}, {"role": "user", "content": again}]
