"""The import wizard from end to end: a file uploaded in a browser without script, and the worker killed in the middle.

    python -m bench.wizard [--rows 1000000] [--database postgresql://...] [--json]

A real server, worker, reconciler and Redis run on a fresh installation that is cleared away. An organizer signs in,
uploads a petition's file, chooses its columns, checks it and starts it, by forms. When a third of the rows is read, the
worker is killed (SIGKILL), and another one started. At the end every person of the file must be a member once and on
the list, and the report must name each row that is wrong: some addresses of the first rows come again at the end of
the file, after the kill, and as many rows hold none.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select

from bench.forms import Visitor
from mobilizer import tables
from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.bench.grounds import Ground, ground
from mobilizer.bench.petition import write_petition
from mobilizer.demo.box import Box, open_box
from mobilizer.demo.children import Child, stop
from mobilizer.demo.processes import answers_ping, queue
from mobilizer.installation import Installation, install
from mobilizer.migrations import upgrade
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.settings import child_environment

WHO, PASSWORD = "olga@example.org", "correct horse battery staple"
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 1500.0
MOST_WRONG = 1000  # of each kind; the report has room for them


@dataclass(slots=True)
class Figures:
    """What was found. `killed_at` is how many rows were read when the worker was killed; `import_seconds` are from the
    start of the import to its end, the kill and the new worker's coming up in them."""

    rows: int
    bytes: int = 0
    killed_at: int = 0
    upload_seconds: float = 0.0
    check_seconds: float = 0.0
    import_seconds: float = 0.0
    members: int = 0
    on_list: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    reported: int = 0
    wrong: list[str] = field(default_factory=list)


def wizard(rows: int, database: str = "") -> Figures:
    """Run it. Raises grounds.NoGround, and TimeoutError where something never happens."""
    tables.complete()
    figures = Figures(rows)
    with ExitStack() as stack:
        where = stack.enter_context(ground(database))
        box = open_box(where.home, usual_ports=False)
        box.log.mkdir(exist_ok=True)
        here = install(where.settings().model_copy(update={"redis_url": box.redis_url}))
        stack.callback(here.database.close)
        upgrade(here.database)
        slug = _people(here)
        ours = _children(where, box)
        stack.callback(stop, list(ours.values()))
        for child in ours.values():
            child.start()
        _until(lambda: answers_ping(box.queue_port), "the queue is up")
        path = where.home / "petition.csv"
        some = _write(path, rows)
        number = _through_the_forms(box, slug, path, figures)
        _kill_and_go_on(here, number, ours["worker"], figures)
        _check(here, number, some, figures)
    return figures


def _people(here: Installation) -> str:
    """An organizer who may import, and the list for it."""
    with here.database.write() as session:
        made = create_user(session, here.keyring, email=WHO, name="Olga", role=Role.ADMIN, password=PASSWORD)
        if isinstance(made, list):
            raise RuntimeError("no organizer could be made")
        return create_list(session, "Petition").slug


def _children(where: Ground, box: Box) -> dict[str, Child]:
    told = dict.fromkeys(("DATABASE_URL", "MOBILIZER_DATABASE_URL"), where.database_url)
    environment = child_environment(**{**box.values(), **told, "MOBILIZER_RECONCILE_SECONDS": "0.5"})
    commands = {"web": ("serve", "--port", str(box.web_port)), "worker": ("worker",), "reconcile": ("reconcile",)}
    ours = {
        name: Child(name, [sys.executable, "-m", "mobilizer.cli", *command], environment, box.log / f"{name}.log")
        for name, command in commands.items()
    }
    return {"queue": queue(box), **ours}


