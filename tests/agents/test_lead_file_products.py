"""Exports of products, one by one: what ``campaigns leads check`` says of a file with a product's own header row.

The header rows are those that the products write; the people are made up. Sales Navigator writes no file itself: its
headers are those of the search export of PhantomBuster, which most people take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lead_rows import read

from agents.lead_files.lead_file import (
    ABOVE_HEADER,
    COMPANY_ONLY,
    EMPTY_ROW,
    NOBODY,
    OPTED_OUT,
    LeadFile,
)

EXPORTS = Path(__file__).parent.parent / "data" / "lead_exports"
#: what belongs to somebody else in every export: owners, assistants, superiors, spouses, former companies
OTHERS = ("Pat", "Kim", "Al Stone", "Al Groß", "own.example", "Old Mill", "0102", "0199", "Floor 2", "Economist")

IDA = {"name": "Ida Stone", "email": "ida@stone.example", "job_title": "Head of Procurement"}
STONE = {"company": "Stone Software", "domain": "stone.example"}
DIRECT = {"phone": "+44 113 496 0101"}
PROFILE = {"profile_url": "https://www.linkedin.com/in/ida-stone-example"}
BEN = {"name": "Ben Reed", "job_title": "CFO", "company": "Reed Bank"}
AT_REED = {**BEN, "email": "ben.reed@reed.example"}
LEEDS = {"location": "Leeds, United Kingdom"}
WEST = {"location": "Leeds, West Yorkshire, United Kingdom"}
FROM_GOOGLE = (
    {
        **IDA,
        **STONE,
        **DIRECT,
        **PROFILE,
        **LEEDS,
        "email_2": "ida.s@stone.example",
        "email_3": "ida.stone@home.example",
    },
    {"name": "Ben Reed", "email": "ben.reed@reed.example"},
)
FROM_REPORT = (
    {**IDA, **STONE, **DIRECT, **LEEDS, "industry": "Technology", "company_size": "120"},
    {
        "name": "José Márquez", "email": "jose@marquez.example", "job_title": "Director, Compras",
        "company": "Márquez e Hijos", "phone": "+34 600 000 001", "location": "Sevilla, Spain",
    },
    {"name": "Lund", "company": "Lund AB", "company_size": "1,200"},
)  # fmt: skip
REPORT_COLUMNS = {
    "First Name": "first_name", "Last Name": "last_name", "Title": "job_title", "Account Name": "company",
    "Mailing City": "city", "Mailing Country": "country", "Email": "email", "Industry": "industry",
    "Employees": "company_size", "Website": "domain", "Salutation": None, "Account Owner": None, "Fax": None,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Export:
    """What a product's file is read as."""

    file: str
    width: int  #: columns of its header
    leads: Sequence[Mapping[str, str]]
    columns: Mapping[str, str | None]
    aside: Mapping[str, int] = field(default_factory=dict)
    header_row: int = 1
    encoding: str = "UTF-8"
    delimiter: str = "comma"


