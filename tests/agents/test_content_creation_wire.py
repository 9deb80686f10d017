"""Content creation over the wire: the real client against the sandbox's model and against servers that refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agent_context import Execution
from content_campaigns import REQUIREMENTS, state
from model_server import Reply, completion, running_model_server
from stack import Sandbox

from agents.base import HopFailedError
from agents.content_creation import ContentCreation
from integrations.providers import Providers
from integrations.settings import Settings

AGENT = ContentCreation()


@pytest.fixture
def execution(sandbox: Sandbox) -> Iterator[Execution]:
    providers = Providers(Settings.from_env({"SANDBOX_URL": sandbox.url}))
    yield Execution(providers)
    providers.models.close()


def test_a_hop_ends_as_the_one_in_memory(execution: Execution) -> None:
    before = state(content_requirements=REQUIREMENTS, brand={"name": "Acme", "required_words": ["trust"]})

    after = AGENT.execute(before, execution)

    assert after == AGENT.execute(before, Execution.in_memory())
    assert after.errors == ()
    assert all(usage is not None and usage.cost for usage in execution.usages)


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(status=400, body={"error": {"message": "no", "code": "content_filter"}}),
        Reply(body=completion(None, refusal="no")),
    ],
    ids=["by the filter", "by the model"],
)
def test_nothing_written_fails_the_hop(refusal: Reply) -> None:
    with running_model_server() as server:
        server.answer = lambda request: refusal
        providers = Providers(Settings.from_env({"OPENAI_BASE_URL": server.url}))

        with pytest.raises(HopFailedError, match="every unit of stage 'write' failed") as found:
            AGENT.execute(state(content_requirements=REQUIREMENTS), Execution(providers))

        providers.models.close()
    assert found.value.error.code == "policy_refused"
