"""Bench: audience. What an organizer waits for where members are counted in millions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer import tables
from mobilizer.appeals.appeals import Appeal
from mobilizer.audience import headcounts
from mobilizer.audience.audience import count_by_language
from mobilizer.audience.headcounts import CountedStretch
from mobilizer.audience.members import Member
from mobilizer.audience.queries import PAGE, count_members, languages_of_members, members_page
from mobilizer.bench import crowd
from mobilizer.bench.crowd import Crowd
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import BlastState, Rendition
from mobilizer.blasts.narrowing import Narrowing
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Delivery, of_blast
from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import begin_session
from mobilizer.organizers.users import User
from mobilizer.segments import choosing, keeping
from mobilizer.segments.segments import count
from mobilizer.segments.tree import read_rules
from mobilizer.web.policy import TOKEN_KEY

LANGUAGE = "es"
DEEP = 10_000
TIMES = 5
Rules = list[dict[str, Any]]
FROZEN: Rules = [{"rule": "language_family", "language": LANGUAGE}]
Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says. `milliseconds` is the best of a few looks after a first one, in `first_look`: what it
    takes where nobody else is busy; `people` is whom a count found, or how many lines a page shows.

    `disagree` names each count that is not the number found by looking at everybody, as a launch does."""

    members: int
    seed_seconds: float
    count_ahead_seconds: float
    freeze_per_second: int
    frozen: int
    milliseconds: dict[str, float]
    first_look: dict[str, float]
    people: dict[str, int]
    disagree: list[str]


def run(installation: Installation, members: int, watch: Watch = lambda _: None) -> Figures:
    """Invent so many members in an empty installation, and measure what is asked of them."""
    tables.complete()
    watch("Inventing members")
    began = time.perf_counter()
    made = crowd.fill(installation, members)
    seeded = time.perf_counter() - began
    watch("Counting them ahead")
    began = time.perf_counter()
    _count_ahead(installation)
    ahead = time.perf_counter() - began
    best, firsts, found = {}, {}, {}
    now = datetime.now(UTC)
    for name, ask in _questions(installation, made, now):
        watch(name)
        best[name], firsts[name], found[name] = _timed(ask)
    watch("Freezing one language")
    frozen, seconds = _freeze(installation, made)
    watch("Checking the books")
    told = {**found, "freeze": frozen}
    disagree = [name for name, people in _books(installation, made, now) if told[name] != people]
    return Figures(
        members, round(seeded, 1), round(ahead, 1), round(frozen / seconds), frozen, best, firsts, found, disagree
    )  # fmt: skip


def _books(here: Installation, made: Crowd, now: datetime) -> Iterator[tuple[str, int]]:
    """(name, people) of each count, by looking at everybody: a segment's are those whom a launch to all lists mails."""
    with here.database.read() as session:
        everyone = select(func.count()).select_from(Member)
        yield "count: one language", session.scalars(everyone.where(Member.language == LANGUAGE)).one()
        yield "count: every language", session.scalars(everyone).one()
        for name, rules in rules_of(made).items():
            found = count_by_language(session, made.lists, [], read_rules(rules).where(now))
            yield f"segment: {name}", sum(people - suppressed for _, _, people, suppressed in found)
        found = count_by_language(session, made.lists[:1], [], read_rules(FROZEN).where(now))
        yield "freeze", sum(people for _, _, people, _ in found)


def rules_of(made: Crowd) -> dict[str, Rules]:
    """Six segments as organizers make them."""
    blast, film_nights = made.blasts[0], made.lists[1]
    opened = {"rule": "did_in_blast", "act": "open", "blast": blast}
    return {
        "language family": [{"rule": "language_family", "language": "pt"}],
        "country, joined of late": [{"rule": "country", "country": "MX"}, {"rule": "joined_within", "days": 90}],
        "clicked in a blast": [{"rule": "did_in_blast", "act": "click", "blast": blast}],
        "got a blast, never opened": [{"rule": "got_blast", "blast": blast}, {"not": opened}],
        "shared or brought someone in": [
            {"any": [{"rule": "did_ever", "act": "share"}, {"rule": "recruited_anyone"}]}
        ],
        "a field, and on a list": [
            {"rule": "field_is", "name": "city", "text": "Madrid"},
            {"rule": "on_list", "list": film_nights, "standing": "confirmed"},
        ],
    }  # fmt: skip


