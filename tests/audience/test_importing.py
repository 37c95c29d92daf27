"""Importing: good rows go in whole, every other one is reported, and a broken run goes on where it stood."""

from __future__ import annotations

import csv
import logging
import os
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from mobilizer.audience import importing, joining, running, sheet
from mobilizer.audience.candidates import Candidate, read_row
from mobilizer.audience.choices import Choices
from mobilizer.audience.imports import Import
from mobilizer.audience.joining import Joining
from mobilizer.audience.listing import create_list
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Identity, Member
from mobilizer.audience.rows import Row
from mobilizer.audience.sheet import refuse_larger, rows
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.audience.uploads import PIECE, Incoming, open_upload, upload_path, write_upload
from mobilizer.db import clock
from mobilizer.delivery import reconcile
from mobilizer.guarding import guard
from mobilizer.installation import Installation
from mobilizer.keys import BadSeal, Keyring
from tests.audience.conftest import CONSENT, Importer, report_of

HARD_NAMES = [
    'Ana "La Jefa" O\'Neil',
    "<script>alert(1)</script>",
    "Zoë 🏳️‍🌈 & Söhne, Ltd; | x",
    "فاطمة الزهراء",
    "山田太郎",
    "=cmd()|' /C calc'!A0",
    "{{ first_name }} %s %(name)s",
    "N" * 200,
    "nul\\0 \\n",
]


def table(*lines: list[str]) -> str:
    out = StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


def people(installation: Installation) -> dict[str, tuple[str, str]]:
    """Address -> (name, language) of everyone."""
    with installation.database.read() as session:
        found = [(member.identity(installation.keyring), member.language) for member in session.scalars(select(Member))]
    return {identity.email: (identity.name, language) for identity, language in found}


def test_names_arrive_intact(installation: Installation, bring: Importer) -> None:
    bring(table(["email", "name"], *[[f"p{n}@example.org", name] for n, name in enumerate(HARD_NAMES)]))
    assert [name for _, (name, _) in sorted(people(installation).items())] == HARD_NAMES


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=200))
def test_any_name_without_control_characters_is_kept_as_it_is(name: str) -> None:
    stream = BytesIO(table(["email", "name"], ["a@example.org", guard(name)]).encode())
    _, row = rows(stream, "utf-8", ",")
    read = read_row(row, Choices({"email": 0, "name": 1}, "en"))
    assert isinstance(read, Candidate)
    assert read.name.split() == name.strip("\ufeff\u200b").split()


def test_each_bad_row_is_named_and_the_good_ones_go_in(installation: Installation, bring: Importer) -> None:
    row = bring(
        table(
            ["email", "name", "language", "country", "time zone"],
            ["ana@example.org", "Ana", "Español", "Mexico", "america/mexico_city"],
            ["bad address", "Bob", "en", "", ""],
            ["cleo@example.org", "Cleo", "klingon", "", ""],
            ["Ana@Example.org", "Ana again", "es", "", ""],
            ["dan@example.org", "Dan\r\nBcc: all@example.org", "en", "Narnia", "Mars/Base"],
            ["eve@example.org", "E" * 3_000_000, "en", "", ""],
            ["fay@example.org", "F" * 400, "en", "", ""],
            [],
            ["gil@example.org", "=cmd()", "", "", ""],
            ["hal@example.org"],
        )
    )
    assert row.state == "done"
    assert row.counts == {"new": 4, "invalid": 3, "unknown_language": 1, "duplicate": 1}
    assert sum(row.counts.values()) == row.rows == row.rows_read
    assert people(installation) == {
        "ana@example.org": ("Ana", "es"),
        "dan@example.org": ("Dan Bcc: all@example.org", "en"),
        "gil@example.org": ("=cmd()", "en"),
        "hal@example.org": ("", "en"),
    }
    report = {found.line: [p.code for p in found.problems] for found in report_of(installation, row)}
    assert report == {
        3: ["address.no_at"],
        4: ["import.unknown_language"],
        5: ["import.duplicate"],
        6: ["import.name_mended", "import.unknown_country", "import.unknown_zone"],
        8: ["import.cell_too_long"],
        9: ["import.name_too_long"],
    }


