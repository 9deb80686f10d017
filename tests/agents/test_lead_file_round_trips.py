"""What Python's ``csv`` writes, in any of its dialects and many encodings, is read back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.lead_files import delimited
from agents.lead_files.cells import line_of
from agents.lead_files.delimited import Dialect
from agents.lead_files.reading import parse

HEADER = ["Name", "E-Mail", "Company", "Job Title", "City"]
CELLS = st.text(alphabet=st.sampled_from("abcXYZ éüß0'\",;|\t\n. &-"), max_size=12).map(str.strip)
#: how a program may write; Excel's, Unix', MySQL's, and mixtures
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "quotechar": st.just('"'),
        "doublequote": st.booleans(),
        "escapechar": st.just("\\"),
        "quoting": st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
    }
)


def written(rows: list[list[str]], dialect: dict[str, object]) -> str:
    """The rows as Python's csv writes them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)  # type: ignore[arg-type]
    writer.writerows(rows)
    return out.getvalue()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6),
    DIALECTS,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"]),
)
def test_cells_come_back(cells: list[tuple[str, str, str]], dialect: dict[str, object], encoding: str) -> None:
    if dialect["lineterminator"] == "\r" and dialect["quoting"] in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        # Python leaves a line feed as it stands then, and no reader can know that it is no end of a row
        cells = [(a.replace("\n", " "), b.replace("\n", " "), c.replace("\n", " ")) for a, b, c in cells]
    rows = [
        [f"Jörg Müller {n}", f"ann{n}@lee.example", f"A {a}", f"B {b}", f"C {c}"] for n, (a, b, c) in enumerate(cells)
    ]
    found = parse(written([HEADER, *rows], dialect).encode(encoding), "leads.csv")
    assert len(found.rows) == len(rows)
    for person, row in zip(found.rows, rows, strict=True):
        assert person["email"] == row[1]
        # a semicolon and a bar separate several values of one cell
        for field, text in zip(("job_title", "location"), row[3:], strict=True):
            assert person[field] == line_of(text).partition("|")[0].strip()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.text(alphabet='ab,;"\n \\', max_size=8), min_size=2, max_size=4), min_size=1, max_size=5),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(",;"),
)
def test_every_table_of_excel_comes_back_cell_by_cell(table: list[list[str]], quoting: int, delimiter: str) -> None:
    text = written(table, {"quoting": quoting, "delimiter": delimiter, "lineterminator": "\n"})
    found = [cells for _, cells in delimited.rows(io.StringIO(text, newline=""), Dialect(delimiter=delimiter))]
    expected = [[cell.lstrip(" ") if quoting == csv.QUOTE_MINIMAL else cell for cell in row] for row in table]
    assert [[cell.lstrip(" ") if quoting == csv.QUOTE_MINIMAL else cell for cell in row] for row in found] == expected


@given(st.lists(st.text(alphabet='ab,"\n', max_size=10), max_size=20))
def test_any_lines_end(lines: list[str]) -> None:
    text = "".join(lines)
    found = list(delimited.rows(io.StringIO(text), Dialect()))
    assert len(found) <= text.count("\n") + 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "cp1250", "cp932", "gb18030", "big5", "mac_roman"])
def test_a_large_file_is_read_in_the_encoding_of_its_few_letters(encoding: str) -> None:
    names = {"cp1250": "Dvořák Škoda", "cp932": "佐藤花子商店", "gb18030": "王小明科技", "big5": "陳志明電子"}
    name = names.get(encoding, "Jörg Müller")
    plain = "".join(f"Ann Lee,ann{n}@lee.example,Lee\n" for n in range(20_000))
    text = f"Name,E-Mail,Company\n{plain}Uwe Kern,uwe@kern.example,{name}\n{plain}"
    found = parse(text.encode(encoding), "leads.csv")
    assert len(found.rows) == 40_001
    assert found.rows[20_000]["company"] == name
