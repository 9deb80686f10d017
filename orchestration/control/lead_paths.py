"""Reading of the lead files that a campaign names by path, at submit and on the client's machine only.

A local caller that names a path in its own configuration has allowed it; it may allow one folder only. What came from
elsewhere (a task by name, a request) reads nothing: :func:`refuse_paths`. Invariant: only a regular file is opened, of
which no more than the source's limit is read; nothing waits for a pipe or a device.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from agents.config import CampaignConfig, FileSourceConfig
from agents.config_problems import ConfigError
from agents.config_values import shown
from integrations.values import clean_text
from orchestration.ledger.database import encode
from orchestration.stores.lead_files import StoredFile

#: A pipe is not waited for, and a link is not followed. Systems that lack a flag do without.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def read_files(config: CampaignConfig, within: Path | None = None) -> tuple[CampaignConfig, list[StoredFile]]:
    """Read the user's lead files, and return the configuration that names them by id, and what is to be stored.

    With ``within`` only files inside that folder are read, and relative paths begin there. Raises ConfigError, naming
    the file and what is wrong, when one can't be read.
    """
    sources, files = list(config.lead_sources), []
    for number, source in enumerate(config.lead_sources):
        parse = source.plugin.parse_file
        if parse is None or not isinstance(source, FileSourceConfig) or source.unread is None:
            continue
        name = clean_text(Path(source.unread).name)
        try:
            data = read_bytes(source.unread, source.plugin.max_file_bytes, within)
        except ValueError as error:
            raise ConfigError([f"lead_sources.{number}.path={shown(source.unread)}: {error}"]) from None
        found = parse(data, name, source.columns)
        rows = encode([dict(row) for row in found.rows])
        files.append(StoredFile(filename=name, rows=rows, summary=found.summary()))
        sources[number] = source.model_copy(update={"path": name, "file_id": files[-1].file_id})
    return config.model_copy(update={"lead_sources": tuple(sources)}), files


def refuse_paths(config: CampaignConfig) -> None:
    """Refuse a configuration from elsewhere that names a file of this machine.

    Raises ConfigError.
    """
    problems = [
        f"lead_sources.{number}.path: no file of this machine is read for a campaign that was sent here; "
        "name a stored file by its file_id"
        for number, source in enumerate(config.lead_sources)
        if isinstance(source, FileSourceConfig) and source.unread
    ]
    if problems:
        raise ConfigError(problems)


def file_ids(config: CampaignConfig) -> list[str]:
    """Return the ids of the stored files that a configuration names."""
    return [one.file_id for one in config.lead_sources if isinstance(one, FileSourceConfig) and one.file_id]


def read_bytes(path: str, most: int, within: Path | None = None) -> bytes:
    """Return the content of a file of at most ``most`` bytes.

    With ``within`` only of one in that folder. Raises ValueError, whose text says what is wrong.
    """
    try:
        file = _allowed(Path(path).expanduser(), within)
        descriptor = os.open(file, _FLAGS)
    except FileNotFoundError:
        where = "the current folder" if within is None else "the folder that lead files are read from"
        raise ValueError(f"there is no such file (paths are relative to {where})") from None
    except OSError as error:
        link = error.errno == errno.ELOOP
        raise ValueError("is a link; name the file itself" if link else f"can't be read ({error.strerror})") from None
    except RuntimeError:  # no such home folder
        raise ValueError("there is no such file") from None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise ValueError("is no regular file; give one of a format that is read, such as CSV")
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(most + 1) if about.st_size <= most else None
    if data is None or len(data) > most:
        raise ValueError(f"is larger than {most // 1_000_000} MB; split it")
    return data


def _allowed(file: Path, within: Path | None) -> Path:
    """Return the path to open.

    Raises ValueError when it leads out of the folder that is allowed.
    """
    if within is None:
        return file
    folder = within.resolve()
    inside = (folder / file).parent.resolve() / file.name
    if not inside.is_relative_to(folder) or file.name in ("", ".."):
        raise ValueError("leads out of the folder that lead files are read from")
    return inside
