"""Submissions from elsewhere, which are data from a stranger until they are checked here: a task by name, a request.

Pure. Invariant: whatever arrives, the answer is a configuration and a key that can be stored, or a refusal in words;
no file of this machine is read for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.config_values import shown
from orchestration.control.lead_paths import refuse_paths

MAX_KEY = 200  #: characters of an idempotency key
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
KEY_WORDS = f"a key is text of 1 to {MAX_KEY} characters without control characters"


def checked_key(key: object, name: str = "idempotency_key") -> str:
    """Return a key that can be stored.

    Raises ConfigError for any other value, ``name`` being what it is called.
    """
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or _CONTROL.search(key) or not key.strip():
        raise ConfigError([f"{name}={shown(key)}: {KEY_WORDS}"])
    return key


def received(config: object, key: object, unknown: Sequence[object] = ()) -> tuple[CampaignConfig, str]:
    """Return the configuration and the key of a submission, ``unknown`` being the names of what else it came with.

    Raises ConfigError listing everything that is wrong.
    """
    problems = [f"{shown(name)}: unknown; send config and idempotency_key" for name in unknown]
    parsed = None
    try:
        checked_key(key)
    except ConfigError as error:
        problems += error.problems
    try:
        parsed = CampaignConfig.parse(config)
        refuse_paths(parsed)
    except ConfigError as error:
        problems += error.problems
    if problems or parsed is None:
        raise ConfigError(problems)
    return parsed, str(key)


def refusal_key(key: object, task_id: object) -> str | None:
    """Return what a refusal is recorded under: the key, else the id of the task that brought it, else None."""
    for one in (key, task_id):
        try:
            return checked_key(one)
        except ConfigError:
            continue
    return None