PRODUCTS = [
    Export(
        file="hubspot.csv", width=34, aside={OPTED_OUT: 1, EMPTY_ROW: 1},
        leads=[
            {**IDA, **STONE, **DIRECT, **PROFILE, **WEST, "industry": "COMPUTER_SOFTWARE", "company_size": "120",
             "legal_basis": "legitimate_interest"},
            {**AT_REED, "company_size": "5000.0", "location": "Ireland"},
        ],
        columns={
            "First Name": "first_name", "Last Name": "last_name", "Email": "email", "Job Title": "job_title",
            "Company Name": "company", "Associated Company": "company", "Website URL": "domain",
            "Industry": "industry", "Number of Employees": "company_size", "City": "city", "State/Region": "region",
            "Country/Region": "country", "LinkedIn URL": "profile_url", "Unsubscribed from all email": "opted_out",
            "Legal basis for processing contact's data": "legal_basis", "Contact owner": None, "Email Domain": None,
            "Marketing contact status": None, "Associated Company IDs": None, "Record ID - Contact": None,
        },
    ),
    Export(
        file="salesforce_report.csv", width=18, encoding="Windows-1252", leads=FROM_REPORT, columns=REPORT_COLUMNS,
        aside={EMPTY_ROW: 4, NOBODY: 1},
    ),
    Export(
        file="salesforce_report_with_notes.csv", width=18, header_row=8, leads=FROM_REPORT, columns=REPORT_COLUMNS,
        aside={ABOVE_HEADER: 5, NOBODY: 2, EMPTY_ROW: 1},
    ),
    Export(
        file="salesforce_data_loader.csv", width=46, aside={OPTED_OUT: 1},
        leads=[
            {**IDA, **STONE, **DIRECT, **WEST, "industry": "Technology", "company_size": "120"},
            {**AT_REED, "industry": "Banking", "company_size": "5000", "phone": "+353 20 910 0001",
             "location": "Dublin, Ireland"},
        ],
        columns={
            "FIRSTNAME": "first_name", "LASTNAME": "last_name", "EMAIL": "email", "TITLE": "job_title",
            "ACCOUNT.NAME": "company", "ACCOUNT.NUMBEROFEMPLOYEES": "company_size", "ACCOUNT.WEBSITE": "domain",
            "ACCOUNT.INDUSTRY": "industry", "MAILINGCITY": "city", "OTHERCITY": "city", "OTHERCOUNTRY": "country",
            "HASOPTEDOUTOFEMAIL": "opted_out", "HOMEPHONE": "phone", "ASSISTANTPHONE": None, "ASSISTANTNAME": None,
            "OWNER.NAME": None, "HASOPTEDOUTOFFAX": None, "EMAILBOUNCEDREASON": None, "ACCOUNTID": None,
        },
    ),
    Export(
        file="linkedin_connections.csv", width=7, header_row=4, aside={ABOVE_HEADER: 2, EMPTY_ROW: 1},
        leads=[
            {**IDA, **PROFILE, "company": "Stone Software"},
            {**BEN, "job_title": 'CFO & "Finance" lead', "profile_url": "https://www.linkedin.com/in/ben-reed-example"},
        ],
        columns={
            "First Name": "first_name", "Last Name": "last_name", "URL": "profile_url", "Email Address": "email",
            "Company": "company", "Position": "job_title", "Connected On": None,
        },
    ),
    Export(
        file="sales_navigator.csv", width=32,
        leads=[
            {**PROFILE, "name": "Ida Stone", "job_title": "Head of Procurement", "company": "Stone Software",
             "industry": "Software Development", "location": "Harrogate, England, United Kingdom"},
            {**BEN, "industry": "Banking", "location": "Dublin, Ireland",
             "profile_url": "https://www.linkedin.com/sales/lead/ACwAAAAAAAAB2"},
        ],
        columns={
            "firstName": "first_name", "lastName": "last_name", "companyName": "company", "title": "job_title",
            "industry": "industry", "location": "location", "defaultProfileUrl": "profile_url",
            "pastExperienceCompanyName": None, "pastExperienceCompanyTitle": None, "titleDescription": None,
            "profileImageUrl": None, "vmid": None,
        },
    ),
    Export(
        file="apollo.csv", width=67,
        leads=[
            {**IDA, **STONE, **DIRECT, "company": "Stone Software Ltd.", "email_2": "ida.stone@home.example",
             "industry": "information technology & services", "company_size": "120",
             "profile_url": "http://www.linkedin.com/in/ida-stone-example",
             "location": "Harrogate, England, United Kingdom"},
            {**BEN, "domain": "reed.example", "industry": "banking", "company_size": "5000",
             "phone": "+353 20 910 0001", "location": "Dublin, Ireland"},
        ],
        columns={
            "First Name": "first_name", "Title": "job_title", "Company Name": "company", "Email": "email",
            "Secondary Email": "email", "# Employees": "company_size", "Person Linkedin Url": "profile_url",
            "Website": "domain", "City": "city", "Company City": "city", "Email Status": None, "Seniority": None,
            "Primary Email Source": None, "Secondary Email Status": None, "Contact Owner": None,
            "Company Linkedin Url": None, "Twitter Url": None, "Subsidiary of": None,
        },
    ),
    Export(
        file="outlook_english.csv", width=92, aside={COMPANY_ONLY: 1},
        leads=[
            {**IDA, **STONE, **DIRECT, **LEEDS, "email_2": "ida.stone@home.example"},
            {**BEN, "email": "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=ben"},
        ],
        columns={
            "First Name": "first_name", "Last Name": "last_name", "Company": "company", "Job Title": "job_title",
            "E-mail Address": "email", "E-mail 2 Address": "email", "Business City": "city",
            "Business Country/Region": "country", "Home City": "city", "Web Page": "domain", "Business Phone": "phone",
            "Assistant's Phone": None, "Manager's Name": None, "Spouse": None, "Business Fax": None,
            "E-mail Type": None, "Middle Name": None,
        },
    ),
    Export(
        file="outlook_german.csv", width=92, encoding="Windows-1252", delimiter="semicolon", aside={COMPANY_ONLY: 1},
        leads=[
            {"name": "Jördis Groß", "email": "joerdis@gross.example", "email_2": "jg@home.example",
             "job_title": "Leiterin Einkauf", "company": "Groß & Söhne GmbH", "domain": "gross.example",
             "phone": "+49 221 4690 101", "location": "Köln, Nordrhein-Westfalen, Deutschland"},
            {"name": "Uwe Kern", "email": "uwe@kern.example", "job_title": "Geschäftsführer", "company": "Kern AG",
             "location": "Bern, Schweiz"},
        ],
        columns={
            "Vorname": "first_name", "Nachname": "last_name", "Firma": "company", "Position": "job_title",
            "E-Mail-Adresse": "email", "E-Mail 2: Adresse": "email", "Ort geschäftlich": "city", "Ort privat": "city",
            "Land/Region geschäftlich": "country", "Weiteres/e Land/Region": "country", "Webseite": "domain",
            "Weiteres/r Bundesland/Kanton": "region", "Haupttelefon": "phone", "Telefon Assistent": None,
            "Name Assistent": None, "Name des/der Vorgesetzten": None, "Partner": None, "Anrede": None,
            "Weitere Vornamen": None, "Organisationsnr.": None,
        },
    ),
    Export(
        file="google_contacts_older.csv", width=56, encoding="UTF-16 LE", leads=FROM_GOOGLE, aside={NOBODY: 1},
        columns={
            "Given Name": "first_name", "Family Name": "last_name", "Organization 1 - Name": "company",
            "Organization 1 - Title": "job_title", "E-mail 1 - Value": "email", "E-mail 2 - Value": "email",
            "Address 1 - City": "city", "Website 1 - Value": "domain", "Group Membership": None,
            "E-mail 1 - Type": None, "Given Name Yomi": None, "Additional Name": None,
        },
    ),
    Export(
        file="google_contacts.csv", width=42, leads=FROM_GOOGLE, aside={NOBODY: 1},
        columns={
            "First Name": "first_name", "Last Name": "last_name", "Organization Name": "company",
            "Organization Title": "job_title", "E-mail 1 - Value": "email", "E-mail 2 - Value": "email",
            "Address 1 - City": "city", "Website 1 - Value": "domain", "Labels": None, "E-mail 1 - Label": None,
            "Phonetic First Name": None, "Relation 1 - Value": None, "File As": None, "Organization Department": None,
        },
    ),
]  # fmt: skip


