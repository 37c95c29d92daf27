"""Importing: from an upload to the report, through the real job; and files that can't be read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from mobilizer.audience.importing import run_import
from mobilizer.audience.imports import Import
from mobilizer.audience.members import Member
from mobilizer.audience.rehearsing import ImportRehearsal, run_rehearsal
from mobilizer.audience.sheet import look
from mobilizer.audience.undoing import run_undo
from mobilizer.audience.uploads import Incoming
from mobilizer.delivery import reconcile
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.rights.holding import held
from mobilizer.web import imports
from tests.audience.books import archive, xlsx
from tests.web.conftest import Browser
from tests.worlds import World

CSV = """Nombre;Correo electrónico;Idioma;País;Ciudad
María José Núñez;maria@example.org;Español;España;Sevilla
"O'Neil; Zoë";zoe@example.org;en;IE;Cork
سارة الأمين;sara@example.org;Arabic;LB;بيروت
Nobody;not-an-address;es;ES;X
Twice;MARIA@example.org;es;ES;X
=cmd();calc@example.org;es;ES;=1+1
Worf;worf@example.org;tlhIngan;;Qo'noS
<b>Sofía</b>;sofia@example.org;castellano;MX;Puebla
"""
CHOICE = {
    "column-0": "name",
    "column-1": "email",
    "column-2": "language",
    "column-3": "country",
    "column-4": "extra",
    "encoding": "utf-8-sig",
    "delimiter": ";",
    "has_header": "yes",
    "default_language": "es",
    "consent_source": "March in Sevilla",
    "consent_date": "2026-03-08",
}
CONSENT = {name: CHOICE[name] for name in ("consent_source", "consent_date")}


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would go to the queue; the tests run it themselves."""
    queued: list[tuple[str, int]] = []

    def enqueue(_installation: Installation, kind: str, number: int) -> bool:
        queued.append((kind, number))
        return True

    monkeypatch.setattr(imports, "enqueue", enqueue)
    return queued


def upload(browser: Browser, data: bytes, name: str = "miembros.csv") -> Any:
    return browser.post("/lists/everyone/import", file=(io.BytesIO(data), name))


def number_of(location: str) -> int:
    found = re.search(r"/imports/(\d+)", location)
    assert found
    return int(found[1])


def members(installation: Installation) -> int:
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(Member)) or 0


def test_a_file_goes_from_upload_to_report(
    organizer: Browser, world: World, installation: Installation, queued: list[tuple[str, int]]
) -> None:
    answer = upload(organizer, CSV.encode())
    assert answer.status_code == 303
    number = number_of(answer.location)
    page = organizer.get(answer.location).text
    assert "8 rows" in page
    assert "María José Núñez" in page
    assert re.search(r'name="column-1"(?:(?!</select>).)*value="email" selected', page, re.DOTALL)

    answer = organizer.post(f"/imports/{number}/columns", go="1", wording="I want mail", **CHOICE)
    assert answer.location == f"/imports/{number}/check"
    page = organizer.get(answer.location).text
    assert "Import 5 people" in page
    assert "“not-an-address” has no @ sign" in page
    assert "“tlhIngan” (1 row) is" in page
    assert members(installation) == 5, "nothing is written before the start"

    organizer.post(f"/imports/{number}/languages", word="tlhIngan", tag="fr")
    assert "Import 6 people" in organizer.get(f"/imports/{number}/check").text

    answer = organizer.post(f"/imports/{number}/start")
    assert answer.location == f"/imports/{number}"
    assert queued == [("import", number)]
    running = organizer.get(answer.location).text
    assert "0 of 8 rows are read." in running
    assert 'data-live="2"' in running
    assert '<meta http-equiv="refresh"' in running

    run_import(installation, number)
    done = organizer.get(answer.location).text
    assert "All rows are read" in done
    assert "data-live" not in done
    assert "The same address is on line 2 already" in done
    assert members(installation) == 11
    worf = organizer.post("/members/search", email="worf@example.org").location
    assert "Français" in organizer.get(worf).text
    sofia = organizer.get(organizer.post("/members/search", email="sofia@example.org").location).text
    assert "&lt;b&gt;Sofía&lt;/b&gt;" in sofia
    assert "Puebla" in sofia


