"""Cells of lead files: what spreadsheets and people put around a value, several values in one, values that are none."""

from __future__ import annotations

import pytest
from lead_rows import people, read

from agents.fit.company_size import parse_size
from agents.lead_files.cells import line_of
from agents.lead_files.values import is_salutation, read_emails
from agents.lead_files.values import read as value
from agents.lead_generation.clean import normal_email
from agents.lead_generation.person_name import person_name


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ('="Ida Stone"', "Ida Stone"),
        ('="say ""hi"""', 'say "hi"'),
        ("'=Ida Stone", "=Ida Stone"),
        ("'+49 221 000", "+49 221 000"),
        ("'@Stone", "@Stone"),
        ('=HYPERLINK("mailto:i@s.example","i@s.example")', "i@s.example"),
        ('=HYPERLINK("https://s.example";"Stone")', "Stone"),
        ("=1+1", "=1+1"),
        ("#REF!", ""),
        ("#NAME?", ""),
        ("#WERT!", ""),
        ("########", ""),
        ("Stone &amp; Sons", "Stone & Sons"),
        ("M&uuml;ller", "Müller"),
        ("AT&T", "AT&T"),
        ("  a \n\t b\u00a0c\u200b ", "a b c"),
        ("Jose\u0301", "José"),
        ("x" * 3000, "x" * 2000),
    ],
)
def test_what_is_around_a_value_goes_and_nothing_is_evaluated(raw: str, line: str) -> None:
    assert line_of(raw) == line


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("i@s.example", ["i@s.example"]),
        ("I.B@S.EXAMPLE", ["I.B@S.EXAMPLE"]),
        ("i@s.example.", ["i@s.example"]),
        ("i@s.example;", ["i@s.example"]),
        ("'i@s.example'", ["i@s.example"]),
        ("'i@s.example", ["i@s.example"]),
        ("o'brien@s.example", ["o'brien@s.example"]),
        ("Stone, Ida <i@s.example>", ["i@s.example"]),
        ("Ida Stone|i@s.example", ["i@s.example"]),
        ("i@s.example (work)", ["i@s.example"]),
        ("smtp:i@s.example", ["i@s.example"]),
        ("mailto:i@s.example?subject=Hi", ["i@s.example"]),
        ("i@s.example<mailto:i@s.example>", ["i@s.example"]),
        ("i(at)s.example", ["i@s.example"]),
        ("i [at] s [dot] example", ["i@s.example"]),
        ("\u200bi@s.example\u200b", ["i@s.example"]),
        ("i\u00a0@s.example", ["i@s.example"]),
        ("i＠s.example", ["i@s.example"]),
        ("i@bücher.example", ["i@bücher.example"]),
        ("i@xn--bcher-kva.example", ["i@xn--bcher-kva.example"]),
        ("i@s.example; j@s.example", ["i@s.example", "j@s.example"]),
        ("i@s.example, j@s.example", ["i@s.example", "j@s.example"]),
        ("i@s.example / j@s.example", ["i@s.example", "j@s.example"]),
        ("i@s.example | j@s.example", ["i@s.example", "j@s.example"]),
        ("i@s.example ::: j@s.example", ["i@s.example", "j@s.example"]),
        ("i@s.example\nj@s.example", ["i@s.example", "j@s.example"]),
        ("i@s.example I@S.example", ["i@s.example"]),
        ("i@s", []),
        ("i.@s.example", []),
        ("i..k@s.example", []),
        ("i@s .example", []),
        ("i@[192.0.2.1]", []),
        ("i@@s.example", []),
        ("ida", []),
        ("@s.example", []),
        ("", []),
    ],
)
def test_addresses_in_a_cell(raw: str, found: list[str]) -> None:
    assert read_emails(raw) == found
    assert all(normal_email(address) for address in found)


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ("Nov-50", (11, 50)),
        ("10-Feb", (2, 10)),
        ("10. Feb", (2, 10)),
        ("02. Okt", (2, 10)),
        ("févr-10", (2, 10)),
        ("11/1/1950", (11, 50)),
        ("1950-11-01 00:00:00", (11, 50)),
        ("01.11.1950", (11, 50)),
        ("01.10.2026", None),
        ("12.03.2024", None),
        ("May", None),
        ("1.2E+03", (1200, 1200)),
        ("4.4E+11", None),
        ("#VALUE!", None),
        ("n/a", None),
        ("51-200", (51, 200)),
        ("1.250", (1250, 1250)),
        ("ca. 80", (80, 80)),
    ],
)
def test_sizes_that_a_spreadsheet_took_for_dates_and_numbers(raw: str, size: tuple[int, int] | None) -> None:
    found = parse_size(value("company_size", raw).text)
    assert ((found.least, found.most) if found else None) == size


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+44 113 496 0000", "+44 113 496 0000"),
        ("'+49 221 000000", "+49 221 000000"),
        ('="+49221000000"', "+49221000000"),
        ("0221/123456", "0221/123456"),
        ("Tel.: 0221 123456", "0221 123456"),
        ("+1 202-555-0100 x12", "+1 202-555-0100 x12"),
        ("+1 202 555 0100 ::: +1 202 555 0101", "+1 202 555 0100"),
        ("+1 202 555 0100; +1 202 555 0101", "+1 202 555 0100"),
        ("442079460000.0", "442079460000"),
        ("4.42079E+11", ""),
        ("4,42079E+11", ""),
        ("#REF!", ""),
        ("call me", ""),
        ("123", ""),
    ],
)
def test_telephone_numbers(raw: str, number: str) -> None:
    assert value("phone", raw).text == number


