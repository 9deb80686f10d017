"""The user's own lead files, as dirty as they come."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.config_problems import ConfigError
from agents.lead_generation.lead_file import MAX_BYTES, parse

ROW = {"email": "jane@acme.com", "name": "Jane Doe", "company": "Acme", "company_size": "51-200"}
TEXT = "Email,First Name,Last Name,Company Name,Employees\njane@acme.com,Jane,Doe,Acme,51-200\n"


def rows(data: bytes | str, name: str = "leads.csv") -> list[dict[str, str]]:
    return [dict(row) for row in parse(data.encode() if isinstance(data, str) else data, name).rows]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace(",", " | ").encode(),
        TEXT.replace("J", "\0J").encode(),
        b"sep=;\n" + TEXT.replace(",", ";").encode(),
        b"\n\n" + TEXT.encode() + b"\n ,,,,\n\n",
    ],
)
def test_encodings_and_delimiters(data: bytes) -> None:
    assert rows(data) == [ROW]


def test_windows_1252_and_mixed_encodings() -> None:
    old = "Email,Name\na@acme.com,Zoë\n".encode("cp1252")
    assert rows(old)[0]["name"] == "Zoë"
    mixed = old + "b@acme.com,Björn\n".encode()
    assert [row["name"] for row in rows(mixed)] == ["Zoë", "Björn"]
    assert any("Windows-1252" in warning for warning in parse(mixed, "x.csv").warnings)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("E-Mail", "email"),
        ("Email Address", "email"),
        ("MAIL", "email"),
        ("Job Title", "job_title"),
        ("position", "job_title"),
        ("Organisation", "company"),
        ("# of Employees", "company_size"),
        ("Company Size", "company_size"),
        ("Web-Site", "domain"),
        ("LinkedIn URL", "profile_url"),
        ("Sector", "industry"),
    ],
)
def test_header_synonyms(header: str, column: str) -> None:
    found = parse(f"Contact,{header}\nJane Doe,value\n".encode(), "x.csv")
    assert [dict(row) for row in found.rows] == [{"name": "Jane Doe", column: "value"}]
    assert found.columns[column] == header


def test_quotes_line_breaks_and_ragged_rows() -> None:
    text = 'Name,Company,Email\n"Doe, Jane","Acme\nInc.",j@acme.com\nBob Ray,Beta\nAmy Fox,Gamma,a@g.com,extra,cells\n'
    found = parse(text.encode(), "x.csv")
    assert [dict(row) for row in found.rows] == [
        {"name": "Doe, Jane", "company": "Acme Inc.", "email": "j@acme.com"},
        {"name": "Bob Ray", "company": "Beta"},
        {"name": "Amy Fox", "company": "Gamma", "email": "a@g.com"},
    ]
    assert found.warnings == ("1 rows have more cells than the header, 1 fewer",)


def test_a_quote_that_is_never_closed_swallows_one_row_only() -> None:
    body = "".join(f"p{n}@acme.com,Person {n}\n" for n in range(2000))
    found = parse(f'Email,Name\nx@acme.com,"Broken\n{body}'.encode(), "x.csv")
    assert len(found.rows) == 2001


def test_formulas_stay_text_and_fillers_are_nothing() -> None:
    found = rows('Email,Name,Company,Title\na@b.com,"=HYPERLINK(""http://x"")",N/A,-\n')
    assert found == [{"email": "a@b.com", "name": '=HYPERLINK("http://x")'}]


def test_empty_rows_are_counted() -> None:
    found = parse(b"Email,Notes\na@b.com,x\n,only a note\nN/A,\n", "x.csv")
    assert len(found.rows) == 1
    assert found.rejected == {"empty row": 2}


def test_json() -> None:
    item = {
        "Email": "jane@acme.com",
        "Full Name": "Jane Doe",
        "company": {"name": "Acme", "size": 51, "domain": "acme.com"},
    }
    expected = {
        "email": "jane@acme.com",
        "name": "Jane Doe",
        "company": "Acme",
        "company_size": "51",
        "domain": "acme.com",
    }
    assert rows(json.dumps([item]), "x.json") == [expected]
    assert rows(json.dumps({"leads": [item]}), "x.json") == [expected]
    assert rows(json.dumps(item) + "\n" + json.dumps(item), "x.jsonl") == [expected, expected]
    found = parse(json.dumps([item, 3, None, {"Email": None}]).encode(), "x.json")
    assert found.rejected == {"not an object": 2, "empty row": 1}


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "x.csv", "is empty"),
        (b"  \n\n", "x.csv", "is empty"),
        (b"x" * (MAX_BYTES + 1), "x.csv", "10,000,000"),
        (b"PK\x03\x04rest", "x.csv", "spreadsheet"),
        (b"Colour,Shape\nred,round\n", "x.csv", "'Colour', 'Shape'"),
        (bytes(range(256)) * 100, "x.csv", "at least one of email, name or company"),
        (b"{broken", "x.json", "line 1 is not JSON"),
        (b'"text"', "x.json", "give a list of objects"),
        (b"[" * 100_000, "x.json", "JSON"),
        (b"Email\n" + b"a@b.com\n" * 50_001, "x.csv", "50,001 rows"),
        (b"[" + b"{}," * 50_001 + b"{}]", "x.json", "50,002 rows"),
    ],
)
def test_files_that_are_refused(data: bytes, name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(data, f"some/folder/{name}")
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")


@given(st.binary(max_size=2000), st.sampled_from(["x.csv", "x.json"]))
def test_any_bytes_are_rows_or_a_config_error(data: bytes, name: str) -> None:
    try:
        found = parse(data, name)
    except ConfigError:
        return
    assert all(value for row in found.rows for value in row.values())


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=5), max_size=10))
def test_any_table_keeps_its_rows(table: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Email", "Name"])
    writer.writerows(table)
    found = parse(out.getvalue().encode("utf-8", "replace"), "x.csv")
    assert len(found.rows) <= len(table)
