"""Places in the names of eight languages: countries, regions, cities and groups, and what a place leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.fit.places import Place, in_places, place


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("Berlin, Germany", ("DE", "DE-16", "Berlin")),
        ("München", ("DE", "DE-02", "Munich")),
        ("D-80331 München", ("DE", "DE-02", "Munich")),
        ("Greater Stuttgart Area", ("DE", "DE-01", "Stuttgart")),
        ("Allemagne", ("DE", None, None)),
        ("DE", ("DE", None, None)),
        ("Munich, DE", ("DE", "DE-02", "Munich")),
        ("Wilmington, DE", ("US", "US-DE", "Wilmington")),
        ("Los Angeles, CA", ("US", "US-CA", "Los Angeles")),
        ("Paris, France", ("FR", "FR-11", "Paris")),
        ("Paris, Texas, United States", ("US", "US-TX", None)),
        ("Berlin, New Hampshire, USA", ("US", "US-NH", None)),
        ("Atlanta, Georgia", ("US", "US-GA", "Atlanta")),
        ("Tbilisi, Georgia", ("GE", None, "Tbilisi")),
        ("Vienna, VA", ("US", "US-VA", None)),
        ("Genève, Suisse", ("CH", "CH-GE", "Geneva")),
        ("Toronto, ON", ("CA", "CA-08", "Toronto")),
        ("東京都渋谷区", ("JP", "JP-40", "Shibuya")),
        ("Remote, Germany", ("DE", None, None)),
        ("San Francisco Bay Area", ("US", "US-CA", "San Francisco")),
        ("Worldwide", None),
        ("", None),
    ],
)
def test_locations_are_read(location: str, expected: tuple[str, str | None, str | None] | None) -> None:
    assert place(location) == (Place(*expected) if expected else None)


@pytest.mark.parametrize(
    ("location", "asked", "expected"),
    [
        ("Berlin, Germany", "Germany", True),
        ("Deutschland", "Allemagne", True),
        ("Berlin", "Deutschland", True),
        ("Wien", "DACH", True),
        ("Paris", "DACH", False),
        ("London", "Europe", True),
        ("London", "EU", False),
        ("São Paulo", "Latin America", True),
        ("Manchester", "UK & Ireland", True),
        ("Nürnberg", "Bayern", True),
        ("Berlin", "Bavaria", False),
        ("Germany", "Bavaria", None),
        ("Germany", "Berlin", None),
        ("Potsdam", "Berlin", False),
        ("Buffalo, NY", "New York", True),
        ("Atlanta, GA", "Georgia", True),
        ("Paris, Texas, United States", "France", False),
        ("Berlin, New Hampshire, USA", "Berlin", False),
        ("Milano", "Lombardy", True),
        ("Tokyo, Japan", "東京", True),
        ("Osaka", "東京", False),
        ("Kleinkleckersdorf", "Kleinkleckersdorf", True),
        ("Worldwide", "Germany", None),
    ],
)
def test_places_asked_for(location: str, asked: str, expected: bool | None) -> None:
    assert in_places(location, [asked]) is expected


def test_one_of_several_places_is_enough() -> None:
    assert in_places("München", ["Berlin, Germany", "Munich, Germany"]) is True
    assert in_places("Hamburg", ["Berlin", "Munich"]) is False
    assert in_places("Germany", ["Paris", "Munich"]) is None


@given(st.text(max_size=120), st.text(max_size=40))
def test_any_place_is_judged(location: str, asked: str) -> None:
    assert in_places(location, [asked]) in (True, False, None)
