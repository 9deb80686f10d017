"""Columns of lead files: headers in eight languages, where the header is, cells that tell, what a campaign says."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from lead_rows import people, read, refusal

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.lead_files.header_words import FIELDS, is_blocked, meaning

LABELLED = Path(__file__).parent.parent / "data" / "lead_headers.tsv"


def test_labelled_headers_of_exports_and_lists_in_eight_languages() -> None:
    wrong = defaultdict(list)
    seen: set[str] = set()
    with LABELLED.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found = meaning(row["header"])
            seen.add(row["language"])
            if (found.field if found else "-") != row["field"]:
                wrong[row["language"]].append((row["header"], row["field"], found))
    assert seen == {"en", "de", "fr", "es", "it", "nl", "pt", "ja"}
    assert not wrong


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("properties.firstname", "first_name"),
        ("Account.Name", "company"),
        ("Account.NumberOfEmployees", "company_size"),
        ("emails.primaryEmail", "email"),
        ("company.domainName.primaryLinkUrl", "domain"),
        ("organizations.title", "job_title"),
        ("Owner.Name", None),
        ("company.owner.email", None),
    ],
)
def test_keys_inside_others(header: str, field: str | None) -> None:
    found = meaning(header)
    assert (found.field if found else None) == field


def test_somebody_elses_columns_are_never_taken() -> None:
    for header in ("Lead Owner", "Owner Email", "Manager Phone", "Betreuer", "Propriétaire du contact", "担当営業"):
        assert is_blocked(header)
        assert meaning(header) is None
    text = "Owner Email,Name,Company\npat@own.example,Ida Stone,Stone\nkim@own.example,Ben Reed,Reed\n"
    assert all("email" not in row for row in people(text))


# Several columns of one meaning


def test_columns_of_one_meaning_are_ranked_and_the_first_cell_that_fits_is_taken() -> None:
    text = (
        "Title,First Name,Last Name,Job Title,Headline,E-mail 2 - Value,Email,Work Email,Company\n"
        "Mrs,Ida,Stone,,Builder of things,i2@s.example,i@s.example,,Stone\n"
        "CFO,Ben,Reed,,Numbers,,,b@r.example,Reed\n"
        "Dr.,Uwe,Kern,CTO,Words,,no address,,Kern\n"
    )
    found = people(text)
    assert [row.get("job_title") for row in found] == ["Builder of things", "CFO", "CTO"]
    assert (found[0]["email"], found[0]["email_2"]) == ("i@s.example", "i2@s.example")
    assert found[1]["email"] == "b@r.example"
    assert found[2]["email"] == "no address"


def test_a_header_that_is_there_twice_is_two_columns() -> None:
    text = "Name,Email,Email,Company,Name\nIda Stone,i@s.example,,Stone,Acct-1\nBen Reed,,b@r.example,Reed,Acct-2\n"
    assert [(row["name"], row["email"]) for row in people(text)] == [
        ("Ida Stone", "i@s.example"),
        ("Ben Reed", "b@r.example"),
    ]


@pytest.mark.parametrize(
    ("header", "cells", "name"),
    [
        ("Vorname;Name", "Ines;Falk", "Ines Falk"),
        ("Nombre;Apellidos", "Ana María;García Márquez", "Ana María García Márquez"),
        ("Prénom;Nom", "Jean;DUPONT", "Jean Dupont"),
        ("Nome;Cognome", "Anna;Verdi", "Anna Verdi"),
        ("Voornaam;Tussenvoegsel;Achternaam", "Jan;van der;Berg", "Jan van der Berg"),
        ("姓;名", "佐藤;花子", "佐藤花子"),
        ("Name;First Name;Last Name", "Acct;Ida;Stone", "Ida Stone"),
        ("First Name;Last Name", "Na;Li", "Na Li"),
        ("First Name;Last Name", "Ida;Null", "Ida Null"),
        ("First Name;Last Name", "Nan;Goldie", "Nan Goldie"),
        ("First Name;Last Name", "Ida;NULL", "Ida"),
        ("First Name;Last Name", "nan;Goldie", "Goldie"),
        ("First Name;Last Name", "Ida;Stone, PhD", "Ida Stone"),
        ("Display Name;Nickname", "Stone, Ida (i@s.example);Idi", "Ida Stone"),
    ],
)
def test_a_name_is_put_together_of_its_parts(header: str, cells: str, name: str) -> None:
    assert people(f"{header};E-Mail;Firma\n{cells};i@s.example;Stone\n")[0]["name"] == name


@pytest.mark.parametrize(
    ("header", "cells", "location"),
    [
        ("City;State;Country", "Paris;Texas;United States", "Paris, Texas, United States"),
        ("Home City;Business City;Business Country/Region", "York;Leeds;United Kingdom", "Leeds, United Kingdom"),
        ("Company City;City;Country", "Leeds;York;UK", "York, UK"),
        ("Location;City", "Greater London;London", "Greater London"),
        ("Address;City;Country", "1 High St;Leeds;UK", "Leeds, UK"),
        ("Address", "1 High St, Leeds", "1 High St, Leeds"),
        ("City;Country", "Singapore;Singapore", "Singapore"),
    ],
)
def test_a_place_is_put_together_of_its_parts(header: str, cells: str, location: str) -> None:
    assert people(f"{header};E-Mail\n{cells};i@s.example\n")[0]["location"] == location


# Where the header is


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("", 1),
        ('Notes:\n"When you export,\nsome addresses are missing"\n\n', 4),
        ("Lead report,,\nPeriod: 2026-01,,\n", 3),
        ("Company contacts\n", 2),
        ("Contact list of our company,,\n\n", 3),
        ("Email\n", 2),
    ],
)
def test_the_header_is_below_notes_and_titles(above: str, row: int) -> None:
    found = read(f"{above}Name,Email,Company\nIda Stone,i@s.example,Stone\nTotal:,,1\n")
    assert found.header_row == row
    assert [one["name"] for one in found.rows] == ["Ida Stone"]
    assert found.rejected["no address, and no name with a company"] == 1
    assert found.rejected.get("above the header", 0) == len([line for line in found.set_aside if line.row < row])


def test_files_without_a_header_are_known_by_their_cells() -> None:
    found = read(
        "Ida Stone,ida.stone@stone.example,Stone Software Ltd,CEO,+44 113 496 0000,blue\n"
        "Ben Reed,b.reed@reed.example,Reed Bank Inc,VP Finance,+44 7700 900000,red\n"
        "Uwe Kern,kern@kern.example,Kern GmbH,Head of Sales,+49 221 1234567,red\n"
    )
    assert dict(found.rows[0]) == {
        "row": 1, "name": "Ida Stone", "email": "ida.stone@stone.example", "company": "Stone Software Ltd",
        "job_title": "CEO", "phone": "+44 113 496 0000",
    }  # fmt: skip
    assert len(found.rows) == 3
    assert found.unused == ["column 6"]
    assert "has no header; columns are known by their cells" in found.warnings


def test_unknown_headers_are_known_by_their_cells() -> None:
    text = (
        "Kto;Skrzynka;Gdzie;Ilu;W sieci\n"
        "Ida Stone;ida@stone.example;Stone;11-50;https://www.linkedin.com/in/ida\n"
        "Ben Reed;reed@reedbank.example;Reedbank;51-200;https://www.linkedin.com/in/ben\n"
        "Uwe Kern;uwe@kern.example;Kern;201-500;https://www.linkedin.com/in/uwe\n"
    )
    assert people(text)[1] == {
        "name": "Ben Reed", "email": "reed@reedbank.example", "company": "Reedbank", "company_size": "51-200",
        "profile_url": "https://www.linkedin.com/in/ben",
    }  # fmt: skip
    assert "row 1 is taken for the header, of which no word is known" in read(text).warnings


def test_a_header_that_none_of_its_cells_fits_is_not_believed() -> None:
    text = "Contact,Address,Company\n" + "".join(f"Ann Lee{n},ann{n}@a.example,A{n}\n" for n in range(5))
    assert people(text)[0] == {"name": "Ann Lee0", "email": "ann0@a.example", "company": "A0"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Colour,Shape\nred,round\n",
            "columns found: 'Colour', 'Shape'; at least one of email, name or company is needed",
        ),
        ("Jane,Acme,12\nBob,Beta,13\n", "write a first row such as name,email,company"),
        ("12,13\n14,15\n", "no row of it is a header that is known, and no column holds e-mail addresses"),
        ("Email,Name\n", "holds nobody (it has a header and no rows)"),
        ("Name,Email\nIda,\nBen,\n", "holds nobody (2 rows set aside: no address, and no name with a company)"),
    ],
)
def test_tables_of_nobody_are_refused_in_words(text: str, said: str) -> None:
    assert said in refusal(text)


# What the campaign says itself


def test_a_campaign_says_which_header_a_field_is_read_from() -> None:
    text = "Title,Role in Project,Name,Email,Company,Parent\nCEO,Sponsor,Ida Stone,i@s.example,Stone,Holding\n"
    found = read(text, columns={"job_title": "role in project", "company": "Parent"})
    assert (found.rows[0]["job_title"], found.rows[0]["company"]) == ("Sponsor", "Holding")
    assert {column.header: column.known_by for column in found.columns}["Role in Project"] == "given"
    assert found.unused == ["Title", "Company"]
    below = read(f"a note\nName,X,Y\nIda Stone,i@s.example,Stone\n{text}", columns={"email": "X", "company": "Y"})
    assert (below.header_row, below.rows[0]["email"]) == (2, "i@s.example")


def test_columns_of_a_file_without_a_header_have_numbers() -> None:
    text = "Ida,x1@s.example,Stone\nBen,y2@r.example,Reed\n"
    assert people(text, columns={"name": "column 1", "company": "column 3"})[0] == {
        "name": "Ida", "email": "x1@s.example", "company": "Stone",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"job_title": "Funktion"},
            "columns.job_title='Funktion': the file has no such header; it has 'Name', 'Email'",
        ),
        ({"titel": "Name"}, "columns.titel: is no field; fields are name, first_name,"),
    ],
)
def test_a_wrong_header_names_those_that_are_there(columns: dict[str, str], said: str) -> None:
    assert said in refusal("Name,Email\nIda Stone,i@s.example\n", columns=columns)


def test_columns_in_a_campaign_file() -> None:
    given = {"target_audience": {"industry": "saas"}}
    source = {"type": "file", "path": "a.csv", "columns": {"email": "Kontakt"}}
    config = CampaignConfig.parse({**given, "lead_sources": [source]})
    assert config.lead_sources[0].model_dump()["columns"] == {"email": "Kontakt"}
    with pytest.raises(ConfigError, match=r"lead_sources.0.*columns"):
        CampaignConfig.parse({**given, "lead_sources": [{**source, "columns": {"email": ["a", "b"]}}]})


def test_every_field_can_be_given() -> None:
    assert len(FIELDS) == len(set(FIELDS)) == 18
