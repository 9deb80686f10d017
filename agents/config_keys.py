"""Which part of a campaign's configuration a path of keys leads to, for refusals that name the keys it knows.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from agents.config_problems import Section, spellings
from agents.config_values import listed
from agents.delivery.config import target_section


def section_at(root: type[Section], keys: Sequence[str], data: Mapping[str, object]) -> type[Section]:
    """Return the part of the configuration ``root`` that ``keys`` lead to in what a user wrote."""
    from agents.config import SourceConfig
    from agents.lead_generation import source_registry

    section = root
    for key in keys:
        if (target := target_section(section, key)) is not None:
            section = target
            continue
        field = next((field for field in section.model_fields if key in spellings(section, field)), None)
        if field is not None:
            section = _section_in(section.model_fields[field].annotation) or section
    if section is SourceConfig:  # which keys it has depends on its type
        entry = listed(data["lead_sources"])[int(keys[1])]
        name = source_registry.canonical(entry["type"] if isinstance(entry, Mapping) else entry)
        section = source_registry.source(name).config if name else section
    return section


def _section_in(annotation: object) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _section_in(inner))), None)