def _write(path: Path, rows: int) -> int:
    """The file; how many rows of each kind of wrong there are."""
    write_petition(path, rows)
    some = min(max(rows // 100, 1), MOST_WRONG)
    with path.open(encoding="utf-8") as file:
        first = [line.partition(",")[0] for line in islice(file, 1, some + 1)]
    with path.open("a", encoding="utf-8", newline="") as file:
        for nth, address in enumerate(first):
            file.write(f"{address.upper()},Once More,en,US,Boston\r\nnobody {nth},No Address,en,US,Boston\r\n")
    return some


def _through_the_forms(box: Box, slug: str, path: Path, figures: Figures) -> int:
    """Sign in, upload, choose, check, start; the import's number."""
    visitor, data = Visitor(box.address), path.read_bytes()
    figures.bytes = len(data)
    _until(lambda: _answers(visitor), "the server is up")
    visitor.send("/sign-in", {"email": WHO, "password": PASSWORD})
    visitor.get(f"/lists/{slug}/import")
    began = time.monotonic()
    visitor.send(f"/lists/{slug}/import", {}, ("file", path.name, data))
    figures.upload_seconds = round(time.monotonic() - began, 1)
    told = {"column-4": "extra", "consent_source": "Petition", "consent_date": "2026-03-08", "go": "1"}
    began = time.monotonic()
    visitor.send("/columns", told)
    figures.check_seconds = round(time.monotonic() - began, 1)
    found = re.fullmatch(r"/imports/(\d+)/check", visitor.path)
    if not found:
        raise RuntimeError(f"the wizard did not go on to the check, but to {visitor.path}")
    visitor.send("/start", {})
    return int(found[1])


def _kill_and_go_on(here: Installation, number: int, worker: Child, figures: Figures) -> None:
    began = time.monotonic()
    _until(lambda: _import(here, number).rows_read >= figures.rows / 3, "a third is read")
    if worker.pid:
        os.killpg(worker.pid, signal.SIGKILL)
    row = _import(here, number)
    figures.killed_at = row.rows_read
    if row.state != "running":
        figures.wrong.append("the import was over before the worker was killed: take more rows")
    worker.wait_or_kill(0)
    worker.start()
    _until(lambda: _import(here, number).state != "running", "the import ends")
    figures.import_seconds = round(time.monotonic() - began, 1)


def _check(here: Installation, number: int, some: int, figures: Figures) -> None:
    row = _import(here, number)
    with here.database.read() as session:
        figures.members = session.scalars(select(func.count(Member.address_key.distinct()))).one()
        everyone = session.scalars(select(func.count()).select_from(Member)).one()
        on_list = select(func.count()).where(
            Subscription.list_id == row.list_id, Subscription.standing == Standing.CONFIRMED
        )
        figures.on_list = session.scalars(on_list).one()
        lines = {found.line: found.verdict for found in importing.report(session, here.keyring, number)}
    figures.counts, figures.reported = dict(row.counts), len(lines)
    # The header is line 1.
    wanted = {figures.rows + 2 + nth: ("duplicate", "invalid")[nth % 2] for nth in range(2 * some)}
    checks = {
        f"the import is {row.state}": row.state == "done",
        "not every row is read": row.rows_read == row.rows == figures.rows + 2 * some,
        "the counts": figures.counts == {"new": figures.rows, "duplicate": some, "invalid": some},
        "not everyone is a member once": figures.members == everyone == figures.rows,
        "not everyone is on the list": figures.on_list == figures.rows,
        "the report": lines == wanted,
    }
    figures.wrong += [what for what, good in checks.items() if not good]


def _import(here: Installation, number: int) -> Import:
    with here.database.read() as session:
        row = session.get_one(Import, number)
        session.expunge(row)
        return row


def _answers(visitor: Visitor) -> bool:
    try:
        return bool(visitor.get("/sign-in"))
    except OSError:
        return False


def _until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"it never came to this: {what}")
        time.sleep(LOOK_SECONDS)


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--database", default="", help="A server to make a fresh database on; else a SQLite file.")
    asked.add_argument("--json", action="store_true")
    said = asked.parse_args()
    figures = wizard(said.rows, said.database)
    if said.json:
        print(json.dumps({"ok": not figures.wrong, **asdict(figures)}))  # noqa: T201
    else:
        for name, value in asdict(figures).items():
            print(f"{name:16} {value}")  # noqa: T201
    sys.exit(1 if figures.wrong else 0)


if __name__ == "__main__":
    main()
