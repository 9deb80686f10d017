"""What became of the rows of an own file, and what a hop tells about what it lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from agent_context import Execution
from lead_campaigns import WORLD, execution_of, from_file, state, worker
from memory_leads import MemoryLeads

from agents.lead_generation import LeadGeneration
from agents.lead_generation.sources.web import site_unit
from agents.overview import Count, Points
from agents.own_rows import SET_ASIDE, Outcome, outcomes, row_name, set_aside
from agents.ports import FileSummary
from agents.unit import StageResult, Unit, UnitResult, UnitStatus
from integrations.errors import IntegrationError, PolicyRefusedError
from integrations.sandbox.world import Mail

AGENT = LeadGeneration()


@pytest.fixture
def execution() -> Execution:
    return execution_of(MemoryLeads())


def troubles(after: Any) -> list[str]:
    (section,) = AGENT.overview(after)
    items = [item for block in section.blocks if isinstance(block, Points) and block.trouble for item in block.items]
    return ["".join(str(cell.number) if isinstance(cell, Count) else str(cell) for cell in item) for item in items]


def test_every_row_is_kept_merged_or_set_aside(execution: Execution) -> None:
    good, gone = worker(), worker(known=False)
    dead = next(c for c in WORLD.companies if c.mail is Mail.NULL_MX)
    execution.suppression.suppress(gone.email, "asked")
    rows: list[dict[str, Any]] = [
        {"name": good.name, "company": "Acme"},
        {"email": good.email, "name": good.name, "company": "Acme"},
        {"email": gone.email, "name": gone.name},
        {"company": "Nobody"},
        {"email": f"ann@{dead.domain}"},
        {"email": f"ben@{dead.domain}", "name": "Ben Fox", "company": "Fox"},
        {"email": "broken@", "name": "Cleo Day", "company": "Day", "row": "19"},
        {"company": "Nobody"},
    ]
    after = AGENT.execute(from_file(rows, execution), execution)
    ids = {lead.name: lead.lead_id for lead in after.leads}
    assert outcomes(after) == {
        "f-1:2": Outcome("kept", ids[good.name]),
        "f-1:1": Outcome("merged", ids[good.name]),
        "f-1:3": Outcome("set aside", reason="suppressed"),
        "f-1:4": Outcome("set aside", reason="nothing identifies a person"),
        "f-1:5": Outcome("set aside", reason="undeliverable e-mail address"),
        "f-1:6": Outcome("kept", ids["Ben Fox"]),
        "f-1:19": Outcome("kept", ids["Cleo Day"]),
        "f-1:8": Outcome("set aside", reason="nothing identifies a person"),
    }
    assert outcomes(after.load(after.model_dump(mode="json"))) == outcomes(after), "also once it was stored"
    told = AGENT.summary(after, after)
    assert SET_ASIDE not in told, "an event says how many, not which"


def test_an_address_that_takes_no_mail_gives_way_to_the_next(execution: Execution) -> None:
    dead = next(c for c in WORLD.companies if c.mail is Mail.NULL_MX)
    rows = [
        {"email": f"ann@{dead.domain}", "name": "Ann Reed", "company": "Reed"},
        {"email": "ann@reed-other.com", "name": "Ann Reed", "company": "Reed"},
        {"email": "ann.reed@gmail.com", "name": "Ann Reed", "company": "Reed"},
    ]
    (lead,) = AGENT.execute(from_file(rows, execution, enrichment={"verify": "dns"}), execution).leads
    assert (lead.email, lead.other_emails, lead.rows) == (
        "ann@reed-other.com", ("ann.reed@gmail.com",), ("f-1:1", "f-1:2", "f-1:3"),
    )  # fmt: skip


def test_a_row_whose_person_is_known_without_an_address_is_merged(execution: Execution) -> None:
    dead = next(c for c in WORLD.companies if c.mail is Mail.NULL_MX)
    rows = [
        {"email": f"jo.day@{dead.domain}", "name": "Jo Day", "company": "Day"},
        {"email": f"jo.day2@{dead.domain}", "name": "Jo Day", "company": "Day"},
    ]
    after = AGENT.execute(from_file(rows, execution, enrichment={"find_emails": False, "verify": "dns"}), execution)
    (lead,) = after.leads
    assert outcomes(after) == {"f-1:1": Outcome("kept", lead.lead_id), "f-1:2": Outcome("merged", lead.lead_id)}


def test_lost_addresses_are_told_beside_what_was_found(execution: Execution) -> None:
    dead = next(c for c in WORLD.companies if c.mail is Mail.NULL_MX)
    rows = [{"email": f"p{n}@{dead.domain}", "name": f"Ann{chr(97 + n)} Reed", "company": "Reed"} for n in range(3)]
    rows.append({"email": "x@", "name": "Ben Fox", "company": "Fox"})
    rows.append({"email": "t@yopmail.com", "name": "Cy Low", "company": "Low"})
    config = {"enrichment": {"find_emails": False, "verify": "dns"}}
    after = AGENT.execute(from_file(rows, execution, **config), execution)
    assert len(after.leads) == 5
    assert troubles(after) == [
        "5 of 5 e-mail addresses can't be used: 1 broken, 3 refused by their mail domain or provider, "
        "1 thrown away after use"
    ]


def test_what_the_reading_of_a_file_said_is_told(execution: Execution) -> None:
    execution.lead_files.summaries["f-1"] = FileSummary(
        ("not UTF-8; read as Windows-1252", "column 'ann@acme.example' is not used"), {"empty row": 2}
    )
    after = AGENT.execute(from_file([{"email": "ann@acme.com", "name": "Ann Reed"}], execution), execution)
    assert troubles(after) == [
        "mine.csv: rows left out: 2 empty row",
        "mine.csv: not UTF-8; read as Windows-1252",
        "mine.csv: column [address] is not used",
    ]
    assert AGENT.summary(after, after)["files"]["mine.csv"]["left_out"] == {"empty row": 2}


def test_sites_that_were_not_read_are_told_with_the_reason() -> None:
    def result(unit: Unit, error: IntegrationError | None = None, **output: object) -> UnitResult:
        status = UnitStatus.FAILED if error else UnitStatus.SUCCEEDED
        return UnitResult(unit=unit, status=status, output=output or None, error=error.to_dict() if error else None)

    refused = PolicyRefusedError("web", "a site answered 403")
    stage = StageResult(
        name="discover",
        results=[
            result(site_unit("https://www.mine.example/team", 5, given=True), refused),
            result(site_unit("https://found.example/", 5, given=False), refused),
            result(site_unit("https://closed.example/", 5, given=False), closed=True),
            result(site_unit("https://read.example/", 5, given=True), records=[], suppressed=[], pages=1),
        ],
    )
    after = AGENT.update_state(state(), [stage], datetime(2026, 1, 1, tzinfo=UTC))
    assert troubles(after) == [
        "sites that were not read: 2 a site answered 403, 1 robots.txt forbids it",
        "www.mine.example: a site answered 403",
    ]
    assert AGENT.summary(after, after)["sites_not_read"] == {
        "by_reason": {"a site answered 403": 2, "robots.txt forbids it": 1},
        "named": {"www.mine.example": "a site answered 403"},
    }


def test_rows_set_aside_are_kept_as_ranges() -> None:
    rows = [(row_name("0123456789abcdef", number), "suppressed") for number in (1, 2, 3, 7, 9, 10)]
    assert set_aside([*rows, ("b:4", "x")]) == {"suppressed": {"01234567": "1-3,7,9-10"}, "x": {"b": "4"}}


def test_a_campaign_without_own_files_has_no_rows(execution: Execution) -> None:
    after = AGENT.execute(state(lead_sources=[{"type": "search", "limit": 5}]), execution)
    assert after.leads
    assert outcomes(after) == {}
