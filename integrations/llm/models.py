"""Client for chat completions of any OpenAI-compatible server, through langchain-openai.

It adds to the library: no hidden retries (the ledger decides about those), an explicit deadline, address and key (no
environment variable changes them), the raw answer with its usage in every case, and support of servers that have only a
part of the protocol. Invariants: langchain and openai are loaded by the first call, langgraph never. All errors are
those of :mod:`integrations.errors`. One object serves every thread, and a forked child opens connections of its own.
"""

from __future__ import annotations

import json
import os
import re
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, TypedDict

from integrations.errors import TransientError
from integrations.http import CONNECT_TIMEOUT_S, credential
from integrations.llm.answer import RawAnswer
from integrations.llm.dialect import LIMIT, STRUCTURED, SYSTEM, Dialect, unsupported
from integrations.llm.errors import PROVIDER, translate
from integrations.llm.prices import cost, llm_upper_bound, price_of
from integrations.llm.schema import JsonSchema, instructions, strict
from integrations.llm.tokens import Tokens, used_tokens
from integrations.llm.transport import http_client
from integrations.outbound import leads_to_loopback
from integrations.settings import Mode, Settings
from integrations.usage import Usage

if TYPE_CHECKING:
    import httpx2
    from langchain_core.messages import AIMessage
    from langchain_openai import ChatOpenAI

MAX_CLIENTS = 64  #: objects kept for combinations of model and parameters; they share one connection pool
#: Bound of an answer whose caller names none: without one, nobody could say what a call costs at most.
MAX_ANSWER_TOKENS = 4096


class Parameters(TypedDict, total=False):
    """Parameters of a completion that a server may not support."""

    temperature: float
    seed: int


