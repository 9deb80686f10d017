"""URLs as people see them: no secret, wherever it stands, and all else as it was."""

from __future__ import annotations

import pytest

from integrations.shown_url import hide_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:s3cret@h:6379/0", "redis://:***@h:6379/0"),
        ("redis://default:s3cret@h/0?client_name=a", "redis://default:***@h/0?client_name=a"),
        ("redis://:s3#c/re?t@h/0", "redis://:***@h/0"),  # as nobody should write it
        ("redis://:s3?cret@h/0", "redis://:***@h/0"),
        ("redis://:s3@cret@h/0", "redis://:***@h/0"),
        ("rediss://h/0?ssl_password=s3cret&ssl_ca_certs=/a", "rediss://h/0?ssl_password=***&ssl_ca_certs=/a"),
        ("unix://:s3cret@/run/r.sock?db=1", "unix://:***@/run/r.sock?db=1"),
        ("sentinel://:s3cret@a;sentinel://:s3cret@b/m/0", "sentinel://:***@a;sentinel://:***@b/m/0"),
        ("sentinel://a,b/m/0?sentinel_password=s3cret", "sentinel://a,b/m/0?sentinel_password=***"),
        ("postgresql://u:s3cret@a:1,b:2/d?sslmode=require", "postgresql://u:***@a:1,b:2/d?sslmode=require"),
        ("postgresql://h/d?user=u&password=s3cret", "postgresql://h/d?user=u&password=***"),
        ("postgresql://h/d?p%61ssword=s3cret", "postgresql://h/d?p%61ssword=***"),
        ("postgresql://h/d?sslpassword=s3cret&passfile=/s3cret", "postgresql://h/d?sslpassword=***&passfile=***"),
        ("postgresql://u:s3cret@h/d?application_name=a@b", "postgresql://u:***@h/d?application_name=a@b"),
        (r"host=h password='s3 \'cret' user=u", "host=h password=*** user=u"),
        ("https://h/x?api_key=s3cret&token=s3cret", "https://h/x?api_key=***&token=***"),
    ],
)
def test_a_secret_is_hidden(url: str, shown: str) -> None:
    assert hide_secrets(url) == shown
    assert hide_secrets(shown) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://[::1]:6379/0?client_name=a@b",
        "unix:///run/a@b/r.sock?db=1",
        "postgresql://u@/d?host=/run/postgresql&passive=",
        "postgresql://h:5432/d?application_name=a@b",
        "redis://user:@h/0",
        "localhost:6379",
        "",
    ],
)
def test_what_has_no_secret_stays(url: str) -> None:
    assert hide_secrets(url) == url
