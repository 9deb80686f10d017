"""Customer lists over the wire: who is on them, who never is, and how people leave them."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from orchestrator_harness import Harness

from agents.config import CampaignConfig
from agents.ports import SystemClock
from agents.registry import agents
from integrations.ads.registry import platforms
from integrations.settings import Settings
from orchestration.control.excluding import exclude
from orchestration.control.lead_paths import read_files
from orchestration.control.verbs import Verbs
from orchestration.execution.context import Resources
from orchestration.execution.list_removals import remove_listed
from orchestration.stores.customer_lists import RemovalBook, ask_deletion
from orchestration.stores.lead_files import LeadFileStore
from orchestration.stores.retention import Retention
from orchestration.stores.suppression import SuppressionList

LISTED = [name for name, spec in platforms().items() if spec.audiences is not None]
#: address -> what its row says of the legal basis
PEOPLE = {
    "Ann.Lee@gmail.com": "consent",
    "bob@acme.example": "contract",
    "cleo@acme.example": "Consent",
    "dan@acme.example": "legitimate interest",
    "eve@acme.example": "",
}
MAY = ["ann.lee@gmail.com", "bob@acme.example", "cleo@acme.example"]
#: No list needs time to settle, so that nothing has to wait.
QUICK = {"accounts": {name: {"settle_s": 0} for name in LISTED}}


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Harness]:
    made = Harness(database_url, agents())
    made.orchestrator = replace(made.orchestrator, resources=resources(made, sandbox))
    sandbox.reset(7, QUICK)
    yield made
    made.close()


@pytest.fixture
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Platforms whose new lists take members at once."""
    from integrations.ads import registry

    quick = {
        name: replace(spec, audiences=replace(spec.audiences, settle_s=0.0)) if spec.audiences else spec
        for name, spec in platforms().items()
    }
    monkeypatch.setattr(registry, "platforms", lambda: quick)


pytestmark = pytest.mark.usefixtures("no_settling")


def resources(bench: Harness, sandbox: Any) -> Resources:
    env = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or "", "HTTP_TIMEOUT_S": "5"}
    return Resources.of(Settings.from_env(env), bench.database)


def submit(bench: Harness, folder: Path, use: str, people: dict[str, str] = PEOPLE, **more: Any) -> None:
    """Submit a campaign whose leads are rows of a file."""
    path = folder / "leads.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Name", "Email", "Title", "Company", "Industry", "Employees", "Legal basis"])
        rows.writerows(
            [address.partition("@")[0], address, "CTO", "Acme", "SaaS", "120", basis]
            for address, basis in people.items()
        )
    config = {
        "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
        "lead_sources": [{"type": "file", "path": str(path)}],
        "enrichment": {"find_emails": False, "verify": "none"},
        "content_required": False,
        "budget": 900,
        "ad_platforms": LISTED,
        "customer_list": {"use": use},
        **more,
    }
    parsed, files = read_files(CampaignConfig.parse(config))
    for one in files:
        LeadFileStore(bench.database).add(one)
    bench.submit("c1", **parsed.model_dump(mode="json"))


def run(bench: Harness) -> dict[str, Any]:
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    shown: dict[str, Any] = bench.reports.show("c1")
    return shown


def lists(sandbox: Any) -> dict[str, set[str]]:
    """Platform -> members of its one list."""
    found = sandbox.get("/_sandbox/state")["audiences"]
    assert len({one["provider"] for one in found}) == len(found), "one list each"
    return {one["provider"]: set(one["members"]) for one in found}


def forms(addresses: list[str]) -> dict[str, set[str]]:
    """Platform -> addresses in its form."""
    specs = {name: platforms()[name].audiences for name in LISTED}
    return {name: {spec.member(address) for address in addresses} for name, spec in specs.items() if spec is not None}


def test_only_leads_with_a_basis_for_it_are_on_the_list(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, "exclude")
    shown = run(bench)
    assert shown["status"] == "completed", shown["reason"]
    assert lists(sandbox) == forms(MAY)
    creatives = shown["state"]["ad_creatives"]
    assert [(c["platform"], c["status"], c["listed"]) for c in creatives] == [(name, "active", 3) for name in LISTED]
    assert bench.database.value("SELECT count(*) FROM marketing.customer_lists WHERE filling_until IS NOT NULL") == 0
    assert bench.database.value("SELECT count(*) FROM marketing.customer_lists") == len(LISTED)


