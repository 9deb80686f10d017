"""Names of hosts: IDNA 2008, the same for every spelling."""

from __future__ import annotations

import pytest

from integrations.host_names import ascii_name, readable_name


@pytest.mark.parametrize(
    ("written", "asked", "read"),
    [
        ("Fußball.example.", "xn--fuball-cta.example", "fußball.example"),
        ("ΣΟΦΟΣ.example", "xn--0xaam2cc.example", None),
        ("МОСКВА.РФ", "xn--80adxhks.xn--p1ai", "москва.рф"),
        ("東京。example", "xn--1lqs71d.example", "東京.example"),
        ("ＡＢＣ.example", "abc.example", "abc.example"),
        ("xn--fuball-cta.example", "xn--fuball-cta.example", "fußball.example"),
        ("_dmarc.acme.example", "_dmarc.acme.example", "_dmarc.acme.example"),
    ],
)
def test_spellings(written: str, asked: str, read: str | None) -> None:
    if read is None:
        assert ascii_name(written).isascii()
        return
    assert (ascii_name(written), readable_name(written)) == (asked, read)


@pytest.mark.parametrize(
    "text", ["", ".", "a..b", "a b.example", "x" * 64 + ".example", "\u200d.example", "☃.example/"]
)
def test_no_names(text: str) -> None:
    with pytest.raises(ValueError):
        ascii_name(text)
