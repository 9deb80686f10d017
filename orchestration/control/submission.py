"""Submission of a campaign: the checks between a valid configuration and a row.

Invariant: a refusal stores nothing, and it says what would be right. What this version can't do yet is
refused here, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from agents import registry
from agents.base import BaseAgent
from agents.config import CampaignConfig, FileSourceConfig
from agents.config_problems import ConfigError
from agents.learning.weights import Weights
from agents.registry import agents
from agents.state import MarketingAgentState
from agents.unit import Stage
from agents.versions import FLOW_VERSION, SCHEMA_VERSION
from integrations.ads.registry import available, missing_packages
from integrations.settings import Mode, Settings
from orchestration.control.ad_checks import ad_problems
from orchestration.flow.transition import start
from orchestration.ledger.database import encode
from orchestration.ledger.rows import small_state
from orchestration.spend.ads import check_ad_currency


class IdempotencyConflictError(ValueError):
    """Raised when the idempotency key was used before, for another configuration."""


#: How long live ads gather figures before they are first measured, and how often they are optimised after.
LIVE_MEASURE_AFTER = timedelta(hours=48)
LIVE_OPTIMIZE_EVERY = timedelta(days=1)


def resolve(config: CampaignConfig, mode: Mode) -> CampaignConfig:
    """Return the configuration with the defaults of its world, ``mode`` as the database says it.

    In the sandbox nothing is filled in. In live a person approves what has effects: ads, leads that go elsewhere, and
    what agents of other packages do; ads have time to gather figures before they are measured, and are optimised daily.
    Explicit values stay as they are.
    """
    if mode is not Mode.LIVE:
        return config
    if config.ad_platforms:
        times = {
            "measure_after": config.measure_after or LIVE_MEASURE_AFTER,
            "optimize_every": config.optimize_every or LIVE_OPTIMIZE_EVERY,
        }
        config = config.model_copy(update=times)
    if config.approval.gate is None and registry.may_act(config):
        asking = config.approval.model_copy(update={"gate": registry.effects_gate(config)})
        config = config.model_copy(update={"approval": asking})
    return config


def check(config: CampaignConfig, settings: Settings) -> None:
    """Check that this version can run the configuration.

    Raises ConfigError when it can't, SettingsError when live mode lacks keys.
    """
    problems = [
        f"ad_platforms: {platform} has no client in this version; available: {', '.join(available())}"
        for platform in config.ad_platforms
        if platform not in available()
    ]
    lacking = missing_packages()
    problems += [f"ad_platforms: {name} {lacking[name]}" for name in config.ad_platforms if name in lacking]
    problems += [problem for agent in agents().values() for problem in agent.problems(config)]
    problems += ad_problems(config, settings)
    other = check_ad_currency(config.ad_platforms, config.currency, settings)
    if other is not None:
        problems.append(other)
    if problems:
        raise ConfigError(problems)
    settings.require(needed_providers(config, agents()))


def admitted(config: CampaignConfig, settings: Settings, mode: Mode) -> CampaignConfig:
    """Return the configuration as it is stored: checked (:func:`check` raises), with its defaults (:func:`resolve`)."""
    check(config, settings)
    return resolve(config, mode)


def forked(parent: CampaignConfig, changes: Mapping[str, object], settings: Settings, mode: Mode) -> CampaignConfig:
    """Return the configuration of a fork, ``parent``'s with some keys replaced, in the parent's world ``mode``.

    The approval gate asks before every effect unless the changes say otherwise. Raises ConfigError when a key is
    unknown, and as :func:`check` does for the whole configuration.
    """
    data = parent.model_dump(mode="json")
    for key, value in changes.items():
        if key not in data:
            raise ConfigError([f"{key}: is no key of a campaign"])
        part = data[key]
        data[key] = {**part, **value} if isinstance(part, dict) and isinstance(value, Mapping) else value
    config = CampaignConfig.parse(data)
    approval = changes.get("approval")
    if not (isinstance(approval, Mapping) and "gate" in approval):
        asking = config.approval.model_copy(update={"gate": registry.effects_gate(config)})
        config = config.model_copy(update={"approval": asking})
    if any(isinstance(source, FileSourceConfig) and source.unread for source in config.lead_sources):
        raise ConfigError(
            ["lead_sources: a fork has its parent's lead files; submit a campaign of its own for new ones"]
        )
    return admitted(config, settings, mode)


def needed_providers(config: CampaignConfig, agents: Mapping[str, BaseAgent]) -> tuple[str, ...]:
    """Return the providers whose keys the campaign can't do without, as its agents say."""
    return tuple(dict.fromkeys(name for agent in agents.values() for name in agent.needs(config)))


def config_hash(config: CampaignConfig) -> str:
    """Return the identity of a configuration: the SHA-256 of its canonical JSON."""
    return sha256(encode(config.model_dump(mode="json")).encode()).hexdigest()


def prepare(
    config: CampaignConfig,
    agents: Mapping[str, BaseAgent],
    *,
    now: datetime,
    campaign_id: str | None = None,
    idempotency_key: str | None = None,
    actor: str = "client",
    lead_weights: Weights | None = None,
) -> tuple[dict[str, object], Stage]:
    """Return the row to insert and the first stage.

    ``lead_weights`` is what outcomes have taught for such a campaign. Raises ConfigError when the sources give no work.
    """
    state = MarketingAgentState.initial(
        config, campaign_id=campaign_id or uuid4().hex, now=now, lead_weights=lead_weights
    )
    try:
        begun, stage = start(state, agents, now)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    row: dict[str, object] = {
        "campaign_id": begun.campaign_id,
        "name": config.name,
        "idempotency_key": idempotency_key,
        "config_hash": config_hash(config),
        "agent": begun.current_agent,
        "stage_name": stage.name,
        "state": small_state(begun),
        "agent_messages": [m.model_dump(mode="json") for m in begun.agent_messages],
        "schema_version": SCHEMA_VERSION,
        "flow_version": FLOW_VERSION,
        "created_at": now,
        "actor": actor,
    }
    return row, stage
