"""Filling of a customer list: in which order, by which batches, and who is never sent or is taken off again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ad_platforms import spec
from agent_context import Execution, MemoryContext

from agents.ad_management.customer_list import MATCHING_S, STEP, filled_list
from agents.ad_management.deployment import DEPLOY
from agents.ad_management.units import Customers, Deploy
from agents.effects import EffectSteps
from agents.email_address import mailbox_hash
from agents.unit import Unit
from integrations.ads import registry
from integrations.ads.audience import ListUse
from integrations.errors import BadRequestError, NeedsAttentionError, OutcomeUnknownError, StillWorkingError

NAME = "facebook_ads"
PEOPLE = [f"p{n}@acme.example" for n in range(5)]


@pytest.fixture
def execution(monkeypatch: pytest.MonkeyPatch) -> Execution:
    """A platform with two members a call and lists of at least three."""
    aimed(monkeypatch, batch=2, least=3)
    return Execution.in_memory()


def aimed(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    known = registry.platforms()
    audiences = known[NAME].audiences
    assert audiences is not None
    changed = {**known, NAME: replace(known[NAME], audiences=replace(audiences, **changes))}
    monkeypatch.setattr(registry, "platforms", lambda: changed)


def given(use: ListUse = ListUse.EXCLUDE) -> Deploy:
    members = {mailbox_hash(email): f"form-of-{email}" for email in PEOPLE}
    return Deploy(
        platform=NAME, spec=spec(), customers=Customers(use=use, members=members, found=False, consented=True)
    )


def context(execution: Execution) -> MemoryContext:
    unit = Unit(key="deploy", kind="deploy", provider=NAME, effect_key="k", input=given().model_dump(mode="json"))
    return execution.for_unit("campaign-1", 2, 2, unit)


def fill(execution: Execution, use: ListUse = ListUse.EXCLUDE) -> Any:
    ctx = context(execution)
    return filled_list(given(use), ctx, EffectSteps(ctx, NAME))


def calls(execution: Execution) -> list[tuple[str, tuple[str, ...]]]:
    return list(execution.providers.audiences(NAME).calls)


def forms(*numbers: int) -> tuple[str, ...]:
    return tuple(f"form-of-{PEOPLE[n]}" for n in numbers)


def test_it_is_made_registered_and_filled_in_batches(execution: Execution) -> None:
    found = fill(execution)
    assert (found.aimed.reference, found.aimed.use, found.members) == ("ref:list-1", ListUse.EXCLUDE, 5)
    assert calls(execution) == [
        ("create", ()), ("add", forms(0, 1)), ("add", forms(2, 3)), ("add", forms(4)),
    ]  # fmt: skip
    said = [word for word, *place in execution.customer_lists.said if place == [NAME, "list-1"]]
    assert said == ["opened", "filling", "filling", "filling", "filled"]
    assert fill(execution) == found
    assert len(calls(execution)) == 4, "another attempt does nothing again"


def test_who_is_suppressed_is_never_sent(execution: Execution) -> None:
    execution.suppression.suppress(PEOPLE[1], "objected")
    assert fill(execution).members == 4
    assert calls(execution) == [("create", ()), ("add", forms(0)), ("add", forms(2, 3)), ("add", forms(4))]


def test_a_batch_of_whom_all_are_suppressed_is_not_sent(execution: Execution) -> None:
    for email in PEOPLE[:2]:
        execution.suppression.suppress(email, "objected")
    fill(execution)
    assert [members for call, members in calls(execution) if call == "add"] == [forms(2, 3), forms(4)]


def test_who_is_suppressed_while_a_batch_is_on_its_way_is_taken_off(execution: Execution) -> None:
    def meanwhile(call: str) -> None:
        if call == "add":
            execution.suppression.suppress(PEOPLE[0], "objected")

    execution.providers.audiences(NAME).after = meanwhile
    fill(execution)
    assert calls(execution)[1:3] == [("add", forms(0, 1)), ("remove", forms(0))]
    assert execution.providers.audiences(NAME).lists["list-1"] == set(forms(1, 2, 3, 4))


def test_an_attempt_that_repeats_a_batch_takes_off_who_was_suppressed_since(execution: Execution) -> None:
    audiences = execution.providers.audiences(NAME)

    def lose(call: str) -> None:
        if call == "add":
            raise OutcomeUnknownError(NAME, "gave no answer")

    audiences.after = lose
    with pytest.raises(OutcomeUnknownError):
        fill(execution)
    assert audiences.lists["list-1"] == set(forms(0, 1)), "it has arrived"
    audiences.after = lambda _call: None
    execution.suppression.suppress(PEOPLE[0], "objected")
    fill(execution)
    assert audiences.lists["list-1"] == set(forms(1, 2, 3, 4))


def test_a_list_too_short_for_ads_is_not_made(execution: Execution) -> None:
    for email in PEOPLE[:3]:
        execution.suppression.suppress(email, "objected")
    with pytest.raises(BadRequestError, match=r"lists of 3 people or more, and 2 of the campaign's leads"):
        fill(execution, ListUse.TARGET)
    assert calls(execution) == []
    assert fill(execution, ListUse.EXCLUDE).members == 2, "keeping ads from two is no trouble"


def test_nobody_on_it_means_no_list(execution: Execution) -> None:
    for email in PEOPLE:
        execution.suppression.suppress(email, "objected")
    assert fill(execution) is None
    assert calls(execution) == []


def test_a_new_list_has_its_time_to_settle(execution: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    aimed(monkeypatch, settle_s=5.0)
    with pytest.raises(StillWorkingError) as caught:
        fill(execution)
    assert caught.value.retry_after == 5.0
    assert calls(execution) == [("create", ())]
    execution.clock.at = execution.clock.at.replace(second=4)
    with pytest.raises(StillWorkingError):
        fill(execution)
    execution.clock.at = execution.clock.at.replace(second=5)
    assert fill(execution).members == 5


def test_a_list_that_is_still_matched_is_asked_for_again(execution: Execution) -> None:
    execution.providers.audiences(NAME).matched = False
    with pytest.raises(StillWorkingError) as caught:
        fill(execution)
    assert caught.value.retry_after == MATCHING_S
    execution.providers.audiences(NAME).matched = True
    assert fill(execution).aimed.reference == "ref:list-1"
    assert [call for call, _ in calls(execution)] == ["create", "add", "add", "add"]


def test_ads_that_fail_for_good_take_their_list_along(execution: Execution) -> None:
    fill(execution)
    ctx = context(execution)
    told = DEPLOY.undone(ctx.unit, NeedsAttentionError(NAME, "no money"), ctx)
    assert "has been removed" in told.message
    assert execution.providers.audiences(NAME).lists == {}
    assert execution.customer_lists.said[-1] == ("closed", NAME, "list-1")
    assert EffectSteps(ctx, NAME).get(STEP) is None
    assert fill(execution).aimed.reference == "ref:list-2", "one that is made later is filled from the start"
    assert execution.providers.audiences(NAME).lists == {"list-2": set(forms(0, 1, 2, 3, 4))}