def _count_ahead(installation: Installation) -> None:
    """What the reconciler has done by the time that somebody looks."""
    full = -1
    while full != (full := _stretches(installation)):
        with installation.database.write() as session:
            headcounts.recount(session)


def _stretches(installation: Installation) -> int:
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(CountedStretch)) or 0


def _timed(ask: Callable[[], int]) -> tuple[float, float, int]:
    """(best, first, found): milliseconds, and what the last look found."""
    took: list[float] = []
    found = 0
    while len(took) <= TIMES:
        began = time.perf_counter()
        found = ask()
        took.append(round(1000 * (time.perf_counter() - began), 1))
    return min(took[1:]), took[0], found


def _questions(here: Installation, made: Crowd, now: datetime) -> Iterator[tuple[str, Callable[[], int]]]:
    def asking(ask: Callable[[Session], int]) -> Callable[[], int]:
        def asked() -> int:
            with here.database.read() as session:
                return ask(session)

        return asked

    def fitting(rules: Rules) -> Callable[[], int]:
        read = read_rules(rules)
        return asking(lambda s: sum(people for _, people in count(s, read, now)))

    yield "count: one language", asking(lambda s: count_members(s, language=LANGUAGE))
    yield "count: every language", asking(lambda s: sum(people for _, people in languages_of_members(s)))
    for name, rules in rules_of(made).items():
        yield f"segment: {name}", fitting(rules)
    with here.database.read() as session:
        last = session.scalars(select(func.max(Member.id))).one()
    deep, page = max(last - DEEP * PAGE, last // 2), min(DEEP, (last - last // 2) // PAGE)
    yield "members: page 1", asking(lambda s: len(members_page(s, here.keyring).members))
    yield f"members: page {page:,}", asking(lambda s: len(members_page(s, here.keyring, before=deep).members))
    yield from _pages(here, deep)


def _pages(here: Installation, deep: int) -> Iterator[tuple[str, Callable[[], int]]]:
    """Pages as the web server makes them, for someone who may see all."""
    # By name, as the server finds it: the application stands above the bench.
    client = import_module("mobilizer.app").create_app(here.settings, here, counter="memory://").test_client()
    with client.session_transaction() as browser:
        browser[TOKEN_KEY] = _signed_in(here)

    def getting(path: str) -> Callable[[], int]:
        def get() -> int:
            answer = client.get(path)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answers {answer.status_code}")
            return str(answer.text).count("<tr")

        return get

    yield "web: overview", getting("/")
    yield "web: lists", getting("/lists")
    for path in (
        f"before={deep}", "language=ja", "list=press", "standing=unsubscribed", "standing=pending",
        "standing=suppressed", f"list=film-nights&standing=pending&before={deep}",
        f"list=press&language=ja&standing=unsubscribed&before={deep}", "list=press&standing=suppressed",
    ):  # fmt: skip
        yield f"web: members?{path}", getting(f"/members?{path}")
    yield "web: one member", getting(f"/members/{deep}")


def _signed_in(here: Installation) -> str:
    """The token of a browser of somebody who may see all, without a password that takes time to hash."""
    key = here.keyring.address_key("bench@example.org")
    sealed = here.keyring.seal("bench@example.org\0Bench", bound_to=key)
    with here.database.write() as session:
        user = User(address_key=key, sealed=sealed, password_hash="none", role=Role.ADMIN)  # noqa: S106 - opens nothing
        session.add(user)
        session.flush()
        return begin_session(session, user.id, hours=1)


def _freeze(here: Installation, made: Crowd) -> tuple[int, float]:
    """Launch a blast to all who read one language; (how many, seconds)."""
    with here.database.write() as session:
        segment = keeping.create(session, "Spanish", read_rules(FROZEN))
        plan = lifecycle.Plan((made.lists[0],), narrowing=Narrowing((segment.id,)))
        blast = lifecycle.create(session, session.scalars(select(Appeal).limit(1)).one(), "freeze", plan)
        session.add_all(
            Rendition(blast_id=blast.id, language=tag, content_hash="", compiled="{}") for tag in (LANGUAGE, "en")
        )
        lifecycle.move(session, blast.id, BlastState.READY)
        lifecycle.launch(session, blast.id, blast.revision)
        number = blast.id
    began = time.perf_counter()
    launch.freeze(here, number, whom=choosing.whom)
    seconds = time.perf_counter() - began
    with here.database.read() as session:
        return session.scalar(select(func.count()).select_from(Delivery).where(of_blast(number))) or 0, seconds
