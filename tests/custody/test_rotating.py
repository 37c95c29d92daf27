"""Keys are rotated while everything runs: nothing is lost, nobody is locked out, and old links work for ever."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import LargeBinary, func, select, update

from mobilizer.app import create_app
from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.joining import change_member
from mobilizer.audience.members import Member
from mobilizer.audience.uploads import open_upload, upload_keys, upload_path
from mobilizer.cli import main
from mobilizer.custody import rotating
from mobilizer.custody.resealing import left_to_reseal, reseal, sealed_with
from mobilizer.custody.sealed import SEALED
from mobilizer.db import clock
from mobilizer.installation import Installation, KeyPrint, WrongKeys, follow_keys, install
from mobilizer.keys import BadSeal, Keyring, Purpose, Ticket, UnknownKey
from mobilizer.settings import child_environment
from mobilizer.tables import metadata
from tests.worlds import World

# Columns of bytes that hold no seal: keyed hashes, and prints of keys.
HASHES = {"hash", "address_key", "domain_key", "token_hash", "print"}
TICKET = Ticket(3, 4)
PEOPLE = "Email,Name\nana@example.org,Ana\nbo@example.org,Bo\nno address,Cy\n"


def names(world: World) -> list[str]:
    """The members' names, opened."""
    here = world.installation
    with here.database.read() as session:
        return [member.identity(here.keyring).name for member in session.scalars(select(Member).order_by(Member.id))]


def bring_in(world: World, data: str = PEOPLE) -> int:
    """Keep a file, ready to run."""
    here = world.installation
    with here.database.write() as session:
        row = importing.store(session, here, list_id=world.list_id, filename="Ana.csv", data=data.encode())
        row.options = {**row.options, "consent_source": "Petition", "consent_date": "2026-03-08", "known": "replace"}
        assert importing.start(session, row) == []
        return row.id


def let_rest(here: Installation) -> None:
    """The current key has been current for more than an hour."""
    with here.database.write() as session:
        session.execute(update(KeyPrint).values(since=clock(-rotating.REST_SECONDS - 1)))


@contextmanager
def second(here: Installation, home: Path | None = None) -> Iterator[Installation]:
    """The same installation in another process, or on a machine with a home folder of its own."""
    changes: dict[str, object] = {"home": home, "database_url": here.settings.database} if home else {}
    installation = install(here.settings.model_copy(update=changes))
    try:
        yield installation
    finally:
        installation.database.close()


def machine(here: Installation, home: Path) -> Path:
    """The home folder of another machine, with today's keys."""
    home.mkdir()
    shutil.copy(here.settings.home / "keys.json", home)
    return home


def reseal_all(here: Installation, size: int = 2) -> int:
    return sum(step.values for step in reseal(here, size))


def test_every_column_of_sealed_values_is_known() -> None:
    """Whoever adds one adds it to SEALED: else it would be lost with the key that it was sealed with."""
    binary = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name not in HASHES
    }
    assert {one.name for one in SEALED} == binary


def test_everything_opens_through_rotation_reseal_and_retirement(kept: World) -> None:
    here = kept.installation
    importing.run_import(here, bring_in(kept))
    waiting = bring_in(kept)
    before, old_link = names(kept), here.keyring.token(Purpose.UNSUBSCRIBE, TICKET)
    path = upload_path(here.settings.home, waiting)
    assert rotating.rotate(here) == 2
    assert here.keyring.current == 2
    assert sum(left_to_reseal(here).values()) == sealed_with(here, 1) > len(before)
    assert reseal_all(here) == sealed_with(here, 2)
    assert not any(left_to_reseal(here).values())
    assert upload_keys(path) == {2}
    assert open_upload(path, here.keyring).read() == PEOPLE.encode()
    let_rest(here)
    rotating.retire(here, 1)
    with here.database.read() as session:
        done = session.scalars(select(Import).order_by(Import.id)).first()
        assert done
        assert done.filename(here.keyring) == "Ana.csv"
        assert [row.line for row in importing.report(session, here.keyring, done.id)] == [4]
    assert names(kept) == before
    with second(here) as later:
        assert later.keyring.read_token(Purpose.UNSUBSCRIBE, old_link) == TICKET
        assert [(key.key_id, key.state) for key in rotating.keys_of(later)] == [(1, "retired"), (2, "current")]


