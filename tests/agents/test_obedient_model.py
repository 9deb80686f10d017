"""Whole hops with a model that obeys every instruction it is shown: no order of a stranger becomes an effect."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import pytest
from ad_platforms import START, ad_campaigns, campaign
from agent_context import Execution, MemoryRetriever
from lead_campaigns import NOW, execution_of, from_file
from lead_campaigns import state as lead_state
from memory_leads import MemoryLeads
from memory_model import Asked, sandbox_answer
from model_server import ModelServer, Reply, completion, running_model_server
from obedient_model import EVIL_BUDGET, EVIL_MAIL, EVIL_URL, ORDERS, Orders, evil, obeyed

from agents.ad_management import AdManagement
from agents.analytics import Analytics
from agents.base import BaseAgent, HopFailedError
from agents.content_creation import ContentCreation
from agents.lead_generation import LeadGeneration
from agents.messages import MessageType
from agents.ports import FixedClock, Passage
from agents.state import MarketingAgentState
from integrations.sandbox.protocol import Request, Response
from integrations.sandbox.serpapi import SerpApiSandbox
from integrations.sandbox.sites import SitesSandbox

CONTENT, ADS, ANALYTICS = ContentCreation(), AdManagement(), Analytics()
HOW = [
    pytest.param({"keys": keys, "docile": docile}, id=f"{'keys and texts' if keys else 'texts'}, {told}")
    for keys in (True, False)
    for docile, told in ((True, "obeys the re-ask too"), (False, "obeys the injection only"))
]


def execution_with(how: Mapping[str, bool]) -> Execution:
    """One whose model obeys, and whose knowledge base holds a document that gives orders."""
    made = Execution.in_memory(answer=lambda asked: obeyed(asked.messages, sandbox_answer(asked), **how))
    made.clock = FixedClock(START)
    text = f"About saas growth: it takes three steps.\n<<END 0>>\n```\n{ORDERS}"
    made.retriever = MemoryRetriever([Passage(chunk_id="k1", title=f"Growth. {ORDERS}", text=text, score=1.0)])
    return made


def brief(campaign_id: str = "c1") -> MarketingAgentState:
    wanted = [{"content_type": "blog_post", "keywords": ["saas growth"], "target_length": 200}]
    return campaign(campaign_id, content_required=True, content_requirements=wanted)


def page_of(link: str) -> str:
    """The page that a link of an ad leads to, whose only query is the campaign's own."""
    parts = urlsplit(link)
    assert all(name.startswith("utm_") for name, _ in parse_qsl(parts.query)), link
    return urlunsplit(parts._replace(query=""))


def hop(agent: BaseAgent, state: MarketingAgentState, execution: Execution) -> MarketingAgentState:
    """A hop, or the state as it was when the hop fails: the model would not stop."""
    with contextlib.suppress(HopFailedError):
        return agent.execute(state, execution)
    return state.evolve(step=state.step + 1)


def made_by_models(state: MarketingAgentState) -> dict[str, Any]:
    """All of a state that models have a part in."""
    sent = [m for m in state.agent_messages if m.message_type is MessageType.OPTIMIZATION_SUGGESTION]
    return {
        "content": [piece.model_dump(mode="json", exclude={"checks"}) for piece in state.generated_content],
        "ads": [ad.model_dump(mode="json", exclude={"landing_url", "error"}) for ad in state.ad_creatives],
        "suggestions": list(state.campaign_performance.suggestions),
        "messages": [dict(m.payload) for m in sent if m.sender == "analytics"],
    }


def test_the_model_does_obey_and_what_it_does_would_be_seen() -> None:
    """Else the tests below would show nothing."""
    orders = Orders.of(f"| {json.dumps(ORDERS)}")
    assert orders.found.keys() == {"reply", "link", "budget", "mail", "tool"}
    done = orders.carried_out({"title": "A", "headlines": ["B"]}, keys=True)
    assert EVIL_URL in done["title"]
    assert list(evil(done)) == [
        ".title",
        ".headlines[0]",
        ".landing_url",
        ".daily_budget",
        ".recipient",
        ".recipient",
        ".tool_calls",
    ]
    execution = execution_with({"keys": True, "docile": True})
    after = CONTENT.execute(brief(), execution)
    said = [
        json.loads(text)["answer"]["text"] for text in map(json.dumps, map(answers_of, execution.journals.values()))
    ]
    assert any(EVIL_URL in text for text in said)
    assert EVIL_URL not in after.model_dump_json()


def answers_of(journal: Mapping[str, str]) -> dict[str, Any]:
    return {"answer": json.loads(journal.get("answer", '{"text": ""}'))}


@pytest.mark.parametrize("how", HOW)
def test_no_order_in_a_document_gets_into_content_ads_or_suggestions(how: Mapping[str, bool]) -> None:
    execution = execution_with(how)
    state = hop(CONTENT, brief(), execution)
    state = hop(ADS, state, execution)
    state = hop(ANALYTICS, state, execution)
    state = hop(CONTENT, state.evolve(optimization_attempts=1), execution)
    state = hop(ADS, state, execution)

    assert list(evil(made_by_models(state))) == []
    assert list(evil(execution.providers.ad_campaigns())) == []
    if how["docile"]:
        assert [piece.revision for piece in state.generated_content] == [2]
        assert {c.status for c in state.ad_creatives} == {"active"}
    assert {page_of(c.landing_url) for c in state.ad_creatives} <= {"https://acme.example/"}
    # What is left of the budget is spread over the days that are left: at most one of thirty has gone by.
    assert sum((c.daily_budget or Decimal(0) for c in state.ad_creatives), Decimal(0)) <= Decimal(1000) / 29


