"""Formats of lead files: what is read (workbooks, JSON, vCard, HTML, lists of addresses), and refusals by name."""

from __future__ import annotations

import datetime
import io
import json
import zipfile

import pytest
from lead_rows import people, read, refusal
from spreadsheets import xlsx

from agents.lead_files import spreadsheet
from agents.lead_files.reading import MAX_BYTES, MAX_ROWS

IDA = {"email": "ida@stone.example", "name": "Ida Stone", "job_title": "CEO", "company": "Stone"}


def archive(**parts: str) -> bytes:
    """A ZIP archive with these parts; two underscores stand for a slash, one for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in parts.items():
            file.writestr(name.replace("__", "/").replace("_", "."), text)
    return out.getvalue()


def torn(book: bytes) -> bytes:
    """Return an archive whose list of parts is whole and whose parts can't be unpacked."""
    data = bytearray(book)
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        for part in file.infolist():
            start = part.header_offset + 30 + len(part.filename)
            data[start : start + part.compress_size] = b"\xff" * part.compress_size
    return bytes(data)


# Excel workbooks


def test_a_workbook() -> None:
    rows = [
        ["List of March", None],
        [None],
        ["Name", "E-Mail", "Titel", "Firma", "Mitarbeiter", "Telefon", "Seit"],
        ["Ida Stone", "ida@stone.example", "CEO", "Stone", 1250.0, 442079460000.0, datetime.date(2026, 3, 1)],
        ["Ben Reed", "ben@reed.example", "CFO", "Reed", datetime.date(1950, 11, 1), "#REF!", None],
        ["Uwe Kern", "uwe@kern.example", True, "Kern", datetime.date(2026, 2, 10), None, None],
    ]
    found = read(xlsx({"Leads": rows}), "leads.xlsx")
    assert [dict(row) for row in found.rows] == [
        {"row": 4, **IDA, "company_size": "1250", "phone": "442079460000"},
        {"row": 5, "email": "ben@reed.example", "name": "Ben Reed", "job_title": "CFO", "company": "Reed",
         "company_size": "11-50"},
        {"row": 6, "email": "uwe@kern.example", "name": "Uwe Kern", "job_title": "true", "company": "Kern",
         "company_size": "2-10"},
    ]  # fmt: skip
    assert (found.kind, found.header_row) == ("Excel workbook, sheet 'Leads'", 3)


def test_the_sheet_with_people_is_read_and_the_others_are_named() -> None:
    book = {
        "Summary": [["Report", "2026"], ["Leads", 1]],
        "People": [["Name", "E-Mail", "Title", "Company"], ["Ida Stone", "ida@stone.example", "CEO", "Stone"]],
        "Empty": [],
    }
    found = read(xlsx(book), "leads.xlsx")
    assert [dict(row) for row in found.rows] == [{"row": 2, **IDA}]
    assert found.warnings == ("sheet 'People' is read; not read: 'Summary' (2 rows)",)


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def test_workbooks_that_would_take_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    said = refusal(xlsx({"a": []}, xl_worksheets__sheet1=SHEET.format(far)), "a.xlsx")
    assert said == "a.xlsx: has a sheet of 1,048,576 rows and 16,384 columns; delete what is empty, or save it as CSV"
    monkeypatch.setattr(spreadsheet, "MAX_UNPACKED", 20_000_000)
    bomb = SHEET.format(" " * 21_000_000)
    assert "unpacks to more than 20 MB" in refusal(xlsx({"a": []}, xl_worksheets__sheet1=bomb), "a.xlsx")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (xlsx({"a": [["Name"]]})[:-100], "is a broken Excel workbook"),
        (archive(**{"xl__workbook_xml": "<"}), "is a broken Excel workbook"),
        (torn(xlsx({"a": [["Name"]]})), "is a broken Excel workbook"),
        (xlsx({"a": [], "b": []}), "is empty: none of its sheets has a cell"),
        (xlsx({"a": [["Colour"], ["red"]]}), "columns found: 'Colour'"),
        (xlsx({"a": [["Email"], *[["a@b.example"]] * (MAX_ROWS + 1)]}), "100,001 rows are above the limit of 100,000"),
    ],
)
def test_workbooks_that_are_refused(data: bytes, said: str) -> None:
    assert said in refusal(data, "leads.xlsx")