def test_a_file_of_another_encoding_keeps_its_letters(installation: Installation, bring: Importer) -> None:
    bring("correo;nombre\nana@example.org;María Muñoz\n".encode("cp1252"))
    bring("email,name\nfatima@example.org,فاطمة الزهراء\n".encode("cp1256"))
    assert people(installation)["ana@example.org"][0] == "María Muñoz"
    assert people(installation)["fatima@example.org"][0] == "فاطمة الزهراء"


def test_rows_that_the_encoding_cannot_read_are_left_out(installation: Installation, bring: Importer) -> None:
    good = "".join(f"p{n}@example.org,Zoë Müller\n" for n in range(20)).encode()
    row = bring(b"email,name\n" + good + "b@example.org,José\n".encode("cp1252"))
    assert row.encoding == "utf-8-sig"
    assert row.counts == {"new": 20, "invalid": 1}
    assert report_of(installation, row)[0].problems[0].code == "import.unreadable_letters"


def test_a_file_without_a_column_of_addresses_does_not_start(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="x.csv", data=b"name,age\nAna,30\n")
        row.options = {**row.options, **CONSENT}
        assert [p.code for p in importing.start(session, row)] == ["import.no_email_column"]
        number = row.id
    importing.run_import(installation, number)
    with installation.database.read() as session:
        assert session.get_one(Import, number).state == "uploaded"
    assert people(installation) == {}


def test_a_file_that_cannot_be_read_leaves_nothing_behind(installation: Installation, friends: int) -> None:
    with pytest.raises(importing.Unreadable), installation.database.write() as session:
        importing.store(session, installation, list_id=friends, filename="x.xlsx", data=b"PK\x03\x04")
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Import)) == 0
    assert not list(installation.settings.home.glob("imports/*"))


def test_known_members_are_only_filled_where_blank(installation: Installation, bring: Importer) -> None:
    bring("email,name,language,country\nana@example.org,Ana,es,\nbob@example.org,,en,US\n")
    row = bring("email,name,language,country\nANA@example.org,Anna,fr,MX\nbob@example.org,Bob,en,CA\n")
    assert row.counts == {"updated": 2}
    assert people(installation) == {"ana@example.org": ("Ana", "es"), "bob@example.org": ("Bob", "en")}
    with installation.database.read() as session:
        assert list(session.scalars(select(Member.country).order_by(Member.id))) == ["MX", "US"]


def test_the_same_file_twice_changes_nothing(installation: Installation, bring: Importer) -> None:
    text = "email,name\nana@example.org,Ana\nbob@example.org,Bob\n"
    bring(text)
    assert bring(text).counts == {"unchanged": 2}
    assert len(people(installation)) == 2


def test_who_left_stays_away(installation: Installation, bring: Importer, friends: int) -> None:
    text = "email,name\nana@example.org,Ana\nbob@example.org,Bob\n"
    bring(text)
    with installation.database.write() as session:
        session.execute(Subscription.__table__.update().values(standing=Standing.UNSUBSCRIBED))  # type: ignore[attr-defined]
        other = create_list(session, "Others").id
    again, elsewhere = bring(text), bring(text, list_id=other)
    assert again.counts == elsewhere.counts == {"unsubscribed": 2}
    codes = [found.problems[0].code for found in report_of(installation, elsewhere)]
    assert codes == ["import.unsubscribed"] * 2
    with installation.database.read() as session:
        assert set(session.execute(select(Subscription.list_id, Subscription.standing))) == {(friends, "unsubscribed")}


def test_the_suppressed_are_not_brought_back(installation: Installation, bring: Importer) -> None:
    with installation.database.write() as session:
        suppress(session, installation.keyring.address_key("ana@example.org"), SuppressedFor.ERASED)
    row = bring("email\nana@example.org\nbob@example.org\n")
    assert row.counts == {"suppressed": 1, "new": 1}
    assert list(people(installation)) == ["bob@example.org"]
    assert report_of(installation, row)[0].verdict == "suppressed"


