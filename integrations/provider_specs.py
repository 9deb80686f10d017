"""Where a provider is and which environment variables configure it.

Our own providers stand in :data:`OWN`; an ad platform brings its spec with it (:mod:`integrations.ads.spec`).
``integrations.settings.provider_specs()`` has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.online import OnlineCheck
    from integrations.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOption:
    """A setting of one provider that is no secret and has a default, such as the version of its API."""

    variable: str
    default: str = ""  #: "": it is not set
    sandbox: str = ""  #: default in the sandbox, where it differs


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A provider's address and the variables that configure it."""

    name: str
    live_url: str  #: "": each user has an address of their own, which live mode then needs in base_url_variable
    sandbox_path: str  #: path of its sandbox half under SANDBOX_URL, such as "/serpapi"
    base_url_variable: str
    #: credential name -> environment variable; all are needed in live mode
    credentials: Mapping[str, str] = field(default_factory=dict)
    #: credential name -> value in the sandbox, where it differs from "sandbox"
    sandbox_credentials: Mapping[str, str] = field(default_factory=dict)
    #: option name -> variable and defaults
    options: Mapping[str, ProviderOption] = field(default_factory=dict)
    #: question of ``campaigns doctor --online``: (settings, seconds for one request) -> the provider's answer; it reads
    #: only, costs nothing, imports its client when it is called, and raises IntegrationError. None: there is none
    online: Callable[[Settings, float], OnlineCheck] | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the names of all environment variables that configure this provider."""
        return (
            self.base_url_variable,
            *self.credentials.values(),
            *(option.variable for option in self.options.values()),
        )


def _openai(settings: Settings, timeout: float) -> OnlineCheck:
    from integrations.llm.online import check

    return check(settings, timeout)


def _question_of(client: str) -> Callable[[Settings, float], OnlineCheck]:
    """Return the question of a client, ``module:Class``, that is imported when it is asked."""

    def ask(settings: Settings, timeout: float) -> OnlineCheck:
        answer: OnlineCheck = resolve_name(client)(settings).online(timeout=timeout)
        return answer

    return ask


#: What signs webhooks in the sandbox, which is no secret.
WEBHOOK_SANDBOX_SECRET = "whsec_c2FuZGJveC1zYW5kYm94LXNhbmRib3gh"

OWN: tuple[ProviderSpec, ...] = (
    ProviderSpec(
        name="openai",
        live_url="https://api.openai.com/v1",
        sandbox_path="/openai/v1",
        base_url_variable="OPENAI_BASE_URL",
        credentials={"api_key": "OPENAI_API_KEY"},
        online=_openai,
    ),
    ProviderSpec(
        name="serpapi",
        live_url="https://serpapi.com",
        sandbox_path="/serpapi",
        base_url_variable="SERPAPI_BASE_URL",
        credentials={"api_key": "SERPAPI_API_KEY"},
        online=_question_of("integrations.serpapi:SerpApi"),
    ),
    ProviderSpec(
        name="hunter",
        live_url="https://api.hunter.io/v2",
        sandbox_path="/hunter/v2",
        base_url_variable="HUNTER_BASE_URL",
        credentials={"api_key": "HUNTER_API_KEY"},
        online=_question_of("integrations.hunter:Hunter"),
    ),
    ProviderSpec(
        name="clearbit",
        live_url="https://company.clearbit.com",
        sandbox_path="/clearbit",
        base_url_variable="CLEARBIT_BASE_URL",
        credentials={"api_key": "CLEARBIT_API_KEY"},
        online=_question_of("integrations.clearbit:Clearbit"),
    ),
    ProviderSpec(
        name="x",
        live_url="https://api.x.com",
        sandbox_path="/x",
        base_url_variable="X_BASE_URL",
        credentials={"access_token": "X_BEARER_TOKEN"},
        online=_question_of("integrations.x:X"),
    ),
    ProviderSpec(
        name="pdl",
        live_url="https://api.peopledatalabs.com",
        sandbox_path="/pdl",
        base_url_variable="PDL_BASE_URL",
        credentials={"api_key": "PDL_API_KEY"},
        online=_question_of("integrations.pdl:PeopleDataLabs"),
    ),
    ProviderSpec(
        name="hubspot",
        live_url="https://api.hubapi.com",
        sandbox_path="/hubspot",
        base_url_variable="HUBSPOT_BASE_URL",
        credentials={"access_token": "HUBSPOT_ACCESS_TOKEN"},
        online=_question_of("integrations.delivery.hubspot:HubSpot"),
    ),
    ProviderSpec(
        name="salesforce",
        live_url="",
        sandbox_path="/salesforce",
        base_url_variable="SALESFORCE_BASE_URL",
        credentials={"client_id": "SALESFORCE_CLIENT_ID", "client_secret": "SALESFORCE_CLIENT_SECRET"},
        options={
            "external_id": ProviderOption(variable="SALESFORCE_EXTERNAL_ID", default="Marketing_Key__c"),
            "version": ProviderOption(variable="SALESFORCE_VERSION", default="62.0"),
        },
        online=_question_of("integrations.delivery.salesforce:Salesforce"),
    ),
    ProviderSpec(
        name="webhook",
        live_url="",
        sandbox_path="/webhook",
        base_url_variable="WEBHOOK_BASE_URL",
        credentials={"secret": "WEBHOOK_SECRET"},
        sandbox_credentials={"secret": WEBHOOK_SANDBOX_SECRET},
    ),
)
