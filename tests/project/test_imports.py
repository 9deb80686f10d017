"""What an import drags in: a producer's process must stay light, a worker free of a second engine."""

from __future__ import annotations

import ast
import subprocess
import sys

import checkout
import pytest

#: What only the call that needs it may load: 60-110 MB and up to 3 s each.
HEAVY = (
    "bs4",
    "facebook_business",
    "flower",
    "genai_prices",
    "google.ads",
    "grpc",
    "langchain",
    "langchain_core",
    "langchain_openai",
    "langgraph",
    "langsmith",
    "openai",
    "tornado",
)
#: The part of Celery that runs workers; a producer needs only the part that sends.
WORKER_MACHINERY = ("celery.worker", "celery.concurrency", "workers")


def loaded_by(statement: str) -> set[str]:
    """Names of all modules in a fresh process after ``statement``."""
    code = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("package", ["agents", "integrations", "workers"])
def test_package_roots_are_light(package: str) -> None:
    assert not loaded_by(f"import {package}") & set(HEAVY)


def test_the_client_is_light() -> None:
    loaded = loaded_by("from orchestration import CampaignConfig, Campaigns")
    assert not loaded & {*HEAVY, *WORKER_MACHINERY}


def test_checking_a_campaign_is_light() -> None:
    sources = '[{"type": "search"}, {"type": "web", "url": "http://a.biz/"}, {"type": "file", "path": "a.csv"}]'
    loaded = loaded_by(
        "from agents.config import CampaignConfig\n"
        f'CampaignConfig.parse({{"target_audience": {{"industry": "saas"}}, "lead_sources": {sources}}})'
    )
    assert "agents.lead_generation.sources.web" in loaded
    assert not loaded & {*HEAVY, *WORKER_MACHINERY, "agents.lead_generation.agent"}


def test_settings_load_no_agent() -> None:
    loaded = loaded_by("from integrations.settings import Settings; Settings.from_env()")
    assert not {name for name in loaded if name.partition(".")[0] == "agents"}


def test_a_worker_never_loads_langgraph() -> None:
    loaded = loaded_by("import workers.app; workers.app.app.loader.import_default_modules()")
    assert "celery" in loaded
    assert not {name for name in loaded if name.partition(".")[0] == "langgraph"}


def test_celeryconfig_imports_no_layer_above_integrations() -> None:
    # import-linter can't take a single module; this is its contract for it.
    tree = ast.parse(checkout.read("celeryconfig.py"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    tops = {name.partition(".")[0] for name in imported}
    assert not tops & {"workers", "orchestration", "agents", "sqlalchemy", "psycopg2", "alembic"}
