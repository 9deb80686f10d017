"""The sandbox's language model: protocol, determinism, and texts that are worth checking."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from agents.seo.assess import assess
from agents.seo.kinds import kind_of
from agents.seo.text import Text
from integrations.llm.schema import strict
from integrations.sandbox.llm_schema import fill, fit
from integrations.sandbox.llm_tasks_content import failed_checks, revise_piece, write_piece
from integrations.sandbox.openai import OpenAISandbox
from integrations.sandbox.protocol import Request, Response


class Thing(BaseModel):
    name: str = Field(min_length=2, max_length=12)
    size: int = Field(ge=3, le=5)
    share: float = Field(gt=0, lt=1)
    kind: Literal["red", "blue"]
    tags: list[str] = Field(min_length=1, max_length=4)
    part: Inner | None
    sure: bool


class Inner(BaseModel):
    word: str


Thing.model_rebuild()


def send(
    body: Any, *, sandbox: OpenAISandbox | None = None, path: str = "/v1/chat/completions", **headers: str
) -> Response:
    found = {"authorization": "Bearer sandbox", "content-type": "application/json", **headers}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (sandbox or OpenAISandbox()).handle(Request(method="POST", path=path, headers=found, body=data))


def request(text: str = "Say something.", **fields: Any) -> dict[str, Any]:
    return {"model": "any-model", "messages": [{"role": "user", "content": text}], **fields}


def said(response: Response) -> dict[str, Any]:
    assert response.status == 200, response.body
    message: dict[str, Any] = response.body["choices"][0]["message"]
    return message


def described(model: type[BaseModel], *, is_strict: bool = True) -> dict[str, Any]:
    schema = strict(model.model_json_schema()) if is_strict else model.model_json_schema()
    return {"type": "json_schema", "json_schema": {"name": "thing", "schema": schema, "strict": is_strict}}


def test_the_same_request_gets_the_same_answer_from_any_sandbox() -> None:
    body = request(response_format=described(Thing), seed=5)
    one, other = OpenAISandbox(), OpenAISandbox()
    send(request("Something else"), sandbox=other)

    assert send(body, sandbox=one).body == send(body, sandbox=other).body
    assert send({**body, "seed": 6}).body["choices"] != send(body).body["choices"]


def test_the_envelope() -> None:
    body = send(request()).body

    assert body["model"] == "any-model"
    assert body["system_fingerprint"] == "sandbox"
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["choices"][0]["message"]["content"].startswith("[sandbox] ")


@pytest.mark.parametrize("is_strict", [True, False])
def test_a_schema_is_honoured(is_strict: bool) -> None:
    form = described(Thing, is_strict=is_strict)
    found = json.loads(said(send(request(response_format=form)))["content"])
    if is_strict:  # the strict subset can't carry the lengths of strings
        found["name"] = found["name"][:12]
    Thing.model_validate(found)


def test_json_mode_reads_the_schema_from_the_words() -> None:
    text = f"Give JSON. JSON Schema:\n{json.dumps(Thing.model_json_schema())}"
    Thing.model_validate_json(said(send(request(text, response_format={"type": "json_object"})))["content"])


def test_tools_are_called_by_name_in_turn_and_then_no_more() -> None:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": Inner.model_json_schema()}} for name in ("a", "b")
    ]
    named = said(send(request(tools=tools, tool_choice={"type": "function", "function": {"name": "b"}})))
    assert named["tool_calls"][0]["function"]["name"] == "b"
    Inner.model_validate_json(named["tool_calls"][0]["function"]["arguments"])

    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go."}]
    called = []
    for _ in range(3):
        message = said(send({"model": "m", "messages": messages, "tools": tools}))
        calls = message.get("tool_calls") or []
        called += [call["function"]["name"] for call in calls]
        messages += [message, *({"role": "tool", "tool_call_id": c["id"], "content": "42"} for c in calls)]
    assert called == ["a", "b"]
    assert "tool_calls" not in said(send(request(tools=tools, tool_choice="none")))


REFUSED = [
    (b"{broken", 400, None),
    (b"[]", 400, None),
    ({"messages": [{"role": "user", "content": "x"}]}, 400, "model"),
    ({"model": "m", "messages": []}, 400, "messages"),
    ({"model": "m", "messages": [{"role": "robot", "content": "x"}]}, 400, "messages[0].role"),
    (request(temperature=3), 400, "temperature"),
    (request(stream=True), 400, "stream"),
    (request(n=2), 400, "n"),
    (request(response_format={"type": "xml"}), 400, "response_format.type"),
    (request(response_format={"type": "json_object"}), 400, "messages"),
    (request(response_format={"type": "json_schema"}), 400, "response_format"),
    (request(tools=[], tool_choice={"function": {"name": "x"}}), 200, None),
    (request("x" * 600_000), 400, "messages"),
]


@pytest.mark.parametrize(("body", "status", "param"), REFUSED)
def test_bad_requests_are_refused_as_by_the_real_one(body: Any, status: int, param: str | None) -> None:
    response = send(body)
    assert response.status == status
    if status != 200:
        assert response.body["error"]["type"] == "invalid_request_error"
        assert response.body["error"]["param"] == param


def test_a_schema_that_is_not_strict_is_refused_when_strict_is_asked() -> None:
    form = described(Thing, is_strict=False)
    form["json_schema"]["strict"] = True

    response = send(request(response_format=form))

    assert response.status == 400
    assert "Invalid schema for response_format 'thing'" in response.body["error"]["message"]


def test_no_key_no_answer_and_unknown_paths() -> None:
    assert send(request(), authorization="").status == 401
    assert send(request(), path="/v1/nothing").status == 404
    sandbox = OpenAISandbox()
    models = sandbox.handle(Request(method="GET", path="/v1/models", headers={"authorization": "Bearer x"}))
    assert [model["id"] for model in models.body["data"]] == ["sandbox-1", "sandbox-embedding-1"]
    assert sandbox.calls == 0


def test_faults_speak_the_providers_language() -> None:
    limited, down = OpenAISandbox().refuse("rate_limited"), OpenAISandbox().refuse("down")

    assert (limited.status, limited.headers["Retry-After"]) == (429, "1")
    assert limited.body["error"]["code"] == "rate_limit_exceeded"
    assert down.status == 503


def test_habits_of_a_world_end_with_it() -> None:
    sandbox = OpenAISandbox()
    sandbox.reset(7, {"openai": {"refuse_on": ["secret"], "filter_on": ["rude"]}})
    assert said(send(request("a secret"), sandbox=sandbox))["refusal"]
    assert send(request("rude"), sandbox=sandbox).body["choices"][0]["finish_reason"] == "content_filter"
    sandbox.reset(7, None)
    assert said(send(request("a secret"), sandbox=sandbox))["content"]


def test_an_answer_is_cut_at_its_maximum_length() -> None:
    choice = send(request(max_completion_tokens=5)).body["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) == 20


_FIELDS: dict[str, Any] = {
    "text": (str, ...),
    "short": (str, Field(max_length=5)),
    "count": (int, Field(ge=-3, le=9)),
    "positive": (int, Field(gt=0)),
    "share": (float, Field(ge=0, le=1)),
    "choice": (Literal["x", "y", 3], ...),
    "many": (list[int], Field(min_length=2, max_length=2)),
    "maybe": (Inner | None, ...),
    "inner": (Inner, ...),
    "flag": (bool, ...),
}


@given(st.sets(st.sampled_from(sorted(_FIELDS)), min_size=1), st.text(max_size=20))
def test_fill_is_valid_for_any_schema(names: set[str], seed: str) -> None:
    model = create_model("Made", **{name: _FIELDS[name] for name in names})
    schema = model.model_json_schema()

    assert model.model_validate(fill(schema, seed))
    assert fill(schema, seed) == fill(schema, seed)


_VALUES = st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=8) | st.lists(st.integers(), max_size=3)


@given(st.dictionaries(st.sampled_from([*sorted(_FIELDS), "stranger"]), _VALUES))
def test_fit_makes_any_object_valid_and_keeps_what_fits(value: dict[str, Any]) -> None:
    model = create_model("Made", text=_FIELDS["text"], inner=_FIELDS["inner"], flag=_FIELDS["flag"])
    found = fit(model.model_json_schema(), value, "seed")

    model.model_validate(found)
    assert set(found) == {"text", "inner", "flag"}
    if isinstance(value.get("text"), str):
        assert found["text"] == value["text"]


BRIEFS = [
    (content_type, length, topic, keywords, audience)
    for content_type, length in [
        ("blog_post", 400),
        ("landing_page", 250),
        ("blog_post", 1500),
        ("blog_post", 5000),
        ("email", 150),
        ("social_post", 40),
        ("ad_copy", 20),
    ]
    for topic, keywords, audience in [
        ("marketing automation for saas", ("marketing automation", "lead scoring"), "saas founders"),
        ("CRM", ("CRM",), "sales teams"),
        ("saas onboarding", ("saas",), "saas companies"),
        ("how to hire nurses fast", ("nurse hiring", "staffing", "shift plans"), "clinics"),
        ("growth", (), "teams"),
    ]
]


def _brief(content_type: str, length: int, topic: str, keywords: tuple[str, ...], audience: str) -> dict[str, Any]:
    wanted = {"topic": topic, "keywords": list(keywords), "audience": audience, "content_type": content_type}
    wanted |= {"kind": kind_of(content_type, length), "target_length": length, "tone": "friendly"}
    return {"task": "write_piece", "requirement": wanted, "brand": {"name": "Acme", "banned_words": ["cheap", "page"]}}


def _judged(found: dict[str, Any], brief: dict[str, Any]) -> Any:
    wanted = brief["requirement"]
    text = Text(**found, keywords=tuple(wanted["keywords"]), target_length=wanted["target_length"])
    return assess(text, wanted["content_type"])


@pytest.mark.parametrize(("content_type", "length", "topic", "keywords", "audience"), BRIEFS)
def test_a_first_draft_fails_its_checks_and_a_revision_passes(
    content_type: str, length: int, topic: str, keywords: tuple[str, ...], audience: str
) -> None:
    brief = _brief(content_type, length, topic, keywords, audience)
    for seed in range(3):
        draft = write_piece(brief, seed)
        report = _judged(draft, brief)
        failed = set(failed_checks(brief, seed))
        named = {finding.check for finding in report.problems}
        assert failed <= named
        assert bool(failed) == bool(named), [finding.message for finding in report.problems]
        assert "[sandbox]" in draft["title"]
        assert draft["body"].startswith("[sandbox]")
        assert "cheap" not in draft["body"]
        assert " page" not in draft["body"].lower()

        findings = [{"check": finding.check, "message": finding.message} for finding in report.problems]
        revised = revise_piece({**brief, "findings": findings}, seed)
        after = _judged(revised, brief)
        assert after.problems == ()
        assert after.score > 0.85
        assert after.score >= report.score or not failed


def test_some_first_drafts_need_work_and_some_do_not() -> None:
    counts = [
        len(failed_checks(_brief("blog_post", 400, f"topic {number}", ("growth",), "teams"), 7)) for number in range(60)
    ]
    assert {0, 1, 2} == set(counts)
    assert 30 <= sum(count > 0 for count in counts) <= 55