def test_a_member_of_another_list_joins_this_one_too(installation: Installation, bring: Importer) -> None:
    bring("email\nana@example.org\n")
    with installation.database.write() as session:
        other = create_list(session, "Others").id
    assert bring("email\nana@example.org\n", list_id=other, wording="I agree").counts == {"updated": 1}
    with installation.database.read() as session:
        found = session.get_one(Subscription, (other, session.scalar(select(Member.id))))
        assert (found.standing, found.how, found.wording) == ("confirmed", "Petition, 2026-03-08", "I agree")


def test_choices_of_words_languages_and_attributes_are_followed(installation: Installation, bring: Importer) -> None:
    row = bring(
        "email,language,city\nana@example.org,Qhichwa simi,Cusco\nbob@example.org,,Lyon\n",
        languages={"qhichwa simi": "es"},
        default_language="fr",
        attributes={"city": 2},
    )
    assert row.counts == {"new": 2}
    assert people(installation) == {"ana@example.org": ("", "es"), "bob@example.org": ("", "fr")}
    with installation.database.read() as session:
        assert list(session.scalars(select(Member.attributes).order_by(Member.id))) == [
            {"city": "Cusco"},
            {"city": "Lyon"},
        ]


def test_a_run_that_was_killed_goes_on_where_it_stood(
    installation: Installation, bring: Importer, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 10)
    text = "email\n" + "".join(f"p{n}@example.org\n" for n in range(35)) + "p3@example.org\nbad\n"
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=text.encode())
        row.options = {**row.options, **CONSENT}
        importing.start(session, row)
        number = row.id

    def killed(done: int, _rows: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.run_import(installation, number, killed)
    assert len(people(installation)) == 20
    importing.run_import(installation, number)
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        assert (row.state, row.rows_read) == ("done", 37)
        assert row.counts == {"new": 35, "duplicate": 1, "invalid": 1}
        assert row.finished_at is not None


def test_a_run_that_was_paused_goes_on_where_it_stood(
    installation: Installation, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 10)
    text = "email\n" + "".join(f"p{n}@example.org\n" for n in range(30))
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=text.encode())
        row.options = {**row.options, **CONSENT}
        assert not importing.pause(session, row), "nothing is under way"
        importing.start(session, row)
        number = row.id

    def pause(done: int, _rows: int) -> None:
        if done == 10:
            with installation.database.write() as session:
                assert importing.pause(session, session.get_one(Import, number))

    importing.run_import(installation, number, pause)
    importing.run_import(installation, number)
    with installation.database.write() as session:
        row = session.get_one(Import, number)
        assert (row.paused, row.rows_read, reconcile.running_imports(session)) == (True, 10, [])
        assert not importing.pause(session, row)
        assert importing.go_on(session, row)
        assert not importing.go_on(session, row)
        session.flush()
        assert reconcile.running_imports(session) == [number]
    importing.run_import(installation, number)
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        assert (row.state, row.counts, row.rows_read) == ("done", {"new": 30}, 30)


def test_of_a_large_file_the_beginning_is_looked_at_and_all_is_read(
    installation: Installation, bring: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "LOOKED_AT", 50_000)
    text = "email\n" + "".join(f"person{n}@example.org\n" for n in range(6000))
    looked = sheet.look(text.encode())
    assert looked.about
    assert abs(looked.rows - 6000) < 600
    row = bring(text)
    assert (row.rows, row.counts) == (6000, {"new": 6000})