def test_the_rows_to_mend_come_as_a_file_that_no_spreadsheet_runs(
    organizer: Browser, world: World, installation: Installation
) -> None:
    data = b"email,name\nnobody,=cmd()\nana@example.org,Ana\n"
    number = number_of(upload(organizer, data).location)
    organizer.post(
        f"/imports/{number}/columns",
        go="1",
        **{"column-0": "email", "column-1": "name"},
        default_language="en",
        **CONSENT,
    )
    organizer.post(f"/imports/{number}/start")
    run_import(installation, number)
    answer = organizer.get(f"/imports/{number}/problems.csv")
    assert answer.mimetype == "text/csv"
    assert f'filename="import-{number}-problems.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[1][:3] == ["nobody", "'=cmd()", "2"]
    assert "has no @ sign" in rows[1][4]


def test_pressed_twice_it_runs_once(organizer: Browser, world: World, installation: Installation) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    for _ in range(2):
        assert organizer.post(f"/imports/{number}/start").location == f"/imports/{number}"
    run_import(installation, number)
    assert organizer.post(f"/imports/{number}/start").location == f"/imports/{number}"
    run_import(installation, number)
    with installation.database.read() as session:
        assert session.get_one(Import, number).counts["new"] == 5


def test_an_import_is_paused_and_goes_on(
    organizer: Browser, world: World, installation: Installation, queued: list[tuple[str, int]]
) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    organizer.post(f"/imports/{number}/start")
    for _ in range(2):
        assert organizer.post(f"/imports/{number}/pause").location == f"/imports/{number}"
    page = organizer.get(f"/imports/{number}").text
    assert "The import is paused" in page
    assert "data-live" not in page
    run_import(installation, number)
    assert members(installation) == 5
    for _ in range(2):
        organizer.post(f"/imports/{number}/resume")
    assert queued == [("import", number)] * 2, "once for the start, once for going on"
    run_import(installation, number)
    assert members(installation) == 10
    assert organizer.post(f"/imports/{number}/pause").location == f"/imports/{number}"
    assert "All rows are read" in organizer.get(f"/imports/{number}").text


def test_what_is_pasted_from_a_spreadsheet_is_imported(
    organizer: Browser, world: World, installation: Installation
) -> None:
    pasted = "Nombre\tCorreo\r\nAna Núñez\tana@example.org\r\nBob\tbob@example.org"
    answer = organizer.post("/lists/everyone/import", pasted=pasted)
    number = number_of(answer.location)
    page = organizer.get(answer.location).text
    assert "Ana Núñez" in page
    assert f"Import {number}" in page
    organizer.post(f"/imports/{number}/columns", go="1", **{**CHOICE, "delimiter": "\t", "column-4": ""})
    organizer.post(f"/imports/{number}/start")
    run_import(installation, number)
    assert members(installation) == 7


def test_addresses_pasted_from_a_mail_are_a_person_each(
    organizer: Browser, world: World, installation: Installation
) -> None:
    answer = organizer.post("/lists/everyone/import", pasted="Ana <ana@example.org>, bob@example.org; c@example.org")
    page = organizer.get(answer.location).text
    assert "3 rows" in page
    assert "More than one column holds addresses" not in page
    answer = organizer.post("/lists/everyone/import", pasted='"Sol, Ana" <ana@example.org>;bob@example.org')
    assert "More than one column holds addresses" in organizer.get(answer.location).text


def test_a_file_with_nobody_in_it_says_so_at_once(organizer: Browser, world: World) -> None:
    number = number_of(upload(organizer, b"email,name\n").location)
    assert "and nobody below them" in organizer.get(f"/imports/{number}/columns").text
    answer = organizer.post(
        f"/imports/{number}/columns", go="1", **{"column-0": "email"}, default_language="en", **CONSENT
    )
    assert answer.status_code == 422


def test_a_wrong_encoding_shows_in_the_words_that_tell(organizer: Browser, world: World) -> None:
    plain = "".join(f"p{n}@example.org,P\n" for n in range(40))
    number = number_of(upload(organizer, f"email,name\n{plain}z@example.org,Zoë\n".encode()).location)
    page = organizer.get(f"/imports/{number}/columns").text
    assert "Do these words look right?" in page
    assert '<bdi class="cell">Zoë</bdi>' in page
    page = organizer.post(f"/imports/{number}/columns", look="1", encoding="cp1252", delimiter=",").text
    assert '<bdi class="cell">ZoÃ«</bdi>' in page


