"""Delivery of leads: what is planned and asked, and what of a batch is sent, once, and to whom never."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from agent_context import Execution

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.delivery.agent import Delivery
from agents.delivery.sending import MAX_SILENT, SEND, lead_key
from agents.delivery.units import Batch, Delivered
from agents.erasure import person_hashes, record_hashes
from agents.state import Lead, MarketingAgentState
from agents.unit import Stage, StageResult, Unit, UnitResult, UnitStatus
from integrations.delivery.target import Item, Outcome
from integrations.errors import IntegrationError, NeedsAttentionError, OutcomeUnknownError, TransientError
from integrations.placed_lead import PlacedLead

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def leads(number: int) -> tuple[Lead, ...]:
    return tuple(
        Lead(
            lead_id=f"lead-{n}",
            email=f"p{n}@acme.example",
            name=f"Person {n}",
            company=f"Acme {n}",
            score=0.9,
            qualified_at=NOW,
        )
        for n in range(number)
    )


def state(*deliver: Any, people: tuple[Lead, ...] = leads(3), **more: Any) -> MarketingAgentState:
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "deliver": list(deliver), **more})
    begun = MarketingAgentState.initial(config, campaign_id="c1", now=NOW)
    return begun.evolve(leads=people, qualified_leads=people)


def planned(of: MarketingAgentState) -> Stage:
    stage = Delivery().plan(of, [])
    assert stage is not None
    return stage


@dataclass
class Place:
    """A target that keeps what it got, and can misbehave."""

    got: list[tuple[str, str, tuple[Item, ...]]] = field(default_factory=list)  #: path, batch's key, leads
    removed: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    fails: IntegrationError | None = None
    meanwhile: Any = None  #: called when a batch has arrived

    present_keys: tuple[str, ...] = ()

    def present(self, items: list[Item], *, wire: Any) -> tuple[str, ...]:
        return self.present_keys

    def deliver(self, items: list[Item], *, path: str, key: str, wire: Any) -> Outcome:
        wire(lambda _timeout: self.got.append((path, key, tuple(items))))
        if self.meanwhile:
            self.meanwhile()
        if self.fails:
            raise self.fails
        return Outcome(
            placed={item.key: f"at-{item.key}" for item in items if item.key not in self.refuses},
            refused=self.refuses,
        )

    def remove(self, placed: PlacedLead, *, path: str, wire: Any) -> None:
        wire(lambda _timeout: self.removed.append(str(placed.remote_id)))


@dataclass
class Places:
    """Providers of nothing but one target."""

    target: Place = field(default_factory=Place)

    def place(self, target: str) -> Place:
        return self.target


@pytest.fixture
def execution() -> Execution:
    return Execution(Places())


def send(execution: Execution, unit: Unit) -> Delivered:
    return SEND.run(SEND.given(unit), execution.for_unit("c1", 1, 0, unit))


def key(number: int) -> str:
    return lead_key("c1", f"lead-{number}")


def sent(execution: Execution) -> list[list[str]]:
    return [[item.key for item in items] for _, _, items in execution.providers.target.got]


def test_leads_are_cut_into_batches_of_each_target() -> None:
    stage = planned(state("webhook", {"to": "webhook", "path": "/crm", "fields": ["email"]}, people=leads(230)))
    assert [(unit.key, len(SEND.given(unit).people)) for unit in stage.units] == [
        ("webhook:1", 100), ("webhook:2", 100), ("webhook:3", 30),
        ("webhook:/crm:1", 100), ("webhook:/crm:2", 100), ("webhook:/crm:3", 30),
    ]  # fmt: skip
    assert len({unit.effect_key for unit in stage.units}) == 6
    assert all(unit.effect and unit.provider == "webhook" for unit in stage.units)


def test_a_lead_is_sent_with_the_fields_that_were_asked_for(execution: Execution) -> None:
    (unit,) = planned(
        state({"to": "webhook", "fields": {"email": "Mail", "last_name": "Surname", "phone": "Tel"}})
    ).units
    assert send(execution, unit).placed == {f"lead-{n}": f"at-{key(n)}" for n in range(3)}
    first = execution.providers.target.got[0][2][0]
    assert first == Item(key=key(0), email="p0@acme.example", values={"Mail": "p0@acme.example", "Surname": "0"})


def test_what_was_taken_is_not_sent_again(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    assert send(execution, unit) == send(execution, unit)
    assert len(sent(execution)) == 1


def test_a_lost_answer_sends_the_same_batch_under_the_same_keys(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    execution.providers.target.fails = OutcomeUnknownError("webhook", "gave no answer")
    with pytest.raises(OutcomeUnknownError):
        send(execution, unit)
    execution.providers.target.fails = None
    assert len(send(execution, unit).placed) == 3
    first, second = execution.providers.target.got
    assert first == second


def test_a_target_that_stays_silent_waits_for_a_person(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    execution.providers.target.fails = OutcomeUnknownError("webhook", "gave no answer")
    ends = []
    for _ in range(2 * MAX_SILENT):
        with pytest.raises(IntegrationError) as caught:
            send(execution, unit)
        ends.append(type(caught.value))
    once = [OutcomeUnknownError] * (MAX_SILENT - 1) + [NeedsAttentionError]
    assert ends == once * 2, "a person who says 'go on' has it sent again"


@pytest.mark.parametrize("by", ["address", "identity"])
def test_who_is_suppressed_is_never_sent(execution: Execution, by: str) -> None:
    (unit,) = planned(state("webhook")).units
    if by == "address":
        execution.suppression.suppress("p1@acme.example", "objected")
    else:
        execution.suppression.bar(record_hashes({"name": "Person 1", "company": "Acme 1"}), "objected")
    found = send(execution, unit)
    assert sent(execution) == [[key(0), key(2)]]
    assert (sorted(found.placed), found.suppressed) == (["lead-0", "lead-2"], 1)


def test_who_is_excluded_is_not_sent_and_stays_where_they_are_once_they_are_there(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    place = execution.providers.target
    execution.exclusions.hashes |= person_hashes({"email": "P1@acme.example"})
    place.meanwhile = lambda: execution.exclusions.hashes.update(person_hashes({"email": "p2@acme.example"}))
    found = send(execution, unit)
    assert sent(execution) == [[key(0), key(2)]]
    assert (sorted(found.placed), found.excluded, found.suppressed) == (["lead-0", "lead-2"], 1, 0)
    assert place.removed == []


def test_a_batch_of_suppressed_people_is_not_sent_at_all(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    for n in range(3):
        execution.suppression.suppress(f"p{n}@acme.example", "objected")
    assert send(execution, unit).suppressed == 3
    assert execution.calls == []


def test_who_is_suppressed_while_a_batch_is_under_way_is_taken_off(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    place = execution.providers.target
    place.meanwhile = lambda: execution.suppression.suppress("p1@acme.example", "objected")
    found = send(execution, unit)
    assert place.removed == [f"at-{key(1)}"]
    assert execution.deliveries.said[-1] == ("gone", "webhook", (key(1),))
    assert (sorted(found.placed), found.suppressed) == (["lead-0", "lead-2"], 1)


def test_who_was_there_before_us_is_not_taken_off(execution: Execution) -> None:
    (unit,) = planned(state("hubspot")).units
    place = execution.providers.target
    place.present_keys = (key(1),)
    place.meanwhile = lambda: [execution.suppression.suppress(f"p{n}@acme.example", "objected") for n in (1, 2)]
    found = send(execution, unit)
    assert place.removed == [f"at-{key(2)}"]
    assert (sorted(found.placed), found.suppressed) == (["lead-0"], 2)


def test_a_place_that_knows_people_by_address_gets_no_others() -> None:
    of = state("hubspot", "webhook", people=(*leads(2), Lead(lead_id="lead-9", name="Nobody Known")))
    assert [len(SEND.given(unit).people) for unit in planned(of).units] == [2, 3]


def test_who_is_sent_is_registered_before_and_whoever_is_barred_by_then_is_not_sent(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units

    def meanwhile() -> None:
        execution.suppression.suppress("p1@acme.example", "objected")
        execution.exclusions.hashes |= person_hashes({"email": "p0@acme.example"})

    execution.deliveries.meanwhile = meanwhile
    found = send(execution, unit)
    assert sent(execution) == [[key(2)]]
    assert (sorted(found.placed), found.suppressed, found.excluded) == (["lead-2"], 1, 1)
    everybody, those = tuple(map(key, range(3))), (key(2),)
    assert execution.deliveries.said == [("sending", "webhook", everybody), ("answered", "webhook", those)]


def test_who_is_suppressed_after_a_lost_answer_is_taken_off(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    execution.providers.target.fails = OutcomeUnknownError("webhook", "gave no answer")
    with pytest.raises(OutcomeUnknownError):
        send(execution, unit)
    execution.providers.target.fails = None
    execution.suppression.suppress("p1@acme.example", "objected")
    send(execution, unit)
    assert [keys for what, _, keys in execution.deliveries.said if what == "take_off"] == [(key(1),)]


def test_a_refused_lead_leaves_the_others_alone(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    execution.providers.target.refuses = {key(1): "INVALID_EMAIL"}
    found = send(execution, unit)
    assert found.refused == {"lead-1": "INVALID_EMAIL"}
    assert sorted(found.placed) == ["lead-0", "lead-2"]


def test_no_address_is_in_the_answer_or_the_journal(execution: Execution) -> None:
    (unit,) = planned(state("webhook")).units
    found = send(execution, unit)
    assert "@" not in found.model_dump_json()
    assert "@" not in str(execution.journals)


def finished(before: MarketingAgentState, *answers: Delivered | None) -> MarketingAgentState:
    results = [
        UnitResult(
            unit=unit,
            status=UnitStatus.SUCCEEDED if answer else UnitStatus.FAILED,
            output=answer.model_dump(mode="json") if answer else None,
            error=None if answer else TransientError("webhook", "is down").to_dict(),
        )
        for unit, answer in zip(planned(before).units, answers, strict=True)
    ]
    return Delivery().finish(before, [StageResult(name="deliver", results=results)], NOW)


def test_each_lead_says_where_it_is() -> None:
    before = state("webhook", {"to": "webhook", "path": "/crm"})
    after = finished(
        before,
        Delivered(
            label="webhook",
            placed={"lead-0": "a", "lead-1": "b"},
            refused={"lead-2": "NO"},
            suppressed=0,
            excluded=2,
        ),
        None,
    )
    where = [("webhook",), ("webhook",), ()]
    assert [lead.delivered for lead in after.qualified_leads] == where
    assert [lead.delivered for lead in after.leads] == where
    summary = Delivery().summary(before, after)
    assert summary["delivered"] == {"webhook": 2}
    assert summary["refused"] == {"webhook": {"NO": 1}}
    assert summary["excluded"] == {"webhook": 2}
    assert summary["errors"] == 1
    assert "@" not in str(summary)
    (section,) = Delivery().overview(after)
    assert "webhook:/crm" in str(section)


def test_the_question_says_where_to_how_many_and_what() -> None:
    of = state("webhook", {"to": "webhook", "path": "/crm", "fields": ["email", "name"]}, people=leads(120))
    found = Delivery().question(of, planned(of))
    assert found is not None
    assert found.kind == "leads"
    assert [(one["to"], one["leads"]) for one in found.request["deliver"]] == [("webhook", 120), ("webhook:/crm", 120)]
    assert found.request["deliver"][1]["fields"] == {"email": "email", "name": "name"}
    assert "@" not in str(found.request)


def test_an_answer_covers_fewer_leads_but_no_other_ones() -> None:
    def covers(of: MarketingAgentState) -> set[str]:
        found = Delivery().question(of, planned(of))
        assert found is not None
        return set(found.contents)

    asked = covers(state("webhook"))
    assert covers(state("webhook", people=leads(2))) < asked
    assert not covers(state("webhook", people=leads(4))) <= asked
    changed = tuple(lead.model_copy(update={"phone": "+49 30 1"}) for lead in leads(3))
    assert not covers(state("webhook", people=changed)) & asked
    assert not covers(state({"to": "webhook", "path": "/other"})) & asked


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("csv", "campaigns leads ID --csv"),
        ({"to": "audience"}, "customer_list: {use: target}"),
        ("pipedrive", "leads are delivered to webhook"),
        ({"to": "webhook", "path": "crm"}, "such as /hooks/leads"),
        ({"to": "webhook", "path": "/a/../b"}, "such as /hooks/leads"),
        ({"to": "webhook", "path": "/a?b=c"}, "such as /hooks/leads"),
        ({"to": "webhook", "fields": ["e_mail"]}, "'e_mail' is no field of a lead"),
        ({"to": "webhook", "pth": "/a"}, "did you mean 'path'"),
    ],
)
def test_a_refusal_says_what_is_right(entry: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        state(entry)
    assert words in str(caught.value)
    assert "deliver" in str(caught.value)


def test_a_target_that_is_named_twice_is_refused() -> None:
    config = state("webhook", "webhook").campaign_config
    assert Delivery().problems(config) == ["deliver: webhook is named 2 times; once is right"]


def test_a_batch_reads_back() -> None:
    (unit,) = planned(state("webhook")).units
    assert Batch.model_validate(unit.input) == SEND.given(unit)
