"""Lead files as tests give them: bytes or text in, people without their row numbers out."""

from __future__ import annotations

from collections.abc import Mapping

from agents.config_problems import ConfigError
from agents.lead_files.lead_file import LeadFile
from agents.lead_files.reading import parse


def read(data: bytes | str, name: str = "leads.csv", columns: Mapping[str, str] | None = None) -> LeadFile:
    """What a file holds."""
    return parse(data.encode() if isinstance(data, str) else data, name, columns)


def people(
    data: bytes | str, name: str = "leads.csv", columns: Mapping[str, str] | None = None
) -> list[dict[str, object]]:
    """The people of a file, as dicts of our columns."""
    return [{key: value for key, value in row.items() if key != "row"} for row in read(data, name, columns).rows]


def refusal(data: bytes | str, name: str = "leads.csv", columns: Mapping[str, str] | None = None) -> str:
    """What a file is refused with; "" when it is read."""
    try:
        read(data, name, columns)
    except ConfigError as error:
        return str(error)
    return ""
