"""Registry of the installed sources of leads, by the ``type`` that a campaign file names them by.

Invariant: a campaign loads the modules of the sources that it names and no others, so that checking a configuration
stays light.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import get_args

from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from agents.config import FileSourceConfig, SourceConfig
from agents.config_problems import UNKNOWN_SOURCE
from agents.lead_generation.answers import Answer
from agents.lead_generation.source import AnySource, LeadSource
from agents.unit_kind import AnyKind
from integrations import plugins

#: Other words for the built-in sources.
ALIASES: Mapping[str, str] = {
    "company_search": "search",
    "linkedin_search": "linkedin",
    "website_scraping": "web",
    "x_search": "x",
}


def names() -> tuple[str, ...]:
    """Return the types that a campaign file may name, in alphabetical order."""
    return plugins.names(plugins.LEAD_SOURCES)


def canonical(name: object) -> str | None:
    """Return the type that a campaign file means by ``name``, or None when no source is called that."""
    found = ALIASES.get(name, name) if isinstance(name, str) else None
    return found if found in names() else None


@cache
def source(name: str) -> AnySource:
    """Return the source of that type.

    Raises KeyError for an unknown type, PluginError for an object that is no usable source.
    """
    found = plugins.load(plugins.LEAD_SOURCES, name)
    if not isinstance(found, LeadSource):
        raise plugins.PluginError(f"{plugins.LEAD_SOURCES}: {name!r} is a {type(found).__name__}, not a LeadSource")
    wrong = _mistake(name, found)
    if wrong:
        raise plugins.PluginError(f"{plugins.LEAD_SOURCES}: {name!r} {wrong}")
    return found


def installed() -> tuple[AnySource, ...]:
    """Return all sources, ordered by their types."""
    return tuple(source(name) for name in names())


@cache
def unit_kinds() -> Mapping[str, AnyKind]:
    """Return the unit kinds of all sources.

    Raises PluginError when two sources bring different ones of one name.
    """
    found: dict[str, AnyKind] = {}
    for one in installed():
        for kind in one.kinds:
            if found.setdefault(kind.name, kind) is not kind:
                raise plugins.PluginError(
                    f"{plugins.LEAD_SOURCES}: {one.name!r} brings a unit kind {kind.name!r} that another source has"
                )
    return found


def read(value: object) -> SourceConfig:
    """Check one entry of ``lead_sources``, a mapping with a type or the type alone.

    Raises ValidationError located at the entry's own keys.
    """
    if isinstance(value, SourceConfig):
        return value
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, Mapping):
        raise _refusal((), value, f"write a mapping with a type ({_known()})")
    given = value.get("type")
    if given is None:
        raise _refusal((), value, f"needs a type: {_known()}")
    name = canonical(given)
    if name is None:
        raise _refusal(("type",), given, f"is no source of leads; use {_known()}")
    checked: SourceConfig = source(name).config.model_validate({**value, "type": name})
    return checked


def config_schema() -> CoreSchema:
    """Return the schema of one entry of ``lead_sources`` that is a mapping, told apart by ``type``."""
    return core_schema.tagged_union_schema(
        {one.name: one.config.__pydantic_core_schema__ for one in installed()}, discriminator="type"
    )


def _known() -> str:
    return ", ".join(names())


def _refusal(where: tuple[str, ...], value: object, text: str) -> ValidationError:
    problem = PydanticCustomError(UNKNOWN_SOURCE, "{text}", {"text": text})
    return ValidationError.from_exception_data("lead_sources", [InitErrorDetails(type=problem, loc=where, input=value)])


def _mistake(name: str, found: AnySource) -> str | None:
    """Say what makes a source unusable, or return None when it is usable."""
    if found.name != name:
        return f"calls itself {found.name!r}; its entry point must have that name"
    if not issubclass(found.config, SourceConfig):
        return f"has a config {found.config.__name__} that is no SourceConfig"
    if get_args(found.config.model_fields["type"].annotation) != (name,):
        return f'has a config {found.config.__name__} whose type is not Literal["{name}"]'
    if issubclass(found.config, FileSourceConfig) and (found.parse_file is None or found.max_file_bytes < 1):
        return f"has a config {found.config.__name__} with a file, but no parse_file and max_file_bytes"
    strange = [kind.name for kind in found.kinds if not issubclass(kind.output, Answer)]
    return f"has unit kinds whose output is no Answer: {', '.join(strange)}" if strange else None
