"""The client: durable submits, idempotent by key, refusals that store nothing."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import redis
from ad_platforms import without_client, without_package
from live_world import live_campaigns, make_live

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from integrations.settings import Mode, Settings, SettingsError
from orchestration import CampaignNotFoundError, Campaigns, IdempotencyConflictError
from orchestration.control.submission import resolve
from orchestration.execution.canvas import CeleryWakeups, producer

NOBODY = "redis://127.0.0.1:1/0"
SAAS = {"target_audience": {"industry": "saas"}, "name": "Launch"}


@pytest.fixture
def campaigns(database_url: str, redis_url: str) -> Iterator[Campaigns]:
    made = Campaigns.from_env({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    yield made
    made.close()


def rows(campaigns: Campaigns) -> int:
    return int(campaigns.database.rows("SELECT count(*) FROM marketing.campaigns")[0][0])


def test_submit_stores_the_row_and_publishes_ids_only(campaigns: Campaigns, redis_url: str) -> None:
    handle = campaigns.submit(CampaignConfig.parse(SAAS))
    assert handle.status == "queued"
    assert handle.state.current_agent == "lead_generation"
    assert [e.kind for e in handle.history()] == ["submitted"]
    with redis.Redis.from_url(redis_url) as broker:
        (message,) = broker.lrange("lead_generation", 0, -1)
    assert handle.campaign_id.encode() in message
    assert b"saas" not in message


def test_the_same_key_and_configuration_is_the_same_campaign(campaigns: Campaigns) -> None:
    first = campaigns.submit(CampaignConfig.parse(SAAS), idempotency_key="launch-1")
    again = campaigns.submit(CampaignConfig.parse(SAAS), idempotency_key="launch-1")
    assert again.campaign_id == first.campaign_id
    with pytest.raises(IdempotencyConflictError, match=first.campaign_id):
        campaigns.submit(CampaignConfig.parse({**SAAS, "name": "Other"}), idempotency_key="launch-1")
    assert rows(campaigns) == 1
    assert campaigns.submit(CampaignConfig.parse(SAAS)).campaign_id != first.campaign_id


def test_twenty_submits_of_one_key_at_once_are_one_campaign(campaigns: Campaigns, redis_url: str) -> None:
    together = Barrier(20)

    def submit(number: int) -> str:
        together.wait()
        config = {**SAAS, "name": "Other"} if number % 10 == 9 else SAAS
        try:
            return campaigns.submit(CampaignConfig.parse(config), idempotency_key="launch-1").campaign_id
        except IdempotencyConflictError:
            return "refused"

    with ThreadPoolExecutor(20) as pool:
        found = Counter(pool.map(submit, range(20)))
    assert rows(campaigns) == 1
    # Whichever configuration came first has the key; the other is refused, each time.
    assert len(found) == 2
    assert found["refused"] in (2, 18)
    (kept,) = campaigns.list()
    assert found["refused"] == (2 if kept.name == "Launch" else 18)
    assert campaigns.database.rows("SELECT count(*) FROM marketing.events") == [(1,)]
    with redis.Redis.from_url(redis_url) as broker:
        assert broker.llen("lead_generation") == 1


def test_a_submit_without_a_broker_is_durable(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_env({"DATABASE_URL": database_url, "REDIS_URL": NOBODY})
    app = producer(NOBODY)
    app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0.1}  # it is not waited for longer
    dead = Campaigns(settings, wakeups=CeleryWakeups(app))
    with caplog.at_level(logging.WARNING):
        handle = dead.submit(CampaignConfig.parse(SAAS))
    assert handle.status == "queued"
    assert "its wake-up was not published" in caplog.text
    dead.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ad_platforms": ["google"], "budget": 5}, "google_ads has no client in this version"),
        ({"lead_sources": [{"type": "file", "path": "missing.csv"}]}, "there is no such file"),
    ],
)
def test_what_cannot_work_is_refused_and_stores_nothing(
    campaigns: Campaigns, change: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_client(monkeypatch, "google_ads")
    with pytest.raises(ConfigError) as caught:
        campaigns.submit(CampaignConfig.parse({**SAAS, **change}))
    assert said in str(caught.value)
    assert rows(campaigns) == 0


def test_a_package_that_is_missing_is_named_at_submit(campaigns: Campaigns, monkeypatch: pytest.MonkeyPatch) -> None:
    without_package(monkeypatch, "google_ads")
    with pytest.raises(ConfigError, match=r"google_ads needs the package .*: pip install 'marketing-agents\[google\]'"):
        campaigns.submit(CampaignConfig.parse({**SAAS, "ad_platforms": ["google"], "budget": 50}))
    assert rows(campaigns) == 0


def test_live_mode_names_missing_keys_at_submit(database_url: str) -> None:
    live = Campaigns.from_env({"DATABASE_URL": make_live(database_url), "MARKETING_MODE": "live"})
    with pytest.raises(SettingsError) as refused:
        live.submit(CampaignConfig.parse(SAAS))
    for key in ("OPENAI_API_KEY", "SERPAPI_API_KEY", "HUNTER_API_KEY"):
        assert key in str(refused.value)
    assert rows(live) == 0
    live.close()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lead_sources": [{"type": "x"}]}, "x: X_BEARER_TOKEN"),
        ({"lead_sources": [{"type": "linkedin"}]}, "serpapi: SERPAPI_API_KEY"),
        ({"lead_sources": [{"type": "linkedin", "driver": "pdl"}]}, "pdl: PDL_API_KEY"),
        ({"enrichment": {"providers": ["clearbit", "pdl"]}}, "clearbit: CLEARBIT_API_KEY; pdl: PDL_API_KEY"),
    ],
)
def test_live_mode_names_the_keys_of_what_a_campaign_uses(
    database_url: str, change: dict[str, Any], named: str
) -> None:
    live = Campaigns.from_env({"DATABASE_URL": make_live(database_url), "MARKETING_MODE": "live"})
    with pytest.raises(SettingsError) as refused:
        live.submit(CampaignConfig.parse({**SAAS, **change}))
    assert named in str(refused.value)
    assert rows(live) == 0
    live.close()


def test_a_fork_is_checked_as_a_submit_is(campaigns: Campaigns) -> None:
    parent = campaigns.submit(CampaignConfig.parse(SAAS))
    new_file = {"lead_sources": [{"type": "file", "path": "new.csv"}]}
    refused = {"budget": -3, "budgett": 3, **new_file, "currency": "EURO", "retention": "nonsense"}
    for key, value in refused.items():
        with pytest.raises(ConfigError, match=key):
            parent.fork(0, changes={key: value})
    assert rows(campaigns) == 1


def test_a_fork_of_a_live_campaign_needs_the_keys(database_url: str, redis_url: str) -> None:
    live = live_campaigns(make_live(database_url), redis_url)
    parent = live.submit(CampaignConfig.parse(SAAS))
    keyless = Campaigns.from_env({"DATABASE_URL": database_url, "MARKETING_MODE": "live"})
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        keyless.get(parent.campaign_id).fork(0)
    assert rows(live) == 1
    keyless.close()
    live.close()


def test_a_fork_has_the_careful_defaults_of_live_ads(database_url: str, redis_url: str) -> None:
    live = live_campaigns(make_live(database_url), redis_url)
    parent = live.submit(CampaignConfig.parse({**SAAS, "approval": {"gate": "none"}}))
    ads = {"ad_platforms": ["facebook"], "budget": 100, "brand": {"website": "https://acme.test/"}}
    config = parent.fork(0, changes=ads).state.campaign_config
    assert (config.approval.gate, config.measure_after, config.optimize_every) == (
        "ads",
        timedelta(hours=48),
        timedelta(days=1),
    )
    expiring = parent.fork(0, changes={**ads, "approval": {"expires_after": "1h"}}).state.campaign_config
    assert (expiring.approval.gate, expiring.approval.expires_after) == ("ads", timedelta(hours=1))
    bold = parent.fork(0, changes={**ads, "approval": {"gate": "none"}}).state.campaign_config
    assert bold.approval.gate == "none"
    live.close()


def test_a_lead_file_is_read_by_the_client_and_stored_once(campaigns: Campaigns, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("email,company\njane@acme.biz,Acme\n", encoding="utf-8")
    config = CampaignConfig.parse({**SAAS, "lead_sources": [{"type": "file", "path": str(file)}]})
    first, second = campaigns.submit(config), campaigns.submit(config)
    sources = [h.state.campaign_config.lead_sources[0].file_id for h in (first, second)]  # type: ignore[union-attr]  # a file source
    assert sources[0] == sources[1] is not None
    assert campaigns.database.rows("SELECT filename, jsonb_array_length(rows) FROM marketing.lead_files") == [
        ("leads.csv", 1)
    ]


def test_unknown_ids_and_missing_services_are_said_plainly(campaigns: Campaigns) -> None:
    with pytest.raises(CampaignNotFoundError, match="there is no campaign 'nope'"):
        campaigns.get("nope")
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        Campaigns.from_env({"MARKETING_HOME": "/nonexistent"})
    with pytest.raises(TimeoutError):
        campaigns.submit(CampaignConfig.parse(SAAS)).wait(timeout=0.3)


def test_watch_ends_with_the_campaign(campaigns: Campaigns, wait_until: Callable[..., Any]) -> None:
    handle = campaigns.submit(CampaignConfig.parse(SAAS))
    campaigns.database.run("UPDATE marketing.campaigns SET status = 'cancelled'")
    assert [e.kind for e in handle.watch(timeout=5)] == ["submitted"]
    assert handle.wait(timeout=5) == "cancelled"


def test_live_ads_get_careful_defaults_and_explicit_values_stay() -> None:
    ads = {**SAAS, "ad_platforms": ["facebook"], "budget": 10}
    careful = resolve(CampaignConfig.parse(ads), Mode.LIVE)
    assert careful.approval.gate == "ads"
    assert careful.measure_after == timedelta(hours=48)
    assert careful.optimize_every == timedelta(days=1)
    bold = CampaignConfig.parse({**ads, "approval": {"gate": "none"}, "measure_after": "1h", "optimize_every": "6h"})
    assert resolve(bold, Mode.LIVE) == bold
    for plain in (CampaignConfig.parse(SAAS), CampaignConfig.parse(ads)):
        assert resolve(plain, Mode.SANDBOX) == plain