def test_someone_who_is_suppressed_never_gets_there(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    SuppressionList(bench.database).suppress("Bob@Acme.example", "opt-out")
    submit(bench, tmp_path, "exclude")
    run(bench)
    assert lists(sandbox) == forms(["ann.lee@gmail.com", "cleo@acme.example"])


@pytest.mark.slow
def test_someone_who_is_excluded_by_hand_never_gets_there_and_leaves(
    bench: Harness, sandbox: Any, tmp_path: Path
) -> None:
    submit(bench, tmp_path, "exclude", approval={"gate": "ads"})
    assert run(bench)["status"] == "awaiting_approval"
    verbs = Verbs(ledger=bench.ledger, agents=bench.agents, wakeups=bench.broker, clock=SystemClock())
    exclude(verbs, "c1", "bob@acme.example", actor="me")
    verbs.approve("c1", actor="me")
    shown = run(bench)
    assert shown["status"] == "completed", shown["reason"]
    assert lists(sandbox) == forms(["ann.lee@gmail.com", "cleo@acme.example"])
    assert {one["listed"] for one in shown["state"]["ad_creatives"]} == {2}
    exclude(verbs, "c1", "cleo@acme.example", actor="me")
    assert remove_listed(bench.orchestrator.resources) == len(LISTED)
    assert lists(sandbox) == forms(["ann.lee@gmail.com"])


def test_a_list_too_short_for_ads_is_not_made_and_the_ads_are_not_placed(
    bench: Harness, sandbox: Any, tmp_path: Path
) -> None:
    submit(bench, tmp_path, "target")
    shown = run(bench)
    assert (shown["status"], lists(sandbox), sandbox.get("/_sandbox/state")["ad_campaigns"]) == ("failed", {}, [])
    for creative in shown["state"]["ad_creatives"] or []:
        assert "people or more" in creative["error"]
    assert "people or more" in shown["reason"]


def test_ads_are_shown_to_qualified_leads_only(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    many = {f"person{n}@acme.example": "consent" for n in range(400)}
    submit(bench, tmp_path, "target", many)
    shown = run(bench)
    assert shown["status"] == "completed", shown["reason"]
    qualified = [lead["email"] for lead in shown["state"]["qualified_leads"]]
    assert len(qualified) == 400
    assert lists(sandbox) == forms(qualified)


@pytest.mark.parametrize("people", [120, 99])
def test_ads_are_shown_to_people_like_the_leads(bench: Harness, sandbox: Any, tmp_path: Path, people: int) -> None:
    many = {f"person{n}@acme.example": "consent" for n in range(people)}
    wanted = {"use": "lookalike", "country": "DE", "ratio": 2}
    submit(bench, tmp_path, "target", many, ad_platforms=["facebook_ads"], customer_list=wanted)
    shown = run(bench)
    assert shown["status"] == "completed", shown["reason"]
    (creative,) = shown["state"]["ad_creatives"]
    stored = sandbox.get("/_sandbox/state")["audiences"]
    if people < 100:
        assert (stored, creative["listed"], creative["status"]) == ([], None, "active")
        assert "takes a list of 100 people or more, and 99" in creative["unlisted"]
        return
    assert [len(one["members"]) for one in stored] == [people, 0]
    assert [creative["remote_ids"][step] for step in ("customer_list", "lookalike")] == [one["id"] for one in stored]
    assert (creative["listed"], creative["unlisted"]) == (people, None)
    bench.database.transaction(lambda tx: ask_deletion(tx, "c1"))
    assert remove_listed(bench.orchestrator.resources) == 1
    assert sandbox.get("/_sandbox/state")["audiences"] == [], "it goes with its list"


@pytest.mark.parametrize("down", [False, True])
def test_who_is_erased_leaves_every_list(bench: Harness, sandbox: Any, tmp_path: Path, down: bool) -> None:
    submit(bench, tmp_path, "exclude")
    run(bench)
    for name in LISTED if down else []:
        sandbox.post("/_sandbox/faults", {"provider": name, "mode": "down"})
    SuppressionList(bench.database).erase("ann.lee@gmail.com", "asked")
    book, shared = RemovalBook(bench.database), bench.orchestrator.resources
    assert list(book.left()) == LISTED, "who erases a person writes it down"
    done = remove_listed(shared)
    if down:
        assert done == 0
        assert list(book.left()) == LISTED
        assert all(book.left().values()), "why is said"
        assert remove_listed(shared) == 0, "not before its time"
        for name in LISTED:
            sandbox.post("/_sandbox/faults", {"provider": name, "mode": "ok"})
        bench.database.run("UPDATE marketing.list_removals SET due_at = now()")
        done = remove_listed(shared)
    assert done == len(LISTED)
    assert lists(sandbox) == forms(["bob@acme.example", "cleo@acme.example"])
    assert book.left() == {}


def test_someone_whose_batch_is_on_its_way_leaves_as_well(
    bench: Harness, sandbox: Any, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    submit(bench, tmp_path, "exclude")
    sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "slow", "delay": 0.3})
    hop = threading.Thread(target=lambda: run(bench))
    hop.start()
    marked = "SELECT count(*) FROM marketing.customer_lists WHERE filling_until IS NOT NULL"
    wait_until(lambda: bench.database.value(marked), timeout=60)
    SuppressionList(bench.database).erase("ann.lee@gmail.com", "asked")
    remove_listed(bench.orchestrator.resources)
    sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "ok"})
    hop.join()
    ann = forms(["ann.lee@gmail.com"])
    assert not [name for name, members in lists(sandbox).items() if members & ann[name]]
    assert bench.reports.show("c1")["status"] == "completed"