def test_a_sheet_of_a_workbook_is_chosen(organizer: Browser, world: World, installation: Installation) -> None:
    book = xlsx({"Notes": [["call them"]], "People": [["email", "name"], ["ana@example.org", "Ana"]]})
    number = number_of(upload(organizer, book, "members.csv").location)
    page = organizer.get(f"/imports/{number}/columns").text
    assert '<option value="1">People</option>' in page
    assert 'id="f-delimiter"' not in page
    page = organizer.post(f"/imports/{number}/columns", look="1", encoding="xlsx", sheet="1").text
    assert "ana@example.org" in page
    form = {
        "encoding": "xlsx",
        "sheet": "1",
        "column-0": "email",
        "column-1": "name",
        "default_language": "es",
        **CONSENT,
    }
    assert organizer.post(f"/imports/{number}/columns", go="1", **form).location.endswith("/check")
    organizer.post(f"/imports/{number}/start")
    run_import(installation, number)
    assert members(installation) == 6


def test_a_file_too_large_is_refused_unread_and_the_limit_is_named(organizer: Browser, world: World) -> None:
    def claim(path: str, size: int) -> Any:
        kind, claimed = "multipart/form-data; boundary=x", {"CONTENT_LENGTH": str(size)}
        return organizer.client.post(path, content_type=kind, environ_overrides=claimed)

    answer = claim("/lists/everyone/import", 5_000_000_000)
    assert answer.status_code == 413
    assert "at most 4,001 MB as a file, 2 MB as text" in answer.text
    assert claim("/lists/everyone/import", 2_000_000_000).status_code != 413
    assert claim("/imports/1/columns", 2_000_000_000).status_code == 413


