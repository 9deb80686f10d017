"""Lead files of text: encodings, delimiters, quotes, in every mixture that exports come in."""

from __future__ import annotations

import pytest
from lead_rows import people, read

from agents.lead_files.encoding import decode

TEXT = "Email,First Name,Last Name,Company Name,Employees\njane@acme.com,Jane,Doe,Acme,51-200\n"
JANE = {"email": "jane@acme.com", "name": "Jane Doe", "company": "Acme", "company_size": "51-200"}


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        b"\xef\xbb\xbf\xef\xbb\xbf" + TEXT.encode(),
        *(TEXT.encode(f"utf-{bits}-{order}") for bits in (16, 32) for order in ("le", "be")),
        *(("\ufeff" + TEXT).encode(f"utf-{bits}-{order}") for bits in (16, 32) for order in ("le", "be")),
        TEXT.encode("utf-16-le")[:-1],
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace(",", " | ").encode(),
        TEXT.replace("J", "\0J").encode(),
        b"sep=;\n" + TEXT.replace(",", ";").encode(),
        b'"sep=^"\r\n' + TEXT.replace(",", "^").encode(),
        b"SEP=,\r\r\n" + TEXT.encode(),
        b"\n\n" + TEXT.encode() + b"\n ,,,,\n\n",
    ],
)
def test_encodings_and_delimiters(data: bytes) -> None:
    assert people(data) == [JANE]


#: people of each language, and the encodings that their files come in
WRITTEN = {
    "de": ("Jürgen Weiß,jw@a.example,Bäckerei Höfer\nSören Jäger,sj@a.example,Größl KG\n", "cp1252 mac_roman cp850"),
    "fr": ("Hélène Bérenger,hb@a.example,Société Forêt\nZoë Gaël,zg@a.example,Café Été\n", "cp1252 mac_roman cp850"),
    "es": ("Íñigo Peña,ip@a.example,Compañía Áurea\nRaúl Güell,rg@a.example,Gestión Ñandú\n", "cp1252 mac_roman"),
    "pt": ("João Conceição,jc@a.example,Inovação São Luís\n", "cp1252 mac_roman"),
    "sv": ("Åsa Lindström,al@a.example,Göran Öl\n", "cp1252 mac_roman"),
    "cs": ("Jiří Růžička,jr@a.example,Žďárské Štěrky\nŠtěpán Němec,sn@a.example,Dvořák\n", "cp1250 iso8859_2"),
    "pl": ("Łukasz Wójcik,lw@a.example,Żubr Spółka\nŚwiętosław Kąkol,sk@a.example,Gąsior\n", "cp1250 iso8859_2"),
    "hu": ("Szőke György,sg@a.example,Hűvös Víz\nKőrösi Ágnes,ka@a.example,Ügyes Tűz\n", "cp1250"),
    "tr": ("Gökhan Yıldız,gy@a.example,Işık Şirketi\n", "cp1254"),
    "lt": ("Žydrūnas Šimkus,zs@a.example,Įmonė Rūta\nJūratė Čepaitė,jc@a.example,Šiauliai\n", "cp1257"),
    "ru": ("Иван Щукин,is@a.example,ООО Ромашка\n", "cp1251 koi8_r cp866"),
    "el": ("Γιώργος Νικολάου,gn@a.example,Αθηναϊκή\n", "cp1253"),
    "he": ("דוד כהן,dk@a.example,חברה בעמ\n", "cp1255"),
    "ar": ("محمد أحمد,ma@a.example,شركة النور\n", "cp1256"),
    "th": ("สมชาย ใจดี,sj@a.example,กรุงเทพ\n", "cp874"),
    "ja": ("渡辺健一,kw@a.example,長谷川商店株式会社\n", "cp932 euc_jp iso2022_jp"),
    "zh": ("欧阳震华,zo@a.example,深圳市腾飞电子有限公司\n", "gb18030 gbk"),
    "zh-tw": ("黃淑芬,sh@a.example,鴻海精密工業股份有限公司\n", "big5"),
    "ko": ("윤도현,dy@a.example,한빛소프트 주식회사\n", "cp949"),
}


@pytest.mark.parametrize(
    ("language", "encoding"), [(lang, encoding) for lang, (_, listed) in WRITTEN.items() for encoding in listed.split()]
)
def test_an_encoding_is_told_by_its_letters(language: str, encoding: str) -> None:
    text = f"Name,Email,Company\n{WRITTEN[language][0]}"
    found = decode(text.encode(encoding))
    assert found.whole() == text
    if encoding != "iso2022_jp":  # says itself what it is
        assert found.encoding in found.warnings[0]
        assert "save it as UTF-8" in found.warnings[0]


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("mistaken", ["cp1252", "latin-1", "mac_roman", "cp1250", "cp850"])
def test_utf_8_that_was_taken_for_something_else_is_put_right(language: str, mistaken: str) -> None:
    text = f"Name,Email,Company\n{WRITTEN[language][0]}"
    wrong = "".join(bytes([byte]).decode(mistaken, "ignore") or chr(byte) for byte in text.encode())
    found = decode(wrong.encode())
    assert found.whole() == text
    assert "put right" in found.warnings[-1]
    right = decode(text.encode())
    assert (right.whole(), right.warnings, right.encoding) == (text, (), "UTF-8")