def test_a_removal_stays_written_down_while_a_batch_may_arrive(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, "exclude")
    run(bench)
    before, book = lists(sandbox), RemovalBook(bench.database)
    bench.database.run("UPDATE marketing.customer_lists SET filling_until = now() + interval '1 minute'")
    SuppressionList(bench.database).erase("ann.lee@gmail.com", "asked")
    assert remove_listed(bench.orchestrator.resources) == len(LISTED)
    assert list(book.left()) == LISTED, "a batch with the person may still come"
    _put_back(bench, sandbox, before)
    bench.database.run("UPDATE marketing.customer_lists SET filling_until = now() - interval '1 second'")
    bench.database.run("UPDATE marketing.list_removals SET due_at = now()")
    remove_listed(bench.orchestrator.resources)
    assert lists(sandbox) == forms(["bob@acme.example", "cleo@acme.example"])
    assert book.left() == {}


def _put_back(bench: Harness, sandbox: Any, before: dict[str, set[str]]) -> None:
    """Let the batches of before arrive once more, as those of a worker that has died since."""
    from integrations.ads.audience import ListTerms

    for row in sandbox.get("/_sandbox/state")["audiences"]:
        audiences = bench.orchestrator.resources.providers.audiences(row["provider"])
        audiences.add(row["id"], sorted(before[row["provider"]]), ListTerms(), wire=lambda send: send(10.0))
    assert lists(sandbox) == before


def test_another_address_of_the_same_person_leaves_too(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, "exclude")
    run(bench)
    bench.database.run(
        "UPDATE marketing.campaigns SET leads = (SELECT jsonb_agg(jsonb_set(jsonb_set(l, '{name}', '\"Ann Lee\"'), "
        "'{company}', '\"Acme\"')) FROM jsonb_array_elements(leads) AS l WHERE l->>'email' ~ '^(ann|bob)')"
    )
    SuppressionList(bench.database).erase("bob@acme.example", "asked")
    remove_listed(bench.orchestrator.resources)
    assert lists(sandbox) == forms(["cleo@acme.example"])


def test_the_lists_go_when_people_are_no_longer_kept(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, "exclude", retention="30d")
    run(bench)
    bench.database.run("UPDATE marketing.campaigns SET updated_at = now() - interval '31 days'")
    assert Retention(bench.database).sweep() == 1
    assert remove_listed(bench.orchestrator.resources) == len(LISTED)
    assert lists(sandbox) == {}
    assert bench.database.value("SELECT count(*) FROM marketing.customer_lists") == 0
    assert RemovalBook(bench.database).left() == {}
