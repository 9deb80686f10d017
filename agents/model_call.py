"""One question to a language model with a typed answer: paid once, validated here, re-asked at most twice.

Every agent's model calls go through :func:`ask`. Invariants: a raw answer is journaled *before* it is
validated, so that a crash, a failed validation or a newer program never pays for it again; what
leaves is an object of the caller's type or an IntegrationError; error messages name fields, never
contents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypedDict, TypeVar

from pydantic import BaseModel, ValidationError

from agents.config import Models
from agents.fallbacks import model_of
from agents.ports import UnitContext
from agents.unit_kind import Part
from integrations.errors import BadRequestError, InvalidAnswerError, PolicyRefusedError
from integrations.llm.answer import RawAnswer
from integrations.llm.prices import CostBound
from integrations.llm.schema import extract

T = TypeVar("T", bound=BaseModel)

MAX_REASKS = 2
#: Tokens of an answer whose caller names no bound: without one, nobody could say what a call costs at most.
MAX_ANSWER_TOKENS = 4096
PROVIDER = "openai"
CONTEXT_OVERFLOW = "context_length_exceeded"  #: ``detail`` of a BadRequestError for a prompt that is too long


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
) -> Answer[T]:
    """Ask once, and at most :data:`MAX_REASKS` times more when the answer can't be used.

    ``entry`` names the journal entries (``answer``, ``answer.1``, ``answer.2``): give each question of a unit
    its own. A unit whose fallback is another model asks that one instead. ``shorter`` is the prompt without its
    dispensable parts, sent once when the model says that ``prompt`` exceeds its context. ``from_prose`` reads the last
    answer of a model that can't write JSON at all; what it makes is marked in ``produced_by``. ``max_tokens`` bounds
    the answer; it grows when the answer was cut off.

    Raises PolicyRefusedError (the model or its filter declined), InvalidAnswerError (no usable answer after
    the re-asks), and what the call itself raises (TransientError, NotNowError, ...).
    """
    schema, model = output.model_json_schema(), call.model
    other = model_of(ctx.fallback)
    if other is not None:  # an answer of the first model must not be taken for the other one's
        model, entry = other, f"{entry}@{other}"
    path = "" if other is None else " (fallback)"

    def send(messages: list[dict[str, str]], limit: int, place: str) -> RawAnswer:
        models, name = ctx.providers.models, output.__name__
        most = models.upper_bound(messages, schema=schema, schema_name=name, model=model, max_tokens=limit)
        chosen = model or ctx.providers.settings.llm_model
        return ctx.call(
            PROVIDER,
            lambda timeout: models.complete(
                messages,
                schema=schema,
                schema_name=name,
                model=model,
                temperature=call.temperature,
                seed=call.seed,
                max_tokens=limit,
                timeout=timeout,
            ),
            scope=chosen,
            cost=CostBound(entry=place, model=chosen, amount=most),
        )

    question = _question(call.system, prompt)
    messages, problem = question, ""
    for attempt in range(MAX_REASKS + 1):
        place = entry if attempt == 0 else f"{entry}.{attempt}"
        journaled = ctx.journaled(place)
        if journaled is not None:
            raw = RawAnswer.from_dict(journaled)
        else:
            try:
                raw = send(messages, max_tokens, place)
            except BadRequestError as error:
                if error.detail != CONTEXT_OVERFLOW or shorter is None:
                    raise
                question, shorter = _question(call.system, shorter), None
                raw = send(question, max_tokens, place)
            ctx.journal(place, raw.to_dict(), raw.usage)
        _declined(raw, agent)
        try:
            return Answer(_validated(raw, output), f"{PROVIDER}:{raw.model}{path}")
        except ValueError as error:
            problem = str(error)
        if raw.finish_reason == "length":
            max_tokens = 2 * max(max_tokens, raw.usage.output_tokens, 1024)
        messages = [*question, *_reask(raw, problem)]
    if from_prose is not None and raw.text.strip() and "{" not in raw.text and raw.finish_reason != "length":
        return Answer(from_prose(raw.text.strip()), f"{PROVIDER}:{raw.model}{path} (prose)")
    name, asked = output.__name__, MAX_REASKS + 1
    raise InvalidAnswerError(PROVIDER, f"{agent}: no usable {name} in {asked} answers: {problem}")


def _question(system: str, prompt: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": prompt}]


def _declined(raw: RawAnswer, agent: str) -> None:
    if raw.refusal:
        raise PolicyRefusedError(PROVIDER, f"the model refused a request of {agent}", detail="refusal")
    if raw.finish_reason == "content_filter":
        raise PolicyRefusedError(PROVIDER, f"a request of {agent} met the content filter", detail="content_filter")


def _validated(raw: RawAnswer, output: type[T]) -> T:
    """Return the typed answer.

    Raises ValueError, which says in plain words what is wrong with it, without quoting it.
    """
    if not raw.text.strip():
        raise ValueError("the answer is empty")
    try:
        found = extract(raw.text)
        return output.model_validate(found)
    except ValidationError as error:
        listed = [
            f"{'.'.join(map(str, item['loc'])) or 'object'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_input=False)[:8]
        ]
        problem = "; ".join(listed)
    except ValueError as error:
        problem = str(error)
    if raw.finish_reason == "length":
        problem = f"the answer was cut off at its maximum length ({problem})"
    raise ValueError(problem)


def _reask(raw: RawAnswer, problem: str) -> list[dict[str, str]]:
    again = f"That answer can't be used: {problem}. Answer the request again, completely and only as the JSON object."
    if not raw.text.strip():
        return [{"role": "user", "content": again}]
    return [{"role": "assistant", "content": raw.text}, {"role": "user", "content": again}]