def _read(name: str) -> LeadFile:
    return read((EXPORTS / name).read_bytes(), name)


@pytest.mark.parametrize("export", PRODUCTS, ids=lambda export: export.file)
def test_an_export_is_read_as_it_is(export: Export) -> None:
    found = _read(export.file)
    assert [{key: text for key, text in lead.items() if key != "row"} for lead in found.rows] == [*export.leads]
    assert dict(found.rejected) == dict(export.aside)
    assert (found.header_row, found.encoding, found.delimiter) == (
        export.header_row,
        export.encoding,
        export.delimiter,
    )
    assert len(found.columns) == export.width
    fields = {column.header: column.field for column in found.columns}
    assert {header: fields[header] for header in export.columns} == dict(export.columns)


@pytest.mark.parametrize("export", PRODUCTS, ids=lambda export: export.file)
def test_nothing_about_somebody_else_gets_into_a_lead(export: Export) -> None:
    texts = [str(text) for lead in _read(export.file).rows for text in lead.values()]
    assert not [text for text in texts for other in OTHERS if other in text]


def test_every_file_of_an_export_is_tried() -> None:
    assert {path.name for path in EXPORTS.iterdir()} == {export.file for export in PRODUCTS}


@pytest.mark.parametrize(
    ("header", "cell", "lead"),
    [
        ("Business Phone,Mobile Phone", "+44 113 496 0101,+44 7700 900001", {"phone": "+44 113 496 0101"}),
        ("Company Phone,Mobile Phone", "+44 113 496 0100,+44 7700 900001", {"phone": "+44 7700 900001"}),
        ("Occupation,Position", "Economist,CFO", {"job_title": "CFO"}),
        ("Occupation", "Economist", {"job_title": "Economist"}),
        ("Office Location", "Leeds", {"location": "Leeds"}),
        ("OWNEREMAIL,OWNERNAME,ASSISTANTPHONE", "pat@own.example,Pat Lane,+44 113 496 0102", {}),
        ("Company LinkedIn,URL", ",https://www.linkedin.com/sales/company/1010101", {}),
        ("HOMEPHONE", "+44 113 496 0103", {"phone": "+44 113 496 0103"}),
    ],
)
def test_what_exports_have_in_common(header: str, cell: str, lead: Mapping[str, str]) -> None:
    found = read(f"Name,Email,{header}\nIda Stone,ida@stone.example,{cell}\n").rows[0]
    assert {key: text for key, text in found.items() if key not in ("row", "name", "email")} == lead
