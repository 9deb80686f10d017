"""Every setting of the outside world, read once from the environment.

One table (:data:`PROVIDERS`) names each provider's variables, its live address and its address in
the sandbox. Invariant: the difference between sandbox and live is settled *here*, as base URLs and
credentials; no other module asks which mode it runs in. In live mode a missing key is an error
that names the variable, never a silent switch; in sandbox mode a real key is never sent unless the
user also gave that provider's base URL.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from integrations.llm.prices import Price, parse_prices
from integrations.provider_plugins import extra_provider_specs

DEFAULT_SANDBOX_URL = "http://127.0.0.1:8750"
SANDBOX_KEY = "sandbox"
SANDBOX_MODEL = "sandbox-1"
LIVE_MODEL = "gpt-4.1-mini"
STRUCTURED_MODES = ("json_schema", "function_calling", "json_mode")
STAGE_PLACEMENTS = ("auto", "local", "chord")


class SettingsError(ValueError):
    """A setting is missing or has a value we can't use; the message names it and what would be right."""


class Mode(StrEnum):
    """Which world the providers' addresses point at."""

    SANDBOX = "sandbox"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """Where a provider is and which variables configure it."""

    name: str
    live_url: str
    sandbox_path: str
    base_url_variable: str
    #: credential name -> environment variable; all are needed in live mode
    credentials: Mapping[str, str] = field(default_factory=dict)
    #: credential name -> value in the sandbox, where it differs from SANDBOX_KEY
    sandbox_credentials: Mapping[str, str] = field(default_factory=dict)


