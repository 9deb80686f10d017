"""What the documentation shows must exist: code compiles, links lead somewhere, commands are real."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import checkout
import pytest
import yaml

MARKDOWN = [path for path in checkout.files() if path.suffix == ".md"]


def fenced(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.+?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", MARKDOWN, ids=checkout.name)
def test_python_blocks_compile(path: Path) -> None:
    for block in fenced(path, "python"):
        compile(block, checkout.name(path), "exec")


@pytest.mark.parametrize("path", MARKDOWN, ids=checkout.name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text("utf-8"))
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing


def test_the_examples_compile() -> None:
    for path in checkout.ROOT.glob("examples/*.py"):
        compile(path.read_text("utf-8"), checkout.name(path), "exec")


def test_the_example_campaign_is_accepted() -> None:
    from agents.config import CampaignConfig

    config = CampaignConfig.model_validate(yaml.safe_load(checkout.read("examples/saas_launch.yaml")))
    assert set(config.ad_platforms) == {"facebook_ads", "linkedin_ads"}
    whole = CampaignConfig.model_validate(yaml.safe_load(checkout.read("examples/full_funnel.yaml")))
    assert set(whole.ad_platforms) == {"facebook_ads", "google_ads", "linkedin_ads"}


def test_the_platform_shown_is_the_example() -> None:
    section = checkout.read("docs/extending.md").partition("## An ad platform\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\w+\n(.+?)^```", section, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    folder = checkout.ROOT / "examples/plugins/marketing-tiktok-ads"
    sources = [code(path.read_text("utf-8")) for path in (*folder.glob("*.toml"), *folder.glob("*/*.py"))]
    strange = [block for block in blocks if not any(code(block) in source for source in sources)]
    assert not strange


def code(text: str) -> str:
    """``text`` without white space: a method shown by itself is formatted otherwise than in its class."""
    return "".join(text.split())


def documented_settings() -> set[str]:
    table = checkout.read("README.md").partition("## Settings")[2].partition("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_every_setting_the_code_reads_is_documented() -> None:
    from integrations.provider_registry import provider_specs

    read = set(re.findall(r'"([A-Z]+(?:_[A-Z0-9]+)+)"', checkout.read("integrations/settings.py")))
    assert "MARKETING_MODE" in read
    read |= {variable for spec in provider_specs().values() for variable in spec.variables}
    assert "LINKEDIN_VERSION" in read
    assert not read - documented_settings()


def test_the_example_environment_names_documented_settings() -> None:
    named = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", checkout.read(".env.example"), re.MULTILINE)
    assert "DATABASE_URL" in named
    assert not set(named) - documented_settings()


def test_the_readme_names_commands_that_exist() -> None:
    shell = "\n".join(
        block for language in ("sh", "bash", "console") for block in fenced(checkout.ROOT / "README.md", language)
    )
    named = set(re.findall(r"^(?:\$ )?campaigns ([a-z]+)", shell, re.MULTILINE))
    assert {"submit", "watch"} <= named
    run = subprocess.run(
        [sys.executable, "-c", "from workers.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    known = set(re.findall(r"^\W*([a-z]+)\s", run.stdout.partition("Commands")[2], re.MULTILINE))
    assert not named - known


def test_the_table_of_contract_tests_names_every_provider_and_tests_that_exist() -> None:
    from integrations.provider_registry import provider_specs

    section = checkout.read("docs/testing.md").partition("## Contract of each provider\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == set(provider_specs())
    files = set(re.findall(r"`(test_\w+\.py)`", section))
    assert not {file for file in files if not (checkout.ROOT / "tests/integrations" / file).exists()}
    assert len(files) > 15


def test_decisions_have_their_three_parts() -> None:
    decisions = sorted(checkout.ROOT.glob("docs/decisions/[0-9]*.md"))
    assert decisions
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], checkout.name(path)