def test_an_old_link_survives_ten_rotations(here: Installation) -> None:
    links = []
    for _ in range(10):
        links.append(here.keyring.token(Purpose.UNSUBSCRIBE, TICKET))
        key_id = rotating.rotate(here)
        reseal_all(here)
        let_rest(here)
        rotating.retire(here, key_id - 1)
    fresh = Keyring.kept_in(here.settings.home / "keys.json")
    assert {fresh.read_token(Purpose.UNSUBSCRIBE, link) for link in links} == {TICKET}
    assert len(set(links)) == 10
    with pytest.raises(UnknownKey):
        fresh.open(bytes([1]) + b"x" * 40, b"")


def test_who_runs_on_meets_the_new_key_and_reads_it(kept: World) -> None:
    """A worker and a web server that began before: they open, verify, and after their next question seal with it."""
    here = kept.installation
    with second(here) as running:
        rotating.rotate(here)
        reseal_all(here)
        assert names(World(running)) == names(kept)
        link = here.keyring.token(Purpose.CLICK, TICKET)
        assert running.keyring.read_token(Purpose.CLICK, link) == TICKET
        assert running.keyring.current == 1
        follow_keys(running.keyring, running.database)
        assert running.keyring.current == 2


def test_a_forged_key_id_costs_one_look_at_a_file(here: Installation) -> None:
    forged = "63" + here.keyring.token(Purpose.CLICK, TICKET)[2:]
    assert here.keyring.read_token(Purpose.CLICK, forged) is None
    assert here.keyring.look_again() is False


def test_a_key_that_waits_is_not_used_and_not_asked_for(here: Installation, tmp_path: Path) -> None:
    behind = machine(here, tmp_path / "behind")
    assert rotating.add_key(here) == rotating.add_key(here) == 2
    with second(here, behind) as there, second(here) as beside:
        assert there.keyring.current == beside.keyring.current == 1
        rotating.rotate(here)
        with pytest.raises(WrongKeys, match="key 2"):
            follow_keys(there.keyring, there.database)
        shutil.copy(here.settings.home / "keys.json", behind)
        follow_keys(there.keyring, there.database)
        assert there.keyring.current == 2


def test_two_machines_with_different_new_keys_have_one_between_them(here: Installation, tmp_path: Path) -> None:
    with second(here, machine(here, tmp_path / "other")) as there:
        rotating.add_key(there)
        rotating.rotate(here)
        with pytest.raises(WrongKeys, match="key 2"):
            rotating.rotate(there)


def test_a_key_is_retired_only_when_nobody_needs_it(kept: World) -> None:
    here = kept.installation
    with pytest.raises(rotating.KeyInUse, match="in use"):
        rotating.retire(here, 1)
    with pytest.raises(rotating.KeyInUse, match="no key 7"):
        rotating.retire(here, 7)
    rotating.rotate(here)
    with pytest.raises(rotating.KeyInUse, match="not an hour old"):
        rotating.retire(here, 1)
    let_rest(here)
    with pytest.raises(rotating.KeyInUse, match="7 values are still sealed with key 1"):
        rotating.retire(here, 1)
    assert "1" in json.loads((here.settings.home / "keys.json").read_text())["keys"]