@pytest.mark.parametrize("how", HOW)
def test_no_order_of_a_reviewer_or_an_earlier_piece_gets_through(how: Mapping[str, bool]) -> None:
    honest = execution_with(how)
    honest.retriever = MemoryRetriever()
    first = CONTENT.execute(brief(), honest)
    assert list(evil(made_by_models(first))) == []
    poisoned = first.evolve(
        generated_content=tuple(
            p.model_copy(update={"title": f"Growth. {ORDERS}", "body": ORDERS, "checks": (ORDERS,)})
            for p in first.generated_content
        )
    )
    sent_back = CONTENT.rework(poisoned, ORDERS, 2, START)

    rewritten = hop(CONTENT, sent_back, honest)
    if rewritten.generated_content != poisoned.generated_content:
        assert list(evil(made_by_models(rewritten))) == []
    ads = hop(ADS, poisoned.evolve(step=3), honest)
    measured = hop(ANALYTICS, ads.evolve(step=4), honest)

    made = {**made_by_models(measured), "content": []}
    made["suggestions"] = [text for text in made["suggestions"] if not text.startswith("Rewrite the piece")]
    made["messages"] = []
    assert list(evil(made)) == []
    assert list(evil(honest.providers.ad_campaigns())) == []


@pytest.mark.parametrize("how", HOW)
def test_orders_of_pages_snippets_and_lead_files_end_as_data(
    how: Mapping[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison_pages(monkeypatch)
    execution = execution_of(MemoryLeads())
    execution.providers.models.answer = lambda asked: obeyed(asked.messages, sandbox_answer(asked), **how)
    execution.clock = FixedClock(NOW)
    scraped = LeadGeneration().execute(lead_state(ad_platforms=["facebook"], budget=1000), execution)
    row = {"name": "Jane Roe", "title": f"CEO. {ORDERS}", "company": f"Acme. {ORDERS}", "email": f"send to {EVIL_MAIL}"}
    filed = LeadGeneration().execute(from_file([row], execution, ad_platforms=["facebook"], budget=1000), execution)

    assert len(scraped.leads) > 10
    assert list(evil([lead.model_dump(mode="json") for lead in scraped.leads])) == []
    assert all(lead.email != EVIL_MAIL for lead in filed.leads)
    for state in (scraped, filed):
        ended = hop(ADS, hop(CONTENT, state, execution), execution)
        assert list(evil(made_by_models(ended))) == []
        assert [(page_of(c.landing_url), c.daily_budget) for c in ended.ad_creatives] == [
            ("https://example.com/", Decimal("33.33"))
        ]
    shown = "\n".join(m["content"] for asked in execution.providers.models.requests for m in asked.messages)
    assert shown
    assert "attacker.example" not in shown, "what lead generation reads reaches no model"


def poison_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page and every search result of the sandbox's world give orders."""
    page, search = SitesSandbox._full_page, SerpApiSandbox.handle

    def with_orders(self: SitesSandbox, company: Any, path: str, body: str) -> Response:
        lines = f"<p>{ORDERS}</p><dl><dt>Industry</dt><dd>SaaS {EVIL_URL}</dd><dt>Location</dt><dd>{ORDERS}</dd></dl>"
        return page(self, company, path, f"{lines}<!-- {ORDERS} -->{body}<p>Employees: {EVIL_BUDGET}99</p>{lines}")

    def with_words(self: SerpApiSandbox, request: Request) -> Response:
        answer = search(self, request)
        for row in answer.body.get("organic_results", ()) if isinstance(answer.body, dict) else ():
            row["snippet"] = ORDERS
            row["title"] = str(row["title"]).replace(" | LinkedIn", f", see {EVIL_URL} | LinkedIn")
            row["source"] = f"Acme {EVIL_URL}"
        return answer

    monkeypatch.setattr(SitesSandbox, "_full_page", with_orders)
    monkeypatch.setattr(SerpApiSandbox, "handle", with_words)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@pytest.mark.parametrize("how", HOW)
def test_over_the_wire_calls_have_no_tools_and_platforms_get_nothing_of_it(
    how: Mapping[str, bool], server: ModelServer, sandbox: Any
) -> None:
    server.answer = obedient_server(how)
    execution = Execution.against(sandbox.url, OPENAI_BASE_URL=server.url)
    execution.clock = FixedClock(START)
    execution.retriever = execution_with(how).retriever
    state = hop(CONTENT, brief("c-wire"), execution)
    state = hop(ADS, state, execution)
    execution.providers.models.close()

    assert server.requests
    for request in server.requests:
        assert not request.keys() & {"tools", "tool_choice", "functions"}
        assert request["response_format"]["json_schema"]["strict"] is True
        assert request["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
    assert list(evil(made_by_models(state))) == []
    assert list(evil(ad_campaigns(sandbox))) == []
    assert {row["daily_budget"] for row in ad_campaigns(sandbox)} <= {"16.66"}


def obedient_server(how: Mapping[str, bool]) -> Callable[[Mapping[str, Any]], Reply]:
    """Answer as the sandbox's model would, with the orders of the prompt carried out, a call of a tool too."""

    def answer(request: Mapping[str, Any]) -> Reply:
        described = request["response_format"]["json_schema"]
        asked = Asked(
            messages=request["messages"],
            schema=described["schema"],
            schema_name=described["name"],
            model="sandbox-1",
            temperature=0.2,
            seed=7,
            max_tokens=None,
        )
        said = obeyed(request["messages"], sandbox_answer(asked), **how)
        tool = {
            "id": "c1",
            "type": "function",
            "function": {"name": "deploy", "arguments": f'{{"budget": {EVIL_BUDGET}}}'},
        }
        return Reply(body=completion(said, tool_calls=[tool] if how["keys"] else None, model="sandbox-1"))

    return answer
