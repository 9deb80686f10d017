"""Old states are upcast step by step; newer ones are refused, never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agents.config import CampaignConfig
from agents.state import MarketingAgentState
from agents.versions import FLOW_VERSION, SCHEMA_VERSION, UPCASTERS, UnknownVersionError, upcast


def stored(**changes: Any) -> dict[str, Any]:
    state = MarketingAgentState.initial(
        CampaignConfig.parse({"target_audience": {"industry": "saas"}}), campaign_id="c"
    )
    return {**state.model_dump(mode="json"), **changes}


def test_a_state_survives_its_json() -> None:
    data = stored()
    assert MarketingAgentState.load(data).model_dump(mode="json") == data


@pytest.mark.parametrize("changes", [{"schema_version": SCHEMA_VERSION + 1}, {"flow_version": FLOW_VERSION + 1}])
def test_a_newer_state_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(UnknownVersionError):
        MarketingAgentState.load(stored(**changes))


def test_a_state_whose_source_is_not_installed_here_is_left_to_others() -> None:
    data = stored()
    data["campaign_config"]["lead_sources"] = [{"type": "search"}, {"type": "directory", "limit": 5}]
    with pytest.raises(UnknownVersionError, match="lead source 'directory' is not installed here"):
        MarketingAgentState.load(data)
    data["campaign_config"]["lead_sources"] = [{"type": "search", "limit": "many"}]
    with pytest.raises(ValidationError):
        MarketingAgentState.load(data)


def test_a_state_of_the_release_before_lacks_what_was_added_since() -> None:
    data = stored()
    del data["approvals"]
    assert MarketingAgentState.load(data).approvals == ()


def test_upcasters_run_in_order_and_leave_the_stored_data_alone() -> None:
    data = {"schema_version": 1, "flow_version": 1, "name": "x"}
    found = upcast(
        data,
        known=3,
        upcasters={1: lambda d: {**d, "path": [1]}, 2: lambda d: {**d, "path": [*d["path"], 2]}},
    )
    assert found == {"schema_version": 3, "flow_version": 1, "name": "x", "path": [1, 2]}
    assert data == {"schema_version": 1, "flow_version": 1, "name": "x"}
    with pytest.raises(UnknownVersionError, match="schema_version=2 can't be read"):
        upcast(data, known=3, upcasters={1: dict})


def test_every_older_version_has_a_way_up() -> None:
    assert set(UPCASTERS) == set(range(1, SCHEMA_VERSION))
