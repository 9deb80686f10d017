"""What ``fork --set`` makes of a parent's configuration."""

from __future__ import annotations

import pytest

from agents.config import CampaignConfig, ConfigError
from integrations.settings import Settings, SettingsError
from workers.cli.fork_changes import canonical, fork_changes


def test_the_changes_of_a_fork() -> None:
    sandbox = Settings.from_env({})
    parent = CampaignConfig.parse(
        {"target_audience": {"industry": "saas"}, "content_requirements": [{"topic": "a"}, {"topic": "b"}]}
    )
    assert fork_changes(parent, (), sandbox)["approval"]["gate"] == "ads"
    given = fork_changes(parent, ("approval.gate=none", "content_requirements.1.type=email"), sandbox)
    assert set(given) == {"approval", "content_requirements"}
    assert given["approval"]["gate"] == "none"
    assert [one["content_type"] for one in given["content_requirements"]] == ["blog_post", "email"]
    assert fork_changes(parent, ("approval.expires_after=1h",), sandbox)["approval"]["gate"] == "ads"
    assert fork_changes(parent, ("target_audience={industry: fintech}",), sandbox)["target_audience"]["industries"] == [
        "fintech"
    ]
    assert canonical("lead_sources.0.queries") == "lead_sources.0.queries"
    assert canonical("nonsense.x") == "nonsense.x"
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        fork_changes(parent, (), Settings.from_env({"MARKETING_MODE": "live"}))
    with pytest.raises(ConfigError):
        fork_changes(parent, ("ad_platforms=[google]", "budget=5"), sandbox)