class ChatModels:
    """Client for completions of the server that the settings name, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._provider = settings.provider(PROVIDER)
        self._abandoned: list[object] = []
        self._start()
        _instances.add(self)

    def _start(self) -> None:
        self._lock = Lock()
        self._http: httpx2.Client | None = None
        self._closing: weakref.finalize[[], ChatModels] | None = None
        self._clients: OrderedDict[tuple[object, ...], ChatOpenAI] = OrderedDict()
        self._dialects: dict[str, Dialect] = {}

    def _after_fork(self) -> None:
        # The parent's connections are kept, unused: closing them here could write into the parent's streams.
        if self._closing is not None:
            self._closing.detach()
        self._abandoned.append((self._http, self._clients))
        self._start()

    def close(self) -> None:
        """Close the connections, which the next call opens again.

        Garbage collection of the object does it, too.
        """
        with self._lock:
            if self._closing is not None:
                self._closing()
            self._http, self._closing = None, None
            self._clients.clear()

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: JsonSchema | None = None,
        schema_name: str = "answer",
        model: str | None = None,
        temperature: float = 0.2,
        seed: int | None = 7,
        max_tokens: int = MAX_ANSWER_TOKENS,
        timeout: float | None = None,
    ) -> RawAnswer:
        """Request one completion of ``messages`` ({"role", "content"}), a JSON object when there is a ``schema``.

        ``timeout`` is in seconds for the whole call, ``max_tokens`` bounds the answer. When a server refuses a
        parameter, a role or a way of asking for JSON, the same call requests it in another way; what the server
        supports is remembered per model, for the life of this object. The answer is not validated here. Raises errors
        by the table in :mod:`integrations.llm.errors`.
        """
        import_module("langchain_openai")  # seconds in a new process, which are not the server's
        name = model or self._settings.llm_model
        deadline = time.monotonic() + (timeout if timeout is not None else self._settings.llm_timeout_s)
        asked = [dict(message) for message in messages]
        sent = frozenset(_parameters(temperature, seed)) | {SYSTEM, LIMIT}
        if schema is not None:
            asked = _with_instructions(asked, instructions(schema))
            sent |= {STRUCTURED}
        before = dialect = self._dialects.get(name) or Dialect(self._settings.llm_structured_mode)
        tried = {dialect}
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TransientError(PROVIDER, "no answer within the time limit", detail="timeout")
            kept = _parameters(temperature, seed, without=dialect.without)
            form = {} if schema is None else _structured(dialect.mode, schema, schema_name)
            options = _bounded(form, dialect.limit, max_tokens)
            try:
                said = self._invoke(name, kept, options, dialect.messages(asked), remaining)
            except Exception as error:
                blamed = unsupported(error)
                simpler = None if blamed is None else dialect.simpler(blamed, sent)
                if simpler is None or simpler in tried:
                    raise translate(error, key=self._key()) from None
                dialect = simpler
                tried.add(dialect)
                continue
            if dialect != before:
                with self._lock:
                    self._dialects[name] = dialect
            texts = [message["content"] for message in asked] + [json.dumps(form)]
            return _raw_answer(said, name, texts, max_tokens, self._cost)

    def upper_bound(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: JsonSchema | None = None,
        schema_name: str = "answer",
        model: str | None = None,
        max_tokens: int,
    ) -> Decimal | None:
        """Return the USD that :meth:`complete` with these arguments can cost at most, or None without a known price."""
        texts = [message["content"] for message in messages]
        if schema is not None:
            form = _structured(self._settings.llm_structured_mode, schema, schema_name)
            texts += [instructions(schema), json.dumps(form)]
        name, prices = model or self._settings.llm_model, self._settings.llm_prices
        return llm_upper_bound(texts, max_tokens, name, prices, base_url=self._settings.llm_url)

    def _cost(self, asked_model: str, model: str, tokens: Tokens) -> Decimal | None:
        """Return the USD of an answer, at the price of the requested model, which its upper bound was computed with.

        When that has no known price (a gateway's alias), the price is that of the model that the answer names.
        """
        prices, base_url = self._settings.llm_prices, self._settings.llm_url
        named = asked_model if price_of(asked_model, prices, base_url=base_url) else model
        return cost(
            named,
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cached_tokens=tokens.cached,
            written_tokens=tokens.written,
            prices=prices,
            base_url=base_url,
        )

    def _key(self) -> str:
        return credential(self._provider, "api_key")

    def _invoke(
        self,
        model: str,
        parameters: Parameters,
        options: Mapping[str, object],
        messages: list[dict[str, str]],
        timeout: float,
    ) -> AIMessage:
        client = self._client(model, parameters)
        import openai

        limit = openai.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT_S))
        with _tracing(self._settings.mode):
            return client.bind(**options, timeout=limit).invoke(messages)

    def _client(self, model: str, parameters: Parameters) -> ChatOpenAI:
        place = (model, *sorted(parameters.items()))
        with self._lock:
            found = self._clients.get(place)
            if found is not None:
                self._clients.move_to_end(place)
                return found
            from langchain_openai import ChatOpenAI
            from pydantic import SecretStr

            if self._http is None:
                self._http = http_client(self._provider.base_url, self._provider.reach)
                self._closing = weakref.finalize(self, self._http.close)
            found = ChatOpenAI(
                model=model,
                base_url=self._provider.base_url,
                api_key=SecretStr(self._key()),
                http_client=self._http,
                openai_proxy=None,
                max_retries=0,  # the library's default of 2 would triple a failing call, unseen by the ledger
                use_responses_api=False,  # compatible servers support chat completions only
                cache=False,  # the ledger is the memo; the library's cache mixes up schemas of one name
                **parameters,
            )
            self._clients[place] = found
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
            return found


def _parameters(temperature: float, seed: int | None, *, without: frozenset[str] = frozenset()) -> Parameters:
    found = Parameters()
    if "temperature" not in without:
        found["temperature"] = temperature
    if seed is not None and "seed" not in without:
        found["seed"] = seed
    return found


def _bounded(form: Mapping[str, object], limit: str, max_tokens: int) -> dict[str, object]:
    """Return the options of a request with the bound of its answer, by the name that the server knows it by.

    In ``extra_body``, because the client library has one name only.
    """
    extra = form.get("extra_body")
    return {**form, "extra_body": {**(extra if isinstance(extra, Mapping) else {}), limit: max_tokens}}


def _with_instructions(messages: list[dict[str, str]], text: str) -> list[dict[str, str]]:
    if messages and messages[0].get("role") == "system":
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _structured(mode: str, schema: JsonSchema, name: str) -> dict[str, object]:
    """Return the part of a request that asks for JSON.

    ``response_format`` goes in by ``extra_body``: given as an argument, the client library parses the answer itself
    and raises on a cut-off or filtered one, and its paid usage is lost.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "answer"
    if mode == "json_mode":
        return {"extra_body": {"response_format": {"type": "json_object"}}}
    if mode == "plain":
        return {}
    try:
        wire, is_strict = strict(schema), True
    except ValueError:  # outside the strict subset: sent unchanged
        wire, is_strict = dict(schema), False
    if mode == "function_calling":
        function = {"name": name, "description": "Give the answer.", "parameters": wire, "strict": is_strict}
        return {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    described = {"name": name, "schema": wire, "strict": is_strict}
    return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": described}}}


def _raw_answer(
    said: AIMessage,
    asked_model: str,
    texts: list[str],
    max_tokens: int,
    price: Callable[[str, str, Tokens], Decimal | None],
) -> RawAnswer:
    about = said.response_metadata
    text = str(said.text)
    model = str(about.get("model_name") or asked_model)
    refusal = said.additional_kwargs.get("refusal")
    tokens = used_tokens(said.usage_metadata, texts, max_tokens, len(text))
    paid = price(asked_model, model, tokens)
    return RawAnswer(
        text=text,
        finish_reason=str(about.get("finish_reason") or ""),
        model=model,
        usage=Usage(provider=PROVIDER, model=model, input_tokens=tokens.input, output_tokens=tokens.output, cost=paid),
        refusal=str(refusal) if refusal else None,
        system_fingerprint=about.get("system_fingerprint") or None,
    )


def _tracing(mode: Mode) -> AbstractContextManager[None]:
    """Turn tracing off, so that nothing is sent to a tracing service, unless the user has set LANGSMITH_TRACING.

    In sandbox mode only a service on this machine gets traces.
    """
    wanted = os.environ.get("LANGSMITH_TRACING", "").strip().lower() in ("1", "true", "yes", "on")
    if wanted and (mode is Mode.LIVE or leads_to_loopback(os.environ.get("LANGSMITH_ENDPOINT", ""))):
        return nullcontext()
    from langsmith.run_helpers import tracing_context

    return tracing_context(enabled=False)


_instances: weakref.WeakSet[ChatModels] = weakref.WeakSet()


def _reset_all() -> None:
    for instance in list(_instances):
        instance._after_fork()


_register: Callable[..., None] | None = getattr(os, "register_at_fork", None)
if _register is not None:
    _register(after_in_child=_reset_all)
