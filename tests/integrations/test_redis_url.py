"""REDIS_URL in the forms that people have: what Celery and redis-py are given, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.redis_client import redis_client
from integrations.redis_url import RedisUrl, RedisUrlError
from integrations.settings import Settings, SettingsError

TRICKY = "p%23w%2Fd%5B%40%3A%25%3B"
PLAIN = "p#w/d[@:%;"


@pytest.mark.parametrize(
    ("url", "broker", "client"),
    [
        ("redis://h", "redis://h:6379/0", {"host": "h", "port": 6379, "db": 0}),
        ("redis://h:7/15", "redis://h:7/15", {"host": "h", "port": 7, "db": 15}),
        ("redis://h/?db=3", "redis://h:6379/3", {"db": 3}),
        ("valkey:///2", "redis://127.0.0.1:6379/2", {"host": "127.0.0.1", "db": 2}),
        (f"redis://:{TRICKY}@h/1", f"redis://:{TRICKY}@h:6379/1", {"username": None, "password": PLAIN}),
        (f"redis://me:{TRICKY}@[::1]:7", f"redis://me:{TRICKY}@[::1]:7/0", {"username": "me", "host": "::1"}),
        ("redis://:a;b@h/1", "redis://:a%3Bb@h:6379/1", {"password": "a;b"}),  # kombu splits at semicolons
        ("unix:///run/r%20s.sock?db=4", "redis+socket:///run/r%20s.sock?virtual_host=4", {"path": "/run/r s.sock"}),
        ("redis+socket://u:p@/r?virtual_host=2", "redis+socket://u:p@/r?virtual_host=2", {"db": 2, "password": "p"}),
        ("sentinel://:p@a,b:7/main/2", "sentinel://:p@a:26379/2;sentinel://:p@b:7/2", {"db": 2, "password": "p"}),
        ("sentinel://a:1;sentinel://b:2/3?master_name=main", "sentinel://a:1/3;sentinel://b:2/3", {"db": 3}),
        ("redis+sentinel://a:1;b:2/main", "sentinel://a:1/0;sentinel://b:2/0", {"db": 0}),
    ],
)
def test_a_form(url: str, broker: str, client: dict[str, Any]) -> None:
    settings = RedisUrl.parse(url).celery_settings
    assert settings["broker_url"] == settings["result_backend"] == broker
    assert settings["broker_use_ssl"] is False
    with redis_client(url, timeout_s=1) as made:
        given = made.connection_pool.connection_kwargs
    assert {name: given[name] for name in client} == client
    assert Settings.from_env({"REDIS_URL": url}).redis_url == url


def test_tls_verifies_unless_the_url_says_otherwise() -> None:
    settings = RedisUrl.parse("rediss://h:7/0").celery_settings
    assert settings["broker_url"] == "rediss://h:7/0"
    assert settings["broker_use_ssl"] == settings["redis_backend_use_ssl"] == {"ssl_cert_reqs": "required"}
    chosen = RedisUrl.parse("rediss://h?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=false&ssl_ca_certs=/a").tls
    assert chosen == {"ssl_cert_reqs": "none", "ssl_check_hostname": False, "ssl_ca_certs": "/a"}


def test_sentinels_are_told_the_master_and_their_own_login() -> None:
    address = RedisUrl.parse("rediss+sentinel://:p@a/main/1?sentinel_password=q&socket_timeout=3")
    told = {"ssl": True, "ssl_cert_reqs": "required", "password": "q", "socket_timeout": 3.0}
    sentinel = {"master_name": "main", "sentinel_kwargs": told}
    assert address.transport_options == {"socket_timeout": 3.0, **sentinel}
    assert address.celery_settings["result_backend_transport_options"] == sentinel


def test_options_reach_everyone() -> None:
    url = "redis://h?socket_timeout=4&health_check_interval=9&socket_keepalive=no&client_name=x"
    address = RedisUrl.parse(url)
    said = {"socket_timeout": 4.0, "health_check_interval": 9, "socket_keepalive": False, "client_name": "x"}
    assert address.transport_options == said
    settings = address.celery_settings
    assert (settings["redis_socket_timeout"], settings["redis_socket_keepalive"]) == (4.0, False)
    with redis_client(url, timeout_s=1) as client:
        assert client.connection_pool.connection_kwargs["socket_timeout"] == 4.0


def test_a_unix_socket_has_no_tcp_options() -> None:
    assert RedisUrl.parse("unix:///r?socket_keepalive=yes").celery_settings["redis_socket_keepalive"] is False


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:6379", "is no URL of Redis: write redis://user:password@host:6379/0"),
        ("memcached://h", "is no URL of Redis"),
        ("redis://:s3#cret@h/0", "is redis://:***@h/0, which can't be read: percent-encode special characters"),
        ("redis://:s3/cret@h/0", "percent-encode"),
        ("redis://:s3[cret@h/0", "percent-encode"),
        ("redis://h/main", "has 'main' for a database: databases are numbers, from 0"),
        ("redis://h/1?db=2&virtual_host=3", "names two databases"),
        ("redis://h:x/0", "has the address 'h:x': write host:port"),
        ("redis://a,b/0", "names several servers"),
        ("redis://h?ssl_cert_reqs=none", "has ssl_cert_reqs but no TLS: begin it with rediss://"),
        ("rediss://h?ssl_cert_reqs=maybe", "it takes none, optional or required"),
        ("redis://h?socket_timeout=soon", "has socket_timeout=soon: it takes a number"),
        ("redis://h?decode_responses=true", "has decode_responses: known options are client_name, db,"),
        ("sentinel://a,b/0", "names no master: add ?master_name=NAME"),
        ("unix://run/r.sock", "names no absolute path of a socket: write unix:///path/to/socket"),
    ],
)
def test_what_cannot_work_is_refused_by_name(url: str, said: str) -> None:
    with pytest.raises(RedisUrlError) as caught:
        RedisUrl.parse(url)
    assert said in str(caught.value)
    with pytest.raises(SettingsError, match=r"^REDIS_URL is ") as at_start:
        Settings.from_env({"REDIS_URL": url})
    assert "cret" not in str(at_start.value)
