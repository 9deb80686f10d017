"""What ``fork --set`` makes of a parent's configuration."""

from __future__ import annotations

import pytest

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from workers.cli.fork_changes import canonical, fork_changes


def test_the_changes_of_a_fork() -> None:
    parent = CampaignConfig.parse(
        {"target_audience": {"industry": "saas"}, "content_requirements": [{"topic": "a"}, {"topic": "b"}]}
    )
    assert fork_changes(parent, ())["approval"]["gate"] == "ads"
    given = fork_changes(parent, ("approval.gate=none", "content_requirements.1.type=email"))
    assert set(given) == {"approval", "content_requirements"}
    assert given["approval"]["gate"] == "none"
    assert [one["content_type"] for one in given["content_requirements"]] == ["blog_post", "email"]
    assert fork_changes(parent, ("approval.expires_after=1h",))["approval"]["gate"] == "ads"
    assert fork_changes(parent, ("target_audience={industry: fintech}",))["target_audience"]["industries"] == [
        "fintech"
    ]
    assert canonical("lead_sources.0.queries") == "lead_sources.0.queries"
    assert canonical("nonsense.x") == "nonsense.x"
    with pytest.raises(ConfigError):
        fork_changes(parent, ("budget=-5",))
