"""Sizes of companies as people write them, read whole, and ranges against the one asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.fit.company_size import Employees, parse_size, wanted_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (51, Employees(51, 51)),
        ("240", Employees(240, 240)),
        ("240.0", Employees(240, 240)),
        ("51-200", Employees(51, 200)),
        ("11–50 employees", Employees(11, 50)),
        ("1-10,000", Employees(1, 10_000)),
        ("10,001+", Employees(10_001, None)),
        ("1.000-5.000", Employees(1_000, 5_000)),
        ("1k-5k", Employees(1_000, 5_000)),
        ("1-5k", Employees(1_000, 5_000)),
        ("2.5k", Employees(2_500, 2_500)),
        ("about 1 200 people", Employees(1_200, 1_200)),
        ("> 50", Employees(51, None)),
        (">= 50", Employees(50, None)),
        ("more than 50", Employees(51, None)),
        ("50 or fewer", Employees(1, 50)),
        ("up to 50", Employees(1, 50)),
        ("< 50", Employees(1, 49)),
        ("self-employed", Employees(1, 1)),
        ("", None),
        ("many", None),
        (0, None),
        (-3, None),
        (None, None),
        ("99999999999", None),
        ("200-100", None),
        ("10 à 49 salariés", Employees(10, 49)),
        ("1 000 - 4 999", Employees(1_000, 4_999)),
        ("1'200", Employees(1_200, 1_200)),
        ("2 Tsd.", Employees(2_000, 2_000)),
        ("1,2k", Employees(1_200, 1_200)),
        ("1.25k", Employees(1_250, 1_250)),
        ("501-1k", Employees(501, 1_000)),
        ("51~200", Employees(51, 200)),
        ("51 ‑ 200", Employees(51, 200)),
        ("１００〜５００名", Employees(100, 500)),
        ("1万人以上", Employees(10_000, None)),
        ("従業員数：1,200人", Employees(1_200, 1_200)),
        ("50人未満", Employees(1, 49)),
        ("über 500", Employees(501, None)),
        ("plus de 500 salariés", Employees(501, None)),
        ("más de 500 empleados", Employees(501, None)),
        ("bis zu 49", Employees(1, 49)),
        ("unter 50", Employees(1, 49)),
        ("ab 250", Employees(250, None)),
        ("ca. 250", Employees(250, 250)),
        ("zwischen 50 und 99 Mitarbeitern", Employees(50, 99)),
        (">10.000", Employees(10_001, None)),
        ("B (11-50)", Employees(11, 50)),
        ("Tier 2: 51-200", Employees(51, 200)),
        ("500 FTE", Employees(500, 500)),
        ("Founded 1998, 40 employees", Employees(40, 40)),
        ("40 staff in 12 offices", Employees(40, 40)),
        ("3 offices, 400 employees", Employees(400, 400)),
        ("25 years, 30 people", Employees(30, 30)),
        ("Revenue: $10M, employees: 120", Employees(120, 120)),
        ("Umsatz 5 Mio €, 45 Mitarbeiter", Employees(45, 45)),
        ("40 marketing people", Employees(40, 40)),
        ("$5M revenue", None),
        ("Revenue: 500", None),
        ("5M", None),
        ("since 1998", None),
        ("25 years in business", None),
        ("Jan-50", None),
        ("02-Oct", None),
        ("2024-11-05", None),
        ("Enterprise", None),
        ("12, 80", None),
        ("0", None),
    ],
)
def test_sizes(text: int | str | None, expected: Employees | None) -> None:
    assert parse_size(text) == expected


@given(st.text(max_size=60))
def test_any_size_is_read_or_none(text: str) -> None:
    found = parse_size(text)
    assert found is None or found.most is None or 0 < found.least <= found.most


@pytest.mark.parametrize(
    ("size", "asked", "expected"),
    [
        ("30", "11-50", True),
        ("10-49", "11-50", True),
        ("51-200", "11-50", False),
        ("2-10", "10-200", False),
        ("51-200", "100-500", True),
        ("1-10,000", "10-200", None),
        ("10K+", "1001+", True),
        ("1000+", "1001+", True),
        ("501-1000", "1001+", False),
        ("50+", "51-1000", None),
        ("120", "100", True),  # a bare number is the least one
        ("80", 100, False),
    ],
)
def test_sizes_asked_for(size: str, asked: str | int, expected: bool | None) -> None:
    found, wanted = parse_size(size), wanted_size(asked)
    assert found is not None
    assert wanted is not None
    assert found.within(wanted) is expected


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(1, 10_000), st.integers(0, 10_000))
def test_a_range_inside_another_is_within_it(low: int, more: int, before: int, after: int) -> None:
    inner = Employees(low, low + more)
    assert inner.within(Employees(max(1, low - before), low + more + after)) is True
    assert inner.within(Employees(low + more + 1, low + more + 1 + after)) is False
