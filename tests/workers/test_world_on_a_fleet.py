"""A live fleet, whose providers are the sandbox: processes and clients of the other world beside it are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stack
from fleet_fixture import running_fleet
from live_world import live_env, make_live
from verbs_on_a_fleet import SMALL, ads_of, submit, wait_for

from integrations.settings import Settings
from orchestration import Campaigns
from orchestration.execution.canvas import SUBMIT_TASK, producer
from orchestration.ledger.world import WrongWorldError

REFUSED = "this database is live, and MARKETING_MODE here is sandbox"
LEADS = "email,first_name,company,job_title,industry\njane@acme.example,Jane,Acme,CTO,saas\n"
CELERY = [sys.executable, "-m", "celery", "-A"]
PROCESSES = {
    "worker": [*CELERY, "workers.app", "worker", "-P", "threads", "-c", "1", "-Q", "analytics"],
    "beat": [*CELERY, "workers.app", "beat", "-s", "schedule"],
    "flower": [*CELERY, "workers.flower", "flower", "--port=0"],
    "up": [sys.executable, "-c", "from workers.cli import main; main()", "up", "--workers", "1"],
}


@pytest.mark.slow
def test_nobody_of_the_sandbox_works_with_a_live_fleet(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, tmp_path: Path
) -> None:
    url, redis_url = make_live(databases.create()), redis_databases.next()
    file = tmp_path / "leads.csv"
    file.write_text(LEADS, encoding="utf-8")
    own = {"lead_sources": [{"type": "file", "path": str(file)}], "enrichment": {"verify": "none"}}
    with stack.running_sandbox(run_folder) as sandbox:
        env = live_env(sandbox.url)
        options: dict[str, Any] = {"workers": 1, "mode": "live", "env": env}
        with running_fleet(run_folder / "live", url, redis_url, sandbox, **options) as fleet:
            asked = submit(fleet, **own)
            wait_for(fleet, [asked], "awaiting_approval")
            assert ads_of(fleet, asked.campaign_id) == []
            workers = fleet.campaigns.database.rows("SELECT worker FROM marketing.workers")

            shell = {**os.environ, "DATABASE_URL": url, "REDIS_URL": redis_url, "SANDBOX_URL": sandbox.url}
            shell |= {"MARKETING_HOME": str(run_folder / "other")}
            del shell["MARKETING_MODE"]  # says nothing: the sandbox
            stranger = Campaigns(Settings.from_env(shell))
            seen = stranger.get(asked.campaign_id)
            for act in (seen.approve, lambda: seen.fork(1), seen.cancel, lambda: stranger.submit(asked_config(asked))):
                with pytest.raises(WrongWorldError, match=REFUSED):
                    act()
            started = {
                name: subprocess.Popen(command, env=shell, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
                for name, command in PROCESSES.items()
            }
            for name, process in started.items():
                said = process.communicate(timeout=90)[1]
                assert process.returncode != 0, name
                assert REFUSED in said, (name, said[-2000:])
            stranger.close()
            assert fleet.campaigns.database.rows("SELECT worker FROM marketing.workers") == workers
            assert ads_of(fleet, asked.campaign_id) == []
            assert asked.status == "awaiting_approval"

            # A program without our packages gets what live demands as well.
            with producer(redis_url) as broker:
                config = {**SMALL, "lead_sources": [{"type": "web", "url": sandbox.url}]}
                broker.send_task(SUBMIT_TASK, args=[config, "by-name"], queue="orchestration", ignore_result=True)
            found = stack.wait_until(
                lambda: [one for one in fleet.campaigns.list() if one.campaign_id != asked.campaign_id], timeout=30
            )
            by_name = fleet.campaigns.get(found[0].campaign_id)
            for one in (asked, by_name):
                config = one.state.campaign_config
                assert (one.mode, config.approval.gate) == ("live", "ads")
                assert (config.measure_after, config.optimize_every) == (timedelta(hours=48), timedelta(days=1))

            asked.approve(actor="ann")
            wait_for(fleet, [asked], "waiting")  # live ads gather figures for two days
            assert len(ads_of(fleet, asked.campaign_id)) == 2
            show = [sys.executable, "-c", "from workers.cli import main; main()", "show", asked.campaign_id]
            told = subprocess.run(show, env=shell, capture_output=True, text=True, timeout=60, check=True).stdout
            assert "real money" in told
            assert "nothing was published" not in told
            assert fleet.campaigns.spend()["mode"] == "live"
    databases.drop(url)


def asked_config(handle: Any) -> Any:
    """A configuration that would be fine."""
    return handle.state.campaign_config.model_copy(update={"name": "Another"})
