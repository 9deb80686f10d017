"""What clients make of refusals beside their tables: the wait, bad keys and addresses; and the page for operators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import checkout
import pytest
from live_world import live_env
from provider_calls import PROVIDERS, READING, SECRET, WRITING, failure
from scripted_http import Script, scripted_server

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    RateLimitedError,
)
from integrations.settings import Settings


@pytest.fixture(scope="module")
def peer() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.mark.parametrize(
    ("waiting", "least", "most"),
    [
        ("7", 7.0, 7.0),
        ("0.5", 0.5, 0.5),
        (format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True), 86_400.0, 172_800.0),
        (format_datetime(datetime.now(UTC) - timedelta(days=2), usegmt=True), 0.0, 0.0),
        ("soon", None, None),
    ],
    ids=["seconds", "half a second", "date to come", "date gone by", "no time"],
)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("provider", READING)
def test_retry_after_is_read_everywhere(
    peer: Script, provider: str, status: int, waiting: str, least: float | None, most: float | None
) -> None:
    body = b"" if provider == "web" else {}
    error = failure(peer, READING[provider], status, body, {"Retry-After": waiting})
    if least is None or most is None:
        # HubSpot's limits hold for windows of ten seconds.
        assert error.retry_after == (10.0 if (provider, status) == ("hubspot", 429) else None)
    else:
        assert error.retry_after is not None
        assert least <= error.retry_after <= most


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-business-use-case-usage": '{"1000": [{"estimated_time_to_regain_access": 3}]}'}, 180.0),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 100, "reset_time_duration": 45}'}, 45.0),
        ({"x-app-usage": '{"call_count": 100}', "Retry-After": "9"}, 9.0),
    ],
)
@pytest.mark.parametrize(
    ("status", "body"), [(400, {"error": {"code": 80004}}), (400, {"error": {"code": 613}}), (429, b"Too many calls")]
)
def test_facebooks_usage_headers_say_how_long(
    peer: Script, status: int, body: Any, headers: dict[str, str], seconds: float
) -> None:
    for call in (READING["facebook_ads"], WRITING["facebook_ads"]):
        error = failure(peer, call, status, body, headers)
        assert (type(error), error.retry_after, error.outage) == (RateLimitedError, seconds, False)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("key", [f"{SECRET}\n", "clé-s3cr3t-t0ken", f"{SECRET} {SECRET}", "“s3cr3t-t0ken”"])
def test_a_key_that_no_request_can_hold_needs_a_person(peer: Script, provider: str, key: str) -> None:
    spec = PROVIDERS[provider]
    sent = [name for name in spec.credentials.values() if name.endswith(("KEY", "TOKEN"))]
    variable = [*sent, *spec.credentials.values()][0]
    peer.requests.clear()
    settings = Settings.from_env({spec.base_url_variable: peer.url, variable: key})
    with pytest.raises(CredentialsError) as caught:
        READING[provider](settings)
    assert "s3cr3t" not in str(caught.value.to_dict())
    assert peer.requests == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_a_live_worker_lacks_needs_a_person(peer: Script, provider: str) -> None:
    spec = PROVIDERS[provider]
    settings = Settings.from_env({"MARKETING_MODE": "live", spec.base_url_variable: peer.url})
    with pytest.raises(CredentialsError, match=next(iter(spec.credentials.values()))):
        READING[provider](settings)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_address_that_is_none_is_no_outage(provider: str) -> None:
    settings = Settings.from_env({**live_env(), PROVIDERS[provider].base_url_variable: "nonsense"})
    for call in (READING[provider], WRITING.get(provider, READING[provider])):
        with pytest.raises((BadRequestError, NeedsAttentionError)):
            call(settings)


# What operators read


def classes(root: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [root, *(found for child in root.__subclasses__() for found in classes(child))]


def test_the_page_for_operators_knows_every_class_and_provider() -> None:
    page = checkout.read("docs/errors.md")
    codes = [found.code for found in classes(IntegrationError)]
    assert len(codes) > 10
    missing = [name for name in (*codes, *PROVIDERS, "web", "dns") if f"`{name}`" not in page]
    assert not missing


def test_the_page_for_operators_says_what_counts() -> None:
    rows = [line.split("|")[1:-1] for line in checkout.read("docs/errors.md").splitlines() if line.startswith("| `")]
    counts = {cells[0].strip(" `"): cells[2].strip() for cells in rows if len(cells) == 4}
    assert counts == {found.code: "yes" if found.outage else "no" for found in classes(IntegrationError)}
