"""What a fleet shows can be pasted back on its machine, and the file that makes it so is its owner's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.fleet_note import Whereabouts, note_path, read_note
from integrations.fleet_secrets import credentials_path, with_secrets
from integrations.settings import Settings, SettingsError
from workers.services.home import Home, kept_secret
from workers.services.ownership import Ownership

DATABASE = "postgres://u:s3cret@h/d?sslpassword=s3cret"
SHOWN = "postgres://u:***@h/d?sslpassword=***"
REDIS = "rediss://:s3cret@h:1/15"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose owner, this process, has published its URLs."""
    ownership = Ownership(Home(tmp_path), "fleet")
    ownership.take()
    ownership.publish(Whereabouts(database_url=DATABASE, redis_url=REDIS, mode="sandbox"), ready=True)
    yield tmp_path
    ownership.release()


def settings(home: Path, **variables: str) -> Settings:
    return Settings.from_env({"MARKETING_HOME": str(home), **variables})


def test_the_note_shows_no_secret_and_is_read_whole(home: Path) -> None:
    assert "s3cret" not in note_path(home).read_text()
    assert json.loads(note_path(home).read_text())["database_url"] == SHOWN
    note = read_note(home)
    assert note is not None
    assert (note.database_url, note.redis_url) == (DATABASE, REDIS)
    for path in (note_path(home), credentials_path(home)):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_shown_url_is_completed(home: Path) -> None:
    found = with_secrets(settings(home, DATABASE_URL=SHOWN, REDIS_URL="rediss://:***@h:1/15"))
    assert (found.database_url, found.redis_url) == (DATABASE, REDIS)
    whole = with_secrets(settings(home, DATABASE_URL="postgres://u:other@h/d"))
    assert whole.database_url == "postgres://u:other@h/d"


def test_another_shown_url_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: \*\*\* stands for a password"):
        with_secrets(settings(home, DATABASE_URL=SHOWN.replace("@h", "@elsewhere")))
    with pytest.raises(SettingsError, match="REDIS_URL"):
        with_secrets(settings(tmp_path / "nobody", REDIS_URL="rediss://:***@h:1/15"))


def test_the_secrets_go_with_their_owner(tmp_path: Path) -> None:
    ownership = Ownership(Home(tmp_path), "fleet")
    ownership.take()
    ownership.publish(Whereabouts(redis_url=REDIS), ready=True)
    assert "s3cret" in credentials_path(tmp_path).read_text()
    ownership.release()
    assert not credentials_path(tmp_path).exists()


def test_a_generated_secret_stays_and_is_closed_again(tmp_path: Path) -> None:
    path = tmp_path / "a.secret"
    made = kept_secret(path, prefix="user:")
    assert made.startswith("user:")
    assert len(made) > 30
    path.chmod(0o644)
    assert kept_secret(path, prefix="user:") == made
    assert path.stat().st_mode & 0o777 == 0o600
