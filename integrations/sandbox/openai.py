"""OpenAI-compatible server whose model answers by rules.

It speaks the chat completions protocol (structured outputs, JSON mode, tools, usage, errors) as OpenAI's API reference
describes it. The last ```json brief of a prompt names the task, and a block of material beside it holds what others
have written; without a brief the model fills the requested schema. Keys: ``invalid`` is refused (401), any other good.
Invariants: everything it writes is marked as the sandbox's, and the same request gets the same answer.

``world={"openai": {...}}`` at reset turns on misbehaviour of real models:
``refuse_on`` (list of texts: a prompt that holds one is refused), ``filter_on`` (the same for the content
filter), ``bad_first`` ("prose" | "broken" | "empty" | "wrong": the first answer to a question can't be used),
``cut_first`` (true: the first answer is cut off at its maximum length), ``context`` (tokens that fit).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from integrations.sandbox import llm_tasks_ads, llm_tasks_content, llm_tasks_judge
from integrations.sandbox.llm_schema import fill, fit, strict_problem
from integrations.sandbox.llm_text import MARK, Order, Writer
from integrations.sandbox.protocol import JsonObject, Request, Response, waiting
from integrations.sandbox.vectors import EMBEDDING_MODEL, embed

MODEL = "sandbox-1"
CREATED = 1_767_225_600  #: 2026-01-01, fixed because answers don't depend on the clock
CHARS_PER_TOKEN = 4
CONTEXT_TOKENS = 128_000
MOST_TEXTS = 2048  #: of one request for embeddings
_BRIEF = re.compile(r"^```json\s*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_MATERIAL = re.compile(r"^<<OUTSIDE material (\w+)>>\n((?:\| .*\n)*)<<END \1>>$", re.MULTILINE)
_REFUSAL = "I'm sorry, but I can't help with that."

Task = Callable[[JsonObject, int], Mapping[str, object]]  #: (brief, seed) -> answer
TASKS: Mapping[str, Task] = {**llm_tasks_content.TASKS, **llm_tasks_ads.TASKS, **llm_tasks_judge.TASKS}


class _InvalidError(Exception):
    """Raised for a request that the protocol refuses with status 400."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.response = _error(400, message, "invalid_request_error", param=param, code=code)


