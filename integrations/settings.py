"""Every setting of the outside world, read once from the environment.

One table (:func:`~integrations.provider_registry.provider_specs`) names each provider's variables, its live address
and its address in the sandbox. Invariant: the difference between sandbox and live is settled *here*, as base URLs and
credentials; no other module asks which mode it runs in. In live mode a missing key is an error
that names the variable, never a silent switch; in sandbox mode a real key is never sent unless the
user also gave that provider's base URL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from integrations.outbound import AddressRefusedError, Reach, check_host, leads_to_loopback
from integrations.provider_registry import provider_specs
from integrations.provider_specs import ProviderSpec
from integrations.setting_types import (
    Count,
    Folder,
    HostNames,
    HostPort,
    LogFormat,
    Logins,
    LogLevel,
    Money,
    Placement,
    Port,
    PositiveSeconds,
    Prices,
    RedisAddress,
    Seconds,
    StructuredMode,
    UrlPrefix,
    Usd,
    right,
)

LOOPBACK = "127.0.0.1"
DEFAULT_SANDBOX_URL = f"http://{LOOPBACK}:8750"
SANDBOX_KEY = "sandbox"
SANDBOX_MODEL = "sandbox-1"
SANDBOX_EMBEDDING_MODEL = "sandbox-embedding-1"
LIVE_MODEL = "gpt-4.1-mini"
LIVE_EMBEDDING_MODEL = "text-embedding-3-small"
_LIMIT = "LIMIT_"
#: Providers that take no credentials and have no address of their own.
_WITHOUT_KEYS = ("dns", "web")
#: Variables whose defaults are other ones when providers are real.
_LIVE_DEFAULTS = {
    "LLM_MODEL": LIVE_MODEL,
    "EMBEDDING_MODEL": LIVE_EMBEDDING_MODEL,
    "WEB_DELAY": 2.0,
    "PROBE_DELAY": 60.0,
}


class SettingsError(ValueError):
    """Raised when settings are missing or have values that can't be used.

    The message names each and what would be right.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Mode(StrEnum):
    """Which world the providers' addresses point at."""

    SANDBOX = "sandbox"
    LIVE = "live"


