"""Answers as the providers' public documentation shows them: read, whatever is added, and what may not be missing.

Each through the real client, over the wire. A field that is added anywhere changes nothing; one that is left out, any
of them, one after the other, makes a result or an error that names it. What makes an error is :attr:`Recorded.needed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import pytest
from bending_proxy import Bend, bending_proxy
from live_world import live_env
from recorded import paths, recorded, shown, widened, without
from recorded_calls import CASES, REPORTED, Recorded, on

from integrations.errors import IntegrationError
from integrations.provider_registry import provider_specs
from integrations.serpapi import SerpApi
from integrations.settings import Settings

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture(scope="module")
def bend() -> Iterator[Bend]:
    with bending_proxy("http://127.0.0.1:9") as found:
        yield found


@lru_cache(maxsize=1)
def settings(url: str) -> Settings:
    return Settings.from_env(live_env(url))


def outcome(bend: Bend, case: Recorded, bodies: Mapping[str, Any]) -> Any:
    """The result of the call, or the error, where the edges answer with ``bodies``."""
    bend.calls.clear()
    bend.rule = lambda call: (200, bodies[call.edge]) if call.edge in bodies else (404, {})
    try:
        return case.call(settings(bend.url))
    except IntegrationError as error:
        return error


def answers(case: Recorded) -> dict[str, Any]:
    return {edge: recorded(file) for edge, file in case.answers.items()}


@every_case
def test_a_recorded_answer_is_read(bend: Bend, case: Recorded) -> None:
    found = outcome(bend, case, answers(case))
    assert not isinstance(found, IntegrationError), found
    assert case.told(found) == case.expected
    assert {call.edge for call in bend.calls} == set(case.answers), "each answer is asked for"


@every_case
def test_what_is_unknown_in_an_answer_changes_nothing(bend: Bend, case: Recorded) -> None:
    found = outcome(bend, case, answers(case))
    assert outcome(bend, case, {edge: widened(body) for edge, body in answers(case).items()}) == found


@every_case
def test_what_is_missing_in_an_answer_is_named_where_it_is_needed(bend: Bend, case: Recorded) -> None:
    needed = set()
    for edge, body in answers(case).items():
        for path in paths(body):
            found = outcome(bend, case, {**answers(case), edge: without(body, path)})
            if not isinstance(found, IntegrationError):
                continue
            file = f"{case.answers[edge]}: " if len(case.answers) > 1 else ""
            needed.add(f"{file}{shown(path)}")
            assert re.search(rf"\bfield \S*\b{re.escape(str(path[-1]))}\b", found.message), f"{shown(path)}: {found}"
    assert needed == case.needed


def test_every_provider_has_a_recorded_answer() -> None:
    # Of places that leads are delivered to no answer is recorded; their shapes are in their own tests.
    assert {case.provider for case in CASES} == set(provider_specs()) - {"hubspot", "salesforce", "webhook"}


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda settings: SerpApi(settings).page("q", timeout=10), "organic_results"),
        (on("facebook_ads", lambda ads, wire: ads.pause(REPORTED, wire=wire)), "success"),
    ],
)
def test_an_empty_answer_names_what_it_lacks(bend: Bend, call: Callable[[Settings], Any], field: str) -> None:
    bend.rule = lambda _call: (200, {})
    with pytest.raises(IntegrationError, match=rf"without the field {field}\b"):
        call(settings(bend.url))
