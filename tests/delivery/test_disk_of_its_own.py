"""A database on a small disk of its own that is full indeed: whatever finds no room, the books are right in the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from mobilizer.db import disk_is_full
from mobilizer.delivery import launch, slices
from tests.conftest import _named, _run
from tests.delivery.test_books import start
from tests.delivery.test_full_disk import fails_for_want_of_room, retry
from tests.delivery.test_slices import make_due
from tests.delivery.witness import TAKEN, Witness, at_first
from tests.worlds import World

MEGABYTES = 48


@dataclass(frozen=True)
class SmallDisk:
    """A file system in memory, of MEGABYTES."""

    place: Path

    def fill(self) -> None:
        """Take every byte that is left."""
        with (self.place / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        ballast.write(b"\0" * size)

    def make_room(self) -> None:
        """Give it back."""
        (self.place / "ballast").unlink()


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    # Not pytest's own folder: the server of PostgreSQL may run as another user.
    place = Path(tempfile.mkdtemp(prefix="mobilizer-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "mobilizer", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        place.rmdir()
        pytest.skip("nobody may mount a disk here")
    yield SmallDisk(place)
    subprocess.run(["umount", str(place)], check=True)
    place.rmdir()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, disk: SmallDisk) -> Iterator[str]:
    """A fresh database on that disk."""
    if request.param == "sqlite":
        path = disk.place / "mobilizer.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    admin = request.getfixturevalue("postgresql")
    folder = disk.place / "tables"
    folder.mkdir()
    engine = create_engine(admin)
    with engine.connect() as connection:
        owner = Path(connection.execute(text("SHOW data_directory")).scalar_one()).stat().st_uid
    engine.dispose()
    os.chown(folder, owner, -1)
    _run(admin, f"CREATE TABLESPACE small LOCATION '{folder}'")
    _run(admin, "CREATE DATABASE on_small TEMPLATE template_mobilizer TABLESPACE small")
    # Room that a vacuum makes would be used again: then nothing has to grow, and nothing fails.
    _run(_named(admin, "on_small"), "ALTER TABLE deliveries SET (autovacuum_enabled = false)")
    yield _named(admin, "on_small")
    _run(admin, "DROP DATABASE on_small WITH (FORCE)")
    _run(admin, "DROP TABLESPACE small")


def test_a_disk_that_fills_up_while_it_sends(world: World, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite fails at the next commit, PostgreSQL when a table must grow: wherever that is, at most one mail each time
    is in doubt, none goes out twice, and with room again the rest goes by itself."""
    monkeypatch.setattr(slices, "ROOM_SECONDS", 0.0)
    world.join(["en"] * 295)
    world.launch()
    witness = Witness(world)
    for turn in range(4):
        try:
            witness.send(DOT=at_first(disk.fill if not turn else lambda: None, TAKEN))
        except Exception as error:
            if not disk_is_full(error):
                raise
            witness.torn += 1
        with suppress(DBAPIError):  # there may be room for one, and not for the next
            retry(world)
            witness.end_leases()
            make_due(world)
    assert witness.torn, "it was full"
    assert world.blast().state in ("held", "sending")
    disk.make_room()
    retry(world)
    assert witness.rest() == []
    states = world.states()
    assert set(states) <= {"accepted", "uncertain"}
    assert states["accepted"] >= 300 - witness.torn


def test_an_audience_that_has_no_room_on_it(world: World, disk: SmallDisk) -> None:
    world.join(["en"] * 995)
    start(world)
    disk.fill()
    fails_for_want_of_room(lambda: launch.freeze(world.installation, world.blast_id))
    assert world.states() == {}
    disk.make_room()
    retry(world)
    launch.freeze(world.installation, world.blast_id)
    assert world.states() == {"pending": 1000}
