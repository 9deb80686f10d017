"""A whole fleet is closed: what it shows holds no secret, what it shows works here, and its servers ask who comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from celery import Celery
from embedded import redis_client

from integrations.settings import Settings
from integrations.shown_url import hide_secrets
from orchestration import CampaignConfig, Campaigns
from workers.services import EmbeddedServices

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

UP = [sys.executable, "-c", "from workers.cli import main; main()"]


@contextmanager
def up(home: Path, *arguments: str, **variables: str) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """``campaigns up --json`` in ``home``: what it says when it is ready, and its environment."""
    env = {**os.environ, "MARKETING_HOME": str(home), **variables}
    process = subprocess.Popen(
        [*UP, "up", "--json", "--workers", "0", *arguments], stdout=subprocess.PIPE, text=True, env=env
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), env
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def shown_by(home: Path, ready: dict[str, Any]) -> str:
    """All that other users, or readers of logs, could see of a fleet: command lines, its note, its logs."""
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in ready["pids"].values()]
    files = [home / "run/fleet.json", *(home / "logs").iterdir()]
    return "\n".join([*lines, *(file.read_text(errors="replace") for file in files)])


def test_the_embedded_redis_obeys_its_owner_only(run_folder: Path) -> None:
    home = run_folder / "closed"
    with up(home, FLOWER_URL_PREFIX="/tools/flower/") as (ready, _):
        url = ready["redis_url"]
        password = (home / "run/redis.secret").read_text().strip()
        assert password in url
        assert password not in shown_by(home, ready)
        for file in ("redis.conf", "redis.secret", "credentials.json", "fleet.json", "flower.login"):
            assert (home / "run" / file).stat().st_mode & 0o777 == 0o600, file
        assert (home / "run").stat().st_mode & 0o777 == 0o700

        anybody = redis.Redis.from_url(f"redis://{url.rpartition('@')[2]}")
        for command in ("PING", "INFO", "GET a", "CONFIG GET dir", "FLUSHALL", "EVAL return(1) 0", "KEYS *"):
            with pytest.raises(redis.AuthenticationError):
                anybody.execute_command(*command.split())
        anybody.close()
        with redis_client(url) as owner, Celery(broker=url) as celery:
            celery.send_task("nobody.listens", queue="elsewhere")
            assert owner.llen("elsewhere") == 1
            for command in ("MODULE LOAD /tmp/x.so", "DEBUG SEGFAULT"):
                with pytest.raises(redis.ResponseError):
                    owner.execute_command(*command.split())
            # An outage drill, after which the server takes anybody, but its own fleet still gets in.
            owner.config_set("maxmemory", "0")
            owner.config_set("requirepass", "")
        with redis_client(url) as again:
            assert again.ping()
            again.config_set("requirepass", password)

        page = ready["flower_url"]
        assert page.endswith("/tools/flower")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{page}/metrics", timeout=10)
        login = Path(ready["flower_login"]).read_text().strip()
        manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        manager.add_password(None, page, *login.split(":"))
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
        with opener.open(page, timeout=10) as answer:
            assert (answer.status, answer.url) == (200, f"{page}/")
        with opener.open(f"{page}/metrics", timeout=10) as answer:
            assert b"marketing_database_up 1.0" in answer.read()


def test_servers_of_the_user_are_shown_without_secrets_that_work_here(
    run_folder: Path, database_url: str, services: EmbeddedServices
) -> None:
    home = run_folder / "named"
    own_database, own_redis = f"{database_url}&password=s3cret-of-mine", f"{services.redis_url[:-1]}15"
    with up(home, "--no-flower", DATABASE_URL=own_database, REDIS_URL=own_redis) as (ready, env):
        assert ready["database_url"] == hide_secrets(own_database) != own_database
        assert ready["redis_url"] == hide_secrets(own_redis) != own_redis
        shown = shown_by(home, ready) + json.dumps(ready)
        assert "s3cret" not in shown
        assert own_redis.split(":")[2].partition("@")[0] not in shown

        pasted = {**env, "DATABASE_URL": ready["database_url"], "REDIS_URL": ready["redis_url"]}
        campaigns = Campaigns(Settings.from_env(pasted))
        handle = campaigns.submit(CampaignConfig(name="Pasted", target_audience={"industry": "saas"}))
        with redis_client(own_redis) as broker:
            assert broker.llen("lead_generation") == 1
        campaigns.close()
        done = subprocess.run([*UP, "list", "--json"], env=pasted, capture_output=True, text=True, check=True)
        assert [one["campaign_id"] for one in json.loads(done.stdout)] == [handle.campaign_id]
    after = subprocess.run([*UP, "list"], env=pasted, capture_output=True, text=True, check=False)
    assert after.returncode == 2
    assert "DATABASE_URL and REDIS_URL: *** stands for a password" in after.stderr
