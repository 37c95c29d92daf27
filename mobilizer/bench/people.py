"""Bench: the people. Any number of invented members, in bounded memory and as fast as the database takes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

from sqlalchemy import Table, insert, literal, select
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.db import clock
from mobilizer.demo.names import TONGUES, Tongue
from mobilizer.installation import Installation
from mobilizer.keys import Keyring

LANGUAGES = ("en", "es", "ar")
LISTS = (("everyone", "Everyone", 1), ("film-nights", "Film nights", 3))  # slug, name, and every how many are on it
CHUNK = 10_000
_MEMBERS = cast(Table, Member.__table__)
_DAYS = 700
ODD = 48_271  # walks through names, places and days without a pattern that shows


def fill(installation: Installation, count: int) -> list[int]:
    """Fill an empty database with `count` members who read three languages; the ids of the lists they are on."""
    with installation.database.write() as session:
        now = session.scalars(select(clock())).one()
    rows = members(installation.keyring, count, now)
    while chunk := list(islice(rows, CHUNK)):
        with installation.database.write() as session:
            session.connection().execute(insert(_MEMBERS), chunk)
    with installation.database.write() as session:
        return [_list(session, slug, name, every) for slug, name, every in LISTS]


def _list(session: Session, slug: str, name: str, every: int) -> int:
    made = MemberList(slug=slug, name=name)
    session.add(made)
    session.flush()
    session.execute(
        insert(Subscription).from_select(
            ["list_id", "member_id", "standing", "joined_at", "how", "wording", "changed_at"],
            select(
                literal(made.id),
                Member.id,
                literal(Standing.CONFIRMED.value),
                Member.created_at,
                literal("import"),
                literal(""),
                Member.created_at,
            ).where(Member.id % every == 0),
        )
    )
    return made.id


def members(
    keyring: Keyring, count: int, now: datetime, languages: Sequence[str] = LANGUAGES
) -> Iterator[dict[str, Any]]:
    """So many rows of members, numbered from 1, their identities sealed; each is one whose language is of these."""
    days = [now - timedelta(days=back) for back in range(_DAYS)]
    tongues = [TONGUES[tag] for tag in languages for _ in range(TONGUES[tag].share)]
    named = {id(tongue): names_of(tongue) for tongue in tongues}
    for number in range(1, count + 1):
        odd = number * ODD
        tongue = tongues[odd % len(tongues)]
        name, local = named[id(tongue)][odd // 7 % len(named[id(tongue)])]
        country, time_zone = tongue.places[odd // 3 % len(tongue.places)]
        email = f"{local}.{number}@{tongue.domains[odd // 11 % len(tongue.domains)]}"
        address_key, domain_key, sealed = seal_identity(keyring, Identity(email, "" if odd % 14 == 0 else name))
        yield {
            "id": number,
            "address_key": address_key,
            "domain_key": domain_key,
            "sealed": sealed,
            "language": tongue.tags[odd // 5 % len(tongue.tags)],
            "second_language": tongue.seconds[odd // 13 % len(tongue.seconds)],
            "country": country,
            "time_zone": time_zone,
            "attributes": {"city": time_zone.rpartition("/")[2].replace("_", " ")} if odd % 10 < 3 else {},
            "source": "import",
            "share_code": f"b{number:x}",
            "created_at": days[odd % _DAYS],
        }


def names_of(tongue: Tongue) -> list[tuple[str, str]]:
    """Every first with every last name, and the local part of an address for each."""
    return [(f"{first} {last}", _local_part(first, last)) for first in tongue.first for last in tongue.last]


def _local_part(first: str, last: str) -> str:
    words = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
    plain = "".join(c for c in words if c.isalnum() or c == ".").strip(".")
    return plain if len(plain) > 1 else "friend"
