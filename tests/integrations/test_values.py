"""Values from outside become storable once."""

from __future__ import annotations

import pytest

from integrations.values import (
    CONTROL_CHARACTER,
    MAX_DEPTH,
    MAX_INTEGER,
    NOT_FINITE,
    TOO_DEEP,
    TOO_LARGE,
    clean_json,
    clean_text,
    faults,
    http_url,
    parse_json,
    visible,
)


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\0b", "ab"),
        ("half \ud83d", "half "),
        ("\ude00 half", " half"),
        ("pair \ud83d\ude00", "pair 😀"),
        ("tab\tline\r\nend", "tab\tline\r\nend"),
        ("bell\x07\x1b[31mred\x7f", "bellred"),
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


@pytest.mark.parametrize("text", [b"[" * 100_000, b"", b"\xff", b"'x'", b'{"a":', b'"cut \xe2\x82'])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_json_is_parsed_into_clean_values() -> None:
    assert parse_json(b'{"a": [1, 2.5, -1e3, "x", null]}') == {"a": [1, 2.5, -1000.0, "x", None]}
    numbers = f"[NaN, -Infinity, 1e999, 1{'0' * 5000}, -{MAX_INTEGER}, true]"
    assert parse_json(numbers) == [None, None, None, None, -MAX_INTEGER, True]
    assert parse_json('\ufeff{"a": 1}'.encode()) == {"a": 1}
    assert parse_json('{"a": 1, "a\\u0000": 2, "e": "\\ud83d\\ude00\\ud83d"}') == {"a": 2, "e": "😀"}


def test_faults_name_the_place() -> None:
    value = {"a": ["x", "y\0"], "b\0": 1, "c": {"d": float("inf"), "e": 10**20}, "f": (True, None, 1.5)}
    assert list(faults(value)) == [
        (("a", "1"), CONTROL_CHARACTER),
        (("b",), f"the key {CONTROL_CHARACTER}"),
        (("c", "d"), NOT_FINITE),
        (("c", "e"), TOO_LARGE),
    ]
    deep: list[object] = []
    for _ in range(10 * MAX_DEPTH):
        deep = [deep]
    assert [what for _, what in faults(deep)] == [TOO_DEEP]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" https://acme.example/a b?c=ü ", "https://acme.example/a b?c=ü"),
        ("HTTP://acme.example", "HTTP://acme.example"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        *((bad, None) for bad in ("http://[bad", "http://a:99999/", "http://a:x/", "http:///path", "ftp://a.example")),
        *((bad, None) for bad in ("https://a.example/\0", "https://a.example/\ud800", "https://a\n.example", "", "x")),
        ("https://a.example/" + "x" * 2000, None),
    ],
)
def test_urls(text: str, url: str | None) -> None:
    assert http_url(text) == url


def test_what_is_shown_to_people_can_be_printed() -> None:
    assert visible("a\0b\ud800c") == r"a\x00b\ud800c"
