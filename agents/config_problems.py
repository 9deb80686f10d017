"""What is wrong with a configuration, in words: the key, its value and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from pydantic import AliasChoices, BaseModel, ConfigDict, ValidationError, field_validator

from agents.config_values import PATTERN_WORDS, shown
from integrations.values import faults, visible

MAX_PROBLEM, MAX_PROBLEMS = 1000, 50  #: characters of one problem, and problems of one refusal
UNKNOWN_AGENT = "agent"  #: error type of a key of ``agents`` that no installed agent is named by
#: error type of an entry of ``enrichment.providers`` that no installed enricher is named by
UNKNOWN_ENRICHER = "enricher"
UNKNOWN_PLATFORM = "ad_platform"  #: error type of an entry of ``ad_platforms`` that no installed platform is named by
UNKNOWN_SOURCE = "lead_source"  #: error type of an entry of ``lead_sources`` that no installed source is named by


class ConfigError(ValueError):
    """Raised when a configuration is refused, with ``problems`` that say each key, its value and what is right.

    The problems can be stored and printed, whatever the configuration held: 50 at most, of 1,000 characters each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = [visible(problem)[:MAX_PROBLEM] for problem in problems[:MAX_PROBLEMS]]
        super().__init__("; ".join(self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[list[str]]]:
        return (ConfigError, (self.problems,))


class Section(BaseModel):
    """Base of every part of the configuration: immutable, storable, unknown keys refused, known by name or alias."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=False, allow_inf_nan=False
    )

    @field_validator("*", mode="after")
    @classmethod
    def _storable(cls, value: object) -> object:
        for keys, what in faults(value):
            raise ValueError(f"{'.'.join(keys)}: {what}" if keys else what)
        return value


#: Error types whose text names the value already.
_SAID_WHOLE = ("value_error", UNKNOWN_SOURCE, UNKNOWN_AGENT, UNKNOWN_PLATFORM, UNKNOWN_ENRICHER)


def explain(error: ValidationError, section: Callable[[Sequence[str]], type[Section]]) -> list[str]:
    """Return one line per problem: key, value, and what would be right.

    ``section`` returns the part of the configuration that keys lead to.
    """
    lines = []
    for item in error.errors(include_url=False):
        keys = [str(part) for part in item["loc"]]
        where = ".".join(keys) or "campaign"
        if item["type"] == "extra_forbidden":
            lines.append(f"{where}: unknown key{_nearest(keys[-1], section(keys[:-1]))}")
            continue
        pattern = str(item.get("ctx", {}).get("pattern"))
        text = PATTERN_WORDS.get(pattern, item["msg"].removeprefix("Value error, "))
        if item["type"] == "missing":
            lines.append(f"{where}: is missing")
        elif item["type"] in _SAID_WHOLE and isinstance(item["input"], Mapping | list | tuple):
            lines.append(f"{where}: {text}")
        else:
            lines.append(f"{where}={shown(item['input'])}: {text}")
    return lines


def choice(names: Sequence[str]) -> str:
    """Return names as a list in words: "a, b or c"."""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)


def _nearest(key: str, section: type[Section]) -> str:
    known = [name for field in section.model_fields for name in spellings(section, field)]
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known here: {', '.join(dict.fromkeys(known))}"


def spellings(section: type[Section], field: str) -> tuple[str, ...]:
    """Return the names that a field may be written by, its own first."""
    alias = section.model_fields[field].validation_alias
    other = alias.choices if isinstance(alias, AliasChoices) else ()
    return (field, *(name for name in other if isinstance(name, str)))
