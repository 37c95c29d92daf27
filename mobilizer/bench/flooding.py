"""Bench: flooding. A share code that was posted where everybody sees it, and all come by it at once."""

from __future__ import annotations

import random
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.bench.grounds import Ground
from mobilizer.bench.hits import AGENTS, SEED, Watch, loaded
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.agents import class_of
from mobilizer.engagement.crowds import CROWD, posted
from mobilizer.engagement.events import ACTS, Event
from mobilizer.engagement.machines import by_agent
from mobilizer.engagement.sharing import brought_by
from mobilizer.engagement.tree import tree

MEMBERS = 100
OWNER = 1
CHANNELS = ("", "?c=facebook", "?c=x", "?c=telegram")
CARDS = ("facebookexternalhit/1.1", "TelegramBot (like TwitterBot)", "WhatsApp/2.23.20.0", "")  # who draw a card


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says. `recorded` are acts, in so many `rows`; `visits` those of friends, as the owner of the code and
    the share tree have them, `in_public` those by a link that is followed too often for that, `machines` the others.
    `database_bytes` is what the database grew by, `worker_seconds` the CPU time of writing all down, `cpu_us_per_hit`
    that of the web server. `books`: everybody arrived at the film, and the visits are those of people."""

    hits: int
    seconds: float
    hits_per_second: int
    cpu_us_per_hit: float
    recorded: int
    rows: int
    visits: int
    in_public: int
    machines: int
    database_bytes: int
    worker_seconds: float
    answers: dict[str, int]
    books: bool


def run(where: Ground, hits: int, connections: int, watch: Watch = lambda _: None) -> Figures:
    """Have so many come by one share code."""
    chance = random.Random(SEED)  # noqa: S311 - a simulation
    with loaded(where, MEMBERS, watch) as load:
        with load.here.database.read() as session:
            code = session.get_one(Member, OWNER).share_code
            blast = session.scalars(select(Blast)).one()
            number, path = blast.id, f"/s/{code}/{blast.slug}"
            before = _bytes(session)
        came = [chance.choice(CARDS if n % 5 == 0 else AGENTS) for n in range(hits)]
        took = load([f"{path}{chance.choice(CHANNELS)}\t{agent}" for agent in came], connections)
        with load.here.database.read() as session:
            recorded, rows = session.execute(select(ACTS, func.count(Event.id))).one()
            machines = session.scalar(select(ACTS).where(Event.machine.not_in(("", CROWD)))) or 0
            in_public = posted(session, number).visits
            visits = brought_by(session, OWNER).visits
            in_tree = sum(step.visits for step in tree(session, number).generations)
            grown = _bytes(session) - before
    people = sum(not by_agent("visit", class_of(agent)) for agent in came)
    return Figures(
        hits=hits,
        seconds=round(took.seconds, 2),
        hits_per_second=round(hits / took.seconds),
        cpu_us_per_hit=round(took.server_cpu / hits * 1e6, 1),
        recorded=recorded,
        rows=rows,
        visits=visits,
        in_public=in_public,
        machines=machines,
        database_bytes=grown,
        worker_seconds=round(took.worker_cpu, 2),
        answers=took.answers,
        books=recorded == hits == took.answers.get("302")
        and visits == in_tree
        and visits + in_public == people == hits - machines,
    )


def _bytes(session: Session) -> int:
    """How large the database is."""
    if session.get_bind().dialect.name == "postgresql":
        size = "SELECT pg_database_size(current_database())"
    else:
        size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return int(session.scalar(text(size)) or 0)
