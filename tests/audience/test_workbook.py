"""Reading workbooks: what people see in their spreadsheet is what is read; what a file claims is not believed."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.audience import workbook
from mobilizer.audience.rows import MAX_CELL, Unreadable
from mobilizer.audience.sheet import look, rows
from tests.audience.books import ODS_HEAD, ODS_TAIL, ODS_TYPE, archive, ods, ods_table, with_part, xlsx
from tests.audience.conftest import Importer

PEOPLE = [["email", "name"], ["ana@example.org", "Ana Núñez"], ["sara@example.org", "سارة"]]
SHEET = "xl/worksheets/sheet1.xml"
XMLNS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'

TEXTS = st.text(st.characters(min_codepoint=32, blacklist_categories=("Cs", "Cc")), max_size=12).filter(
    lambda text: not text.startswith("=") and "_x" not in text and "\ufffe" not in text and "\uffff" not in text
)
TABLES = st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=5)


def read(book: bytes, sheet: int = 0) -> list[list[str]]:
    seen = look(book, sheet=sheet, has_header=False)
    return [row.cells for row in rows(BytesIO(book), seen.encoding, seen.delimiter, seen.sheet)]


def stripped(table: list[list[str]]) -> list[list[str]]:
    """Rows without blank cells at their end, and no blank rows: a spreadsheet keeps neither."""
    kept = []
    for row in table:
        while row and not row[-1]:
            row = row[:-1]
        kept += [row] if any(cell.strip() for cell in row) else []
    return kept


@pytest.mark.parametrize("book", [xlsx({"People": PEOPLE}), ods(ods_table("People", PEOPLE))], ids=["xlsx", "ods"])
def test_a_workbook_reads_like_a_csv_file(book: bytes) -> None:
    sheet = look(book)
    assert sheet.encoding in ("xlsx", "ods")
    assert (sheet.header, sheet.rows, sheet.sheets) == (("email", "name"), 2, ("People",))
    assert read(book) == PEOPLE


@given(TABLES)
def test_what_a_spreadsheet_wrote_is_what_is_read(table: list[list[str]]) -> None:
    for book in (xlsx({"S": [["x"], *table]}), ods(ods_table("S", [["x"], *table]))):
        assert stripped(read(book)) == [["x"], *stripped(table)]


def test_of_several_sheets_one_is_chosen() -> None:
    for book in (
        xlsx({"Notes": [["hello"]], "People": PEOPLE}),
        ods(ods_table("Notes", [["hello"]]) + ods_table("People", PEOPLE)),
    ):
        assert look(book).sheets == ("Notes", "People")
        assert look(book).rows + look(book).has_header == 1
        assert look(book, sheet=1).rows == 2
        assert look(book, sheet=7).sheet == 0, "a sheet that is not there is the first one"


def test_numbers_dates_and_truths_are_text() -> None:
    values = ["x", 12, 12.5, 1e300, date(2024, 5, 1), datetime.fromisoformat("2024-05-01T07:30"), True, None, "007"]
    book = xlsx({"S": [values]})
    assert read(book)[0] == ["x", "12", "12.5", str(int(1e300)), "2024-05-01", "2024-05-01 07:30:00", "True", "", "007"]
    cells = (
        '<table:table-cell office:value-type="float" office:value="12"><text:p>12,00</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2024-05-01">'
        "<text:p>1/5/24</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="2"/>'
        "<table:table-cell><office:annotation><text:p>ask her</text:p></office:annotation>"
        '<text:p>two<text:s text:c="2"/>blanks</text:p><text:p>lines</text:p></table:table-cell>'
    )
    table = f'<table:table table:name="S"><table:table-row>{cells}</table:table-row></table:table>'
    assert read(ods(table)) == [["12", "2024-05-01", "", "", "two  blanks\nlines"]]


def test_lines_are_counted_as_the_spreadsheet_numbers_them() -> None:
    blank = '<table:table-row table:number-rows-repeated="10"><table:table-cell/></table:table-row>'
    body = ods_table("S", [["a"]]).replace("</table:table>", "") + blank
    body += "<table:table-row><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    assert [row.line for row in rows(BytesIO(ods(body)), "ods", ",")] == [1, 12]
    book = xlsx({"S": [["a"], *[[]] * 10, ["b"]]})
    assert [row.line for row in rows(BytesIO(book), "xlsx", ",")] == [1, 12]


def test_a_sheet_that_claims_another_size_is_read_whole() -> None:
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>v{n}</t></is></c></row>' for n in range(1, 5))
    text = f'<worksheet {XMLNS}><dimension ref="A1"/><sheetData>{cells}</sheetData></worksheet>'
    assert read(with_part(xlsx({"S": PEOPLE}), SHEET, text)) == [["v1"], ["v2"], ["v3"], ["v4"]]


def test_two_cells_at_the_far_corners_cost_nothing() -> None:
    rows_ = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
        '<row r="1048576"><c r="B1048576" t="inlineStr"><is><t>b</t></is></c></row>'
    )
    book = with_part(xlsx({"S": PEOPLE}), SHEET, f"<worksheet {XMLNS}><sheetData>{rows_}</sheetData></worksheet>")
    assert read(book) == [["a"], ["", "b"]]
    wide = (
        '<table:table table:name="S"><table:table-row table:number-rows-repeated="1000000">'
        '<table:table-cell table:number-columns-repeated="1000000000"/></table:table-row><table:table-row>'
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    assert read(ods(wide)) == [["b"]]


def hostile() -> dict[str, tuple[bytes, str]]:
    good, cell = xlsx({"S": PEOPLE}), "<table:table-cell><text:p>x</text:p></table:table-cell>"
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    rows_ = '<row r="99999999999"><c t="inlineStr"><is><t>b</t></is></c></row>'
    return {
        "an archive of other files": (archive({"members.csv": "email\na@example.org\n"}), "archive"),
        "a text document": (ods(ods_table("S", PEOPLE), kind="application/vnd.oasis.opendocument.text"), "archive"),
        "half a file": (good[: len(good) // 2], "damaged"),
        "broken XML": (with_part(good, SHEET, "<worksheet><sheetData><row>"), "damaged"),
        "broken XML of ODS": (archive({"mimetype": ODS_TYPE, "content.xml": ODS_HEAD}), "damaged"),
        "no sheet": (ods(""), "empty"),
        "a row beyond all": (
            with_part(good, SHEET, f"<worksheet {XMLNS}><sheetData>{rows_}</sheetData></worksheet>"),
            "book_too_big",
        ),
        "one row, a billion times": (
            ods(
                '<table:table table:name="S"><table:table-row table:number-rows-repeated="1000000000">'
                f"{cell}</table:table-row></table:table>"
            ),
            "book_too_big",
        ),
        "one cell, a billion times": (
            ods(
                '<table:table table:name="S"><table:table-row>'
                f"{cell.replace('-cell>', '-cell table:number-columns-repeated=&quot;1000000000&quot;>', 1)}".replace(
                    "&quot;", '"'
                )
                + "</table:table-row></table:table>"
            ),
            "too_wide",
        ),
        "entities that grow": (
            archive({"mimetype": ODS_TYPE, "content.xml": laughs + ODS_HEAD.partition("?>")[2] + ODS_TAIL}),
            "damaged",
        ),
        "ten thousand columns": (xlsx({"S": [["x"] * 10_000]}), "too_wide"),
        "a count that is no number": (
            ods('<table:table><table:table-row table:number-rows-repeated="x"></table:table-row></table:table>'),
            "damaged",
        ),
    }


@pytest.mark.parametrize("name", hostile())
def test_a_hostile_workbook_is_refused_with_a_reason(name: str) -> None:
    book, code = hostile()[name]
    with pytest.raises(Unreadable) as caught:
        look(book)
    assert caught.value.problem.code == f"import.{code}"
    assert caught.value.problem.text()


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    book = xlsx({"S": [["email"], *[["x" * 1000 + "@example.org"]] * 2000]})
    assert len(book) < 60_000
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1_000_000)
    monkeypatch.setattr(workbook.openpyxl, "load_workbook", None)
    with pytest.raises(Unreadable) as caught:
        look(book)
    assert caught.value.problem.code == "import.book_too_big"


@pytest.mark.parametrize(
    "text",
    [
        f"<worksheet {XMLNS}><sheetData>{'<a>' * 9000}{'</a>' * 9000}</sheetData></worksheet>",
        f'<worksheet {XMLNS}><sheetData><row><c t="inlineStr"><is><t>{"a" * 60_000}</t></is></c></row></sheetData>'
        "</worksheet>",
    ],
    ids=["deep", "one cell"],
)
def test_one_thing_repeated_is_refused_before_it_is_unpacked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SMALL", 50_000)
    monkeypatch.setattr(workbook.openpyxl, "load_workbook", None)
    for book in (with_part(xlsx({"S": PEOPLE}), SHEET, text), ods(ods_table("S", [["a" * 60_000]]))):
        with pytest.raises(Unreadable) as caught:
            look(book)
        assert caught.value.problem.code == "import.book_too_big"


def test_a_part_nested_beyond_all_sense_is_refused() -> None:
    deep = with_part(
        xlsx({"S": PEOPLE}), "xl/workbook.xml", f"<workbook {XMLNS}>{'<a>' * 9000}{'</a>' * 9000}</workbook>"
    )
    with pytest.raises(Unreadable) as caught:
        look(deep)
    assert caught.value.problem.code == "import.damaged"


def test_a_cell_of_many_letters_costs_its_row() -> None:
    book = ods(ods_table("S", [["email"], ["x" * (MAX_CELL + 50)], ["a@example.org"]]))
    assert [row.fault for row in rows(BytesIO(book), "ods", ",")] == ["", "too_long", ""]


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_damage_to_a_workbook_is_read_or_refused(noise: bytes, at: int) -> None:
    book = ods(ods_table("S", PEOPLE))
    at = min(at, len(book))
    try:
        look(book[:at] + noise + book[at + len(noise) :])
    except Unreadable:
        return


def test_a_workbook_goes_in_as_a_file_does(bring: Importer) -> None:
    row = bring(xlsx({"People": [*PEOPLE, ["nobody", "No One"], ["ana@example.org", "Twice"]]}))
    assert (row.state, row.encoding) == ("done", "xlsx")
    assert row.counts == {"new": 2, "invalid": 1, "duplicate": 1}
