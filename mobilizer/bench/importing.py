"""Bench: importing. One petition's file into an empty database, then the same file again, each with checked books."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from mobilizer import tables
from mobilizer.bench.grounds import ground
from mobilizer.bench.importer import Brought
from mobilizer.bench.petition import write_petition
from mobilizer.bench.processes import child, last_words
from mobilizer.installation import install
from mobilizer.migrations import upgrade

# Each run: its name, what becomes of members who are there already, and the verdict that every row must get.
RUNS = (("new", "fill", "new"), ("again_keep", "keep", "unchanged"), ("again_fill", "fill", "unchanged"))

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a row of one import costs. `keep_seconds` are those before the job: looking at the file, and sealing it."""

    rows_per_second: int
    cpu_us_per_row: float
    cpu_us: dict[str, float]
    peak_rss_mb: int
    keep_seconds: float
    profile_share: float


def run(rows: int, database: str = "", *, profile: bool = True, watch: Watch = lambda _stage: None) -> dict[str, Any]:
    """Import a petition of so many rows three times, each in a process of its own; nothing of it stays.

    The figures of the first import stand by themselves, those of the others under their names. `books` says whether
    each member is there once after every run, and each row had its verdict. Raises processes.Broken, grounds.NoGround.
    """
    with ground(database) as where:
        watch("Making up a petition")
        path = where.home / "petition.csv"
        write_petition(path, rows)
        tables.complete()
        installation = install(where.settings())
        with closing(installation.database):
            upgrade(installation.database)
        costs, books = dict[str, Cost](), True
        for name, known, verdict in RUNS:
            watch(f"Importing: {name.replace('_', ' ')}")
            arguments = (str(path), known, "profile" if profile else "")
            with child("mobilizer.bench.importer", *arguments, environment=where.environment(25, 1)) as process:
                brought = Brought(**json.loads(last_words(process)))
            costs[name] = _cost(brought)
            books = books and agrees(brought, rows, verdict)
        size = path.stat().st_size
    first, *again = costs
    others = {name: asdict(costs[name]) for name in again}
    return {"rows": rows, "bytes": size, **asdict(costs[first]), **others, "books": books}


def agrees(brought: Brought, rows: int, verdict: str) -> bool:
    """Whether every row had this verdict, and each person of the file is a member once, and on the list."""
    return brought.counts == {verdict: rows} and brought.rows == brought.members == brought.on_list == rows


def _cost(brought: Brought) -> Cost:
    each = brought.cpu_seconds / brought.rows * 1e6
    return Cost(
        rows_per_second=round(brought.rows / brought.seconds),
        cpu_us_per_row=round(each, 2),
        cpu_us={stage: round(share * each, 2) for stage, share in brought.shares.items()},
        peak_rss_mb=round(brought.peak_rss_mb),
        keep_seconds=round(brought.keep_seconds, 2),
        profile_share=round(brought.profile_seconds / brought.cpu_seconds, 4),
    )
