"""Lines of a fleet's logs: their fields, their two forms, and what is never in them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from integrations.log_context import log_always, log_context, logged_fields
from integrations.settings import Settings
from workers import logs

log = logging.getLogger("workers.test_logs")

LIVE = {
    "MARKETING_MODE": "live",
    "OPENAI_API_KEY": "sk-live-0123456789",
    "DATABASE_URL": "postgresql://marketing:pa55word@db.internal/marketing",
}


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Any]:
    """Configure this process to log to a file; what was before is restored."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in (*logs.CHATTY, *logs.TALKATIVE)}
    for handler in before:
        root.removeHandler(handler)
    file = tmp_path / "out.log"

    def build(**env: str) -> Path:
        logs.configure(Settings.from_env(env), str(file))
        return file

    yield build
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)
    for name, its_level in levels.items():
        logging.getLogger(name).setLevel(its_level)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_json_lines_have_what_was_worked_on(configure: Any) -> None:
    file = configure(LOG_FORMAT="json")
    log.info("before")
    with log_context(campaign="c1", step=2, agent="analytics"):
        with log_context(unit="report/facebook_ads"):
            log.warning("in a %s", "unit")
        log.info("in a hop")
    before, unit, hop = lines(file)
    assert before.keys() == {"time", "level", "logger", "message"}
    assert before["time"].endswith("+00:00")
    assert unit == {
        "time": unit["time"], "level": "WARNING", "logger": "workers.test_logs", "message": "in a unit",
        "campaign": "c1", "step": 2, "unit": "report/facebook_ads", "agent": "analytics",
    }  # fmt: skip
    assert "unit" not in hop
    assert hop["step"] == 2


def test_text_lines_have_it_too(configure: Any) -> None:
    file = configure()
    with log_context(campaign="c1", step=2, unit="u1"):
        log.info("done")
    log.info("idle")
    done, idle = file.read_text().splitlines()
    assert done.endswith(" INFO workers.test_logs: done [campaign=c1 step=2 unit=u1]")
    assert idle.endswith(" INFO workers.test_logs: idle")


def test_a_process_says_always_who_it_is(configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.log_context._process", {})
    file = configure(LOG_FORMAT="json")
    log_always(worker="host:1:ab")
    with log_context(campaign="c1"):
        log.info("x")
    assert lines(file)[0]["worker"] == "host:1:ab"


def test_a_thread_has_a_context_of_its_own() -> None:
    with log_context(campaign="c1"), ThreadPoolExecutor(1) as pool:
        assert "campaign" not in pool.submit(lambda: dict(logged_fields())).result()


def test_the_level_holds_and_libraries_are_kept_quiet(configure: Any) -> None:
    file = configure(LOG_FORMAT="json", LOG_LEVEL="warning")
    log.info("no")
    log.warning("yes")
    assert [line["message"] for line in lines(file)] == ["yes"]
    configure(LOG_FORMAT="json", LOG_LEVEL="debug")
    logging.getLogger("openai._base_client").debug("Request options: %s", "a prompt")
    logging.getLogger("celery.app.trace").info("Task succeeded")
    assert [line["message"] for line in lines(file)][1:] == ["Task succeeded"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_and_no_personal_data(configure: Any, form: str) -> None:
    class Person(BaseModel):
        age: int

    file = configure(LOG_FORMAT=form, **LIVE)
    told = {"age": "Jane Doe, born 1970"}
    log.error("%s refused sk-live-0123456789 of jane.doe@example.com", LIVE["DATABASE_URL"])
    try:
        Person.model_validate(told)
    except ValidationError:
        log.exception("a defect")
    log.info("extra", extra={"data": {"args": "jane's config"}, "args_repr": "jane"})
    text = file.read_text()
    for secret in ("sk-live", "pa55word", "jane", "Jane"):
        assert secret not in text
    assert "postgresql://marketing:***@db.internal/marketing" in text
    assert "***@example.com" in text
    assert "ValidationError" in text
    assert "test_no_secret_and_no_personal_data" in text  # the frames are there


def test_an_exception_stays_on_one_json_line(configure: Any) -> None:
    file = configure(LOG_FORMAT="json")
    try:
        raise KeyError("gone")
    except KeyError:
        log.exception("oh")
    (line,) = lines(file)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("KeyError: 'gone'")


def test_celery_leaves_the_logs_to_us(tmp_path: Path) -> None:
    """What `celery worker` and `celery beat` do at their start, in a process of its own."""
    code = (
        "import logging; from workers.app import app; app.log.setup(loglevel='CRITICAL'); "
        "logging.getLogger('x').info('hello'); logging.getLogger('celery.beat').info('tick')"
    )
    env = {**os.environ, "LOG_FORMAT": "json", "MARKETING_HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert [json.loads(line)["message"] for line in run.stderr.splitlines()] == ["hello"]
