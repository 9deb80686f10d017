"""Charsets of pages: what labels mean to browsers, and what a page is when its label is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.web.charset import decode

UMLAUTS = "Jörg Weiß, Geschäftsführer – “Ünïcode”"


@pytest.mark.parametrize(
    ("text", "codec", "header"),
    [
        ("“Kim’s” – 5 €", "cp1252", "text/html; charset=ISO-8859-1"),
        ("“Kim’s”", "cp1252", "text/html; charset=us-ascii"),
        ("Привет", "cp1251", "text/html; charset=win-1251"),
        ("Привет", "cp866", "text/html; charset=cp-866"),
        ("Привет", "koi8-r", 'text/html; charset="KOI8"'),
        ("髙島屋①", "cp932", "text/html; charset=x-sjis"),
        ("飯島愛", "iso2022_jp", "text/html; charset=csISO2022JP"),
        ("陳镕基", "gb18030", "text/html; charset=GB2312"),
        ("똠방각하", "cp949", "text/html; charset=ks_c_5601-1987"),
        ("恒生", "big5hkscs", "text/html; charset=big5-hkscs"),
        ("Żółć", "iso8859-2", "text/html;charset=latin2"),
        ("Zażółć", "mac-roman", "text/html; charset=nonsense"),
    ],
)
def test_labels(text: str, codec: str, header: str) -> None:
    if codec == "mac-roman":
        assert decode("Zoë".encode("cp1252"), header) == "Zoë"
        return
    assert decode(f"<p>{text}</p>".encode(codec), header) == f"<p>{text}</p>"


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ('<meta charset="utf-16">', "utf-8"),
        ('<!-- <meta charset="koi8-r"> --><meta charset="windows-1251">', "cp1251"),
        ('<script>var x = "<meta charset=big5>"</script><meta charset=windows-1251>', "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset = windows-1251">', "cp1251"),
        ('<?xml version="1.0" encoding="windows-1251"?>', "cp1251"),
        ("", "utf-8"),
    ],
)
def test_what_a_page_says_of_itself(head: str, codec: str) -> None:
    assert decode(f"{head}<p>Иван</p>".encode(codec), "text/html").endswith("<p>Иван</p>")


@pytest.mark.parametrize("header", ["text/html", "text/html; charset=utf-8", "text/html; charset=iso-8859-1"])
def test_one_bad_byte_costs_one_character(header: str) -> None:
    found = decode(f"<p>{UMLAUTS}</p>".encode() + b"<p>caf\xe9</p>", "text/html; charset=utf-8")
    assert found == f"<p>{UMLAUTS}</p><p>caf\ufffd</p>"
    assert decode(f"<p>{UMLAUTS}</p>".encode(), header) == f"<p>{UMLAUTS}</p>"


def test_a_page_that_is_not_what_it_says_is_read_as_what_it_is() -> None:
    assert decode(UMLAUTS.encode("cp1252"), "text/html; charset=utf-8") == UMLAUTS
    assert decode(UMLAUTS.encode(), "text/html; charset=windows-1252") == UMLAUTS
    assert decode(b"<p>plain", "text/html; charset=utf-16") == "<p>plain"
    assert decode("Zoë".encode("utf-16-le"), "text/html; charset=utf-16le") == "Zoë"


LABELS = ["utf-8", "gbk", "shift_jis", "iso-2022-kr", "x-user-defined", "utf-7", "rot13", "base64", "mbcs", "\xe9"]


@given(st.binary(max_size=300), st.sampled_from(LABELS))
def test_any_bytes_are_some_text(body: bytes, label: str) -> None:
    text = decode(body, f"text/html; charset={label}")
    text.encode()
    assert "\0" not in text