PROVIDERS: Mapping[str, ProviderSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ProviderSpec(
                name="openai",
                live_url="https://api.openai.com/v1",
                sandbox_path="/openai/v1",
                base_url_variable="OPENAI_BASE_URL",
                credentials={"api_key": "OPENAI_API_KEY"},
            ),
            ProviderSpec(
                name="serpapi",
                live_url="https://serpapi.com",
                sandbox_path="/serpapi",
                base_url_variable="SERPAPI_BASE_URL",
                credentials={"api_key": "SERPAPI_API_KEY"},
            ),
            ProviderSpec(
                name="hunter",
                live_url="https://api.hunter.io/v2",
                sandbox_path="/hunter/v2",
                base_url_variable="HUNTER_BASE_URL",
                credentials={"api_key": "HUNTER_API_KEY"},
            ),
            ProviderSpec(
                name="facebook_ads",
                live_url="https://graph.facebook.com",
                sandbox_path="/facebook",
                base_url_variable="FACEBOOK_BASE_URL",
                credentials={
                    "access_token": "FACEBOOK_ACCESS_TOKEN",
                    "app_secret": "FACEBOOK_APP_SECRET",
                    "app_id": "FACEBOOK_APP_ID",
                    "ad_account_id": "FACEBOOK_AD_ACCOUNT_ID",
                    "page_id": "FACEBOOK_PAGE_ID",
                },
                sandbox_credentials={"ad_account_id": "1000", "app_id": "1", "page_id": "2000"},
            ),
            ProviderSpec(
                name="linkedin_ads",
                live_url="https://api.linkedin.com",
                sandbox_path="/linkedin_ads",
                base_url_variable="LINKEDIN_ADS_BASE_URL",
                credentials={
                    "access_token": "LINKEDIN_ADS_ACCESS_TOKEN",
                    "ad_account_id": "LINKEDIN_ADS_ACCOUNT_ID",
                    "organization_id": "LINKEDIN_ADS_ORGANIZATION_ID",
                },
                sandbox_credentials={"ad_account_id": "3000", "organization_id": "4000"},
            ),
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """One provider's address and credentials, as its client needs them."""

    name: str
    base_url: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()  #: variables that live mode needs and the environment lacks

    def credential(self, name: str) -> str:
        """The credential ``name``; SettingsError naming the variables when some are missing."""
        if self.missing:
            raise SettingsError(f"{self.name} needs {', '.join(self.missing)} in the environment (MARKETING_MODE=live)")
        return self.credentials[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment, checked. Build it with :meth:`from_env`; pass it on, never read os.environ again."""

    mode: Mode = Mode.SANDBOX
    home: Path = Path("~/.marketing-agents")
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    sandbox_url: str = DEFAULT_SANDBOX_URL
    stage_placement: str = "auto"
    llm_model: str = SANDBOX_MODEL
    llm_structured_mode: str = "json_schema"
    llm_timeout_s: float = 60.0
    llm_prices: Mapping[str, Price] = field(default_factory=dict)  #: beside the table's
    llm_daily_cap: Decimal | None = None  #: USD per UTC day, over all campaigns
    ads_daily_cap: tuple[Decimal, str] | None = None  #: amount, currency: sum of the daily budgets that run
    http_timeout_s: float = 20.0
    dns_resolver: tuple[str, int] | None = None  #: host, port; None = the system's resolver
    web_private_hosts: bool = True  #: may web scraping reach private and loopback addresses?
    web_user_agent: str = "MarketingAgentsBot/0.1"
    web_delay_s: float = 0.0  #: least seconds between two requests to one web host
    linkedin_version: str = "202610"
    probe_delay_s: float = 0.0  #: wait before an unknown effect is probed
    flower_port: int | None = None
    breaker_failure_threshold: int = 5  #: every circuit breaker's default
    breaker_recovery_timeout_s: float = 300.0
    limits: Mapping[str, str] = field(default_factory=dict)  #: LIMIT_<PROVIDER> as written; see integrations.admission
    limits_published: bool = False  #: do the providers' published limits hold? (the sandbox's accounts have none)
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)

    def provider(self, name: str) -> ProviderSettings:
        """Return the settings of one provider. Raises KeyError for a name that no provider has."""
        return self.providers[name]

    @property
    def llm_url(self) -> str:
        """The base URL of the language model's server."""
        return self.providers["openai"].base_url

    def require(self, providers: Iterable[str]) -> None:
        """Raise SettingsError naming every variable that the given providers still lack."""
        lacking = {n: self.providers[n].missing for n in providers if n in self.providers and self.providers[n].missing}
        if lacking:
            listed = "; ".join(f"{name}: {', '.join(variables)}" for name, variables in lacking.items())
            raise SettingsError(f"MARKETING_MODE=live needs these variables: {listed}")

    @staticmethod
    def from_env(env: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment; SettingsError names the variable, its value and what is right."""
        env = os.environ if env is None else env
        mode = Mode(_one_of(env, "MARKETING_MODE", "sandbox", tuple(Mode)))
        sandbox_url = (env.get("SANDBOX_URL") or DEFAULT_SANDBOX_URL).rstrip("/")
        live = mode is Mode.LIVE
        return Settings(
            mode=mode,
            home=Path(env.get("MARKETING_HOME") or "~/.marketing-agents").expanduser(),
            database_url=env.get("DATABASE_URL") or None,
            redis_url=env.get("REDIS_URL") or None,
            sandbox_url=sandbox_url,
            stage_placement=_one_of(env, "STAGE_PLACEMENT", "auto", STAGE_PLACEMENTS),
            llm_model=env.get("LLM_MODEL") or (LIVE_MODEL if live else SANDBOX_MODEL),
            llm_structured_mode=_one_of(env, "LLM_STRUCTURED_MODE", "json_schema", STRUCTURED_MODES),
            llm_timeout_s=_seconds(env, "LLM_TIMEOUT", 60.0),
            llm_prices=_prices(env, "LLM_PRICES"),
            llm_daily_cap=_usd(env, "DAILY_CAP_LLM"),
            ads_daily_cap=_money(env, "DAILY_CAP_ADS"),
            http_timeout_s=_seconds(env, "HTTP_TIMEOUT", 20.0),
            dns_resolver=_host_port(env, "DNS_RESOLVER"),
            web_private_hosts=not live,
            web_user_agent=env.get("WEB_USER_AGENT") or "MarketingAgentsBot/0.1",
            web_delay_s=_seconds(env, "WEB_DELAY", 2.0 if live else 0.0),
            linkedin_version=env.get("LINKEDIN_VERSION") or "202610",
            probe_delay_s=_seconds(env, "PROBE_DELAY", 60.0 if live else 0.0),
            flower_port=_port(env, "FLOWER_PORT"),
            breaker_failure_threshold=_count(env, "BREAKER_FAILURE_THRESHOLD", 5),
            breaker_recovery_timeout_s=_seconds(env, "BREAKER_RECOVERY_TIMEOUT", 300.0, above=0.0),
            limits={name: value for name, value in env.items() if name.startswith("LIMIT_")},
            limits_published=live,
            providers={
                name: _provider(spec, env, live=live, sandbox_url=sandbox_url)
                for name, spec in {**PROVIDERS, **extra_provider_specs()}.items()
            },
        )


def _provider(spec: ProviderSpec, env: Mapping[str, str], *, live: bool, sandbox_url: str) -> ProviderSettings:
    own_url = (env.get(spec.base_url_variable) or "").rstrip("/")
    if live:
        missing = tuple(variable for variable in spec.credentials.values() if not env.get(variable))
        found = {name: env.get(variable, "") for name, variable in spec.credentials.items()}
        return ProviderSettings(name=spec.name, base_url=own_url or spec.live_url, credentials=found, missing=missing)
    sandbox = {name: spec.sandbox_credentials.get(name, SANDBOX_KEY) for name in spec.credentials}
    if own_url:  # the user points this provider elsewhere: their own credentials go there
        sandbox = {name: env.get(variable) or sandbox[name] for name, variable in spec.credentials.items()}
    return ProviderSettings(name=spec.name, base_url=own_url or sandbox_url + spec.sandbox_path, credentials=sandbox)


def _one_of(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = (env.get(name) or default).strip().lower()
    if value not in allowed:
        raise SettingsError(f"{name}={value!r} is not one of {', '.join(allowed)}")
    return value


def _seconds(env: Mapping[str, str], name: str, default: float, *, above: float | None = None) -> float:
    raw = env.get(name)
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf") or (above is not None and value <= above):
        raise SettingsError(f"{name}={raw!r} is not a number of seconds {'> ' if above is not None else '>= '}0")
    return value


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    raw = env.get(name)
    if not raw:
        return default
    if not raw.isdecimal() or int(raw) < 1:
        raise SettingsError(f"{name}={raw!r} is not a whole number from 1")
    return int(raw)


def _port(env: Mapping[str, str], name: str) -> int | None:
    raw = env.get(name)
    if not raw:
        return None
    if not raw.isdecimal() or not 0 <= int(raw) <= 65535:
        raise SettingsError(f"{name}={raw!r} is not a port number (0-65535)")
    return int(raw)


def _host_port(env: Mapping[str, str], name: str) -> tuple[str, int] | None:
    raw = env.get(name)
    if not raw:
        return None
    host, _, port = raw.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= 65535:
        raise SettingsError(f"{name}={raw!r} is not host:port, for example 127.0.0.1:5353")
    return host.strip("[]"), int(port)


def _prices(env: Mapping[str, str], name: str) -> Mapping[str, Price]:
    raw = env.get(name) or ""
    try:
        return parse_prices(raw)
    except ValueError as error:
        raise SettingsError(
            f"{name}={raw!r}: {str(error)!r} is not model=input:cached:output in USD per million tokens, "
            "for example llama3:8b=0.10:0.05:0.40 (several are separated by commas)"
        ) from None


def _usd(env: Mapping[str, str], name: str) -> Decimal | None:
    raw = env.get(name)
    if not raw:
        return None
    amount, _, currency = raw.strip().partition(" ")
    value = _decimal(amount)
    if value is None or currency.strip().upper() not in ("", "USD"):
        raise SettingsError(f"{name}={raw!r} is not an amount of USD, for example 25 or 2.50")
    return value


def _money(env: Mapping[str, str], name: str) -> tuple[Decimal, str] | None:
    raw = env.get(name)
    if not raw:
        return None
    amount, _, currency = raw.strip().partition(" ")
    value, currency = _decimal(amount), currency.strip().upper()
    if value is None or len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
        raise SettingsError(f"{name}={raw!r} is not an amount and its currency, for example 500 EUR")
    return value, currency


def _decimal(text: str) -> Decimal | None:
    """An amount of money that the ledger can hold; None for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value < 10**10 else None
