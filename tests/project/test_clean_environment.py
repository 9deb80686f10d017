"""A developer's keys and services must not reach a test."""

from __future__ import annotations

import os

import clean_environment
import pytest


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "DATABASE_URL",
        "REDIS_URL",
        "SANDBOX_URL",
        "https_proxy",
        "ALL_PROXY",
        "PGPASSWORD",
        "LINKEDIN_ADS_ACCESS_TOKEN",
        "LANGSMITH_TRACING",
        "COLUMNS",
        "CRASH_AT",
        "STAGE_PLACEMENT",
    ],
)
def test_stripped(name: str) -> None:
    assert clean_environment.is_stripped(name)


@pytest.mark.parametrize("name", ["PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "CI", "PYTHONPATH", "TERM"])
def test_kept(name: str) -> None:
    assert not clean_environment.is_stripped(name)


def test_this_run_is_clean() -> None:
    ours = {"MARKETING_MODE", "MARKETING_HOME"}
    assert not [name for name in os.environ if clean_environment.is_stripped(name) and name not in ours]
    assert os.environ["MARKETING_MODE"] == "sandbox"


class TestChangesEndWithTheTest:
    def test_a_change(self) -> None:
        os.environ["LLM_MODEL"] = "left-behind"
        os.environ["MARKETING_MODE"] = "live"

    def test_is_gone_in_the_next(self) -> None:
        assert "LLM_MODEL" not in os.environ
        assert os.environ["MARKETING_MODE"] == "sandbox"