def test_of_two_runs_at_once_one_gives_up(
    installation: Installation, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 10)
    text = "email\n" + "".join(f"p{n}@example.org\n" for n in range(30))
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=text.encode())
        row.options = {**row.options, **CONSENT}
        importing.start(session, row)
        number = row.id

    def overtake(done: int, _rows: int) -> None:
        if done == 10:
            with pytest.raises(KeyboardInterrupt):
                importing.run_import(installation, number, stop_at_20)

    def stop_at_20(done: int, _rows: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    # While one run stands after its first chunk, another does the second one and dies: the first must give up.
    importing.run_import(installation, number, overtake)
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        assert (row.state, row.counts, row.rows_read) == ("running", {"new": 20}, 20)
    importing.run_import(installation, number)
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        assert (row.state, row.counts, row.rows_read) == ("done", {"new": 30}, 30)


def test_a_chunk_that_fails_writes_nothing(
    installation: Installation, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=b"email\na@example.org\n")
        row.options = {**row.options, **CONSENT}
        importing.start(session, row)
        number = row.id

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(joining, "_subscribe", broken)
    with pytest.raises(RuntimeError):
        importing.run_import(installation, number)
    assert people(installation) == {}
    monkeypatch.undo()
    importing.run_import(installation, number)
    assert list(people(installation)) == ["a@example.org"]


def test_the_file_lies_sealed_and_is_gone_when_read(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=b"email\na@example.org\n")
        row.options = {**row.options, **CONSENT}
        importing.start(session, row)
        path = upload_path(installation.settings.home, row.id)
        number = row.id
    assert b"example" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    importing.run_import(installation, number)
    assert not path.exists()


def test_a_file_that_is_gone_or_changed_ends_the_import_with_a_reason(installation: Installation, friends: int) -> None:
    for spoil, code in ((Path.unlink, "gone"), (lambda path: path.write_bytes(b"x" * 90), "sealed")):
        with installation.database.write() as session:
            row = importing.store(session, installation, list_id=friends, filename="m.csv", data=b"email\na@b.org\n")
            row.options = {**row.options, **CONSENT}
            importing.start(session, row)
            number = row.id
        spoil(upload_path(installation.settings.home, number))
        importing.run_import(installation, number)
        with installation.database.read() as session:
            row = session.get_one(Import, number)
            assert row.state == "failed"
            failure = importing.failure_of(row)
            assert failure is not None
            assert failure.code == f"import.{code}"


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7]))
def test_what_is_uploaded_is_what_is_read(tmp_path: Path, size: int) -> None:
    keyring, path = Keyring({1: b"k" * 32}, b"i" * 32), tmp_path / "7.sealed"
    data = bytes(range(251)) * (size // 251 + 1)
    write_upload(path, keyring, BytesIO(data[:size]))
    with open_upload(path, keyring) as file:
        assert file.read() == data[:size]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 2 * PIECE), max_size=3), at=st.integers(0, 4 * PIECE), size=st.integers(0, 99))
