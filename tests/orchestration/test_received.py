"""What is sent by task name is taken, or refused in words that are found again; never twice, never by an exception."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.config_values import MAX_CHARACTERS, MAX_VALUES
from orchestration import Campaigns
from orchestration.control.lead_paths import read_files
from orchestration.control.received import MAX_KEY, checked_key, received, refusal_key

SAAS: dict[str, Any] = {"target_audience": {"industry": "saas"}}
NO_KEYS = [None, 123, {"a": 1}, True, "", " ", "a\0b", "\ud800", "line\nend", "k" * (MAX_KEY + 1), ["k"], 1.5]


@pytest.fixture
def campaigns(database_url: str, redis_url: str) -> Iterator[Campaigns]:
    made = Campaigns.from_env({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    yield made
    made.close()


def ids(campaigns: Campaigns) -> int:
    return int(campaigns.database.value("SELECT count(*) FROM marketing.campaigns"))


@pytest.mark.parametrize("key", NO_KEYS, ids=lambda key: repr(key)[:12])
def test_what_is_no_key_is_refused(key: object) -> None:
    with pytest.raises(ConfigError, match="a key is text of 1 to 200 characters without control characters") as caught:
        checked_key(key)
    assert len(caught.value.problems[0]) < 250


def test_a_key_is_kept_as_it_is() -> None:
    for key in ("launch-1", "k" * MAX_KEY, "Überraschung 1 😀"):
        assert checked_key(key) == key
    assert refusal_key("k", "task") == "k"
    assert refusal_key(None, "task") == "task"
    assert refusal_key("\0", "\0") is None


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        received({**SAAS, "budgett": 1, "lead_sources": ["y"]}, 7, ["priority"])
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("'priority'", "idempotency_key=7", "lead_sources.0.type='y'", "budgett")
    ]


@pytest.mark.parametrize("path", ["/etc/passwd", "leads.csv", "../x.csv", "/dev/zero"])
def test_a_campaign_from_elsewhere_reads_no_file(path: str) -> None:
    with pytest.raises(ConfigError, match="no file of this machine is read"):
        received({**SAAS, "lead_sources": [{"type": "file", "path": path}]}, "k")


def test_a_submission_without_a_key_is_refused_under_its_task(campaigns: Campaigns) -> None:
    before = ids(campaigns)
    for number, key in enumerate([*NO_KEYS, None]):
        for _ in range(2):  # delivered twice
            assert campaigns.take(SAAS, key, task_id=f"task-{number}") is None
        (problem,) = campaigns.refusal(f"task-{number}") or []
        assert problem.startswith("idempotency_key=")
    assert ids(campaigns) == before


def test_nothing_to_record_it_under_is_logged(campaigns: Campaigns, caplog: pytest.LogCaptureFixture) -> None:
    assert campaigns.take(SAAS, None, task_id=None) is None
    assert "refused and can't be recorded" in caplog.text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "a campaign is a mapping of keys, not NoneType"),
        ([SAAS], "a campaign is a mapping of keys, not list"),
        ({}, "target_audience: is missing"),
        ({**SAAS, "budget": float("inf")}, "budget=inf: Input should be a finite number"),
        ({**SAAS, "brand": {"website": "https://a.example/\0"}}, "brand.website='https://a.example/\\\\x00'"),
        ({**SAAS, "a\0": 1}, r"a\\x00: unknown key"),
        ({**SAAS, "lead_sources": [{"type": "file", "file_id": "gone"}]}, "'gone': no such file is stored"),
        ({**SAAS, "name": "x" * (MAX_CHARACTERS + 1)}, "a campaign holds at most 50,000 values"),
        ({**SAAS, "ad_platforms": ["x"] * (MAX_VALUES + 1)}, "a campaign holds at most 50,000 values"),
    ],
    ids=["none", "list", "empty", "inf", "url", "key", "file", "long", "many"],
)
def test_a_refusal_is_recorded_under_the_key(campaigns: Campaigns, config: object, said: str) -> None:
    assert campaigns.take(config, "bad", task_id="t") is None
    assert said.replace("\\\\", "\\") in "; ".join(campaigns.refusal("bad") or [])


def test_words_are_cleaned_and_one_key_is_one_campaign(campaigns: Campaigns) -> None:
    config = {**SAAS, "name": "a\0b", "content_requirements": {"topic": "half \ud800 an emoji"}}
    first = campaigns.take(config, "nul", task_id="t-1")
    assert first is not None
    assert campaigns.take(config, "nul", task_id="t-1") == first
    kept = campaigns.get(first).state.campaign_config
    assert (kept.name, kept.content_requirements[0].topic) == ("ab", "half  an emoji")


def test_a_defect_is_recorded_too(campaigns: Campaigns, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RecursionError("deep")

    monkeypatch.setattr(campaigns, "submit", broken)
    assert campaigns.take(SAAS, "defect", task_id="t") is None
    assert campaigns.refusal("defect") == ["RecursionError in our own code (see the worker's log)"]


def source(path: Path | str) -> CampaignConfig:
    return CampaignConfig.parse({**SAAS, "lead_sources": [{"type": "file", "path": str(path)}]})


def test_only_regular_files_are_read_and_only_where_it_is_allowed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "out"
    for one in (folder, outside):
        one.mkdir()
        (one / "leads.csv").write_text("email\njane@acme.biz\n", encoding="utf-8")
    os.mkfifo(folder / "pipe.csv")
    (folder / "link.csv").symlink_to(outside / "leads.csv")
    (folder / "way").symlink_to(outside)
    with (folder / "big.csv").open("wb") as big:
        big.truncate(100_000_001)  # takes no room on the disk
    for path, within in ((folder / "leads.csv", None), ("leads.csv", folder), (folder / "leads.csv", folder)):
        assert len(read_files(source(path), within)[1]) == 1
    for path, within, said in (
        (folder / "pipe.csv", None, "is no regular file"),
        (folder / "link.csv", None, "is a link; name the file itself"),
        ("link.csv", folder, "is a link; name the file itself"),
        (folder, None, "is no regular file"),
        ("/dev/zero", None, "is no regular file"),
        (folder / "big.csv", None, "is larger than 100 MB; split it"),
        (folder / "none.csv", None, "there is no such file"),
        ("~nobody-of-that-name/x.csv", None, "there is no such file"),
        (outside / "leads.csv", folder, "leads out of the folder"),
        ("../out/leads.csv", folder, "leads out of the folder"),
        ("way/leads.csv", folder, "leads out of the folder"),
        ("..", folder, "leads out of the folder"),
        ("x" * 300, None, "can't be read"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_files(source(path), within)


def test_the_client_refuses_a_key_that_cant_be_stored(campaigns: Campaigns) -> None:
    with pytest.raises(ConfigError, match="idempotency_key='kkk"):
        campaigns.submit(CampaignConfig.parse(SAAS), idempotency_key="k" * 100_000)