class OpenAISandbox:
    """Sandbox of the provider ``openai``."""

    name = "openai"
    prefix = "/openai"

    def __init__(self) -> None:
        self.calls = 0  #: completions requested, refused ones included
        self._misbehaviour: JsonObject = {}

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            text = "You didn't provide an API key. You need to provide it in an Authorization header using Bearer auth."
            return _error(401, text, "invalid_request_error", code="invalid_api_key")
        if key.strip() == "invalid":
            text = "Incorrect API key provided: invalid. You can find your API key at https://platform.openai.com."
            return _error(401, text, "invalid_request_error", code="invalid_api_key")
        if request.path == "/v1/chat/completions":
            if request.method != "POST":
                return _error(405, f"Not allowed to {request.method} on /v1/chat/completions", "invalid_request_error")
            self.calls += 1
            try:
                return Response(body=self._complete(_checked(request)), headers={"x-request-id": "sandbox"})
            except _InvalidError as error:
                return error.response
        if request.path == "/v1/embeddings" and request.method == "POST":
            try:
                return Response(body=_embeddings(request), headers={"x-request-id": "sandbox"})
            except _InvalidError as error:
                return error.response
        if request.path == "/v1/models" and request.method == "GET":
            return Response(body={"object": "list", "data": [_model(MODEL), _model(EMBEDDING_MODEL)]})
        if request.path.startswith("/v1/models/") and request.method == "GET":
            return Response(body=_model(request.path.removeprefix("/v1/models/")))
        return _error(404, f"Invalid URL ({request.method} {request.path})", "invalid_request_error")

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Return OpenAI's response for the faults ``down`` and ``rate_limited``, whose limit ends after a second."""
        if mode == "rate_limited":
            seconds = 1.0 if retry_after_s is None else retry_after_s
            text = f"Rate limit reached for requests. Please try again in {seconds:g}s."
            limited = _error(429, text, "requests", code="rate_limit_exceeded")
            headers = {**waiting(seconds), "retry-after-ms": f"{seconds * 1000:.0f}"}
            return Response(status=429, body=limited.body, headers=headers)
        down = _error(503, "The server is overloaded or not ready yet.", "server_error", code="service_unavailable")
        return Response(status=503, body=down.body, headers=waiting(retry_after_s))

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Set the misbehaviour of the model.

        Answers depend on the request's seed, not on the world's.
        """
        self.calls = 0
        self._misbehaviour = dict((world or {}).get("openai") or {})

    def advance(self, days: int) -> None:
        """Do nothing, because answers don't depend on the time."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> None:
        """Return None, because requests create nothing here."""
        return None

    def restore(self, data: object) -> None:
        """Do nothing, because requests create nothing here."""

    def _complete(self, body: JsonObject) -> dict[str, object]:
        messages: Sequence[JsonObject] = body["messages"]
        asked = "\n".join(_text(message) for message in messages)
        if len(asked) // CHARS_PER_TOKEN > int(self._misbehaviour.get("context", CONTEXT_TOKENS)):
            limit = self._misbehaviour.get("context", CONTEXT_TOKENS)
            raise _InvalidError(
                f"This model's maximum context length is {limit} tokens. However, your messages resulted in "
                f"{len(asked) // CHARS_PER_TOKEN} tokens. Please reduce the length of the messages.",
                "messages",
                "context_length_exceeded",
            )
        message, finish = self._answer(body, asked)
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        first = not any(m.get("role") == "assistant" for m in messages)
        if self._misbehaviour.get("cut_first") and first and message.get("content"):
            limit = max(1, len(message["content"]) // CHARS_PER_TOKEN // 2)
        if limit and message.get("content") and len(message["content"]) > limit * CHARS_PER_TOKEN:
            message, finish = {**message, "content": message["content"][: limit * CHARS_PER_TOKEN]}, "length"
        said = (
            len(json.dumps(message.get("tool_calls"))) if message.get("tool_calls") else len(message["content"] or "")
        )
        tokens_in, tokens_out = len(asked) // CHARS_PER_TOKEN + 1, said // CHARS_PER_TOKEN + 1
        digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return {
            "id": f"chatcmpl-sandbox{digest[:20]}",
            "object": "chat.completion",
            "created": CREATED,
            "model": body["model"],
            "system_fingerprint": "sandbox",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }

    def _answer(self, body: JsonObject, asked: str) -> tuple[JsonObject, str]:
        if any(text in asked for text in self._misbehaviour.get("refuse_on", ())):
            return {"role": "assistant", "content": None, "refusal": _REFUSAL}, "stop"
        if any(text in asked for text in self._misbehaviour.get("filter_on", ())):
            return {"role": "assistant", "content": "", "refusal": None}, "content_filter"
        tool = _chosen_tool(body)
        seed = int(body.get("seed") or 0)
        if tool is not None:
            found = self._object(asked, tool.get("parameters") or {"type": "object"}, seed)
            call = {
                "id": "call_" + sha256(f"{asked}/{seed}/{tool['name']}".encode()).hexdigest()[:20],
                "type": "function",
                "function": {"name": tool["name"], "arguments": json.dumps(found, ensure_ascii=False)},
            }
            reason = "stop" if isinstance(body.get("tool_choice"), Mapping) else "tool_calls"
            return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}, reason
        schema = _asked_schema(body, asked)
        if schema is None:
            brief = _brief(asked)
            topic = str(brief.get("topic") or "") if brief else ""
            text = Writer(Order(words=60, phrase=topic, headings=False), f"{asked}/{seed}").body()
            content = f"{MARK} {text}"
        else:
            content = json.dumps(self._object(asked, schema, seed), ensure_ascii=False)
            first = not any(m.get("role") == "assistant" for m in body["messages"])
            if first and not asked.rstrip().endswith("only as the JSON object."):
                content = _with_defect(content, str(self._misbehaviour.get("bad_first", "")))
        return {"role": "assistant", "content": content, "refusal": None}, "stop"

    def _object(self, asked: str, schema: JsonObject, seed: int) -> object:
        brief = _brief(asked)
        task = TASKS.get(str(brief.get("task"))) if brief else None
        made_from = f"{asked}/{seed}"
        if brief is None or task is None:
            return fill(schema, made_from)
        found = task(brief, seed)
        return fit(schema, found, made_from) if schema.get("properties") else dict(found)


