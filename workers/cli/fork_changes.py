"""What ``--set`` makes of a fork: changes to the configuration that a campaign already has.

Invariant: what is changed is read as a campaign file is; a fork's approval gate asks before every effect unless a
change says otherwise, whatever the parent's was. Whether such a campaign can be taken in is checked where it is forked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, JsonValue

from workers.cli.files import with_change

if TYPE_CHECKING:
    from agents.config import CampaignConfig


def fork_changes(parent: CampaignConfig, changes: Sequence[str]) -> dict[str, JsonValue]:
    """Top-level keys of the configuration and their new values, for ``CampaignHandle.fork``.

    Raises CampaignFileError for a ``--set`` that can't be read, ConfigError for what is no configuration.
    """
    from agents.config import CampaignConfig
    from agents.registry import effects_gate

    before = parent.model_dump(mode="json")
    data: dict[str, object] = before
    said = False  #: whether the changes say what is asked
    for change in changes:
        key, separator, value = change.partition("=")
        path = canonical(key.strip())
        said = said or path in ("approval", "approval.gate")
        data = with_change(data, f"{path}{separator}{value}")
    parsed = CampaignConfig.parse(data)
    after = parsed.model_dump(mode="json")
    if not said:
        after["approval"]["gate"] = effects_gate(parsed)
    return {"approval": after["approval"]} | {key: value for key, value in after.items() if value != before[key]}


def canonical(path: str) -> str:
    """Return a dotted path with aliases replaced by the keys that are stored (``platforms`` -> ``ad_platforms``)."""
    from agents.config import CampaignConfig

    section: type[BaseModel] | None = CampaignConfig
    parts = []
    for part in path.split("."):
        fields = section.model_fields if section is not None else {}
        name = next((n for n, f in fields.items() if part in getattr(f.validation_alias, "choices", ())), part)
        parts.append(name)
        if not part.isdecimal():
            section = _section(fields[name].annotation) if name in fields else None
    return ".".join(parts)


def _section(annotation: object) -> type[BaseModel] | None:
    """Return the class of configuration in an annotation such as ``tuple[ContentRequirement, ...]``, if it has one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_section(argument) for argument in get_args(annotation))
    return next((found for found in inner if found is not None), None)