def test_a_value_that_changes_meanwhile_stays_as_it_was_made(kept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here, number = kept.installation, kept.members[0]
    rotating.rotate(here)
    anew = Keyring.reseal

    def slowly(ring: Keyring, sealed: bytes, bound_to: bytes) -> bytes:
        with here.database.write() as session:
            change_member(session, here.keyring, session.get_one(Member, number), {"name": "Zoë"})
        return anew(ring, sealed, bound_to)

    monkeypatch.setattr(Keyring, "reseal", slowly)
    assert reseal_all(here, 100) == 6
    assert names(kept)[0] == "Zoë"


def test_a_broken_value_is_counted_and_left(kept: World) -> None:
    here = kept.installation
    with here.database.write() as session:
        session.execute(update(Member).where(Member.id == kept.members[2]).values(sealed=b"\x01" + b"?" * 40))
    rotating.rotate(here)
    steps = list(reseal(here, 2))
    assert (sum(step.values for step in steps), sum(step.broken for step in steps)) == (6, 1)
    assert sealed_with(here, 1) == 1


def test_killed_half_way_it_goes_on(kept: World) -> None:
    here = kept.installation
    before = names(kept)
    rotating.rotate(here)
    script = """
import os, signal, sys
from mobilizer import tables
from mobilizer.custody.resealing import reseal
from mobilizer.installation import install
from mobilizer.settings import load_settings
for done, _ in enumerate(reseal(install(load_settings()), 2), 1):
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = child_environment(MOBILIZER_HOME=str(here.settings.home), DATABASE_URL=here.settings.database_url)
    assert subprocess.run([sys.executable, "-c", script], env=environment, timeout=60).returncode == -9
    assert sealed_with(here, 2) == 4
    assert names(kept) == before
    assert reseal_all(here) == 3
    assert names(kept) == before


def test_the_file_is_its_owners_alone_and_changes_whole(here: Installation) -> None:
    rotating.rotate(here)
    path = here.settings.home / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in here.settings.home.glob(".keys*")] == []
    assert set(json.loads(path.read_text())["keys"]) == {"1", "2"}


def test_a_web_server_without_the_key_changes_nothing_and_still_shows(here: Installation, tmp_path: Path) -> None:
    with second(here, machine(here, tmp_path / "behind")) as there:
        client = create_app(there.settings, there, counter="memory://").test_client()
        rotating.rotate(here)
        there.keyring.followed_at = float("-inf")
        assert client.get("/public/brand.css").status_code == 200
        assert client.post("/u/nothing").status_code == 503


def test_signed_in_people_stay_signed_in(here: Installation) -> None:
    before = here.keyring.cookie_secret
    rotating.rotate(here)
    assert Keyring.kept_in(here.settings.home / "keys.json").cookie_secret == before


def test_the_commands(kept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = kept.installation
    monkeypatch.setenv("DATABASE_URL", here.settings.database_url)

    def run(*words: str) -> tuple[int, str]:
        ended = CliRunner().invoke(main, ["--home", str(here.settings.home), "keys", *words])
        return ended.exit_code, ended.output

    assert "Key 2 waits" in run("add")[1]
    assert "Key 2 seals from now on" in run("rotate")[1]
    assert run("retire", "1")[0] == 1
    code, output = run("reseal", "--json", "--at-once", "3")
    assert (code, json.loads(output)) == (0, {"key": 2, "resealed": 7, "broken": 0, "left": {}})
    assert "0 values were resealed" in run("reseal")[1]
    let_rest(here)
    assert "Key 1 is retired" in run("retire", "1")[1]
    listed = json.loads(run("list", "--json")[1])
    assert [(key["key_id"], key["state"], key["sealed"]) for key in listed] == [(1, "retired", 0), (2, "current", 7)]
    assert "current" in run("list")[1]


def test_the_database_counts_by_the_first_byte(kept: World) -> None:
    here = kept.installation
    with here.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Member).where(SEALED[0].under(1))).one() == 7
        assert session.scalars(select(func.count()).select_from(Member).where(SEALED[0].under(2))).one() == 0
    with pytest.raises(BadSeal):
        here.keyring.reseal(b"\x01" + b"?" * 40, b"")
