"""Making of a lookalike audience: once, of a filled list, and what becomes of the ads when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ad_platforms import spec
from agent_context import Execution, MemoryContext

from agents.ad_management import customer_list, lookalike
from agents.ad_management.customer_list import Filled, Without, filled_list
from agents.ad_management.deployment import DEPLOY
from agents.ad_management.units import Customers, Deploy
from agents.effects import EffectSteps
from agents.email_address import mailbox_hash
from agents.unit import Unit
from integrations.ads import registry
from integrations.ads.audience import ListUse
from integrations.ads.lookalike import Lookalike
from integrations.ads.platform import AimedList
from integrations.errors import NeedsAttentionError, OutcomeUnknownError, StillWorkingError

NAME = "facebook_ads"
PEOPLE = [f"p{n}@acme.example" for n in range(4)]
AIMED = AimedList(reference="ref:alike-1", use=ListUse.LOOKALIKE, seed="ref:list-1", country="DE")


@pytest.fixture
def execution(monkeypatch: pytest.MonkeyPatch) -> Execution:
    """A platform that makes lookalike audiences of three people or more."""
    known = registry.platforms()
    audiences = known[NAME].audiences
    assert audiences is not None
    changed = {**known, NAME: replace(known[NAME], audiences=replace(audiences, lookalike_least=3, least=3))}
    monkeypatch.setattr(registry, "platforms", lambda: changed)
    return Execution.in_memory()


GIVEN = Deploy(
    platform=NAME,
    spec=spec(),
    customers=Customers(
        use=ListUse.LOOKALIKE,
        members={mailbox_hash(email): email for email in PEOPLE},
        found=False,
        consented=True,
        lookalike=Lookalike(country="DE", percent=2),
    ),
)


def context(execution: Execution) -> MemoryContext:
    unit = Unit(key="deploy", kind="deploy", provider=NAME, effect_key="k", input=GIVEN.model_dump(mode="json"))
    return execution.for_unit("campaign-1", 2, 2, unit)


def fill(execution: Execution) -> Any:
    ctx = context(execution)
    return filled_list(GIVEN, ctx, EffectSteps(ctx, NAME))


def calls(execution: Execution) -> list[str]:
    return [call for call, _ in execution.providers.audiences(NAME).calls]


def test_it_is_made_of_the_filled_list_and_aimed_at_without_it(execution: Execution) -> None:
    found = fill(execution)
    assert found == Filled({customer_list.STEP: "list-1", lookalike.STEP: "alike-1"}, AIMED, 4)
    assert execution.providers.audiences(NAME).calls[-1] == ("create_lookalike", ("list-1", "DE", "2"))
    assert calls(execution) == ["create", "add", "create_lookalike"]
    assert fill(execution) == found
    assert len(calls(execution)) == 3, "another attempt makes nothing again"


def test_a_lost_reply_makes_no_second_one(execution: Execution) -> None:
    def lose(call: str) -> None:
        if call == "create_lookalike":
            raise OutcomeUnknownError(NAME, "gave no answer")

    audiences = execution.providers.audiences(NAME)
    audiences.after = lose
    with pytest.raises(OutcomeUnknownError):
        fill(execution)
    audiences.after = lambda _call: None
    assert fill(execution).aimed == AIMED
    assert calls(execution).count("create_lookalike") == 1


def test_too_few_leads_make_not_even_a_list(execution: Execution) -> None:
    for email in PEOPLE[:2]:
        execution.suppression.suppress(email, "objected")
    assert fill(execution) == Without(
        "no lookalike audience: it takes a list of 3 people or more, and 2 of the campaign's leads may be on one"
    )
    assert calls(execution) == []


def test_a_platform_that_knows_too_few_of_them_has_a_day_and_then_the_list_goes(execution: Execution) -> None:
    execution.providers.audiences(NAME).known = 0.5
    with pytest.raises(StillWorkingError, match="too few people") as caught:
        fill(execution)
    assert caught.value.retry_after == 900.0
    execution.clock.at += timedelta(seconds=lookalike.MATCHED_S - 1)
    with pytest.raises(StillWorkingError):
        fill(execution)
    execution.clock.at += timedelta(seconds=1)
    assert fill(execution) == Without("no lookalike audience: there are too few people on the customer list")
    assert execution.providers.audiences(NAME).lists == {}
    assert isinstance(fill(execution), Without), "another attempt goes without it, too"


def test_ads_that_fail_for_good_take_both_along(execution: Execution) -> None:
    fill(execution)
    ctx = context(execution)
    told = DEPLOY.undone(ctx.unit, NeedsAttentionError(NAME, "no money"), ctx)
    assert "has been removed: customer_list list-1, lookalike alike-1" in told.message
    assert execution.providers.audiences(NAME).lists == {}
    assert calls(execution)[-2:] == ["delete", "delete"]
    assert fill(execution).aimed.reference == "ref:alike-2"


def test_ads_without_it_are_placed_and_say_why(execution: Execution) -> None:
    for email in PEOPLE:
        execution.suppression.suppress(email, "objected")
    ctx = context(execution)
    deployed = DEPLOY.run(GIVEN, ctx)
    assert (deployed.status, deployed.listed) == ("active", None)
    assert "takes a list of 3 people or more, and 0" in (deployed.unlisted or "")
    assert lookalike.STEP not in deployed.remote_ids
