"""Reading files: encodings, delimiters, headers, broken rows."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.audience.columns import IMPORT_FIELDS, column_problems, guess_columns
from mobilizer.audience.rows import MAX_CELL, Unreadable
from mobilizer.audience.sheet import look, rows
from mobilizer.guarding import guard, unguard

CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), max_size=20).filter(
    lambda text: "@" not in text  # a line with @ and a delimiter inside a cell is taken for a swallowed row
)
TABLES = st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=6))


def read(text: str | bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    data = text.encode(encoding) if isinstance(text, str) else text
    return [row.cells for row in rows(BytesIO(data), encoding, delimiter)]


@given(TABLES, st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_a_csv_writer_wrote_is_what_is_read(table: list[list[str]], delimiter: str, encoding: str) -> None:
    out = StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([["email"], *table])
    kept = [row for row in table if any(cell.strip() for cell in row)]
    assert read(out.getvalue(), encoding, delimiter) == [["email"], *kept]


@given(st.text())
def test_a_guard_comes_off_again(cell: str) -> None:
    assert unguard(guard(cell)) == cell
    assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


def test_a_formula_in_wide_signs_is_guarded_too() -> None:
    assert guard("\uff1dcmd()") == "'\uff1dcmd()"


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_read_or_refused(data: bytes) -> None:
    try:
        sheet = look(data)
    except Unreadable:
        return
    assert guess_columns(sheet.header, sheet.sample).keys() <= IMPORT_FIELDS.keys()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "correo;nombre\na@example.org;José Núñez\nb@example.org;Conceição Peña\n"),
        ("cp1250", "email,imię\na@example.org,Łukasz Żółć\nb@example.org,Małgorzata Wiśniewska\n"),
        ("cp1251", "email,имя\na@example.org,Иван Петров\nb@example.org,Мария Сидорова\n"),
        ("cp1253", "email,όνομα\na@example.org,Γιώργος Παπαδόπουλος\n"),
        ("cp1255", "email,שם\na@example.org,דוד כהן\nb@example.org,שרה לוי\n"),
        ("cp1256", "email,name\na@example.org,محمد علي\nb@example.org,فاطمة الزهراء\n"),
        ("cp932", "メール,名前\na@example.org,山田太郎\nb@example.org,鈴木一郎\n"),
        ("koi8-r", "email,имя\na@example.org,Ольга Ющенко\nb@example.org,ПЁТР ИВАНОВ\n"),
        ("iso8859-6", "email,name\na@example.org,محمد علي\nb@example.org,سارة الأمين\n"),
        ("cp874", "email,name\na@example.org,สมชาย ใจดี\nb@example.org,นภา แก้วมณี\n"),
        ("cp932", "email,name\na@example.org,石井直樹\nb@example.org,岡本さやか\n"),
        ("euc-jp", "email,name\na@example.org,石井直樹\nb@example.org,岡本さやか\n"),
        ("big5", "email,name\na@example.org,陳大文\nb@example.org,林淑芬\n"),
        ("mac_roman", "correo;nombre\na@example.org;José Núñez\nb@example.org;Zoë Müller\n"),
        ("cp949", "이메일,이름\na@example.org,김철수\nb@example.org,이영희\n"),
        ("gb18030", "邮箱,姓名\na@example.org,张伟\nb@example.org,王秀英\n"),
        ("utf-16", "email\tname\na@example.org\tمحمد\n"),
        ("utf-16-le", "email\tname\na@example.org\tJosé\n"),
        ("utf-8", "email,name\na@example.org,محمد 🏳️‍🌈\n"),
        ("utf-8-sig", "email,name\na@example.org,José\n"),
    ],
)
def test_the_encoding_is_guessed_from_a_few_names(encoding: str, text: str) -> None:
    sheet = look(text.encode(encoding))
    expected = list(csv.reader(StringIO(text), delimiter=sheet.delimiter))
    assert [list(sheet.header), *map(list, sheet.sample)] == expected
    assert sheet.broken == 0


def test_letters_that_tell_the_encoding_are_found_wherever_they_stand() -> None:
    plain = "".join(f"p{n}@example.org,Person\n" for n in range(50))
    sheet = look(f"email,name\n{plain}a@example.org,José\nb@example.org,José\nc@example.org,Zoë\n".encode())
    assert sheet.telling == ("José", "Zoë")
    assert "JosÃ©" in look(f"email,name\n{plain}a@example.org,José\n".encode(), encoding="cp1252").telling


def test_a_chosen_encoding_stands_against_the_guess() -> None:
    data = "email,name\na@example.org,José\n".encode()
    assert look(data, encoding="cp1252").sample[0][1] == "JosÃ©"
    assert look(data, encoding="utf-8-sig").sample[0][1] == "José"


def test_what_an_encoding_cannot_read_is_counted() -> None:
    assert look("email,name\na@example.org,José\n".encode("cp1252"), encoding="utf-8-sig").broken == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n \n", "empty"),
        (b"PK\x03\x04 no workbook", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old one", "workbook"),
        (b"%PDF-1.7 and so on", "no_text"),
        (bytes(range(1, 32)) * 20, "no_text"),
        (b"\xff\xfe\x00\x00e\x00\x00\x00", "no_text"),
        (b"<!DOCTYPE html><table><tr><td>a@example.org</td></tr></table>", "other_kind"),
        (b"\xef\xbb\xbf <table><tr><td>a@example.org</td></tr></table>", "other_kind"),
        (b'[{"email": "a@example.org"}]', "other_kind"),
        (b'{"email": "a@example.org"}\n{"email": "b@example.org"}\n', "other_kind"),
        (b"BEGIN:VCARD\r\nEMAIL:a@example.org\r\nEND:VCARD\r\n", "other_kind"),
    ],
)
def test_what_is_no_table_is_refused_with_a_way_out(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        look(data)
    assert caught.value.problem.code == f"import.{code}"


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        look(b"email\na@example.org\n", encoding="utf-99")
    assert caught.value.problem.code == "import.unknown_encoding"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed(delimiter: str) -> None:
    lines = ["email", "name", "note"], ["a@example.org", "Ana", "1,5"], ["b@example.org", "Bob", "x"]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    assert look(text.encode()).delimiter == delimiter


def test_a_file_of_bare_addresses_needs_no_header() -> None:
    sheet = look(b"a@example.org\nb@example.org\n")
    assert (sheet.has_header, sheet.rows, sheet.header) == (False, 2, ("",))
    assert guess_columns(sheet.header, sheet.sample) == {"email": 0}


def test_excels_first_line_names_the_delimiter() -> None:
    sheet = look(b"sep=;\r\nemail;name\r\na@example.org;Ana\r\n")
    assert (sheet.delimiter, sheet.header, sheet.rows) == (";", ("email", "name"), 1)


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    text = 'email,name\na@example.org,"Ana\nb@example.org,"Bob ""B"" X"\nc@example.org,Cleo\n'
    found = list(rows(BytesIO(text.encode()), "utf-8", ","))
    assert [(row.line, row.fault) for row in found] == [(1, ""), (2, "no_end"), (3, ""), (4, "")]
    assert found[2].cells == ["b@example.org", 'Bob "B" X']


def test_a_quote_open_to_the_end_of_the_file_costs_one_row() -> None:
    text = 'email,name\na@example.org,"Ana\n' + "".join(f"m{n}@example.org,M\n" for n in range(1000))
    found = list(rows(BytesIO(text.encode()), "utf-8", ","))
    assert [row.line for row in found if row.fault] == [2]
    assert len(found) == 1002


def test_two_stray_quotes_do_not_swallow_the_rows_between_them() -> None:
    text = 'email,name\na@example.org,"Ana\nb@example.org,Bob\n",\nc@example.org,Cleo\n'
    good = [row.cells for row in rows(BytesIO(text.encode()), "utf-8", ",") if not row.fault]
    assert good == [["email", "name"], ["b@example.org", "Bob"], ["c@example.org", "Cleo"]]


def test_three_megabytes_in_one_cell_cost_one_row() -> None:
    text = f"email,name\na@example.org,{'x' * 3_000_000}\nb@example.org,Bob\n"
    found = list(rows(BytesIO(text.encode()), "utf-8", ","))
    assert [row.fault for row in found] == ["", "too_long", ""]
    assert len(found[1].cells[1]) > MAX_CELL


def test_three_megabytes_of_lines_in_one_cell_cost_one_row() -> None:
    text = 'email,name\na@example.org,"' + ("word " * 20 + "\n") * 30_000 + '"\nb@example.org,Bob\n'
    found = list(rows(BytesIO(text.encode()), "utf-8", ","))
    assert found[1].fault == "no_end"
    assert found[-1].cells == ["b@example.org", "Bob"]


def test_a_row_of_ten_thousand_cells_costs_one_row() -> None:
    text = "email,name\n" + "a@example.org,Ana\n" * 3 + "b@example.org" + ",x" * 10_000 + "\nc@example.org,Cleo\n"
    assert (look(text.encode()).header, look(text.encode()).rows) == (("email", "name"), 5)
    assert [row.fault for row in rows(BytesIO(text.encode()), "utf-8", ",")] == ["", "", "", "", "too_wide", ""]


def test_titles_may_stand_above_the_names_of_the_columns() -> None:
    data = b"Our members,,\nexported 2026-03-08,,\n\nCorreo,Nombre,Idioma\nana@example.org,Ana,es\n"
    sheet = look(data)
    assert (sheet.above, sheet.header, sheet.rows) == (2, ("Correo", "Nombre", "Idioma"), 1)
    assert sheet.sample == (("ana@example.org", "Ana", "es"),)
    bare = look(data, has_header=False)
    assert (bare.above, bare.rows) == (0, 4), "a person's choice stands"


def test_a_column_without_a_name_is_a_column() -> None:
    sheet = look(b",name,\nana@example.org,Ana,x\n")
    assert sheet.header == ("", "name", "")
    assert guess_columns(sheet.header, sheet.sample) == {"email": 0, "name": 1}


def test_the_name_of_a_column_is_kept_within_bounds() -> None:
    assert [len(name) for name in look(b"email," + b"x" * 500_000 + b"\na@example.org,y\n").header] == [5, 100]


@pytest.mark.parametrize("ends", ["\r\n|\n|\r", "\r|\r|\r", "\n|\r\n|\r\n"])
def test_lines_may_end_in_any_way(ends: str) -> None:
    first, second, third = ends.split("|")
    text = f"email,name{first}a@example.org,A{second}b@example.org,B{third}c@example.org,C"
    assert [row[0] for row in read(text)[1:]] == ["a@example.org", "b@example.org", "c@example.org"]


def test_a_blank_between_a_delimiter_and_a_quote_is_no_part_of_the_cell() -> None:
    assert read('email, name\n"a@example.org", "Sol, Ana"\n')[1] == ["a@example.org", "Sol, Ana"]


def test_a_cell_of_two_lines_is_one_cell() -> None:
    assert read('email,note\na@example.org,"two\nlines"\n')[1] == ["a@example.org", "two\nlines"]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["Email", "Name", "Language"], {"email": 0, "name": 1, "language": 2}),
        (["Nombre", "Correo electrónico", "Idioma", "País"], {"name": 0, "email": 1, "language": 2, "country": 3}),
        (["Prénom", "Nom", "Adresse e-mail", "Langue"], {"first_name": 0, "last_name": 1, "email": 2, "language": 3}),
        (["Nome", "E-MAIL", "Língua", "Fuso horário"], {"name": 0, "email": 1, "language": 2, "time_zone": 3}),
        (["الاسم", "البريد الإلكتروني", "اللغة"], {"name": 0, "email": 1, "language": 2}),
        (["Vorname", "Nachname", "E-Mail-Adresse", "Zweite Sprache"],
         {"first_name": 0, "last_name": 1, "email": 2, "second_language": 3}),
        (["email", "email", "e_mail"], {"email": 0}),
        (["colour", "size"], {}),
    ],
)  # fmt: skip
def test_columns_are_guessed_from_headers_in_six_languages(header: list[str], columns: dict[str, int]) -> None:
    assert guess_columns(header) == columns


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"name": 0}, "no_email_column"),
        ({"email": 7}, "no_such_column"),
        ({"email": 0, "name": 0}, "column_twice"),
        ({"email": 0, "colour": 1}, "unknown_field"),
    ],
)
def test_a_choice_of_columns_that_cannot_be_is_explained(columns: dict[str, int], code: str) -> None:
    found = column_problems(columns, ["email", "name"])
    assert f"import.{code}" in [problem.code for problem in found]
    assert all(problem.text() for problem in found)
