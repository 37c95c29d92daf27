"""Bench: the importer. A process of its own that brings the petition's file onto its list and weighs itself.

`python -m mobilizer.bench.importer FILE KNOWN PROFILE` keeps the file as an upload is kept, runs the job that a worker
runs, and says its figures as JSON. KNOWN is what becomes of members who are there already (see joining.Joining).
"""

from __future__ import annotations

import gc
import json
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from mobilizer import logs, tables
from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.sheet import look
from mobilizer.bench import machine
from mobilizer.bench.petition import ATTRIBUTES, FIELDS
from mobilizer.bench.stages import IMPORTING, Stages
from mobilizer.installation import Installation, install
from mobilizer.settings import load_settings

LIST = "petition"


@dataclass(frozen=True, slots=True)
class Brought:
    """What one import did and used: `counts` has the verdicts; `members` and `on_list` are who is there afterwards.

    `keep_seconds` is for the look at the file and for sealing it, which the web server does before the job.
    """

    rows: int
    counts: dict[str, int]
    members: int
    on_list: int
    keep_seconds: float
    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    shares: dict[str, float]
    profile_seconds: float


def bring(installation: Installation, path: Path, known: str, *, profile: bool) -> Brought:
    """Keep the file and import it. Raises importing.Unreadable."""
    began = time.monotonic()
    number = _kept(installation, path, known)
    gc.collect()
    gc.freeze()  # as a worker does before its jobs
    stages = Stages(IMPORTING)
    cpu, started = machine.cpu_seconds(), time.monotonic()
    with stages if profile else nullcontext():
        importing.run_import(installation, number)
    ended, cpu = time.monotonic(), machine.cpu_seconds() - cpu
    peak = machine.peak_rss_mb()
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        return Brought(
            rows=row.rows,
            counts=row.counts,
            members=session.scalars(select(func.count()).select_from(Member)).one(),
            on_list=session.scalars(
                select(func.count()).where(
                    Subscription.list_id == row.list_id, Subscription.standing == Standing.CONFIRMED
                )
            ).one(),
            keep_seconds=started - began,
            seconds=ended - started,
            cpu_seconds=cpu,
            peak_rss_mb=peak,
            shares=stages.shares(),
            profile_seconds=stages.cost,
        )


def _kept(installation: Installation, path: Path, known: str) -> int:
    """Keep the file as an upload, with all that a person chooses, and let its import run; returns its id."""
    options = {
        "consent_source": "Bench",
        "consent_date": "2026-03-08",
        "attributes": ATTRIBUTES,
        "known": known,
    }
    with path.open("rb") as data:
        sheet = look(data)
        with installation.database.write() as session:
            there = session.scalar(select(MemberList.id).where(MemberList.slug == LIST))
            list_id = there or create_list(session, LIST.title()).id
            row = importing.store(session, installation, list_id=list_id, filename=path.name, data=data, sheet=sheet)
            if importing.choose(installation.keyring, row, sheet, FIELDS, options) or importing.start(session, row):
                raise RuntimeError("the import could not be started")
            return row.id


def main() -> None:
    """The process."""
    path, known, profile = sys.argv[1:]
    settings = load_settings()
    logs.configure(settings.log_level)
    tables.complete()
    installation = install(settings)
    try:
        print(json.dumps(asdict(bring(installation, Path(path), known, profile=profile == "profile"))))  # noqa: T201
    finally:
        installation.database.close()


if __name__ == "__main__":
    main()
