"""A language model in the test's own process: it answers from a function, by default as the sandbox's does.

Invariant: every question that it was asked is kept, with the brief that the prompt holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integrations.errors import TransientError
from integrations.llm.answer import RawAnswer
from integrations.sandbox.openai import OpenAISandbox
from integrations.sandbox.protocol import Request
from integrations.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question."""

    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, Any] | None
    schema_name: str
    model: str | None
    temperature: float
    seed: int | None
    max_tokens: int | None

    @property
    def system(self) -> str:
        """What the model is told about itself."""
        return self.messages[0]["content"]

    @property
    def prompt(self) -> str:
        """The question itself."""
        return self.messages[1]["content"]

    @property
    def brief(self) -> dict[str, Any]:
        """The facts in the prompt."""
        found: dict[str, Any] = json.loads(self.prompt.split("```json\n")[1].split("\n```")[0])
        return {**found, **self.material}

    @property
    def material(self) -> dict[str, Any]:
        """What of the facts comes from outside."""
        block = re.search(r"^<<OUTSIDE material (\w+)>>\n(.*?)\n<<END \1>>$", self.prompt, re.DOTALL | re.MULTILINE)
        found: dict[str, Any] = json.loads(re.sub(r"^\| ", "", block[2], flags=re.MULTILINE)) if block else {}
        return found


#: What a model says to a question: text, an object, or a whole answer; it may raise an IntegrationError.
Answerer = Callable[[Asked], str | Mapping[str, Any] | RawAnswer]


def sandbox_answer(asked: Asked) -> str:
    """What the sandbox's model says."""
    body = {"model": "sandbox-1", "messages": [dict(message) for message in asked.messages], "seed": asked.seed}
    if asked.schema is not None:
        described = {"name": asked.schema_name, "schema": asked.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": described}
    sent = Request(
        method="POST",
        path="/v1/chat/completions",
        headers={"authorization": "Bearer sandbox"},
        body=json.dumps(body).encode(),
    )
    answer = OpenAISandbox().handle(sent)
    assert answer.status == 200, answer.body
    said: str = answer.body["choices"][0]["message"]["content"]
    return said


def down(asked: Asked) -> str:
    """What a model says that can't be reached."""
    raise TransientError("openai", "is down")


def raw(text: str, *, finish: str = "stop", model: str = "sandbox-1", refusal: str | None = None) -> RawAnswer:
    """A whole answer; its usage is made up and has a price."""
    usage = Usage(provider="openai", model=model, input_tokens=100, output_tokens=50, cost=Decimal("0.001"))
    return RawAnswer(text=text, finish_reason=finish, model=model, usage=usage, refusal=refusal)


def refused(asked: Asked) -> RawAnswer:
    """What a model says that declines."""
    return raw("", refusal="no")


@dataclass
class MemoryModel:
    """The models that a unit's context hands out."""

    answer: Answerer = sandbox_answer
    requests: list[Asked] = field(default_factory=list)

    def upper_bound(self, messages: Sequence[Mapping[str, str]], **options: Any) -> Decimal | None:
        """What a call can cost at most."""
        return Decimal("0.01")

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        schema_name: str = "answer",
        model: str | None = None,
        temperature: float = 0.2,
        seed: int | None = 7,
        max_tokens: int | None = None,
        timeout: float | None = None,
    ) -> RawAnswer:
        """Ask the function."""
        asked = Asked(
            messages=messages, schema=schema, schema_name=schema_name, model=model, temperature=temperature,
            seed=seed, max_tokens=max_tokens,
        )  # fmt: skip
        self.requests.append(asked)
        said = self.answer(asked)
        if isinstance(said, RawAnswer):
            return said
        return raw(said if isinstance(said, str) else json.dumps(said))
