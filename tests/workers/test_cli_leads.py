"""``campaigns leads check``: what a file holds is shown before anything is submitted, with no service running."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import Command
from spreadsheets import xlsx

TEXT = """Lead report
Title;Name;E-Mail;Firma;Mitarbeiter;Funktion;Notiz
Mrs;Stone, Ida;ida@stone.example;Stone;51-200;CEO;x
Mr;Reed, Ben;;;12;CFO;
Dr.;Kern, Uwe;no address;Kern;viele;CTO;y
"""


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without services: no address of one is set, and none runs under its home."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MARKETING_HOME", str(tmp_path / "home"))
    return tmp_path


def test_columns_rows_people_and_warnings_are_shown(
    nowhere: Path, campaigns: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    file = nowhere / "leads.csv"
    file.write_bytes(TEXT.replace("Stone, Ida", "Stöne, Jörg").encode("cp1252"))
    shown = campaigns("leads", "check", file)
    assert shown.code == 0
    assert "leads.csv: 2 people" in shown.out
    assert "CSV, Windows-1252, cells separated by semicolon, header in row 2" in shown.words
    for row in (
        "Title job title its header 2 0",
        "Funktion job title its header 2 2",
        "Mitarbeiter company size its header 2 1",
        "Notiz not used 2",
        "1 above the header: row 1",
        "1 no address, and no name with a company: row 4",
        "3 Jörg Stöne CEO Stone ida@stone.example 51-200",
        "does not say its encoding; read as Windows-1252",
        "row 5: what stands for an e-mail address is none",
    ):
        assert row in shown.words
    assert not (nowhere / "home").exists()


def test_json_has_the_same(nowhere: Path, campaigns: Command) -> None:
    file = nowhere / "leads.csv"
    file.write_text(TEXT)
    found = campaigns("leads", "check", file, "--json").json
    assert (found["rows"], found["encoding"], found["delimiter"], found["header_row"]) == (2, "UTF-8", "semicolon", 2)
    assert found["rejected"] == {"above the header": 1, "no address, and no name with a company": 1}
    assert found["set_aside"] == {"above the header": "1", "no address, and no name with a company": "4"}
    assert found["columns"][0] == {
        "header": "Title",
        "field": "job_title",
        "known_by": "header",
        "filled": 2,
        "used": 0,
    }
    assert found["columns"][6] == {"header": "Notiz", "field": None, "known_by": None, "filled": 2, "used": 0}
    assert found["people"][0] == {
        "row": 3, "name": "Ida Stone", "email": "ida@stone.example", "company": "Stone", "company_size": "51-200",
        "job_title": "CEO",
    }  # fmt: skip


def test_a_header_may_be_tried_for_a_field(nowhere: Path, campaigns: Command) -> None:
    file = nowhere / "leads.csv"
    file.write_text(TEXT)
    found = campaigns("leads", "check", file, "--column", "industry=Notiz", "--json").json
    assert found["columns"][6] == {
        "header": "Notiz", "field": "industry", "known_by": "given", "filled": 2, "used": 2,
    }  # fmt: skip
    wrong = campaigns("leads", "check", file, "--column", "industry=Branche")
    assert (wrong.code, wrong.out) == (2, "")
    assert "columns.industry='Branche': the file has no such header; it has 'Title', 'Name', 'E-Mail'" in wrong.err
    assert campaigns("leads", "check", file, "--column", "Branche").code == 2


def test_a_workbook(nowhere: Path, campaigns: Command) -> None:
    file = nowhere / "leads.xlsx"
    file.write_bytes(xlsx({"People": [["Name", "E-Mail"], ["Ida Stone", "ida@stone.example"]]}))
    shown = campaigns("leads", "check", file)
    assert "leads.xlsx: 1 person" in shown.out
    assert "Excel workbook, sheet 'People', header in row 1" in shown.words


def test_what_can_t_be_read_is_said_and_has_the_status_of_bad_input(nowhere: Path, campaigns: Command) -> None:
    picture = nowhere / "leads.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    refused = campaigns("leads", "check", picture, "--json")
    assert refused.code == 2
    assert refused.json == {
        "error": "bad_config",
        "problems": ["leads.csv: is a picture (PNG); give the list as CSV or xlsx"],
    }
    missing = campaigns("leads", "check", nowhere / "nope.csv")
    assert (missing.code, "there is no such file" in missing.err) == (2, True)
    os.mkfifo(nowhere / "pipe")
    assert "is no regular file" in campaigns("leads", "check", nowhere / "pipe").err


def test_nothing_in_a_file_moves_the_cursor(nowhere: Path, campaigns: Command) -> None:
    file = nowhere / "leads.csv"
    file.write_text("Name,Email,\x9b2Jx\u202e\nIda\x1b[2J Stone,ida@stone.example,1\n")
    shown = campaigns("leads", "check", file)
    assert shown.code == 0
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown.out)