# JSON


PERSON = {"email": "ida@stone.example", "title": "CEO"}
NAMED = {"first_name": "Ida", "last_name": "Stone", **PERSON}
#: one person as the interfaces of CRMs and address books nest it
NESTED: dict[str, object] = {
    "own": [{"Email": "ida@stone.example", "Full Name": "Ida Stone", "jobTitle": "CEO", "company": {"name": "Stone"}}],
    "one list": {"leads": [{**NAMED, "company": "Stone"}]},
    "HubSpot": {
        "results": [
            {
                "id": "1",
                "properties": {
                    "firstname": "Ida", "lastname": "Stone", "email": "ida@stone.example", "jobtitle": "CEO",
                    "company": "Stone",
                },
            }
        ],
        "paging": {"next": {"after": "1"}},
    },
    "Salesforce": {
        "records": [
            {
                "attributes": {"type": "Contact", "url": "/services/data/v60.0"}, "FirstName": "Ida",
                "LastName": "Stone", "Email": "ida@stone.example", "Title": "CEO", "Account": {"Name": "Stone"},
                "Owner": {"Name": "Pat Jones", "Email": "pat@own.example"},
            }
        ]
    },
    "Google": {
        "connections": [
            {
                "names": [{"displayName": "Ida Stone", "givenName": "Ida", "familyName": "Stone"}],
                "emailAddresses": [{"value": "ida@stone.example", "type": "work"}],
                "organizations": [{"name": "Stone", "title": "CEO"}],
            }
        ]
    },
    "Microsoft": {
        "value": [
            {
                "displayName": "Ida Stone", "companyName": "Stone", "jobTitle": "CEO", "businessPhones": [],
                "emailAddresses": [{"name": "Ida Stone", "address": "ida@stone.example"}],
            }
        ]
    },
    "Apollo": {"people": [{**NAMED, "organization": {"name": "Stone", "owner": "Pat"}}], "contacts": []},
    "GraphQL": {
        "data": {
            "people": {
                "edges": [
                    {
                        "node": {
                            "name": {"firstName": "Ida", "lastName": "Stone"}, "jobTitle": "CEO",
                            "emails": {"primaryEmail": "ida@stone.example", "additionalEmails": []},
                            "company": {"name": "Stone"},
                        }
                    }
                ]
            }
        }
    },
    "JSON:API": {
        "data": [
            {
                "type": "contacts",
                "attributes": {"name": "Ida Stone", **PERSON, "organisation": "Stone"},
            }
        ]
    },
    "one person": {"name": "Ida Stone", "emails": [{"value": "ida@stone.example"}], "title": "CEO", "company": "Stone"},
}  # fmt: skip


@pytest.mark.parametrize("document", NESTED.values(), ids=NESTED)
def test_json_as_interfaces_nest_it(document: object) -> None:
    assert people(json.dumps(document), "leads.json") == [IDA]


def test_of_several_values_the_one_for_work_comes_first() -> None:
    given = {
        "name": "Ida Stone",
        "emails": [{"value": "home@x.example", "type": "home"}, {"value": "ida@stone.example", "primary": True}],
        "phones": ["+44 113 496 0000", "+44 7700 900000"],
    }
    assert people(json.dumps([given]), "a.json") == [
        {"name": "Ida Stone", "email": "ida@stone.example", "email_2": "home@x.example", "phone": "+44 113 496 0000"}
    ]


def test_json_lines_and_what_is_no_object() -> None:
    line = json.dumps(
        {"email": "ida@stone.example", "name": "Ida\u2028Stone", "title": "CEO", "company": "Stone"}, ensure_ascii=False
    )
    assert people(f"{line}\n\n{line}\n", "x.jsonl") == [IDA, IDA]
    assert people(f"{line}\n{line}\n", "x.json") == [IDA, IDA]
    assert people(f"{line}\n{line}\n", "x.txt") == [IDA, IDA]
    found = read(json.dumps([json.loads(line), 3, None, {"email": None, "name": "Ida"}, {}]), "x.json")
    assert found.rejected == {"not an object": 2, "no address, and no name with a company": 1, "empty row": 1}
    assert [one.row for one in found.set_aside] == [2, 3, 4, 5]