def _embeddings(request: Request) -> dict[str, object]:
    """Return the vectors of a request's texts.

    Raises _InvalidError, with OpenAI's own text, when the request is not valid.
    """
    try:
        body = request.json()
    except ValueError:
        raise _InvalidError("We could not parse the JSON body of your request.") from None
    given = body.get("input") if isinstance(body, Mapping) else None
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_TEXTS or not all(isinstance(t, str) for t in texts):
        raise _InvalidError("'$.input' is invalid. Please check the API reference: embeddings.", "input")
    if not all(texts):
        raise _InvalidError("'$.input' is invalid: input cannot be an empty string.", "input")
    tokens = sum(len(text) // CHARS_PER_TOKEN + 1 for text in texts)
    data = [{"object": "embedding", "index": n, "embedding": embed(text)} for n, text in enumerate(texts)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.get("model") or EMBEDDING_MODEL, "usage": usage}


def _checked(request: Request) -> JsonObject:
    """Return the body of a completion request.

    Raises _InvalidError, with OpenAI's own text, when the request is not valid.
    """
    try:
        body = request.json()
    except ValueError:
        raise _InvalidError("We could not parse the JSON body of your request.") from None
    if not isinstance(body, Mapping):
        raise _InvalidError("The body of the request must be a JSON object.")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise _InvalidError("you must provide a model parameter", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _InvalidError("Invalid 'messages': empty array or missing. Expected at least 1 message.", "messages")
    roles = ("system", "developer", "user", "assistant", "tool")
    for at, message in enumerate(messages):
        if not isinstance(message, Mapping) or message.get("role") not in roles:
            raise _InvalidError(f"Invalid value for 'messages[{at}].role'", f"messages[{at}].role", "invalid_value")
    for name, low, high in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is not None and (not isinstance(value, int | float) or not low <= value <= high):
            raise _InvalidError(f"Invalid '{name}': expected a number from {low} to {high}.", name, "invalid_value")
    if body.get("stream"):
        raise _InvalidError("This model does not stream.", "stream", "unsupported_value")
    if body.get("n") not in (None, 1):
        raise _InvalidError("This model gives one choice.", "n", "unsupported_value")
    _check_format(body.get("response_format"), messages)
    return body


def _check_format(wanted: object, messages: Sequence[JsonObject]) -> None:
    if wanted is None:
        return
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    if kind not in ("text", "json_object", "json_schema"):
        raise _InvalidError(f"Invalid value: '{kind}'.", "response_format.type", "invalid_value")
    if kind == "json_object" and not any("json" in _text(m).lower() for m in messages):
        raise _InvalidError(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            "messages",
        )
    if isinstance(wanted, Mapping) and kind == "json_schema":
        described = wanted.get("json_schema")
        if not isinstance(described, Mapping) or not isinstance(described.get("schema"), Mapping):
            raise _InvalidError("Missing required parameter: 'response_format.json_schema'.", "response_format")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(described.get("name", ""))):
            raise _InvalidError("Invalid 'response_format.json_schema.name'.", "response_format.json_schema.name")
        problem = strict_problem(described["schema"]) if described.get("strict") else None
        if problem:
            text = f"Invalid schema for response_format '{described['name']}': {problem}"
            raise _InvalidError(text, "response_format")


def _chosen_tool(body: JsonObject) -> JsonObject | None:
    """Return the function to call: the named one, or the first not called yet when the choice is the model's."""
    offered: list[JsonObject] = [
        tool.get("function", {}) for tool in body.get("tools") or () if isinstance(tool, Mapping)
    ]
    choice = body.get("tool_choice", "auto")
    if not offered or choice == "none":
        return None
    if isinstance(choice, Mapping):
        name = (choice.get("function") or {}).get("name")
        found = next((tool for tool in offered if tool.get("name") == name), None)
        if found is None:
            raise _InvalidError(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
        return found
    called = {
        (call.get("function") or {}).get("name")
        for message in body["messages"]
        for call in message.get("tool_calls") or ()
    }
    left = [tool for tool in offered if tool.get("name") not in called]
    return left[0] if left else offered[0] if choice == "required" else None


def _asked_schema(body: JsonObject, asked: str) -> JsonObject | None:
    """Return the schema of the answer, from response_format or else from the prompt, or None for free text."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        schema: JsonObject = wanted["json_schema"]["schema"]
        return schema
    at = asked.rfind("JSON Schema:")
    if at >= 0:
        start = asked.find("{", at)
        try:
            found, _ = json.JSONDecoder().raw_decode(asked, start) if start >= 0 else (None, 0)
        except ValueError:
            found = None
        if isinstance(found, Mapping):
            return found
    return {"type": "object"} if wanted.get("type") == "json_object" else None


def _brief(asked: str) -> JsonObject | None:
    """Return the last ```json block that names a task, else the last that is an object, with the material beside it."""
    found = list(_objects(_BRIEF.findall(asked)))
    brief = next((one for one in reversed(found) if "task" in one), found[-1] if found else None)
    blocks = (re.sub(r"^\| ", "", lines, flags=re.MULTILINE) for _, lines in _MATERIAL.findall(asked))
    return None if brief is None else {**brief, **next(_objects(blocks), {})}


def _objects(blocks: Iterable[str]) -> Iterator[JsonObject]:
    for block in blocks:
        try:
            value = json.loads(block)
        except ValueError:
            continue
        if isinstance(value, Mapping):
            yield value


def _text(message: JsonObject) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return str(content or "")


def _with_defect(content: str, how: str) -> str:
    """Return a first answer with a defect that models' answers have."""
    if how == "prose":
        return "Sure! I'd be happy to help. What would you like to know?"
    if how == "broken":
        return content[: len(content) // 2]
    if how == "empty":
        return ""
    if how == "wrong":
        return json.dumps({"unexpected": True})
    return content


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "sandbox"}


def _error(status: int, message: str, kind: str, *, param: str | None = None, code: str | None = None) -> Response:
    return Response(status=status, body={"error": {"message": message, "type": kind, "param": param, "code": code}})