def test_what_comes_in_is_read_from_anywhere_and_lies_sealed(
    tmp_path: Path, sizes: list[int], at: int, size: int
) -> None:
    pieces = [(bytes(range(251)) * (length // 251 + 1))[:length] for length in sizes]
    whole = b"".join(pieces)
    with Incoming(tmp_path) as incoming:
        for piece in pieces:
            incoming.write(piece)
        incoming.seek(at)
        assert incoming.read(size) == whole[at : at + size]
        assert incoming.seek(0, 2) == len(whole)
        incoming.seek(0)
        assert incoming.read() == whole
    assert list((tmp_path / "imports").iterdir()) == [], "it has no name"


def test_what_comes_in_is_unreadable_on_disk(tmp_path: Path) -> None:
    with Incoming(tmp_path) as incoming:
        incoming.write(b"ana@example.org\n" * 200_000)
        incoming.seek(0)
        held = [os.pread(number, 10_000_000, 0) for number in open_in(tmp_path / "imports")]
    assert held
    assert max(map(len, held)) > 3_000_000
    assert b"example" not in b"".join(held)


def open_in(folder: Path) -> list[int]:
    """The descriptors of this process that are open on files in a folder, named or not."""
    places = {int(one.name): os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()}
    return [number for number, place in places.items() if place.startswith(str(folder))]


def test_an_upload_cut_short_or_reordered_does_not_open(tmp_path: Path) -> None:
    keyring, path = Keyring({1: b"k" * 32}, b"i" * 32), tmp_path / "7.sealed"
    write_upload(path, keyring, BytesIO(b"a" * PIECE + b"b" * PIECE))
    whole = path.read_bytes()
    for spoilt in (whole[: len(whole) // 2], whole[len(whole) // 2 :] + whole[: len(whole) // 2], whole[:-3]):
        path.write_bytes(spoilt)
        with pytest.raises(BadSeal), open_upload(path, keyring) as file:
            file.read()


def test_the_report_opens_safely_and_can_be_mended_and_uploaded(installation: Installation, bring: Importer) -> None:
    row = bring("email,name,language\nana@example.org,=cmd(),klingon\nbad,+1,en\nok@example.org,Ok,en\n")
    with installation.database.read() as session:
        text = "".join(importing.report_csv(session, installation.keyring, row))
    lines = list(csv.reader(StringIO(text.removeprefix("\ufeff"))))
    assert lines[0] == ["email", "name", "language", "Line", "Verdict", "What to mend"]
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]
    again = bring(text.replace("klingon", "es", 1).replace("bad,", "bob@example.org,", 1))
    assert again.counts == {"new": 2}
    assert people(installation)["ana@example.org"] == ("=cmd()", "es")
    assert people(installation)["bob@example.org"] == ("+1", "en")


def test_a_report_has_every_row_whole_however_many(
    installation: Installation, bring: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobilizer.audience.running.CHUNK", 4)
    monkeypatch.setattr("mobilizer.audience.reporting.READ_AT_ONCE", 3)
    long = "x" * 2000
    row = bring("email,note\n" + f"bad,{long}\n" * 10 + "a@example.org,\n")
    assert row.counts == {"invalid": 10, "new": 1}
    whole = [(line, ("bad", long)) for line in range(2, 12)]
    assert [(found.line, found.cells) for found in report_of(installation, row)] == whole
    with installation.database.read() as session:
        assert importing.report_length(session, row.id) == 10
        first, more = importing.report_page(session, installation.keyring, row.id, 0, 6)
        assert more == 6
        rest, more = importing.report_page(session, installation.keyring, row.id, more, 6)
        assert more is None
        assert [(found.line, found.cells) for found in first + rest] == whole


def test_a_rehearsal_says_what_would_happen_and_writes_nothing(installation: Installation, friends: int) -> None:
    text = "email,name,language\na@example.org,A,es\nb@example.org,B,klingon\na@example.org,A,es\nbad,C,en\n"
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=text.encode())
        found = importing.rehearse(session, installation, row)
    assert found.counts == {"new": 1, "unknown_language": 1, "duplicate": 1, "invalid": 1}
    assert (found.unknown_languages, found.languages) == ({"klingon": 1}, {"es": 1})
    assert [person.name for person in found.people] == ["A"]
    assert [refused.line for refused in found.refused] == [3, 4, 5]
    assert people(installation) == {}


def test_an_import_can_be_thrown_away_before_it_starts(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=b"email\na@example.org\n")
        path = upload_path(installation.settings.home, row.id)
        importing.discard(session, installation, row)
    assert not path.exists()


def test_an_import_of_a_list_that_was_deleted_does_nothing(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=b"email\na@example.org\n")
        row.options = {**row.options, **CONSENT}
        importing.start(session, row)
        number = row.id
    with installation.database.write() as session:
        session.execute(delete(Import))
    importing.run_import(installation, number)
    assert people(installation) == {}


def test_no_log_line_holds_an_address(bring: Importer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        bring("email,name\nana@example.org,Ana\nbad address@example.org,Bob\n")
    assert "example.org" not in caplog.text


def test_a_person_who_left_one_of_two_lists_may_join_a_third() -> None:
    member = Member(language="es", attributes={})
    identity = Identity("ana@example.org", "Ana")
    read = read_row(Row(2, ["ana@example.org"]), Choices({"email": 0}, "es"))
    standings = {1: Standing.UNSUBSCRIBED, 2: Standing.CONFIRMED}
    assert isinstance(read, Candidate)

    def joins(list_id: int, standings: dict[int, Standing]) -> bool:
        return joining.decide(read, identity, member, standings, Joining(list_id, "", "")).joins

    assert joins(3, standings)
    assert not joins(1, standings)
    assert not joins(1, {1: Standing.PENDING})


@pytest.mark.parametrize("text", ["email,name\nana@example.org,Ana\nbob@exam", 'email,name\nana@example.org,Ana\n"bob'])
def test_half_a_row_at_the_end_is_reported(bring: Importer, text: str) -> None:
    assert bring(text).counts == {"new": 1, "invalid": 1}


def test_a_row_with_nul_bytes_is_reported(installation: Installation, bring: Importer) -> None:
    row = bring("email,name\n" + "".join(f"p{n}@example.org,Person of some name\n" for n in range(9)) + "a@b.org,A\0\n")
    assert row.counts == {"new": 9, "invalid": 1}
    assert [p.code for found in report_of(installation, row) for p in found.problems] == ["import.nul"]


def test_ten_thousand_columns_are_too_many(bring: Importer) -> None:
    with pytest.raises(importing.Unreadable, match="too_wide"):
        bring("email" + ",x" * 10_000 + "\na@example.org\n")


def test_a_cell_too_many_costs_its_row(installation: Installation, bring: Importer) -> None:
    lines = [
        "email,name",
        "ana@example.org,Ana,,",
        "bob@example.org,Bob,or so",
        "a <c@example.org>, d <d@example.org>,x",
    ]
    lines += [f"p{n}@example.org,P" for n in range(9)]
    row = bring("\n".join(lines))
    assert row.counts == {"new": 10, "invalid": 2}
    found = report_of(installation, row)[0]
    assert found.problems[0].text() == (
        "This row has more cells than there are columns (3, not 2). Put quotation marks round a cell that has a "
        "delimiter in it."
    )


def test_the_names_of_the_columns_once_more_are_nobody(installation: Installation, bring: Importer) -> None:
    row = bring("Correo,Nombre\nana@example.org,Ana\nCorreo,Nombre\nbob@example.org,Bob\n")
    assert row.counts == {"new": 2, "invalid": 1}
    assert report_of(installation, row)[0].problems[0].code == "import.header_again"


def test_below_titles_only_people_are_read(installation: Installation, bring: Importer) -> None:
    row = bring("Our members\n\nemail,name\nana@example.org,Ana\nnobody,No\n")
    assert row.counts == {"new": 1, "invalid": 1}
    assert report_of(installation, row)[0].line == 5


def test_a_file_with_nobody_in_it_does_not_start(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="x.csv", data=b"email,name\n")
        looked = importing.look_again(installation, row)
        assert [p.code for p in importing.choose(installation.keyring, row, looked, row.columns, CONSENT)] == [
            "import.nobody"
        ]


def test_a_file_beyond_the_limit_is_refused_before_it_is_read() -> None:
    class Huge(BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return 2_000_000_000

        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("nobody reads it")

    with pytest.raises(importing.Unreadable) as caught:
        refuse_larger(Huge(), 100_000_000)
    refuse_larger(Huge(), 2_000_000_000)
    assert caught.value.problem.text() == "The file has 2000 MB; at most 100 MB can be read at once. Cut it into parts."


def test_who_is_taken_for_the_header_is_not_kept_in_the_clear(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        data = b"ana@example.org,Ana Sol\nbob@example.org,Bob\n"
        row = importing.store(session, installation, list_id=friends, filename="x.csv", data=data)
        looked = importing.look_again(installation, row, has_header=True)
        assert importing.choose(installation.keyring, row, looked, {"email": 0}, CONSENT) == []
        assert row.header(installation.keyring) == ("", "Ana Sol")
        assert "example" not in str(row.options)
        assert "Sol" not in str(row.options)


def test_the_name_of_a_file_is_sealed(installation: Installation, friends: int) -> None:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="Ana Sol.csv", data=b"email\na@b.org\n")
        assert row.filename(installation.keyring) == "Ana Sol.csv"
        assert b"Ana" not in (row.sealed_name or b"")


def test_a_file_that_waits_for_more_than_a_day_is_thrown_away(installation: Installation, friends: int) -> None:
    def kept() -> list[str]:
        return sorted(path.name for path in (installation.settings.home / "imports").iterdir())

    with installation.database.write() as session:
        rows = [
            importing.store(session, installation, list_id=friends, filename="x.csv", data=b"email\na@example.org\n")
            for _ in range(3)
        ]
        old, started, fresh = (row.id for row in rows)
        rows[1].options = {**rows[1].options, **CONSENT}
        assert importing.start(session, rows[1]) == []
        session.execute(update(Import).where(Import.id != fresh).values(created_at=clock(-25 * 3600)))
    with installation.database.write() as session:
        importing.forget_uploads(session, installation)
    assert kept() == [f"{started}.sealed", f"{fresh}.sealed"]
    with installation.database.read() as session:
        assert session.get(Import, old) is None