ModeName = Annotated[Mode, BeforeValidator(str.lower), right(f"one of {', '.join(Mode)}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """One provider's address and credentials, as its client needs them."""

    name: str
    base_url: str
    reach: Reach = Reach.LOOPBACK  #: how far its client's connections go
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()  #: variables that live mode needs and the environment lacks

    def credential(self, name: str) -> str:
        """Return the credential ``name``.

        Raises SettingsError, which names the variables, when some are missing.
        """
        if self.missing:
            raise SettingsError(f"{self.name} needs {', '.join(self.missing)} in the environment (MARKETING_MODE=live)")
        return self.credentials[name]


class Settings(BaseModel):
    """Checked environment, which is passed on, so that os.environ is not read again.

    Build it with :meth:`from_env`. Frozen; :meth:`model_copy` with ``update`` makes a changed one.
    """

    model_config = ConfigDict(frozen=True)

    mode: ModeName = Field(Mode.SANDBOX, validation_alias="MARKETING_MODE")
    home: Folder = Field(
        default_factory=lambda: Path("~/.marketing-agents").expanduser(), validation_alias="MARKETING_HOME"
    )
    database_url: str | None = Field(None, validation_alias="DATABASE_URL", repr=False)
    redis_url: RedisAddress | None = Field(None, validation_alias="REDIS_URL", repr=False)
    sandbox_url: str = Field(DEFAULT_SANDBOX_URL, validation_alias="SANDBOX_URL")
    stage_placement: Placement = Field("auto", validation_alias="STAGE_PLACEMENT")
    log_format: LogFormat = Field("text", validation_alias="LOG_FORMAT")
    log_level: LogLevel = Field("INFO", validation_alias="LOG_LEVEL")
    llm_model: str = Field(SANDBOX_MODEL, validation_alias="LLM_MODEL")
    #: what documents and questions are compared by; "none": by their words alone
    embedding_model: str = Field(SANDBOX_EMBEDDING_MODEL, validation_alias="EMBEDDING_MODEL")
    #: server of the embedding model; None: the language model's own
    embedding_base_url: str | None = Field(None, validation_alias="EMBEDDING_BASE_URL")
    #: its key, which no other server gets
    embedding_api_key: str | None = Field(None, validation_alias="EMBEDDING_API_KEY", repr=False)
    #: text search configuration of Postgres that documents are read in by default
    knowledge_language: str = Field("english", validation_alias="KNOWLEDGE_LANGUAGE")
    llm_structured_mode: StructuredMode = Field("json_schema", validation_alias="LLM_STRUCTURED_MODE")
    llm_timeout_s: Seconds = Field(60.0, validation_alias="LLM_TIMEOUT")
    #: before the library's
    llm_prices: Prices = Field({}, validation_alias="LLM_PRICES")
    #: USD per UTC day, over all campaigns
    llm_daily_cap: Usd | None = Field(None, validation_alias="DAILY_CAP_LLM")
    #: amount, currency: sum of the daily budgets that run
    ads_daily_cap: Money | None = Field(None, validation_alias="DAILY_CAP_ADS")
    http_timeout_s: Seconds = Field(20.0, validation_alias="HTTP_TIMEOUT")
    #: host, port; None = the system's resolver
    dns_resolver: HostPort | None = Field(None, validation_alias="DNS_RESOLVER")
    web_user_agent: str = Field("MarketingAgentsBot/0.1", validation_alias="WEB_USER_AGENT")
    #: least seconds between two requests to one web host
    web_delay_s: Seconds = Field(0.0, validation_alias="WEB_DELAY")
    #: wait before an unknown effect is probed
    probe_delay_s: Seconds = Field(0.0, validation_alias="PROBE_DELAY")
    flower_port: Port | None = Field(None, validation_alias="FLOWER_PORT")
    #: between Flower's address and the paths of its pages
    flower_url_prefix: UrlPrefix = Field("", validation_alias="FLOWER_URL_PREFIX")
    #: names under which Flower is served, beside those of loopback
    flower_allowed_hosts: HostNames = Field((), validation_alias="FLOWER_ALLOWED_HOSTS")
    #: user:password, several separated by commas; None: one is generated
    flower_basic_auth: Logins | None = Field(None, validation_alias="FLOWER_BASIC_AUTH", repr=False)
    #: signs what other systems report of leads; None: nothing is taken from them
    outcomes_secret: str | None = Field(None, validation_alias="OUTCOMES_SECRET", repr=False)
    #: every circuit breaker's default
    breaker_failure_threshold: Count = Field(5, validation_alias="BREAKER_FAILURE_THRESHOLD")
    breaker_recovery_timeout_s: PositiveSeconds = Field(300.0, validation_alias="BREAKER_RECOVERY_TIMEOUT")

    # What follows from the mode, or from many variables.
    web_reach: Reach = Reach.LOOPBACK  #: where pages may lead
    limits: Mapping[str, str] = {}  #: LIMIT_<PROVIDER> as written; see integrations.admission
    limits_published: bool = False  #: do the providers' published limits hold? (the sandbox's accounts have none)
    providers: Mapping[str, ProviderSettings] = {}

    def timeout_s(self, provider: str) -> float:
        """Return the seconds that one call to ``provider`` may take."""
        return self.llm_timeout_s if provider == "openai" else self.http_timeout_s

    def provider(self, name: str) -> ProviderSettings:
        """Return the settings of one provider.

        Raises KeyError for a name that no provider has.
        """
        return self.providers[name]

    @property
    def llm_url(self) -> str:
        """Base URL of the language model's server."""
        return self.providers["openai"].base_url

    @property
    def embedding_url(self) -> str:
        """Base URL of the embedding model's server."""
        return self.embedding_base_url.rstrip("/") if self.embedding_base_url else self.llm_url

    @property
    def embeds(self) -> bool:
        """Whether an embedding model is to be used."""
        return self.embedding_model.lower() not in ("none", "off")

    def require(self, providers: Iterable[str]) -> None:
        """Raise SettingsError naming every variable that the given providers still lack."""
        lacking = {n: self.providers[n].missing for n in providers if n in self.providers and self.providers[n].missing}
        if lacking:
            listed = "; ".join(f"{name}: {', '.join(variables)}" for name, variables in lacking.items())
            raise SettingsError(f"MARKETING_MODE=live needs these variables: {listed}")

    @classmethod
    def variables(cls) -> Mapping[str, FieldInfo]:
        """Return the environment variables that are read, each with its field.

        LIMIT_<PROVIDER> and the providers' own are not among them.
        """
        return {str(info.validation_alias): info for info in cls.model_fields.values() if info.validation_alias}

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, defaults: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment, in which an empty variable counts as absent.

        ``defaults`` are values of variables that the environment doesn't set, such as those of a fleet that runs here.
        Raises SettingsError when values are wrong; it names each variable, its value (but for secrets) and what would
        be right.
        """
        env = os.environ if env is None else env
        if defaults:
            env = {**defaults, **{name: value for name, value in env.items() if value.strip()}}
        given = {name: value for name in cls.variables() if (value := env.get(name, "").strip())}
        live = given.get("MARKETING_MODE", "").lower() == Mode.LIVE
        if "SANDBOX_URL" in given:
            given["SANDBOX_URL"] = given["SANDBOX_URL"].rstrip("/")
        sandbox_url = given.get("SANDBOX_URL", DEFAULT_SANDBOX_URL)
        limits = {name: value for name, value in env.items() if name.startswith(_LIMIT)}
        providers = {
            name: _provider(spec, env, live=live, sandbox_url=sandbox_url) for name, spec in provider_specs().items()
        }
        reach = Reach.PUBLIC if live else Reach.LOOPBACK
        derived = {"web_reach": reach, "limits_published": live, "limits": limits, "providers": providers}
        problems = list(_of_no_provider(limits, providers))
        try:
            settings = cls.model_validate({**(_LIVE_DEFAULTS if live else {}), **given, **derived})
        except ValidationError as error:
            problems = [*_problems(error, given), *problems]
        if not live:
            problems += _leading_away({**given, **_base_urls(env)})
        if problems:
            raise SettingsError(*problems)
        return settings


def _problems(error: ValidationError, given: Mapping[str, str]) -> Iterator[str]:
    shown = {name: f"{name}={given.get(name)!r}" if info.repr else name for name, info in Settings.variables().items()}
    for one in error.errors(include_url=False, include_input=False):
        yield f"{shown[str(one['loc'][0])]} {one['msg'].removeprefix('Value error, ')}"


def _base_urls(env: Mapping[str, str]) -> dict[str, str]:
    """Return the providers' base URLs that the environment sets, by variable."""
    variables = [spec.base_url_variable for spec in provider_specs().values()]
    return {name: value for name in variables if (value := env.get(name, "").strip())}


def _leading_away(given: Mapping[str, str]) -> Iterator[str]:
    """Say which of the addresses that a sandbox is given lead off this machine, without the passwords in them."""
    right = "MARKETING_MODE=sandbox reaches only this machine"
    for variable, value in given.items():
        if (variable == "SANDBOX_URL" or variable.endswith("_BASE_URL")) and not leads_to_loopback(value):
            shown = re.sub(r"(?<=//)[^/?#\s]*@", "", value).split("?")[0]
            yield f"{variable}={shown!r} is not an address of this machine, such as {DEFAULT_SANDBOX_URL}: {right}"
    server = given.get("DNS_RESOLVER", "")
    try:
        check_host(server.rpartition(":")[0] or LOOPBACK, Reach.LOOPBACK)
    except AddressRefusedError:
        yield f"DNS_RESOLVER={server!r} is not a name server on this machine, such as {LOOPBACK}:5353: {right}"


def _of_no_provider(limits: Mapping[str, str], providers: Iterable[str]) -> Iterator[str]:
    """Say what is wrong with the names of LIMIT_<PROVIDER> variables."""
    if not any(value.strip() for value in limits.values()):
        return
    known = sorted({*providers, *_WITHOUT_KEYS})
    for variable, value in limits.items():
        provider = variable.removeprefix(_LIMIT).lower()
        if value.strip() and provider not in known:
            nearest = get_close_matches(provider, known, n=1)
            hint = f"did you mean {_LIMIT}{nearest[0].upper()}?" if nearest else f"there are {', '.join(known)}"
            yield f"{variable}: {provider!r} is no provider; {hint}"


def _provider(spec: ProviderSpec, env: Mapping[str, str], *, live: bool, sandbox_url: str) -> ProviderSettings:
    own_url = (env.get(spec.base_url_variable) or "").rstrip("/")
    defaults = {name: (not live and option.sandbox) or option.default for name, option in spec.options.items()}
    options = {name: env.get(spec.options[name].variable, "").strip() or default for name, default in defaults.items()}
    if live:
        own_address = (spec.base_url_variable,) if not (own_url or spec.live_url) else ()
        missing = (*own_address, *(variable for variable in spec.credentials.values() if not env.get(variable)))
        found = {name: env.get(variable, "") for name, variable in spec.credentials.items()}
        return ProviderSettings(
            name=spec.name,
            base_url=own_url or spec.live_url,
            reach=Reach.ANYWHERE,
            credentials=found,
            options=options,
            missing=missing,
        )
    sandbox = {name: spec.sandbox_credentials.get(name, SANDBOX_KEY) for name in spec.credentials}
    if own_url:  # the user points this provider elsewhere: their own credentials go there
        sandbox = {name: env.get(variable) or sandbox[name] for name, variable in spec.credentials.items()}
    base_url = own_url or sandbox_url + spec.sandbox_path
    return ProviderSettings(name=spec.name, base_url=base_url, credentials=sandbox, options=options)
