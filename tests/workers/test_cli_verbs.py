"""The verbs on the command line, over a real database and real ledger rows: what is shown, done, told, refused."""

from __future__ import annotations

import getpass
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import Toy, echo, toys

from agents.effects import INTENT
from agents.names import AD_MANAGEMENT, LEAD_GENERATION
from agents.ports import UnitContext
from agents.state import AdCreative, MarketingAgentState
from agents.unit import Stage, Unit, effect_key
from integrations.errors import PermanentError
from workers.cli import main

ME = f"cli:{getpass.getuser()}"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SPEC = {
    "name": "Launch",
    "headlines": ["Forecast before coffee\x1b[31m", "See your pipeline"],
    "descriptions": ["Revenue analytics."],
    "keywords": [],
    "call_to_action": "Book a tour",
    "landing_url": "https://www.northlight.example/",
    "audience": {"industries": ["saas"], "titles": ["CTO", "VP"], "locations": []},
    "daily_budget": "33.33",
    "currency": "EUR",
    "end": "2026-03-31T00:00:00Z",
}


class AdToy(Toy):
    """An ad agent whose one effect looks like a real one to the approval gate."""

    def plan(self, state: MarketingAgentState, results: Any) -> Stage | None:
        if results:
            return None
        spec = {**SPEC, "headlines": [*SPEC["headlines"], state.campaign_config.name]}
        unit = Unit(
            key="deploy:toy",
            kind="toy",
            provider="local",
            input={"value": 1, "platform": "facebook_ads", "spec": spec},
            effect_key=effect_key(state.campaign_id, "toy"),
        )
        return Stage(name="deploy", units=[unit])

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        creative = AdCreative(creative_id="a", platform="facebook_ads", status="active", remote_ids={"campaign": "1"})
        return state.evolve(ad_creatives=(creative,))


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Stdout as one line."""
        return " ".join(self.out.split())


Command = Callable[..., Answer]


@pytest.fixture
def campaigns(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs the command in this process."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Answer(end.value.code, out, err)

    yield run
    signal.signal(signal.SIGTERM, before)


class Mended:
    """Campaigns whose name says so fail until this is set."""

    is_so = False


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    """A database of toy campaigns that the command talks to; campaigns named ``bad...`` fail in lead generation."""

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if ctx.campaign_id.startswith("bad") and unit.key == "u1" and not Mended.is_so:
            raise PermanentError("web", "the site\x1b[31m said no")
        return echo(unit, ctx)

    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    Mended.is_so = False
    agents = toys(stages=(2,), body=body)
    agents[LEAD_GENERATION] = OneOfTwo(LEAD_GENERATION, (2,), body)
    agents[AD_MANAGEMENT] = AdToy(AD_MANAGEMENT, (1,), body)
    made = Harness(database_url, agents)
    made.ledger.beat()  # somebody is at work
    yield made
    made.close()


class OneOfTwo(Toy):
    """Only its second unit is essential, so that a hop may fail with half of its work done."""

    def plan(self, state: MarketingAgentState, results: Any) -> Stage | None:
        stage = super().plan(state, results)
        if stage is None:
            return None
        return Stage(name=stage.name, units=[replace(unit, essential=unit.key == "u1") for unit in stage.units])


def begun(one: Harness, campaign_id: str, **config: Any) -> None:
    """Submit a campaign and run it as far as it goes."""
    one.submit(campaign_id, **{"name": "Launch", **config})
    one.orchestrator.run_hop(campaign_id)
    one.deliver()


def waits_for_approval(one: Harness, campaign_id: str = "c1", **approval: Any) -> None:
    begun(one, campaign_id, approval={"gate": "ads", **approval}, budget="1000", currency="EUR")
    assert one.reports.status(campaign_id)[0] == "awaiting_approval"


def actors(one: Harness, campaign_id: str = "c1") -> dict[str, str]:
    return {event.kind: event.actor for event in one.reports.events(campaign_id)}


# ---- approval


def test_approve_shows_what_will_be_published_and_spent(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench, expires_after="7d")
    answer = campaigns("approve", "c1")
    assert answer.code == 0
    for expected in (
        "Approval wanted: ads on Facebook",
        "Headline Forecast before coffee",
        "Headline See your pipeline",
        "Text Revenue analytics.",
        "Button Book a tour",
        "Leads to https://www.northlight.example/",
        "Shown to industries: saas; titles: CTO, VP",
        "Per day 33.33 EUR",
        "Until 2026-03-31",
        "At most 1,000.00 EUR is spent over 30 days.",
        "The question expires",
        "c1: running",
        "Follow it with: campaigns watch c1",
    ):
        assert expected in answer.words
    assert "\x1b" not in answer.out
    assert actors(bench)["approved"] == ME
    bench.orchestrator.run_hop("c1")
    assert bench.reports.status("c1")[0] == "completed"
    again = campaigns("approve", "c1")
    assert (again.code, "c1 is completed and has ended" in again.err) == (2, True)


def at_a_terminal(answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command at a terminal of its own, where a person types ``answer``: exit status and what was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from workers.cli import main; main()", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    with open(ours, "rb", buffering=0) as terminal, suppress(OSError):  # EIO: the other end was closed
        while part := terminal.read(4096):
            shown += part
    return process.wait(30), shown.decode()


def test_a_person_at_a_terminal_is_asked(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    code, shown = at_a_terminal("n", "approve", "c1")
    assert (code, "Approve this?" in shown, "Nothing was approved." in shown) == (0, True, True)
    assert bench.reports.status("c1")[0] == "awaiting_approval"
    code, shown = at_a_terminal("", "approve", "c1", "--yes")
    assert (code, "Approve this?" in shown) == (0, False)
    assert bench.reports.status("c1")[0] == "running"
    code, shown = at_a_terminal("n", "cancel", "--status", "running")
    assert (code, "Cancel 1 campaign (running)?" in shown) == (0, True)
    assert bench.reports.status("c1")[0] == "running"


def test_programs_see_the_question_and_approve_without_being_asked(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    shown = campaigns("show", "c1", "--json").json
    assert shown["approval"]["kind"] == "ads"
    assert shown["approval"]["request"]["ads"][0]["daily_budget"] == "33.33"
    answer = campaigns("approve", "c1", "--json")
    assert (answer.code, answer.json["status"], answer.err) == (0, "running", "")
    assert {"campaign_id", "status", "reason", "step", "state", "units", "spend", "route"} <= set(answer.json)


def test_show_asks_the_question(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    answer = campaigns("show", "c1")
    assert "Launch: awaiting approval" in answer.words
    assert "The question does not expire" in answer.words
    assert "Headline Forecast before coffee" in answer.words
    assert "campaigns approve c1" in answer.words
    bench.orchestrator.run_hop("c1")
    campaigns("pause", "c1")
    assert "Approval wanted" not in campaigns("show", "c1").out
    assert campaigns("approve", "c1").code == 2


def test_reject_needs_a_reason_and_cancels_or_reworks(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    assert campaigns("reject", "c1").code == 2
    assert campaigns("reject", "c1", "--reason", " ").code == 2
    answer = campaigns("reject", "c1", "--reason", "too loud", "--rework", "--json")
    assert (answer.code, answer.json["status"]) == (0, "running")
    assert bench.reports.row("c1").agent == "content_creation"
    waits_for_approval(bench, "c2")
    answer = campaigns("reject", "c2", "--reason", "wrong market")
    assert (answer.code, "c2: cancelling" in answer.out) == (0, True)
    assert actors(bench, "c2")["rejected"] == ME


# ---- pause, resume, cancel


def test_pause_and_resume_one_and_several(campaigns: Command, bench: Harness) -> None:
    for campaign_id in ("c1", "c2"):
        bench.submit(campaign_id)
    one = campaigns("pause", "c1", "--json")
    assert (one.code, one.json["status"], one.json["reason"]) == (0, "paused", f"paused by {ME}")
    assert campaigns("pause", "c1").code == 0  # safe to repeat
    several = campaigns("pause", "c1", "c2", "--json")
    assert [(each["campaign_id"], each["status"]) for each in several.json] == [("c1", "paused"), ("c2", "paused")]
    assert "c1: queued" in campaigns("resume", "c1").out
    assert actors(bench)["paused"] == actors(bench)["resumed"] == ME


def test_pause_takes_the_ads_along_and_resume_waits_for_them(campaigns: Command, bench: Harness) -> None:
    with_ads = ("c1", "c2", "c3")
    for campaign_id in with_ads:
        begun(bench, campaign_id, ad_platforms=["facebook"], budget=100, measure_after="2h")
    bench.submit("no-ads")
    campaigns("pause", "c2")
    one = campaigns("pause", "c1", "--ads", "--json")
    assert (one.code, one.json["status"]) == (0, "paused")
    assert one.json["reason"] == f"paused by {ME}; its ads are being paused"
    assert campaigns("pause", "c1", "--ads").code == 0  # safe to repeat
    every = campaigns("pause", "--all", "--ads", "--json").json  # also of what was paused without its ads
    told = {each["campaign_id"]: each["reason"].partition("; ")[2] for each in every}
    assert told == {**dict.fromkeys(with_ads, "its ads are being paused"), "no-ads": ""}
    wishes = "SELECT campaign_id, number, wanted FROM marketing.ad_switches ORDER BY 1, 2"
    assert bench.database.rows(wishes) == [(campaign_id, 1, "off") for campaign_id in with_ads]
    back = campaigns("resume", "c1")
    assert f"c1: paused (resumed by {ME}; goes on when its ads are on again)" in back.out
    rest = campaigns("resume", "--all", "--json").json
    assert {each["campaign_id"]: each["status"] for each in rest} == {
        **dict.fromkeys(with_ads, "paused"),
        "no-ads": "queued",
    }
    for campaign_id in with_ads:
        bench.orchestrator.run_hop(campaign_id)
        assert bench.reports.status(campaign_id)[0] == "waiting"
    assert actors(bench)["resumed"] == ME


def test_of_several_the_possible_is_done_and_the_rest_told(campaigns: Command, bench: Harness) -> None:
    begun(bench, "good")
    bench.submit("c1")
    answer = campaigns("pause", "good", "c1", "nobody", "--json")
    assert answer.code == 3
    assert [each.get("error", each.get("status")) for each in answer.json] == ["refused", "paused", "not_found"]
    assert "good is completed and has ended" in answer.err
    assert campaigns("pause", "good", "c1").code == 2
    alone = campaigns("pause", "good", "--json")
    assert (alone.code, alone.json["error"]) == (2, "refused")
    assert campaigns("cancel", "nobody").code == 3


def test_all_of_a_status_at_once(campaigns: Command, bench: Harness) -> None:
    begun(bench, "good")
    waits_for_approval(bench, "c1")
    for campaign_id in ("c2", "c3"):
        bench.submit(campaign_id)
    assert {each["campaign_id"] for each in campaigns("pause", "--all", "--json").json} == {"c1", "c2", "c3"}
    assert campaigns("pause", "--all").out == "0 campaigns.\n"
    assert campaigns("resume", "--all", "--json").code == 0
    assert [bench.reports.status(c)[0] for c in ("good", "c1", "c2", "c3")] == [
        "completed", "awaiting_approval", "queued", "queued",
    ]  # fmt: skip
    refused = campaigns("cancel", "--status", "queued")
    assert (refused.code, "cancel 2 campaigns (queued); add --yes" in refused.err) == (2, True)
    assert bench.reports.status("c2")[0] == "queued"
    done = campaigns("cancel", "--status", "queued", "--yes", "--reason", "budget freeze")
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 campaigns.")
    assert bench.reports.status("c2") == ("cancelling", f"cancelled by {ME}: budget freeze")
    assert bench.reports.status("c1")[0] == "awaiting_approval"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pause",), "or give --all"),
        (("pause", "c1", "--all"), "leave the ids out"),
        (("cancel",), "or give --status"),
        (("cancel", "--status", "completed"), "--status"),
        (("retry", "--from-step", "1", "c1", "c2"), "for one campaign"),
        (("retry", "--from-step", "1", "--all-failed"), "for one campaign"),
        (("fork", "c1"), "--from-step"),
        (("resolve", "c1", "u0"), "--found REMOTE_ID or --absent"),
        (("resolve", "c1", "--absent"), "Say which UNIT"),
        (("resolve", "c1", "u0", "--absent", "--found", "1"), "--found REMOTE_ID or --absent"),
    ],
)
def test_bad_usage_exits_with_2(arguments: tuple[str, ...], said: str, campaigns: Command) -> None:
    answer = campaigns(*arguments)
    assert answer.code == 2
    assert said in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("approve", "x"), ("reject", "x", "--reason", "r"), ("pause", "x"), ("resume", "x"), ("cancel", "x"),
        ("retry", "x"), ("fork", "x", "--from-step", "0"), ("resolve", "x"), ("resolve", "x", "u", "--absent"),
        ("schedule", "pause", "x"),
    ],
)  # fmt: skip
def test_an_unknown_campaign_exits_with_3(arguments: tuple[str, ...], campaigns: Command, bench: Harness) -> None:
    answer = campaigns(*arguments)
    assert (answer.code, answer.out) == (3, "")
    assert "there is no campaign 'x'" in answer.err


def test_who_works_on_it_is_told_when_nobody_does(campaigns: Command, bench: Harness) -> None:
    bench.submit("c1")
    assert campaigns("pause", "c1").err == ""
    bench.database.run("DELETE FROM marketing.workers")
    assert "No worker is running" in campaigns("resume", "c1").err


# ---- retry and fork


def test_dead_letters_are_listed_with_their_reason_and_retried(campaigns: Command, bench: Harness) -> None:
    for campaign_id in ("bad1", "bad2"):
        begun(bench, campaign_id)
    listed = campaigns("list", "--failed")
    rows = listed.out.splitlines()
    assert len(rows) == 3
    assert all("web: the site said no" in row for row in rows[1:])
    assert "campaigns retry ID" in listed.err
    Mended.is_so = True
    one = campaigns("retry", "bad1", "--json")
    assert (one.code, one.json["status"]) == (0, "running")
    assert one.json["units"] == {"pending": 1, "succeeded": 1}
    rest = campaigns("retry", "--all-failed", "--json")
    assert [each["campaign_id"] for each in rest.json] == ["bad2"]
    assert actors(bench, "bad2")["retried"] == ME
    assert campaigns("retry", "--all-failed").out == "0 campaigns.\n"
    for campaign_id in ("bad1", "bad2"):
        bench.orchestrator.run_hop(campaign_id)
        assert bench.reports.status(campaign_id)[0] == "completed"
    refused = campaigns("retry", "bad1")
    assert (refused.code, "only a failed one is retried" in refused.err) == (2, True)


def test_going_back_to_a_step_and_to_none_that_there_is(campaigns: Command, bench: Harness) -> None:
    begun(bench, "c1")
    answer = campaigns("retry", "c1", "--from-step", "9")
    assert answer.code == 2
    assert "there are 0 (lead_generation), 1 (content_creation), 2 (ad_management), 3 (analytics)" in answer.err
    assert campaigns("retry", "c1", "--from-step", "9", "--json").json["error"] == "no_such_step"
    back = campaigns("retry", "c1", "--from-step", "1", "--json")
    assert (back.code, back.json["status"], back.json["step"]) == (0, "running", 4)


def test_a_fork_is_a_campaign_of_its_own(campaigns: Command, bench: Harness) -> None:
    begun(bench, "c1", budget="1000", ad_platforms=["facebook"])
    parent = campaigns("show", "c1", "--json").json
    answer = campaigns(
        "fork", "c1", "--from-step", "1", "--json",
        "--set", "name=Second try", "--set", "platforms=[linkedin]", "--set", "target_audience.titles=[CEO]",
        "--set", "brand.url=https://x.example/",
    )  # fmt: skip
    assert answer.code == 0
    child = answer.json
    config = child["state"]["campaign_config"]
    assert child["campaign_id"] != "c1"
    assert (child["name"], child["status"], child["step"]) == ("Second try", "running", 0)
    assert (config["ad_platforms"], config["approval"]["gate"]) == (["linkedin_ads"], "ads")
    assert config["target_audience"]["job_titles"] == ["CEO"]
    assert config["target_audience"]["industries"] == ["saas"]
    assert config["brand"]["website"] == "https://x.example/"
    assert child["state"]["leads"] == parent["state"]["leads"]
    assert actors(bench, child["campaign_id"])["forked"] == actors(bench)["was_forked"] == ME
    assert "Forked from c1, step 1" in campaigns("fork", "c1", "--from-step", "1").out
    assert campaigns("fork", "c1", "--from-step", "7").code == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("budgett=3", "budgett: unknown key; did you mean 'budget'?"),
        ("budget=-3", "budget=-3"),
        ("platforms=[tiktok]", "'tiktok' is not an ad platform"),
        ("lead_sources={type: file, path: new.csv}", "a fork has its parent's lead files"),
        ("name", "write key=value"),
    ],
)
def test_a_wrong_change_makes_no_fork(change: str, said: str, campaigns: Command, bench: Harness) -> None:
    begun(bench, "c1")
    answer = campaigns("fork", "c1", "--from-step", "1", "--set", change)
    assert (answer.code, said in answer.err) == (2, True)
    assert len(bench.reports.campaigns()) == 1


# ---- schedules and what is in question


def test_schedules_are_listed_paused_and_resumed(campaigns: Command, bench: Harness) -> None:
    assert campaigns("schedule", "list").out == "No campaign has a schedule of optimisations.\n"
    for campaign_id in ("c1", "c2"):
        begun(bench, campaign_id, optimize_every="36h", schedule={"days": 30})
    bench.submit("busy", optimize_every="1d")
    listed = campaigns("schedule", "list", "--json").json
    assert [(one["campaign_id"], one["status"]) for one in listed] == [
        ("c1", "waiting"),
        ("c2", "waiting"),
        ("busy", "running"),
    ]
    assert set(listed[0]) == {"campaign_id", "name", "status", "optimize_every", "next_run_at", "ends_at"}
    text = campaigns("schedule", "list").out
    assert "36:00:00" in text.splitlines()[1]
    assert listed[0]["ends_at"][:10] in text.splitlines()[1]
    assert "running" in text.splitlines()[3]
    assert "c1: paused" in campaigns("schedule", "pause", "c1").out
    refused = campaigns("schedule", "pause", "busy")
    assert (refused.code, "no schedule of it waits" in refused.err) == (2, True)
    assert len(campaigns("schedule", "pause", "--json").json) == 2
    statuses = {one["campaign_id"]: one["status"] for one in campaigns("schedule", "list", "--json").json}
    assert statuses == {"c1": "paused", "c2": "paused", "busy": "running"}
    assert campaigns("schedule", "resume").code == 0
    assert bench.reports.schedules()[0]["next_run_at"] == datetime.fromisoformat(listed[0]["next_run_at"])
    assert bench.reports.status("busy")[0] == "queued"
    shown = campaigns("show", "c1").words
    assert "next_optimization: every" in shown
    assert "Goes on" in shown
    assert "waiting: next optimization" in campaigns("list").out


def test_what_is_in_question_is_listed_and_settled(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    assert campaigns("resolve", "c1").out == "Nothing is in question.\n"
    assert campaigns("resolve", "c1", "deploy:toy", "--absent").code == 2
    assert campaigns("resolve", "c1", "nonsense", "--absent", "--json").json["error"] == "no_such_unit"
    bench.database.run(
        "UPDATE marketing.units SET status = 'unknown', journal = %s, due_at = now() + interval '1 hour' "
        "WHERE key = 'deploy:toy'",
        json.dumps({INTENT + "campaign": {"token": "t", "sends": 3}}),
    )
    bench.database.run(
        "UPDATE marketing.campaigns SET status = 'waiting', reason = 'needs_attention: deploy:toy: look', hold = NULL"
    )
    shown = campaigns("show", "c1").words
    assert "Until somebody acts" in shown
    assert "campaigns resolve c1" in shown
    key = effect_key("c1", "toy")
    assert f"deploy:toy: campaign, named with [{key}] at local" in campaigns("resolve", "c1").out
    assert campaigns("resolve", "c1", "--json").json[0]["steps"] == ["campaign"]
    answer = campaigns("resolve", "c1", "deploy:toy", "--found", "77", "--json")
    assert (answer.code, answer.json["status"]) == (0, "running")
    assert actors(bench)["resolved"] == ME
    assert bench.database.rows("SELECT due_at FROM marketing.units WHERE key = 'deploy:toy'") == [(None,)]