@pytest.mark.parametrize(
    ("field", "raw", "text"),
    [
        ("domain", "https://www.stone.example/about", "stone.example"),
        ("domain", "https://www.facebook.com/stone", ""),
        ("domain", "linkedin.com/company/stone", ""),
        ("domain", "ida@stone.example", ""),
        ("domain", "x.com/stone, stone.example", "stone.example"),
        ("profile_url", "https://www.linkedin.com/in/ida", "https://www.linkedin.com/in/ida"),
        ("profile_url", "linkedin.com/in/ida", "linkedin.com/in/ida"),
        ("profile_url", "https://www.linkedin.com/company/77/", ""),
        ("profile_url", "https://stone.example", ""),
        ("company", "@Stone", "Stone"),
        ("company", "Stone Ltd ::: Reed Bank", "Stone Ltd"),
        ("company", "https://stone.example", ""),
        ("job_title", "CEO ::: Founder", "CEO"),
        ("job_title", "Mrs", ""),
        ("job_title", "12", ""),
        ("industry", "5411", ""),
        ("city", "ida@stone.example", ""),
    ],
)
def test_what_fits_a_field(field: str, raw: str, text: str) -> None:
    assert value(field, raw).text == text


def test_a_public_profile_is_preferred() -> None:
    header = "profileUrl,linkedInProfileUrl,defaultProfileUrl,fullName,companyName\n"
    links = "https://www.linkedin.com/sales/lead/ACw1,https://www.linkedin.com/in/ACwAAx/,https://linkedin.com/in/ida"
    row = f"{links},Ida Stone,Stone\n"
    assert people(header + row)[0]["profile_url"] == "https://linkedin.com/in/ida"


@pytest.mark.parametrize("text", ["Mr", "Mrs.", "Herr Dr.", "Prof. Dr.", "Mme", "Sra.", "Dott.ssa", "Dipl.-Ing.", "様"])
def test_forms_of_address_are_no_titles(text: str) -> None:
    assert is_salutation(text)


def test_formulas_stay_text_and_fillers_are_nothing() -> None:
    linked = '"=HYPERLINK(""http://x.example"",""Ann Lee"")"'
    text = f'Email,Name,Company,Title\na@b.example,{linked},N/A,-\nc@d.example,=1+1,#REF!,"=cmd|x"\n'
    assert people(text) == [
        {"email": "a@b.example", "name": "Ann Lee"},
        {"email": "c@d.example", "job_title": "=cmd"},
    ]


