"""Values from outside become storable once."""

from __future__ import annotations

import pytest

from integrations.values import MAX_DEPTH, MAX_INTEGER, clean_json, clean_text


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\0b", "ab"),
        ("half \ud83d", "half "),
        ("\ude00 half", " half"),
        ("pair \ud83d\ude00", "pair 😀"),
        ("tab\tline\r\nend", "tab\tline\r\nend"),
        ("bell\x07\x1b[31mred\x7f", "bell[31mred"),
        ("plain ü 😀", "plain ü 😀"),
    ],
)
def test_text(dirty: str, clean: str) -> None:
    assert clean_text(dirty) == clean


def test_json_is_cleaned_all_the_way_down() -> None:
    dirty = {"a\0": ["x\0", {"n": float("nan"), "i": 10**20, "ok": MAX_INTEGER, "t": True}], "f": -float("inf")}
    assert clean_json(dirty) == {"a": ["x", {"n": None, "i": None, "ok": MAX_INTEGER, "t": True}], "f": None}


def test_json_that_nests_without_end_is_cut() -> None:
    deep: list[object] = []
    for _ in range(10 * MAX_DEPTH):
        deep = [deep]
    level, found = 0, clean_json(deep)
    while isinstance(found, list) and found:
        level, found = level + 1, found[0]
    assert level == MAX_DEPTH
    assert found is None


def test_what_is_no_json_is_a_defect_of_the_caller() -> None:
    with pytest.raises(TypeError, match="set is not JSON"):
        clean_json({1, 2})
