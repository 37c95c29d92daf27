"""Members go out as a file and come in again unchanged, whatever they are called; no spreadsheet runs a cell of it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from mobilizer.audience import importing, takeout
from mobilizer.audience.columns import IMPORT_FIELDS
from mobilizer.audience.fields import define
from mobilizer.audience.fitting import Definition
from mobilizer.audience.imports import Import
from mobilizer.audience.joining import change_member
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.audience.tagging import put_on
from mobilizer.cli import main
from mobilizer.guarding import unguard
from mobilizer.installation import Installation, install
from mobilizer.organizers.audit import AuditEntry
from tests.worlds import World

NAMES = ("=HYPERLINK(1)", "+49 Ana", "-Bo", "@Cy", "'=Di, “Ed”", '"Flo"', "أحمد")
CELLS = st.lists(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])), min_size=2, max_size=5)


@pytest.fixture
def named(world: World) -> World:
    """Members whose names are hard on a spreadsheet, with attributes."""
    world.join(["ar", "es"])
    here = world.installation
    with here.database.write() as session:
        assert not isinstance(define(session, Definition("size", "choice", ("S", "M"))), str)
        for number, name in zip(world.members, NAMES, strict=True):
            member = session.get_one(Member, number)
            change = {"name": name, "country": "MX", "time_zone": "America/Mexico_City", "second_language": "pt"}
            change_member(session, here.keyring, member, {**change, "attributes": {"size": "M", "old": "=1"}})
        put_on(session, {world.members[0]: ["press", "=Freunde"], world.members[1]: ["press"]})
    return world


def text_of(here: Installation, wanted: takeout.Wanted | None = None) -> str:
    return "".join(text for _, text in takeout.take_out(here.database, here.keyring, wanted or takeout.Wanted()))


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))


def brought_in(world: World, text: str) -> dict[str, int]:
    """A file comes in again, by the columns that are guessed and those of the fields; how many rows of each verdict."""
    here, header = world.installation, rows_of(text)[0]
    with here.database.write() as session:
        row = importing.store(session, here, list_id=world.list_id, filename="x.csv", data=text.encode())
        assert set(row.columns) == IMPORT_FIELDS.keys() - {"first_name", "last_name"}
        fields = {name: at for at, name in enumerate(header) if name in ("size", "old")}
        consent = {"consent_source": "Export", "consent_date": "2026-03-08"}
        row.options = {**row.options, **consent, "known": "replace", "attributes": fields}
        assert importing.start(session, row) == []
        number = row.id
    importing.run_import(here, number)
    with here.database.read() as session:
        return session.get_one(Import, number).counts


def test_what_goes_out_comes_in_unchanged(named: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeout, "CHUNK", 3)
    here = named.installation
    text = text_of(here)
    assert len(rows_of(text)) == 1 + len(named.members)
    assert [row[7] for row in rows_of(text)[1:4]] == ["'=Freunde, press", "press", ""]
    assert brought_in(named, text) == {"unchanged": len(named.members)}
    assert text_of(here) == text


def test_all_that_goes_out_comes_back_where_nobody_is_known(named: World) -> None:
    here = named.installation
    with here.database.write() as session:
        some = update(Subscription).where(Subscription.member_id.in_(named.members[:2]))
        agreed = {"joined_at": datetime(2020, 3, 9, tzinfo=UTC), "how": "March in Lisbon, 2020-03-08"}
        session.execute(some.values(**agreed, wording="Quero correio", wording_language="pt"))
    before = text_of(here)
    with here.database.write() as session:
        session.execute(delete(Member))
    assert brought_in(named, before) == {"new": len(named.members)}
    assert sorted(rows_of(text_of(here))) == sorted(rows_of(before)), "with whom, when, how and to what they agreed"
    with here.database.read() as session:
        moments = session.execute(select(Subscription.joined_at, Subscription.changed_at)).all()
        assert all(joined == changed for joined, changed in moments), "nobody has touched it since"


def test_consent_that_a_row_cannot_mean_is_left_to_what_the_file_tells(named: World) -> None:
    here = named.installation
    header = ",".join(takeout.HEADER)
    text = f"{header}\nz@example.org,Z,en,,,,,,2999-01-01,by ana@example.org,,\n"
    assert brought_in(named, text) == {"new": 1}
    with here.database.read() as session:
        [found] = importing.report(session, here.keyring, 1)
        assert [problem.code for problem in found.problems] == ["import.consent_left_out"]
        how = (
            select(Subscription.how).join(Member).where(Member.address_key == here.keyring.address_key("z@example.org"))
        )
        assert session.scalars(how).one() == "Export, 2026-03-08"


def test_when_and_how_they_came_is_of_the_list_that_is_asked(named: World) -> None:
    here, ana = named.installation, named.members[0]
    other = named.make_list("other")
    with here.database.write() as session:
        session.add(
            Subscription(
                list_id=other,
                member_id=ana,
                standing=Standing.CONFIRMED,
                how="March in Lisbon, 2020-03-08",
                joined_at=datetime(2020, 3, 9, 23, tzinfo=UTC),
            )
        )
    at = takeout.HEADER.index("joined")
    told = ["2020-03-09", "March in Lisbon, 2020-03-08"]
    assert rows_of(text_of(here, takeout.Wanted(list_id=other)))[1][at : at + 2] == told
    assert rows_of(text_of(here))[1][at : at + 2] == told
    assert rows_of(text_of(here, takeout.Wanted(list_id=named.list_id)))[1][at + 1] == "test"


def test_no_cell_is_a_formula(named: World) -> None:
    cells = [cell for row in rows_of(text_of(named.installation)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    assert {unguard(cell) for cell in cells} >= set(NAMES)


@given(st.lists(CELLS, min_size=1, max_size=4))
def test_every_cell_comes_back_as_it_was(rows: list[list[str]]) -> None:
    lines = rows_of(takeout._lines(rows))
    assert [[unguard(cell) for cell in row] for row in lines] == rows


def test_who_left_or_is_suppressed_stays_in(named: World) -> None:
    here, (ana, bo, cy, *_) = named.installation, named.members
    other = named.make_list("other")
    with here.database.write() as session:
        session.execute(
            update(Subscription).where(Subscription.member_id == ana).values(standing=Standing.UNSUBSCRIBED)
        )
        suppress(session, session.get_one(Member, bo).address_key, SuppressedFor.COMPLAINT)
        session.add(Subscription(list_id=other, member_id=cy, standing=Standing.CONFIRMED, how="test"))
    assert len(rows_of(text_of(here))) == 1 + len(named.members) - 2
    assert len(rows_of(text_of(here, takeout.Wanted(list_id=other)))) == 2
    assert {row[2] for row in rows_of(text_of(here, takeout.Wanted(language="es")))[1:]} == {"es"}


@pytest.mark.parametrize("reason", ["", "short", "for ana@example.org, who asked for it", "x" * 301])
def test_a_reason_is_a_sentence_without_an_address(reason: str) -> None:
    assert takeout.reason_problems(reason)
    assert takeout.reason_problems("For the printers of the May letter") == []


def test_the_command_writes_a_file_of_ones_own(
    settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install(settings)  # type: ignore[arg-type]
    world = World(here)
    world.make_list()
    world.join(["en", "es"])
    monkeypatch.setenv("DATABASE_URL", here.settings.database_url)
    file = tmp_path / "out.csv"
    command = ["--home", str(here.settings.home), "members", "export", str(file), "--language", "es", "--reason"]
    done = CliRunner().invoke(main, [*command, "For the printers of the May letter"])
    assert done.exit_code == 0, done.output
    assert "1 members are in" in done.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(rows_of(file.read_text("utf-8"))) == 2
    assert CliRunner().invoke(main, [*command, "For the printers of the May letter"]).exit_code == 1
    assert CliRunner().invoke(main, [*command, "no"]).exit_code == 2
    nowhere = [*command[:4], str(tmp_path / "no" / "out.csv"), *command[5:], "For the printers of the May letter"]
    assert "can't be written" in CliRunner().invoke(main, nowhere).output
    with here.database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.detail["people"], entry.detail["language"]) == ("members.export", 1, "es")
    here.database.close()