def test_an_address_with_a_name_gives_the_name_where_no_column_has_one() -> None:
    text = 'Email,Company\n"""Stone, Ida"" <i@s.example>",Stone\nBen Reed (b@r.example),Reed\n'
    assert [row["name"] for row in people(text)] == ["Ida Stone", "Ben Reed"]


NAMES = {
    "Stone, Ida": "Ida Stone",
    "Falk,Ines": "Ines Falk",
    "Stone, Ida, MBA": "Ida Stone",
    "Ida Stone, PhD, MBA": "Ida Stone",
    "Ida Stone MBA PMP": "Ida Stone",
    "Ida Stone, Dr.": "Ida Stone",
    "Ida Stone, Head of Sales": "Ida Stone",
    "LEWIS JR, DOMINIC G": "Dominic G Lewis",
    "Stone Jr., Ida": "Ida Stone",
    "Ida St.Clair III": "Ida St.Clair",
    "van der Berg, Jan": "Jan van der Berg",
    "VAN DER BERG, JAN": "Jan van der Berg",
    "de la Cruz, María": "María de la Cruz",
    "García Márquez, Ana María": "Ana María García Márquez",
    "von Stein, Prof. Dr. Karl": "Karl von Stein",
    "Prof. Dr. Ida Stone": "Ida Stone",
    "Dr.-Ing. Uwe Kern": "Uwe Kern",
    "Dipl.-Ing. Ines Falk": "Ines Falk",
    "Herr Dipl.-Kfm. Uwe Kern": "Uwe Kern",
    "Frau Prof. Dr. Dr. h.c. Eva Huber": "Eva Huber",
    "Dott.ssa Anna Verdi": "Anna Verdi",
    "Mme Dupont": "Dupont",
    "Sr. García": "García",
    "Mrs. & Mr. Stone": "Stone",
    "Ida Stone (she/her)": "Ida Stone",
    "Ida Stone she/her": "Ida Stone",
    "Ida Stone 🚀": "Ida Stone",
    "Ida Stone - Hiring!": "Ida Stone",
    "Ida Stone | CEO at Stone": "Ida Stone",
    'Ida "Idi" Stone': 'Ida "Idi" Stone',
    "MCDONALD IAN": "McDonald Ian",
    "mary mcdonald": "Mary McDonald",
    "O'BRIEN MARY": "O'Brien Mary",
    "jean-pierre dubois": "Jean-Pierre Dubois",
    "DEJAN DEMIĆ": "Dejan Demić",
    "DUPONT Jean": "Jean Dupont",
    "Uwe KERN": "Uwe Kern",
    "ДМИТРИЙ ИВАНОВ": "Дмитрий Иванов",
    "佐藤花子 様": "佐藤花子",
    # names that look like something else
    "Med Ali": "Med Ali",
    "Ma Yun": "Ma Yun",
    "Jack Ma": "Jack Ma",
    "Ma, Jack": "Jack Ma",
    "Do, Anh": "Anh Do",
    "Lee, Ed": "Ed Lee",
    "Miss Ing Lee": "Ing Lee",
    "Don Draper": "Don Draper",
    "JT Smith": "JT Smith",
    "H.C. Andersen": "H.C. Andersen",
    "M. Night Shyamalan": "M. Night Shyamalan",
    "Cher": "Cher",
}


@pytest.mark.parametrize("raw", NAMES)
def test_names_become_first_last(raw: str) -> None:
    assert person_name(raw) == NAMES[raw]
    assert person_name(NAMES[raw]) == NAMES[raw], "a name that was read is read as itself"


@pytest.mark.parametrize("raw", ["", "12345", "ida@stone.example", "---", "🚀"])
def test_what_is_no_name(raw: str) -> None:
    assert person_name(raw) is None


def test_a_row_of_totals_is_nobody() -> None:
    found = read("Name,Company,Employees\nIda Stone,Stone,120\nTotal,1,120\nSumme:,1,120\n")
    assert [row["name"] for row in found.rows] == ["Ida Stone"]
    assert found.rejected == {"no address, and no name with a company": 2}
