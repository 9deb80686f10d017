"""Secrets of a fleet's URLs, kept apart from where the URLs are shown.

What a fleet shows (its note, its ``ready`` line, the screen) has ``***`` in place of each password. The whole URLs are
in ``run/credentials.json`` of MARKETING_HOME, which only the owner of the home can read. Invariant: a URL that this
home's fleet showed works where it is pasted back on the same machine, for every client and command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from integrations.settings import Settings, SettingsError
from integrations.shown_url import HIDDEN, hide_secrets


def credentials_path(home: Path) -> Path:
    """Return the path of the file with the whole URLs under ``home`` (MARKETING_HOME)."""
    return home.expanduser() / "run" / "credentials.json"


def credentials_of(*urls: str | None) -> Mapping[str, str]:
    """Return the content of that file: each URL that has a secret, by its shown form."""
    return {shown: url for url in urls if url and (shown := hide_secrets(url)) != url}


def whole_url(url: str | None, home: Path) -> str | None:
    """Return the URL whole if it is one that the fleet under ``home`` shows, else as it is."""
    if url is None or HIDDEN not in url:
        return url
    try:
        kept = json.loads(credentials_path(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return url
    found = kept.get(url) if isinstance(kept, dict) else None
    return found if isinstance(found, str) else url


def with_secrets(settings: Settings) -> Settings:
    """Return the settings with whole URLs where they hold URLs that the fleet under MARKETING_HOME shows.

    Raises SettingsError for any other URL that has ``***`` in place of its password.
    """
    whole = {
        "database_url": whole_url(settings.database_url, settings.home),
        "redis_url": whole_url(settings.redis_url, settings.home),
    }
    if hidden := [name.upper() for name, url in whole.items() if url is not None and HIDDEN in url]:
        raise SettingsError(
            f"{' and '.join(hidden)}: {HIDDEN} stands for a password, and no fleet under {settings.home} shows this "
            "URL: give it with its password"
        )
    return settings.model_copy(update=whole)
