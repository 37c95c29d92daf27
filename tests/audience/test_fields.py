"""Fields that an organisation defines: what may be one, what fits one, and how imports and records fill them."""

from __future__ import annotations

import json
import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from mobilizer.audience import importing
from mobilizer.audience.fields import (
    brought_along,
    define,
    definitions,
    field_by_key,
    guess_fields,
    in_use,
    rename,
    write_values,
)
from mobilizer.audience.fitting import NUMERIC, DayOrder, Definition, fitted
from mobilizer.audience.members import Member
from mobilizer.cli import main
from mobilizer.installation import Installation
from mobilizer.problems import Problem
from tests.audience.conftest import Importer

BORN = Definition("born", "date")
GIVEN = Definition("given", "number")
SIZE = Definition("size", "choice", ("Small", "Año ½", "XL"))


def code(text: str, wanted: Definition, order: DayOrder = "") -> str:
    """What a text becomes, or the code of what is wrong with it."""
    fit = fitted(text, wanted, order)
    return fit.code if isinstance(fit, Problem) else fit


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1250", "1250"), ("-7", "-7"), ("007", "7"), ("12.50", "12.5"), ("12,5", "12.5"), ("0,125", "0.125"),
        ("1 250,75", "1250.75"), ("1\u202f250", "1250"), ("1'250.00", "1250"), ("1,250,000", "1250000"),
        ("1.250.000,5", "1250000.5"), ("1,250.00", "1250"), ("١٢٥٠٫٥", "1250.5"), ("−3", "-3"), ("-0", "0"),
        ("1,250", "field.two_numbers"), ("-1.250", "field.two_numbers"),
        ("1,25,0", "field.no_number"), ("5 kg", "field.no_number"), ("1e9", "field.no_number"),
        ("9" * 16, "field.no_number"), (".", "field.no_number"), ("²", "field.no_number"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them_and_never_guessed(text: str, kept: str) -> None:
    assert code(text, GIVEN) == kept


@pytest.mark.parametrize(
    ("text", "order", "kept"),
    [
        ("2026-01-31", "", "2026-01-31"), ("2026/1/3", "", "2026-01-03"), ("2026-01-31 00:00:00", "", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "", "2026-01-31"), ("31/01/2026", "", "2026-01-31"), ("01/31/2026", "", "2026-01-31"),
        ("05/05/2026", "", "2026-05-05"), ("05.06.2026", "", "2026-06-05"), ("٣١/٠١/٢٠٢٦", "", "2026-01-31"),
        ("05/06/2026", "", "field.two_dates"), ("05/06/2026", "dmy", "2026-06-05"),
        ("05/06/2026", "mdy", "2026-05-06"), ("31/01/2026", "mdy", "field.no_date"),
        ("2026-02-30", "", "field.no_date"), ("31/1-2026", "", "field.no_date"), ("soon", "", "field.no_date"),
        ("1/2/26", "", "field.no_date"), ("0000-01-01", "", "field.no_date"),
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them_and_never_guessed(text: str, order: DayOrder, kept: str) -> None:
    assert code(text, BORN, order) == kept


@pytest.mark.parametrize(
    "text", ["ana@example.org", "Ana <a.b+c@mail.example.org>", "ana\uff20example.org", "بريد a@b.org"]
)
def test_an_address_is_kept_in_no_field(text: str) -> None:
    assert code(text, Definition("partner")) == "field.address"


@pytest.mark.parametrize("text", ["@ana", "3 @ 4 EUR", "a@b", "https://example.org/@ana"])
def test_not_every_at_sign_is_an_address(text: str) -> None:
    assert code(text, Definition("partner")) == text


def test_no_column_brings_an_address_in_in_the_clear(installation: Installation, bring: Importer) -> None:
    data = b"email,partner\nana@example.org,bo@example.org\ncy@example.org,@cy\n"
    row = bring(data, attributes={"partner": 1})
    with installation.database.read() as session:
        assert session.scalars(select(Member.attributes).order_by(Member.id)).all() == [{}, {"partner": "@cy"}]
        assert row.counts == {"new": 2}


def test_a_choice_is_kept_as_it_is_spelled_and_a_text_as_it_is() -> None:
    assert [code(one, SIZE) for one in ("small", "ano ½", "xl", "XXL")] == ["Small", "Año ½", "XL", "field.no_choice"]
    assert code("5 kg", Definition("text")) == "5 kg"


@given(st.text(max_size=40), st.sampled_from(["", "dmy", "mdy"]))
def test_what_fits_is_a_fixed_point_that_a_segment_understands(text: str, order: DayOrder) -> None:
    for wanted in (GIVEN, BORN, SIZE):
        fit = fitted(text, wanted, order)
        if isinstance(fit, str):
            assert fitted(fit, wanted, order) == fit
            assert wanted is not GIVEN or re.fullmatch(NUMERIC, fit)
            assert wanted is not BORN or date.fromisoformat(fit)


@given(st.dates(), st.decimals(-(10**9), 10**9, places=2))
def test_every_day_and_every_sum_fits(day: date, number: object) -> None:
    assert fitted(f"{day:%d/%m}/{day.year:04}", BORN, "dmy") == day.isoformat()
    fit = fitted(str(number), GIVEN)
    assert isinstance(fit, str)
    assert float(fit) == float(str(number))


@pytest.mark.parametrize(
    ("wanted", "wrong"),
    [
        (Definition(" "), "field.bad_key"),
        (Definition("x" * 61), "field.bad_key"),
        (Definition("a\nb"), "field.bad_key"),
        (Definition("Correo electrónico"), "field.usual"),
        (Definition("BORN"), "field.taken"),
        (Definition("x", "colour"), "field.bad_kind"),
        (Definition("x", "choice"), "field.bad_choices"),
        (Definition("x", "choice", tuple(map(str, range(51)))), "field.bad_choices"),
        (Definition("x", "choice", ("a", "Á")), "field.same_choices"),
        (Definition("x", "choice", ("x" * 201,)), "field.long_choice"),
    ],
)
def test_a_field_that_can_not_be_is_refused(installation: Installation, wanted: Definition, wrong: str) -> None:
    with installation.database.write() as session:
        assert define(session, BORN) == []
        assert [one.code for one in define(session, wanted)] == [wrong]
        assert list(definitions(session)) == ["born"]


def test_a_field_keeps_its_key_and_its_kind_when_it_is_renamed(installation: Installation) -> None:
    with installation.database.write() as session:
        assert define(session, SIZE) == []
        row = field_by_key(session, "size")
        assert row is not None
        assert [one.code for one in rename(row, {}, [])] == ["field.bad_choices"]
        assert rename(row, {"es": " Talla ", "fr": ""}, ["S", "S", " M "]) == []
        session.flush()
        found = definitions(session)["size"]
    assert found == Definition("size", "choice", ("S", "M"), {"es": "Talla"})
    assert (found.name_in("es"), found.name_in("ar")) == ("Talla", "size")


def test_columns_are_found_by_the_key_or_any_name_of_a_field_in_use() -> None:
    defined = {
        "born": Definition("born", "date", labels={"es": "Cumpleaños"}),
        "size": Definition("size", retired=True),
        "town": Definition("town"),
    }
    assert guess_fields(["Mail", "CUMPLEANOS", "size", "Town"], [3], defined) == {"born": 1}


def test_an_import_types_its_values_and_a_bad_one_is_left_blank_and_reported(
    installation: Installation, bring: Importer
) -> None:
    with installation.database.write() as session:
        for one in (BORN, GIVEN, SIZE):
            assert define(session, one) == []
    text = 'email,Born,given,SIZE,other\na@example.org,31/12/1990,"1 250,5",xl,x\nb@example.org,05/06/1990,lots,,y\n'
    columns = {"born": 1, "given": 2, "size": 3, "other": 4}
    with installation.database.read() as session:
        row = importing.draft(session, installation, 1, importing.look(BytesIO(text.encode())))
        assert row.options["attributes"] == {"born": 1, "given": 2, "size": 3}
    row = bring(text, attributes=columns)
    assert row.counts == {"new": 2}
    with installation.database.read() as session:
        held = sorted(session.scalars(select(Member.attributes)), key=len, reverse=True)
        assert held == [{"born": "1990-12-31", "given": "1250.5", "size": "XL", "other": "x"}, {"other": "y"}]
        [found] = importing.report(session, installation.keyring, row.id)
        said = [(one.where, one.code) for one in found.problems]
        assert brought_along(session) == ["other"]
    blank = "import.left_blank"
    assert (found.line, said) == (
        3,
        [("born", "field.two_dates"), ("born", blank), ("given", "field.no_number"), ("given", blank)],
    )
    assert "“lots”" in found.problems[2].text()


def test_a_dry_run_counts_the_rows_with_a_value_left_blank(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        assert define(session, GIVEN) == []
        row = importing.store(
            session, installation, list_id=friends, filename="f.csv", data=b"email,given\na@x.org,2\nb@x.org,?\n"
        )
        rehearsal = importing.rehearse(session, installation, row)
    assert (rehearsal.counts, rehearsal.blanked, rehearsal.people[0].attributes) == ({"new": 2}, 1, {"given": "2"})


def test_what_is_typed_into_a_record_is_kept_whole_or_not_at_all(installation: Installation, bring: Importer) -> None:
    bring("email\na@example.org\n")
    with installation.database.write() as session:
        for one in (BORN, GIVEN):
            define(session, one)
        member, defined = session.scalars(select(Member)).one(), in_use(definitions(session))
        assert write_values(session, member, {"born": "1990-12-31", "given": "3"}, defined) == {}
        problems = write_values(session, member, {"born": "", "given": "much"}, defined)
        assert [(key, one.code) for key, one in problems.items()] == [("given", "field.no_number")]
    with installation.database.write() as session:
        member = session.scalars(select(Member)).one()
        assert member.attributes == {"born": "1990-12-31", "given": "3"}
        assert write_values(session, member, {"born": ""}, defined) == {}
    with installation.database.read() as session:
        assert session.scalars(select(Member)).one().attributes == {"given": "3"}


def test_fields_are_kept_from_the_command_line(tmp_path: Path, database_url: str) -> None:
    def run(*words: str) -> Result:
        arguments = ["--home", str(tmp_path), "fields", *words]
        return CliRunner().invoke(main, arguments, env={"MOBILIZER_DATABASE_URL": database_url, "COLUMNS": "200"})

    assert (
        run("add", "size", "--kind", "choice", "--choice", "S", "--choice", "M", "--label", "es=Talla").exit_code == 0
    )
    assert run("change", "size", "--label", "fr=Taille").exit_code == 0
    assert run("retire", "size").exit_code == 0
    assert "retired" in run("list").output
    assert run("restore", "size").exit_code == 0
    [kept] = json.loads(run("list", "--json").output)
    assert (kept["labels"], kept["choices"], kept["retired"]) == ({"es": "Talla", "fr": "Taille"}, ["S", "M"], False)
    refused = run("retire", "none")
    assert (refused.exit_code, "There is no field “none”. Fields: size." in refused.output) == (1, True)
