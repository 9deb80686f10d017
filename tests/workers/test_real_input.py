"""Input as people have it: a dirty file, a small web site, a model server of their own."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stack
from fleet_fixture import running_fleet
from openai_server import running_stranger

from agents.config import CampaignConfig

TITLES = ["CTO", "VP of Sales", "Director of Marketing", "Account Executive", "Contractor", "Assistant to the CEO"]


def dirty_csv(path: Path) -> None:
    """500 rows and about 2 MB: duplicates, broken addresses, gaps, quoted newlines, cp1252 letters."""
    rng = random.Random(5)
    lines = ["E-Mail;First Name;Last Name;Job Title;Company Name;Employees;Industry;Notes"]
    for n in range(500):
        person = n if n % 10 else max(0, n - 7)  # every tenth row repeats an earlier person
        company = person % 60
        address = f"p{person}@{'Firm' if n % 3 else 'firm'}{company}.biz"
        if n % 17 == 0:
            address = ["not-an-address", "a@@b.biz", "", "x@", "jane doe@firm1.biz"][n % 5]
        notes = '"' + "r\xe9sum\xe9, with a comma;\nand a new line " + "x" * rng.randint(3800, 4200) + '"'
        industry = ["SaaS", "Technology", "Farming", ""][person % 4]
        size = ["11-50", "51-200", "1,200", "", "n/a"][person % 5]
        fields = (address, f"First{person}", f"M\xfcller{person}", TITLES[person % 6], f"Firm {company} GmbH")
        lines.append(";".join((*fields, size, industry, notes)))
    path.write_bytes("\r\n".join(lines).encode("cp1252"))


@contextmanager
def web_site(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A site of three pages on loopback; (its address, the paths that were fetched)."""
    (folder / "robots.txt").write_text("User-agent: *\nDisallow: /private/\n")
    (folder / "index.html").write_text(
        "<html><head><title>Brightpath Software</title></head><body><h1>Brightpath Software</h1>"
        '<a href="/team.html">Team</a> <a href="/private/salaries.html">Salaries</a></body></html>'
    )
    (folder / "team.html").write_text(
        "<html><body><h2>Our team</h2>"
        '<div class="person"><h3>Mara Lindt</h3><p>Chief Technology Officer</p>'
        '<a href="mailto:mara.lindt@brightpath.biz">mail</a></div>'
        '<div class="person"><h3>Tom Ferro</h3><p>Instructor</p>'
        '<a href="mailto:tom.ferro@brightpath.biz">mail</a></div></body></html>'
    )
    (folder / "private").mkdir()
    (folder / "private" / "salaries.html").write_text("secret")
    seen: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            seen.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.timeout(180)
def test_a_dirty_file_a_web_site_and_a_strangers_model(
    run_folder: Path, tmp_path: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> None:
    dirty_csv(tmp_path / "leads.csv")
    assert (tmp_path / "leads.csv").stat().st_size > 1_900_000
    (tmp_path / "site").mkdir()
    url = databases.create()
    redis_url = redis_databases.next()
    with (
        web_site(tmp_path / "site") as (address, fetched),
        running_stranger() as stranger,
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(
            run_folder / "real",
            url,
            redis_url,
            sandbox,
            workers=1,
            env={"OPENAI_BASE_URL": stranger.url, "OPENAI_API_KEY": "sk-mine", "LLM_MODEL": "local-7b"},
        ) as running,
    ):
        config = CampaignConfig.parse(
            {
                "name": "Own leads",
                "target_audience": {"industry": "saas"},
                "lead_sources": [
                    {"type": "file", "path": str(tmp_path / "leads.csv")},
                    {"type": "web", "url": address},
                ],
                "ad_platforms": ["linkedin"],
                "budget": 500,
                "enrichment": {"verify": "none"},  # these domains exist nowhere
            }
        )
        handle = running.campaigns.submit(config)
        (shown,) = running.finish([handle], timeout=150)
        state = shown["state"]
        assert (shown["status"], shown["reason"]) == ("completed", None)
        leads = state["leads"]
        people = [(lead["name"], lead["company"]) for lead in leads]
        assert len(people) == len(set(people))
        assert 300 < len(leads) < 500
        assert any("Müller" in (lead["name"] or "") for lead in leads)
        reached = [(lead["email"], lead["name"]) for lead in leads if lead["email"]]
        assert len(reached) == len(set(reached)), "two people may share a mailbox"
        assert all(email == email.lower() and email.count("@") == 1 for email, _ in reached)
        mara = next(lead for lead in leads if lead["name"] == "Mara Lindt")
        assert mara["job_title"] == "Chief Technology Officer"
        assert "/private/salaries.html" not in fetched
        assert fetched[0] == "/robots.txt"
        qualified = {lead["lead_id"] for lead in state["qualified_leads"]}
        assert qualified == {lead["lead_id"] for lead in leads if lead["score"] >= 0.7}
        assert not any("Contractor" in lead["job_title"] for lead in state["qualified_leads"])
        assert stranger.requests
        assert all(request["model"] == "local-7b" for request in stranger.requests)
        assert stranger.keys == {"Bearer sk-mine"}
        assert sandbox.get("/_sandbox/state")["llm"]["calls"] == 0
        # A price that nobody knows is shown as tokens, never as 0.
        assert shown["spend"]["tokens"]["unpriced"] > 0
        assert shown["spend"]["llm"] == {}
        assert "sk-mine" not in str(running.campaigns.reports.export(handle.campaign_id))
    databases.drop(url)


def test_a_model_that_only_speaks_prose_still_gives_a_campaign(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> None:
    url = databases.create()
    with (
        running_stranger(prose_only=True) as stranger,
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(
            run_folder / "prose",
            url,
            redis_databases.next(),
            sandbox,
            workers=1,
            env={"OPENAI_BASE_URL": stranger.url},
        ) as running,
    ):
        config = CampaignConfig.parse(
            {"target_audience": {"industry": "saas"}, "ad_platforms": ["facebook"], "budget": 500}
        )
        (shown,) = running.finish([running.campaigns.submit(config)])
        assert (shown["status"], shown["reason"]) == ("completed", None)
        assert [p["produced_by"] for p in shown["state"]["generated_content"]] == ["openai:sandbox-1 (prose)"]
        assert shown["state"]["ad_creatives"][0]["status"] == "active"
    databases.drop(url)