def test_a_csv_may_begin_as_json_does() -> None:
    assert people("[Name],[Email],[Company]\nIda Stone,ida@stone.example,Stone\n")[0]["name"] == "Ida Stone"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"{broken", "x.json", "line 1 is not JSON"),
        (b'{"email": "a@b.example"}\n{"email": \n', "x.jsonl", "line 2 is not JSON"),
        (b'"text"', "x.json", "is JSON of type str; give a list of objects"),
        (b"[" * 100_000, "x.json", "JSON"),
        (b"[" + b'{"email": "a@b.example"},' * MAX_ROWS + b"{}]", "x.json", "100,001 rows are above the limit"),
        (b"[]", "x.json", "columns found: none"),
    ],
)
def test_json_that_is_refused(data: bytes, name: str, said: str) -> None:
    assert said in refusal(data, name)


# vCard


VCARD = """BEGIN:VCARD\r
VERSION:3.0\r
N:van der Berg;Jan;;Dr.;\r
FN:Dr. Jan van der Berg\r
ORG:Berg\\, Sons & Co;Sales\r
TITLE:Head of\r
  Sales\r
item1.EMAIL;TYPE=INTERNET,HOME:jan@home.example\r
EMAIL;TYPE=WORK;PREF=1:jan@berg.example\r
TEL;TYPE=FAX:+31 20 000 0000\r
TEL;TYPE="work,voice":+31 20 123 4567\r
URL:https://www.linkedin.com/in/jan\r
URL;TYPE=work:https://berg.example\r
ADR;TYPE=WORK:;;Street 1;Amsterdam;;1011;Netherlands\r
NOTE:met in March\r
END:VCARD\r
"""


def test_a_vcard() -> None:
    found = read(VCARD, "contacts.vcf")
    assert [dict(row) for row in found.rows] == [
        {
            "row": 1, "email": "jan@berg.example", "email_2": "jan@home.example", "name": "Jan van der Berg",
            "job_title": "Head of Sales", "company": "Berg, Sons & Co", "domain": "berg.example",
            "phone": "+31 20 123 4567", "profile_url": "https://www.linkedin.com/in/jan",
            "location": "Amsterdam, Netherlands",
        }
    ]  # fmt: skip
    assert (found.kind, found.unused) == ("vCard", ["NOTE"])


def test_old_vcards_write_letters_as_numbers_of_bytes() -> None:
    card = (
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\n"
        "ORG;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:B=E4cker=\nei M=FCller\nEMAIL;PREF:j@m.example\nEND:VCARD\n"
    )
    assert (
        people(card * 2, "x.vcf") == [{"email": "j@m.example", "name": "Jörg Müller", "company": "Bäckerei Müller"}] * 2
    )


def test_a_company_s_card_is_no_person() -> None:
    card = "BEGIN:VCARD\nFN:Stone Ltd\nN:;;;;\nORG:Stone Ltd\nTEL:+44 113 496 0000\nEND:VCARD\n"
    found = read(VCARD + card, "x.vcf")
    assert found.rejected == {"a company without a person": 1}


# HTML, lists of addresses


def test_the_table_of_a_page_under_the_name_of_a_workbook() -> None:
    page = (
        '<html><head><meta charset="utf-8"></head><body><table><tr><td>Report</td></tr></table>'
        "<table><tr><th>Name<th>E-Mail<th>Company</tr>"
        "<tr><td>J&ouml;rg<br>M&uuml;ller</td><td>j@m.example<td>A &amp; B</tr>"
        "</table></body></html>"
    )
    found = read(page, "report.xls")
    assert people(page, "report.xls") == [{"email": "j@m.example", "name": "Jörg Müller", "company": "A & B"}]
    assert found.warnings == ("holds 2 tables; the one with the most rows is read",)
    assert "is HTML without a table" in refusal("<!DOCTYPE html><html><p>a@b.example</p></html>", "x.html")


