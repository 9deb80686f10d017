"""Prices of the library and of the user's own, and upper bounds that are never below what a call costs."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from integrations.llm.prices import Price, cost, llm_upper_bound, parse_prices, price_of

OPENAI = "https://api.openai.com/v1"
#: Models of every kind of price there is: flat, cached, tiered, changing by date, by hour, and per request.
SAMPLE = [
    ("sandbox-1", "http://127.0.0.1:8750/openai/v1"),
    ("gpt-4.1-mini", OPENAI),
    ("gpt-4o-2024-05-13", OPENAI),
    ("gpt-5.4", OPENAI),
    ("gpt-6-luna", OPENAI),
    ("gpt-realtime", OPENAI),
    ("o3", OPENAI),
    ("gpt-4.1-mini", "https://ours.openai.azure.com/openai/v1"),
    ("deepseek-chat", "https://api.deepseek.com/v1"),
    ("claude-sonnet-4-5", "https://api.anthropic.com/v1"),
    ("gemini-2.5-pro", "https://generativelanguage.googleapis.com/v1beta/openai"),
    ("sonar-pro", "https://api.perplexity.ai"),
    ("grok-4", "https://api.x.ai/v1"),
]
OWN = parse_prices("odd=1:5:2")  # reading the cache may be dearer than new input


def test_prices_of_the_library() -> None:
    million = 1_000_000
    assert cost("gpt-4.1-mini", input_tokens=million, output_tokens=million) == Decimal("2.00")
    assert cost("gpt-4.1-mini-2025-04-14", input_tokens=million, output_tokens=0) == Decimal("0.40")
    assert cost("gpt-4.1-mini", input_tokens=1000, output_tokens=0, cached_tokens=1000) == Decimal("0.0001")
    assert cost("gpt-4.1-mini", input_tokens=1000, output_tokens=0, cached_tokens=9000) == Decimal("0.0001")
    assert cost("sandbox-1", input_tokens=1, output_tokens=1) == Decimal("0.000002")


def test_a_long_prompt_costs_its_tier() -> None:
    short, long = (cost("gpt-5.4", input_tokens=n, output_tokens=0) for n in (272_000, 272_001))
    assert short is not None
    assert long is not None
    assert long > short * Decimal("1.9")


def test_a_cache_that_is_written_costs_more_than_one_that_is_not() -> None:
    plain = cost("gpt-6-luna", input_tokens=1000, output_tokens=0)
    written = cost("gpt-6-luna", input_tokens=1000, output_tokens=0, written_tokens=1000)
    assert plain is not None
    assert written is not None
    assert written > plain


@pytest.mark.parametrize(
    "model",
    [
        "nobody-knows",
        "llama3:8b",
        "",
        "omni-moderation-latest",  # known to the library, without any price
        "gpt-realtime-whisper",  # billed by the hour
        "text-embedding-3-small",  # has no answer that could be billed
    ],
)
def test_an_unknown_price_is_none_and_never_zero(model: str) -> None:
    assert price_of(model) is None
    assert cost(model, input_tokens=5, output_tokens=5) is None
    assert llm_upper_bound(["hello"], 100, model) is None
    assert llm_upper_bound(["hello"], 100, model or "m", parse_prices(f"{model or 'm'}=1:1:1")) is not None


def test_the_servers_address_tells_whose_price_list_it_is() -> None:
    groq = price_of("llama-3.3-70b-versatile", base_url="https://api.groq.com/openai/v1")
    assert groq is not None
    assert price_of("llama-3.3-70b-versatile", base_url=OPENAI) is None
    assert price_of("llama-3.3-70b-versatile", base_url="http://127.0.0.1:11434/v1") is None
    assert price_of("gpt-4.1", base_url="https://api.groq.com/openai/v1") is None
    gateway = price_of("gpt-4.1", base_url="http://gateway.internal/v1")
    assert gateway is not None
    assert gateway == price_of("gpt-4.1", base_url=OPENAI)


def test_a_price_is_the_one_of_its_day() -> None:
    before, after = (price_of("o3", at=datetime(2025, 6, day, 12, tzinfo=UTC)) for day in (1, 30))
    assert before is not None
    assert after is not None
    assert (before.input_mtok, after.input_mtok) == (10, 2)


def test_the_bound_of_a_call_that_ends_at_another_price_is_the_dearer_one() -> None:
    # By night it costs half; the day begins at 00:30.
    night, dawn, day = (
        llm_upper_bound([], 1000, "deepseek-chat", base_url="https://api.deepseek.com", at=moment)
        for moment in (
            datetime(2026, 11, 5, 20, 0, tzinfo=UTC),
            datetime(2026, 11, 6, 0, 15, tzinfo=UTC),
            datetime(2026, 11, 6, 1, 0, tzinfo=UTC),
        )
    )
    assert night is not None
    assert night < day == dawn


def test_prices_of_the_users_own_go_first() -> None:
    own = parse_prices("llama3:8b=0.10:0.05:0.40, vendor/large=3:0.3:15,gpt-4.1=1:1:1,free=0:0:0,sandbox-1=9:9:9")
    assert own["llama3:8b"] == Price(Decimal("0.10"), Decimal("0.05"), Decimal("0.40"))
    assert cost("gpt-4.1-2025-04-14", input_tokens=1_000_000, output_tokens=0, prices=own) == 1
    assert cost("sandbox-1", input_tokens=1_000_000, output_tokens=0, prices=own) == 9
    assert price_of("gpt-4.1-mini", own) == price_of("gpt-4.1-mini")
    assert price_of("nobody-knows", own) is None
    assert cost("vendor/large", input_tokens=1_000_000, output_tokens=0, prices=own) == 3
    assert cost("free", input_tokens=9, output_tokens=9, prices=own) == 0
    assert parse_prices(" ") == {}


@pytest.mark.parametrize(
    "text",
    ["llama", "llama=", "=1:1:1", "llama=1:2", "llama=1:2:3:4", "llama=a:b:c", "m=-1:0:0", "m=1:NaN:1", "m=1:1:1e9"],
)
def test_what_is_no_price_is_named(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_prices(f"good=1:1:1,{text}")
    assert str(caught.value) == text


def test_the_bound_of_a_known_call() -> None:
    # 5 bytes, two times 16 tokens around them, 100 tokens of answer.
    assert llm_upper_bound(["hello"], 100, "gpt-4.1-mini") == (37 * Decimal("0.40") + 100 * Decimal("1.60")) / 1_000_000


@pytest.mark.parametrize(("model", "server"), SAMPLE)
def test_the_sample_is_priced(model: str, server: str) -> None:
    assert price_of(model, base_url=server) is not None


@given(
    size=st.one_of(st.integers(0, 2000), st.integers(100_000, 1_200_000)),
    part=st.floats(0, 1),
    said=st.integers(0, 5000),
    cached=st.integers(0, 2_000_000),
    written=st.integers(0, 2_000_000),
    call=st.sampled_from([*SAMPLE, ("odd", OPENAI)]),
    begun=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    lasted=st.timedeltas(timedelta(0), timedelta(minutes=15)),
)
def test_a_bound_is_never_below_the_cost(
    size: int,
    part: float,
    said: int,
    cached: int,
    written: int,
    call: tuple[str, str],
    begun: datetime,
    lasted: timedelta,
) -> None:
    model, server = call
    bound = llm_upper_bound(["x" * size], 5000, model, OWN, base_url=server, at=begun)
    # The worst tokenizer there can be makes a token of every byte; most make fewer.
    tokens = int(part * (size + 7))
    paid = cost(
        model,
        input_tokens=tokens,
        output_tokens=said,
        cached_tokens=cached,
        written_tokens=written,
        prices=OWN,
        base_url=server,
        at=begun + lasted,
    )
    assert paid is not None
    assert bound is not None
    assert paid <= bound


def test_every_listed_chat_model_can_be_bounded_and_paid() -> None:
    """Whatever else a model is billed for, nothing of its price makes our arithmetic fail."""
    for provider in get_snapshot().providers:
        address = {"openai": OPENAI, "groq": "https://api.groq.com", "x-ai": "https://api.x.ai"}.get(provider.id)
        for model in provider.models if address else ():
            paid = cost(
                model.id,
                input_tokens=300_000,
                output_tokens=9,
                cached_tokens=7,
                written_tokens=5,
                base_url=address or "",
            )
            bound = llm_upper_bound(["x" * 300_000], 9, model.id, base_url=address or "")
            assert (paid is None) == (bound is None), model.id
            assert paid is None or bound is None or paid <= bound, model.id


def test_prices_are_never_downloaded() -> None:
    before = threading.active_count()
    assert price_of("gpt-4.1") is not None
    assert threading.active_count() == before
    assert not get_snapshot().from_auto_update


def test_the_library_is_loaded_by_the_first_question() -> None:
    code = (
        "import sys; from integrations.llm.prices import price_of; assert 'genai_prices' not in sys.modules; "
        "price_of('gpt-4.1'); assert 'genai_prices' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