def test_a_file_is_sealed_while_it_arrives(
    organizer: Browser, world: World, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(imports, "look", lambda stream: seen.append(stream) or look(stream))
    data = b"email\n" + b"".join(b"person%d@example.org\n" % n for n in range(10_000))
    number = number_of(upload(organizer, data, "Ana Sol.csv").location)
    assert [type(stream) for stream in seen] == [Incoming]
    assert "Ana Sol.csv" in organizer.get(f"/imports/{number}/columns").text
    with installation.database.read() as session:
        assert session.get_one(Import, number).rows == 10_000
    assert [path.name for path in (installation.settings.home / "imports").iterdir()] == [f"{number}.sealed"]


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "", "Choose a file on your computer, or paste"),
        (b"", "empty.csv", "The file has no rows"),
        (archive({"members.csv": CSV}), "members.csv", "This is a ZIP archive"),
        (b"PK\x03\x04" + b"x" * 100, "members.xlsx", "The workbook is damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "cat.csv", "neither a text file nor a workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_not_kept(
    organizer: Browser, world: World, installation: Installation, data: bytes, name: str, said: str
) -> None:
    answer = upload(organizer, data, name)
    assert answer.status_code == 422
    assert said in answer.text
    with installation.database.read() as session:
        assert session.scalars(select(Import)).all() == []


def test_another_encoding_is_tried_before_anything_is_chosen(organizer: Browser, world: World) -> None:
    number = number_of(upload(organizer, "email;nombre\nana@example.org;Begoña\n".encode("cp1252")).location)
    wrong = organizer.post(f"/imports/{number}/columns", look="1", encoding="cp1251", delimiter=";")
    assert "Bego\u0441a" in wrong.text or "Begoсa" in wrong.text
    right = organizer.post(f"/imports/{number}/columns", look="1", encoding="cp1252", delimiter=";")
    assert "Begoña" in right.text
    assert organizer.post(f"/imports/{number}/columns", look="1", encoding="no-such").status_code == 400


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"column-1": ""}, "No column holds the e-mail addresses"),
        ({"column-0": "email"}, "Two columns are chosen as"),
        ({"default_language": "klingon"}, "is not a language code"),
        ({"consent_source": ""}, "Say where these people agreed"),
        ({"consent_source": "ana@example.org"}, "without anybody&#39;s address"),
        ({"consent_date": "last week"}, "as a date like 2026-03-08"),
        ({"consent_date": "2999-01-01"}, "Look at the year"),
        ({"consent_date": "1026-03-08"}, "Look at the year"),
    ],
)
def test_a_choice_that_cannot_work_is_refused_and_kept_in_the_form(
    organizer: Browser, world: World, installation: Installation, change: dict[str, str], said: str
) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    answer = organizer.post(f"/imports/{number}/columns", go="1", **{**CHOICE, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert re.search(r'name="column-4"(?:(?!</select>).)*value="extra" selected', answer.text, re.DOTALL)
    with installation.database.read() as session:
        assert session.get_one(Import, number).options.get("attributes", {}) == {}


def test_a_file_is_thrown_away_with_what_was_kept_of_it(
    organizer: Browser, world: World, installation: Installation
) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    kept = installation.settings.home / "imports"
    assert len(list(kept.iterdir())) == 1
    assert organizer.post(f"/imports/{number}/discard").location == "/lists/everyone"
    assert list(kept.iterdir()) == []
    assert organizer.get(f"/imports/{number}").status_code == 404


def test_no_address_lies_in_the_clear_while_a_file_waits(
    organizer: Browser, world: World, installation: Installation
) -> None:
    upload(organizer, CSV.encode())
    for path in (installation.settings.home / "imports").iterdir():
        assert b"example.org" not in path.read_bytes()


def test_a_file_that_is_gone_says_so(organizer: Browser, world: World, installation: Installation) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    for path in (installation.settings.home / "imports").iterdir():
        path.unlink()
    page = organizer.get(f"/imports/{number}/columns")
    assert page.status_code == 422
    assert "The uploaded file is gone" in page.text
    assert organizer.get(f"/imports/{number}/check").status_code == 303


def test_an_import_is_undone_as_the_page_says(
    organizer: Browser, world: World, installation: Installation, queued: list[tuple[str, int]]
) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    organizer.post(f"/imports/{number}/start")
    run_import(installation, number)
    page = organizer.get(f"/imports/{number}").text
    assert "5 people came onto the list by it and have not changed since" in page
    assert "5 of them were never sent a mail" in page
    assert members(installation) == 10
    queued.clear()
    for _ in range(2):
        assert organizer.post(f"/imports/{number}/undo").location == f"/imports/{number}"
    assert queued == [("import", number)]
    assert "The import is being undone" in organizer.get(f"/imports/{number}").text
    run_undo(installation, number, held)
    done = organizer.get(f"/imports/{number}").text
    assert "The import was undone" in done
    assert "data-live" not in done
    assert f"/imports/{number}/undo" not in done
    assert members(installation) == 5
    with installation.database.read() as session:
        entries = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"import:{number}")).all()
    assert entries == ["import.upload", "import.start", "import.undo"]


def test_who_may_not_import_may_not_undo(organizer: Browser, signed_in: Callable[..., Browser], world: World) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    assert signed_in(Role.VIEWER).post(f"/imports/{number}/undo").status_code == 403
    assert organizer.post(f"/imports/{number}/undo").location == f"/imports/{number}"


def test_the_export_of_another_tool_is_named_and_its_columns_are_filled_in(organizer: Browser, world: World) -> None:
    data = b"uuid,email,name,attributes,status\nu1,ana@example.org,Ana,{},blocklisted\n"
    number = number_of(upload(organizer, data).location)
    page = organizer.get(f"/imports/{number}/columns").text
    assert "This is an export of listmonk" in page
    assert '<option value="status" selected>Subscribed or not</option>' in page


@pytest.mark.parametrize("act", ["columns", "discard"])
def test_of_two_tabs_the_later_changes_nothing_of_a_run(
    organizer: Browser,
    world: World,
    installation: Installation,
    signed_in: Callable[..., Browser],
    monkeypatch: pytest.MonkeyPatch,
    act: str,
) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    other = signed_in(Role.ADMIN)
    pressed = Thread(target=other.post, args=(f"/imports/{number}/start",))
    verb = "choose" if act == "columns" else act
    really = getattr(imports.importing, verb)

    def while_another_starts(*asked: Any) -> Any:
        pressed.start()
        pressed.join(0.3)  # without a lock it is over by now
        return really(*asked)

    monkeypatch.setattr(imports.importing, verb, while_another_starts)
    organizer.post(f"/imports/{number}/{act}", go="1", **{**CHOICE, "column-0": "extra"})
    pressed.join()
    with installation.database.read() as session:
        row = session.get(Import, number)
        if act == "discard":
            assert row is None, "thrown away before it could start"
        else:
            assert row is not None
            entries = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
            assert (row.state, "name" in row.columns, entries[-1]) == ("running", False, "import.start")


