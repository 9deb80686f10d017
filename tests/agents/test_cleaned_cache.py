"""Cleaned people are kept by what they were made of: bounded, shared by threads, never another campaign's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.lead_generation import cleaned_cache
from agents.lead_generation.clean import Cleaned, Record, clean
from agents.lead_generation.cleaned_cache import CleanedCache, Findings


def findings(campaign: str, people: int = 10, *barred: str) -> Findings:
    records = tuple(Record(source="file:a.csv", email=f"p{n}@{campaign}.biz") for n in range(people))
    return Findings(records=records, companies=(), barred=frozenset(barred))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each cleaning was given."""
    seen: list[int] = []

    def counted(records: tuple[Record, ...], *rest: object) -> Cleaned:
        seen.append(len(records))
        return clean(records, *rest)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(cleaned_cache, "clean", counted)
    return seen


def test_equal_findings_are_cleaned_once(calls: list[int]) -> None:
    cache = CleanedCache()
    first = cache.clean(findings("acme"))
    assert cache.clean(findings("acme")) == first  # other objects, as the ledger gives them
    assert calls == [10]


def test_what_differs_at_all_is_cleaned_anew(calls: list[int]) -> None:
    cache = CleanedCache()
    acme, beta = cache.clean(findings("acme")), cache.clean(findings("beta"))
    assert len(calls) == 2
    assert {c.record.domain for c in acme.candidates} == {"acme.biz"}
    assert {c.record.domain for c in beta.candidates} == {"beta.biz"}
    cache.clean(findings("acme", 10, "somebody who objected"))
    assert len(calls) == 3


def test_the_least_used_go_first_and_the_bound_holds(calls: list[int]) -> None:
    cache = CleanedCache(most=25)
    cache.clean(findings("a"))
    cache.clean(findings("b"))
    cache.clean(findings("a"))
    cache.clean(findings("c"))  # b goes
    assert len(cache) == 2
    assert len(calls) == 3
    cache.clean(findings("a"))
    assert len(calls) == 3
    cache.clean(findings("b"))
    assert len(calls) == 4


def test_what_is_too_large_is_cleaned_and_not_kept(calls: list[int]) -> None:
    cache = CleanedCache(most=25)
    cache.clean(findings("a"))
    assert len(cache.clean(findings("large", 26)).candidates) == 26
    assert len(cache) == 1
    cache.clean(findings("a"))
    assert calls == [10, 26]


def test_threads_share_it() -> None:
    cache = CleanedCache(most=45)
    names = [f"c{n % 7}" for n in range(400)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: cache.clean(findings(name)), names))
    assert all({c.record.domain for c in got.candidates} == {f"{n}.biz"} for n, got in zip(names, made, strict=True))
    assert cache._weight == 10 * len(cache) <= 45
