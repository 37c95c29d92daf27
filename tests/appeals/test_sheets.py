"""Sheets: a language goes to a translator in each format and comes back the same; what does not fit changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from translate.storage.xliff2 import Xliff2File

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.editing import translation_in
from mobilizer.appeals.exchange import FORMATS, MAX_BYTES, file_name, read_sheet
from mobilizer.appeals.sheets import BadSheet, Sheet, Taken, Unit, sheet_of, take_sheet
from mobilizer.db import Database
from tests.appeals.conftest import PALABRAS, WORDS, an_appeal

# What a person types; no control characters, no CR, no line end at an end: `tidy` takes those off.
TYPED = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn"), include_characters="\n"), max_size=60).map(
    str.strip
)
WITH_TAGS = st.lists(
    TYPED | st.sampled_from(["{{ first_name }}", '{{ name | "amie" }}', " ", "<b>&amp;</b>", "=1+1"])
).map("".join)


def a_sheet(*units: Unit) -> Sheet:
    return Sheet("love", "en", "es", units)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.write() as session:
        session.add(an_appeal())
        session.flush()
        yield session


@pytest.fixture
def appeal(session: Session) -> Appeal:
    return session.get_one(Appeal, 1)


@pytest.mark.parametrize("name", FORMATS)
@given(source=WITH_TAGS.filter(bool), target=WITH_TAGS)
def test_words_come_back_from_every_format_as_they_went(name: str, source: str, target: str) -> None:
    units = (Unit("subject", source, target, "a note"), Unit("body", "second", "zweite"))
    back = FORMATS[name].read(FORMATS[name].write(a_sheet(*units)))
    assert [(unit.name, unit.source, unit.target) for unit in back.units] == [
        (unit.name, unit.source, unit.target) for unit in units
    ]


@pytest.mark.parametrize(("name", "source"), [("xliff", "en"), ("po", "")])
def test_a_file_says_what_it_belongs_to(name: str, source: str) -> None:
    back = FORMATS[name].read(FORMATS[name].write(Sheet("love", "en", "pt-BR", (Unit("button", "Watch", ""),))))
    assert (back.slug, back.source_language, back.language) == ("love", source, "pt-BR")


def test_a_tool_for_translators_reads_our_xliff_and_we_read_what_it_saves(session: Session, appeal: Appeal) -> None:
    """Translate Toolkit, which stands behind Pootle and Weblate."""
    translation_in(appeal, "es").greeting = ""
    store = Xliff2File.parsestring(FORMATS["xliff"].write(sheet_of(appeal, "es")))
    assert len(store.units) == len(WORDS)
    button = next(unit for unit in store.units if str(unit.source) == WORDS["button"])
    button.target = "Ver el corto"
    taken = take_sheet(session, appeal, "es", read_sheet("love.es.xlf", bytes(store)))
    assert taken == Taken(("button",), ())
    assert translation_in(appeal, "es").button == "Ver el corto"
    assert translation_in(appeal, "es").subject == PALABRAS["subject"]


def test_a_merge_tag_is_a_placeholder_that_a_tool_can_move(session: Session, appeal: Appeal) -> None:
    text = FORMATS["xliff"].write(sheet_of(appeal, "es")).decode()
    assert '<data id="d1">{{ first_name }}</data>' in text
    moved = text.replace(
        'Hola, <ph id="1.1" dataRef="d1" disp="{{ first_name }}" />:', '<ph id="1.1" dataRef="d1"/>, hola:'
    )
    assert moved != text
    taken = take_sheet(session, appeal, "es", read_sheet("a.xliff", moved.encode()))
    assert taken.changed == ("greeting",)
    assert translation_in(appeal, "es").greeting == "{{ first_name }}, hola:"


def test_segments_that_a_tool_has_split_are_one_again() -> None:
    split = b"""<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.1" srcLang="en" trgLang="es">
    <file id="love"><unit id="body">
      <segment><source>One. </source><target>Uno. </target></segment>
      <ignorable><source>\n\n</source></ignorable>
      <segment><source>Two <pc id="1">or <mrk id="m1">t<cp hex="0009"/>hree</mrk></pc>.</source>
        <target>Dos.</target></segment>
    </unit></file></xliff>"""
    assert read_sheet("a.xlf", split).units == (Unit("body", "One. \n\nTwo or t\three.", "Uno. \n\nDos."),)
    half = split.replace(b"<target>Dos.</target>", b"")
    with pytest.raises(BadSheet, match="half_translated"):
        read_sheet("a.xlf", half)


def test_what_is_empty_stays_and_what_is_fuzzy_waits(session: Session, appeal: Appeal) -> None:
    text = FORMATS["po"].write(sheet_of(appeal, "es")).decode()
    empty = text.replace(f'msgstr "{PALABRAS["subject"]}"', 'msgstr ""')
    fuzzy = empty.replace('msgctxt "button"', '#, fuzzy\nmsgctxt "button"').replace(PALABRAS["button"], "Mirar")
    assert take_sheet(session, appeal, "es", read_sheet("a.po", fuzzy.encode())) == Taken((), ())
    assert translation_in(appeal, "es").subject == PALABRAS["subject"]
    assert translation_in(appeal, "es").button == PALABRAS["button"]


def test_words_of_an_older_source_text_are_left_out_and_told(session: Session, appeal: Appeal) -> None:
    sheet = sheet_of(appeal, "es")
    translation_in(appeal, "en").subject = "Another subject"
    went = Sheet(sheet.slug, "en", "es", tuple(Unit(u.name, u.source, u.target + "!", u.note) for u in sheet.units))
    taken = take_sheet(session, appeal, "es", went)
    assert "subject" not in taken.changed
    assert "body" in taken.changed
    assert not taken.refused
    assert [(problem.code, problem.where) for problem in taken.problems] == [("sheet.outdated", "subject")]
    assert translation_in(appeal, "es").subject == PALABRAS["subject"]


@pytest.mark.parametrize(
    ("sheet", "tag", "code"),
    [
        (Sheet("hate", "en", "es", ()), "es", "sheet.other_appeal"),
        (Sheet("love", "en", "fr", ()), "es", "sheet.other_language"),
        (Sheet("love", "en", "en", ()), "en", "sheet.source"),
        (Sheet("love", "en", "de", ()), "de", "appeal.no_such_translation"),
        (a_sheet(Unit("shoe", "a", "b")), "es", "file.unknown_field"),
        (a_sheet(*[Unit("button", WORDS["button"], "b")] * 2), "es", "sheet.twice"),
        (
            a_sheet(Unit("button", WORDS["button"], "b" * 41), Unit("subject", WORDS["subject"], "c")),
            "es",
            "appeal.too_long",
        ),
        (a_sheet(Unit("subject", WORDS["subject"], "Hola {{ shoe }}")), "es", "tags.unknown"),
    ],
)
def test_what_does_not_fit_changes_nothing(session: Session, appeal: Appeal, sheet: Sheet, tag: str, code: str) -> None:
    before = [getattr(translation_in(appeal, "es"), name) for name in WORDS]
    taken = take_sheet(session, appeal, tag, sheet)
    assert taken.refused
    assert [problem.code for problem in taken.problems] == [code]
    assert [getattr(translation_in(appeal, "es"), name) for name in WORDS] == before


BILLION = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><xliff>&b;</xliff>'
HEAD = b'<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en"><file id="a">'
DEEP = HEAD + b'<unit id="body"><segment><source>' + b"<pc>" * 50_000 + b"</pc>" * 50_000


@pytest.mark.parametrize(
    ("file", "data", "code"),
    [
        ("a.docx", b"PK", "sheet.unknown_format"),
        ("a.po", b"x" * (MAX_BYTES + 1), "sheet.too_large"),
        ("a.xlf", b"not xml", "sheet.not_xml"),
        ("a.xlf", b"", "sheet.not_xml"),
        ("a.xlf", BILLION, "sheet.doctype"),
        ("a.xlf", DEEP + b"</source></segment></unit></file></xliff>", "sheet.not_xml"),
        ("a.xlf", b'<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2"/>', "sheet.not_xliff"),
        ("a.xlf", HEAD.replace(b'<file id="a">', b"") + b"</xliff>", "sheet.no_units"),
        (
            "a.xlf",
            HEAD + b'<unit id="b"><segment><source><cp hex="zz"/></source></segment></unit></file></xliff>',
            "sheet.not_xml",
        ),
        ("a.po", b'msgid "a"\nmsgfoo "b"\n', "sheet.not_po"),
        ("a.po", b"\xff\xfe\x00", "sheet.not_po"),
        ("a.csv", "ñ".encode("cp1252"), "sheet.not_utf8"),
        ("a.csv", b"", "sheet.no_columns"),
        ("a.csv", b"field,source\nsubject,a\n", "sheet.no_columns"),
        ("a.csv", b"field,source,translation\nsubject\n", "sheet.short_row"),
        ("a.csv", b'field,source,translation\nsubject,"a', "sheet.not_csv"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(file: str, data: bytes, code: str) -> None:
    with pytest.raises(BadSheet) as refused:
        read_sheet(file, data)
    assert refused.value.problem.code == code
    assert refused.value.problem.text()


def test_a_spreadsheet_may_save_it_with_semicolons() -> None:
    data = "field;note;source;translation\r\nbutton;;Watch;'=Ver\r\n".encode("utf-8-sig")
    assert read_sheet("a.CSV", data).units == (Unit("button", "Watch", "=Ver"),)


def test_a_file_has_a_name_by_which_it_is_known_again(appeal: Appeal) -> None:
    assert [file_name(sheet_of(appeal, "es"), each) for each in FORMATS.values()] == [
        "love.es.xlf",
        "love.es.po",
        "love.es.csv",
    ]
