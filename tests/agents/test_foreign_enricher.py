"""An enricher in a package of its own: found, checked at submit, asked over the wire, in the place of another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_context import Execution
from plugin_package import describe, importable
from raw_server import raw_server, saying

from agents.base import run_unit
from agents.config import CampaignConfig
from agents.lead_generation import LeadGeneration
from agents.lead_generation.enrich import COMPANIES, CompaniesInput
from agents.lead_generation.enricher import AskedCompany
from integrations.provider_registry import plugin_sandboxes, provider_specs
from integrations.settings import Settings, SettingsError
from orchestration.control.submission import check

AGENT = LeadGeneration()
MODULE = """
from agents.lead_generation.enricher import CompanyFound, Enricher
from integrations.http import credential, send
from integrations.provider_specs import ProviderSpec
from integrations.sandbox.clearbit import ClearbitSandbox

PROVIDER = ProviderSpec(
    name="acme_data",
    live_url="https://data.acme.example",
    sandbox_path="/acme_data",
    base_url_variable="ACME_DATA_BASE_URL",
    credentials={"api_key": "ACME_DATA_API_KEY"},
)


class AcmeData:
    def __init__(self, settings):
        self.provider = settings.provider("acme_data")

    def company(self, domain, timeout):
        headers = {"Authorization": credential(self.provider, "api_key")}
        url = self.provider.base_url + "/companies/" + domain
        return send("acme_data", "GET", url, headers=headers, timeout=timeout).json_object()


class Sandbox(ClearbitSandbox):
    name, prefix = "acme_data", "/acme_data"


def company(providers, asked, timeout):
    found = providers.client(AcmeData).company(asked.domain, timeout)
    return CompanyFound(company=found["name"], domain=asked.domain, industry="Software", employees_min=found["staff"])


ENRICHER = Enricher(name="acme_data", title="Acme Data", company=company, provider=PROVIDER, sandbox=Sandbox)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "marketing_acme_data.py").write_text(MODULE, encoding="utf-8")
    points = {"marketing_agents.enrichers": {"acme_data": "marketing_acme_data:ENRICHER"}}
    describe(tmp_path, "marketing-acme-data", "1.0", points)
    with importable(tmp_path):
        yield


def campaign(*providers: str) -> CampaignConfig:
    return CampaignConfig.parse({"target_audience": {"industry": "saas"}, "enrichment": {"providers": providers}})


@pytest.mark.usefixtures("installed")
def test_a_package_brings_an_enricher_its_provider_and_its_sandbox() -> None:
    assert campaign("acme_data", "hunter").enrichment.providers == ("acme_data", "hunter")
    assert provider_specs()["acme_data"].variables == ("ACME_DATA_BASE_URL", "ACME_DATA_API_KEY")
    assert "acme_data" in [half.name for half in plugin_sandboxes()]
    live = Settings.from_env({"MARKETING_MODE": "live", "OPENAI_API_KEY": "k", "HUNTER_API_KEY": "k"})
    with pytest.raises(SettingsError, match="acme_data: ACME_DATA_API_KEY"):
        check(campaign("acme_data", "hunter"), live)


@pytest.mark.usefixtures("installed")
def test_it_is_asked_and_named_as_a_stand_in() -> None:
    given = CompaniesInput(companies=(AskedCompany(domain="bolt.example", company=None, people=False),))
    text = json.dumps({"name": "Bolt", "staff": 51})
    with raw_server(saying(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())) as server:
        execution = Execution.against(server.url, ACME_DATA_BASE_URL=server.url, ACME_DATA_API_KEY="secret")
        unit = COMPANIES.unit("companies:0000", given, provider="acme_data")
        done = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 2, unit))
    assert done.output is not None
    (found,) = COMPANIES.output.model_validate(done.output).about_companies()
    assert (found.source, found.company, found.company_size) == ("acme_data", "Bolt", "51+")
    assert server.requests[0].startswith(b"GET /companies/bolt.example ")


def test_without_the_package_its_name_is_unknown() -> None:
    with pytest.raises(ValueError, match="'acme_data' completes no leads; use clearbit, hunter or pdl"):
        campaign("acme_data")
