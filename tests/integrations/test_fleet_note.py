"""Where a running fleet is: the note under its home, written by one and read by many."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from integrations.fleet_note import FleetNote, ProcessMark, Whereabouts, note_path, read_note

NOTE = {
    "kind": "fleet",
    "owner": {"pid": 1, "started": 5.0},
    "ready": True,
    "database_url": "postgresql://u:secret@h/d",
    "redis_url": "redis://:secret@h/0",
    "mode": "sandbox",
    "pids": {"worker-1": 7},
}


def noted(home: Path, text: str) -> FleetNote | None:
    note_path(home).parent.mkdir(parents=True, exist_ok=True)
    note_path(home).write_text(text, encoding="utf-8")
    return read_note(home)


def test_a_note_is_read_back(tmp_path: Path) -> None:
    note = noted(tmp_path, json.dumps({**NOTE, "of_a_later_release": 1}))
    assert note is not None
    assert note.owner == ProcessMark(pid=1, started=5.0)
    assert note.environment == {
        "DATABASE_URL": "postgresql://u:secret@h/d",
        "REDIS_URL": "redis://:secret@h/0",
        "MARKETING_MODE": "sandbox",
    }
    assert "secret" not in repr(note)
    assert "secret" not in repr(Whereabouts(database_url="postgresql://u:secret@h/d"))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", json.dumps({**NOTE, "owner": "me"}), json.dumps({"ready": 1})])
def test_what_is_no_note_is_none(tmp_path: Path, text: str) -> None:
    assert noted(tmp_path, text) is None


def test_no_note_is_none(tmp_path: Path) -> None:
    assert read_note(tmp_path / "nothing") is None


def test_a_home_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    assert note_path(Path("~/mine")) == tmp_path / "mine/run/fleet.json"