def test_utf_8_that_was_mistaken_twice_and_lost_its_no_break_space() -> None:
    text = "Name,Company\nJosé Muñoz,Señal Óptica\n"
    twice = text.encode().decode("cp1252").encode().decode("cp1252")
    assert decode(twice.encode()).whole() == text
    spaced = "Name,Company\nJosÃ© MuÃ±oz,SocietÃ  QualitÃ ,x\n"  # "à" is Ã and U+00A0, here an ordinary space
    assert [row["company"] for row in people(spaced)] == ["Società Qualità"]


def test_lines_of_two_encodings_and_a_single_bad_byte() -> None:
    old = "Email,Name\na@acme.com,Zoë\n".encode("cp1252")
    mixed = read(old + "b@acme.com,Björn\n".encode())
    assert [row["name"] for row in mixed.rows] == ["Zoë", "Björn"]
    assert "UTF-8 with bytes of Windows-1252" in mixed.warnings[0]
    cut = "Email,Name\na@acme.com,Zoë\n".encode() + b"b@acme.com,J\xc3\nc@acme.com,Bj\xc3\xb6rn\n"
    assert [row["name"] for row in read(cut).rows][::2] == ["Zoë", "Björn"]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('Ida,"Stone, Inc"', ["Ida", "Stone, Inc"]),
        ('Ida,"The ""Big"" Bank"', ["Ida", 'The "Big" Bank']),
        ('Ida,"The "Big" Bank"', ["Ida", 'The "Big" Bank']),
        ('Ida,27" Screens', ["Ida", '27" Screens']),
        ('Ida,"Screens" Ltd', ["Ida", '"Screens" Ltd']),
        (r'Ida,"Stone, \"The\" Firm"', ["Ida", 'Stone, "The" Firm']),
        (r'Ida,"C:\\temp"', ["Ida", r"C:\\temp"]),
        ('Ida,"Stone\nInc"', ["Ida", "Stone Inc"]),
        ('Ida, "Stone, Inc" ', ["Ida", "Stone, Inc"]),
        ('"Ida,""Stone, Inc"""', ["Ida", "Stone, Inc"]),
        ('"Ida,Stone"', ["Ida", "Stone"]),
        ('Ida,"Stone', ["Ida", '"Stone']),
        ("Ida,O'Neil & Sons", ["Ida", "O'Neil & Sons"]),
    ],
)
def test_quotes(row: str, cells: list[str]) -> None:
    found = people(f"name,company\n{row}\nBen Reed,Reed Bank\n")
    assert [[one["name"], one["company"]] for one in found] == [cells, ["Ben Reed", "Reed Bank"]]


def test_single_quotes_and_a_backslash_before_a_delimiter() -> None:
    assert people("'name','email','company'\n'Ida Stone','i@a.example','Stone, Inc'\n")[0]["company"] == "Stone, Inc"
    escaped = "name,email,company\nIda Stone,i@a.example,Stone\\, Inc\nBen Reed,b@a.example,Reed\n"
    assert [row["company"] for row in people(escaped)] == ["Stone, Inc", "Reed"]


def test_a_quote_that_is_never_closed_swallows_no_row() -> None:
    body = "".join(f"p{n}@acme.com,Person {n}\n" for n in range(2000))
    assert len(read(f'Email,Name\nx@acme.com,"Broken\n{body}').rows) == 2001
    assert len(read(f'Email,Name\nx@acme.com,"Broken\n{body}y@acme.com,"Fine, too"\n').rows) == 2002


def test_headers_over_two_lines_and_rows_of_uneven_length() -> None:
    text = '"Full\nName","E-mail\nAddress",Company\nBob Ray,b@b.com\nAmy Fox,a@g.com,Gamma,extra,cells\n'
    found = read(text)
    assert [row["name"] for row in found.rows] == ["Bob Ray", "Amy Fox"]
    assert [row["row"] for row in found.rows] == [2, 3]
    assert found.warnings == ("1 rows have more cells than the header; what is beyond it is not read",)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("Name;E-Mail;Firma;Mitarbeiter\nIda;i@a.example;Stone, Reed & Co;1.250\n", "semicolon"),
        ('Name;"Title, Function, Notes";Email\nIda Stone;CEO;i@a.example\n', "semicolon"),
        ("Name\tE-Mail\tFirma\nIda\ti@a.example\tStone; Reed, Co\n", "tab"),
        ("Name|Email|Company\nIda|i@a.example|Stone, Reed; Co\n", "vertical bar"),
        ("Email\ni@a.example\n", "comma"),
    ],
)
def test_the_delimiter_is_the_one_under_which_the_headers_are_known(text: str, delimiter: str) -> None:
    found = read(text)
    assert (found.delimiter, len(found.rows)) == (delimiter, 1)


@pytest.mark.timeout(60)  # seconds where the time grows with the length, minutes where it grows with its square
@pytest.mark.parametrize("run", ["x", "\u200b", "\u00a0", "<a"])
def test_long_cells_take_time_by_their_length(run: str) -> None:
    long = run * (200_000 // len(run))
    lines = ["email,name,notes", *(f'p{n}@acme.com,J\u00f6 Doe,"{long[:4000]}"' for n in range(500))]
    lines += [f'q@acme.com,"{long}",', f'"{long}",Jane Doe,']
    assert {f"p{n}@acme.com" for n in range(500)} <= {one["email"] for one in people("\n".join(lines))}