def test_a_start_is_recorded_once_and_no_address_is_kept_as_a_word(
    organizer: Browser, world: World, installation: Installation
) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    organizer.post(f"/imports/{number}/languages", word="zoe@example.org", tag="fr")
    for _ in range(2):
        organizer.post(f"/imports/{number}/start")
    with installation.database.read() as session:
        assert session.get_one(Import, number).options.get("languages", {}) == {}
        started = select(func.count()).where(AuditEntry.action == "import.start")
        assert session.scalars(started).one() == 1


def test_a_long_report_is_read_page_by_page_and_the_file_has_all(
    organizer: Browser, world: World, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_SHOWN", 3)
    number = number_of(upload(organizer, b"email\nana@example.org\n" + b"bad\n" * 7).location)
    organizer.post(f"/imports/{number}/columns", go="1", **{"column-0": "email"}, default_language="en", **CONSENT)
    organizer.post(f"/imports/{number}/start")
    assert "Give up" in organizer.get(f"/imports/{number}").text
    run_import(installation, number)
    page, lines = organizer.get(f"/imports/{number}").text, list[int]()
    while True:
        lines += [int(line) for line in re.findall(r'<td class="num"><bdi>(\d+)</bdi></td>', page)]
        on = re.search(r'href="(/imports/\d+\?after=\d+)[^"]*" rel="next"', page)
        if on is None:
            break
        page = organizer.get(on[1]).text
    assert lines == list(range(3, 10))
    assert "7 rows have something to say." in page
    whole = organizer.get(f"/imports/{number}/problems.csv").text
    assert [row[1] for row in csv.reader(io.StringIO(whole))][1:] == [str(line) for line in lines]


def test_an_import_that_is_given_up_says_so(organizer: Browser, world: World, installation: Installation) -> None:
    number = number_of(upload(organizer, CSV.encode()).location)
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    organizer.post(f"/imports/{number}/start")
    assert organizer.post(f"/imports/{number}/give-up").location == f"/imports/{number}"
    assert "It was given up before all rows were read" in organizer.get(f"/imports/{number}").text
    run_import(installation, number)
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.action == "import.give_up")) == 1
        assert session.get_one(Import, number).rows_read == 0


def test_of_a_large_file_a_job_looks_at_every_row(
    organizer: Browser,
    world: World,
    installation: Installation,
    queued: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "REHEARSED", 3)
    number = number_of(upload(organizer, CSV.encode()).location)
    assert organizer.get(f"/imports/{number}/check").location == f"/imports/{number}/columns", "nobody has asked yet"
    organizer.post(f"/imports/{number}/columns", go="1", **CHOICE)
    page = organizer.get(f"/imports/{number}/check").text
    assert "0 of 8 rows are looked at." in page
    assert 'data-live="2"' in page
    assert queued == [("import", number)]
    with installation.database.read() as session:
        assert reconcile.running_imports(session) == [number], "also where the queue is lost"
    run_rehearsal(installation, number)
    page = organizer.get(f"/imports/{number}/check").text
    assert "data-live" not in page
    assert "Import 5 people" in page
    assert "“not-an-address” has no @ sign" in page
    assert "María José Núñez" in page
    with installation.database.read() as session:
        kept = session.get_one(ImportRehearsal, number)
        assert b"example" not in (kept.sealed or b"")
        counts = kept.found(installation.keyring)
        assert counts
        assert reconcile.running_imports(session) == []
    organizer.post(f"/imports/{number}/languages", word="tlhIngan", tag="fr")
    assert "0 of 8 rows" in organizer.get(f"/imports/{number}/check").text, "asked anew"
    organizer.post(f"/imports/{number}/start")
    run_rehearsal(installation, number)
    run_import(installation, number)
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        assert session.get(ImportRehearsal, number) is None
        told = {name: rows for name, rows in counts.counts.items() if name != "unknown_language"}
        assert row.counts == {**told, "new": counts.counts["new"] + 1}