def test_a_page_with_a_torn_declaration_is_read_as_a_browser_reads_it() -> None:
    page = b"<!DOCTYPE html><table><tr><th>Name<th>E-Mail</tr><![CD\n> <tr><td>Ida Stone<td>ida@stone.example</table>"
    (ida,) = read(page, "leads.xls").rows
    assert ida["email"] == "ida@stone.example"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ida@stone.example\nben@reed.example\n", [(None, "ida@stone.example"), (None, "ben@reed.example")]),
        ("ida@stone.example; ben@reed.example", [(None, "ida@stone.example"), (None, "ben@reed.example")]),
        ("ida@stone.example, ben@reed.example,", [(None, "ida@stone.example"), (None, "ben@reed.example")]),
        (
            "Ida Stone <ida@stone.example>; Ben Reed <ben@reed.example>",
            [("Ida Stone", "ida@stone.example"), ("Ben Reed", "ben@reed.example")],
        ),
        (
            'To: "Stone, Ida" <ida@stone.example>,\n    "Reed, Ben" <ben@reed.example>\n',
            [("Ida Stone", "ida@stone.example"), ("Ben Reed", "ben@reed.example")],
        ),
        ("<ida@stone.example>\n<ben@reed.example>\n", [(None, "ida@stone.example"), (None, "ben@reed.example")]),
    ],
)
def test_bare_lists_of_addresses(text: str, found: list[tuple[str | None, str]]) -> None:
    assert [(row.get("name"), row["email"]) for row in people(text, "list.txt")] == found
    assert read(text).kind == "list of addresses"


# What is refused

OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  #: how files of old Office begin


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"x" * (MAX_BYTES + 1), "100,000,001 bytes is above the limit of 100,000,000; split the file"),
        (b"PK\x03\x04rest", "is a broken archive (ZIP)"),
        (b"Email\n" + b"a@b.com\n" * 100_001, "100,001 rows are above the limit of 100,000; split the file"),
        (OLD + "Workbook".encode("utf-16-le"), "is an old Excel workbook (.xls); save it as xlsx"),
        (OLD + "WordDocument".encode("utf-16-le"), "is a file of old Office (.doc, .msg, .ppt)"),
        (OLD + "EncryptedPackage".encode("utf-16-le"), "has a password"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"{\\rtf1\\ansi", "rich text document (RTF)"),
        (b"\x1f\x8b\x08\x00", "is compressed (gzip); unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "is an archive (7z)"),
        (b"\x89PNG\r\n", "is a picture (PNG)"),
        (b"PAR1....", "is a Parquet file"),
        (b"SQLite format 3\0", "is an SQLite database"),
        (archive(word__document_xml="x"), "is a Word document (.docx)"),
        (archive(ppt__presentation_xml="x"), "is a PowerPoint presentation (.pptx)"),
        (archive(xl__workbook_bin="x"), "is a binary Excel workbook (.xlsb)"),
        (archive(Index__Document_iwa="x"), "is a file of Apple Numbers or Pages (.numbers)"),
        (archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "is an OpenDocument file (.ods, .odt)"),
        (archive(a__Connections_csv="x", b_txt="y"), "is an archive (ZIP); unpack it and give 'a/Connections.csv'"),
        (b"BEGIN:VCALENDAR\nVERSION:2.0\n", "is a calendar (iCalendar)"),
        (b"dn: cn=Ida Stone,mail=ida@stone.example\n", "is LDIF"),
        (b"<?xml version='1.0'?><Workbook/>", "is XML"),
        (b"INSERT INTO leads VALUES ('ida@stone.example');\n", "is SQL"),
        (bytes(range(256)) * 100, "no row of it is a header that is known"),
    ],
)  # fmt: skip
def test_other_formats_are_refused_by_their_names(data: bytes, said: str) -> None:
    found = refusal(data, "some/folder/leads.csv")
    assert said in found
    assert found.startswith("leads.csv: ")
