"""Audience: people who are no members yet come in, thousands at once: the bulk path of imports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise, repeat
from operator import attrgetter

from sqlalchemy import BigInteger, cast, func, insert, literal, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from mobilizer.audience.candidates import Candidate
from mobilizer.audience.keeping import Bulk
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member, seal_all
from mobilizer.codes import share_codes
from mobilizer.db import Prepared, clock
from mobilizer.keys import Keyring
from mobilizer.languages import MEMORY

_MEMBERS = Bulk(
    Member, "id", "address_key", "domain_key", "sealed", "language", "second_language", "country", "time_zone",
    "attributes", "source", "share_code", "tracking", "created_at",
)  # fmt: skip
_KNOWN_OF = attrgetter("email", "name", "language", "second_language", "country", "time_zone")
_NOW = Prepared(select(clock()))
_LAST = text("SELECT seq FROM sqlite_sequence WHERE name = 'members'")


class Overtaken(Exception):
    """Somebody else has brought one of the same people since we looked: ask again who is new, in a new transaction."""


def bring_in(session: Session, keyring: Keyring, people: Mapping[bytes, Candidate], source: str) -> dict[bytes, int]:
    """Make members of people, by address key; returns the number of each. Raises Overtaken; then nothing may stay."""
    if not people:
        return {}
    connection = session.connection()
    # In order, so that two imports at once take their locks in the same one, and neighbours in an index come together.
    keys = sorted(people)
    ordered = [people[key] for key in keys]
    numbers = _new_numbers(connection, len(keys))
    emails, names, languages, seconds, countries, zones = zip(*map(_KNOWN_OF, ordered), strict=True)
    domains = [keyring.domain_key(email.rpartition("@")[2]) for email in emails]
    sealed = seal_all(keyring, zip(keys, emails, names, strict=True))
    attributes = [_json(tuple(person.attributes.items())) for person in ordered]
    moment = _NOW.run(connection, ())[0][0]
    codes = share_codes(len(keys))
    source_of, tracked, moments = (repeat(said, len(keys)) for said in (source, True, moment))
    told = languages, seconds, countries, zones, attributes, source_of, codes, tracked, moments
    rows = list(zip(numbers, keys, domains, sealed, *told, strict=True))
    if _MEMBERS.insert(connection, rows) != len(rows):
        raise Overtaken
    return dict(zip(keys, numbers, strict=True))


def subscribe_new(
    session: Session,
    spans: Iterable[tuple[int, int]],
    list_id: int,
    how: str,
    wording: str,
    wording_language: str = "",
) -> None:
    """Put members who have just come in, given as `spans` of them, onto a list; they join as they became members."""
    for first, last in spans:
        who = select(
            cast(literal(list_id), BigInteger),
            Member.id,
            literal(Standing.CONFIRMED.value),
            Member.created_at,
            literal(how),
            literal(wording),
            literal(wording_language),
            Member.created_at,
        ).where(Member.id.between(first, last))
        names = ("list_id", "member_id", "standing", "joined_at", "how", "wording", "wording_language", "changed_at")
        session.execute(insert(Subscription).from_select(names, who))


def spans(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers, given in order."""
    listed = list(numbers)
    if not listed:
        return
    first = listed[0]
    for one, following in pairwise(listed):
        if following != one + 1:
            yield first, one
            first = following
    yield first, listed[-1]


def _new_numbers(connection: Connection, count: int) -> list[int]:
    """So many numbers that no member has or ever had, in order."""
    if connection.dialect.name == "sqlite":
        last = connection.scalar(_LAST) or 0
        return list(range(last + 1, last + 1 + count))
    series = func.generate_series(1, count).table_valued("n")
    fresh = select(func.nextval(func.pg_get_serial_sequence("members", "id"))).select_from(series)
    return sorted(connection.scalars(fresh))


@lru_cache(MEMORY)
def _json(attributes: tuple[tuple[str, object], ...]) -> str:
    return json.dumps(dict(attributes))
