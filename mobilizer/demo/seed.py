"""Demo: seeding. Fills an empty installation with an organisation: its people, lists, appeals, logins and a past."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.editing import appeal_by_slug
from mobilizer.appeals.states import approve, content_hash
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import BlastState
from mobilizer.demo import APPEAL, BLAST, EARLIER, MEMBERS
from mobilizer.demo.box import NotADemo
from mobilizer.demo.contents import read_content
from mobilizer.demo.habits import write_habits
from mobilizer.demo.logins import LOGINS
from mobilizer.demo.past import write_past
from mobilizer.demo.people import LISTS, WORDING, Person, invent
from mobilizer.installation import Installation
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.audit import record
from mobilizer.organizers.users import User

UNREAD = ("pt",)  # nobody has reviewed it yet


def seed(installation: Installation, now: datetime, members: int = MEMBERS) -> bool:
    """Seed the demo in one transaction. False, and nothing changes, where it has been seeded before.

    Raises NotADemo for a database that holds anything else.
    """
    with installation.database.write() as session:
        if appeal_by_slug(session, APPEAL) is not None:
            return False
        if any(session.scalar(select(table.id).limit(1)) for table in (Member, User, Appeal)):
            raise NotADemo
        organizer = _users(session, installation)
        earlier = read_content(session, installation, EARLIER)
        appeal = read_content(session, installation, APPEAL)
        lists = _lists(session)
        people = invent(members, now)
        ids = _members(session, installation, people)
        _subscriptions(session, people, ids, lists, now)
        _suppressions(session, installation, people, now)
        for one in (earlier, appeal):
            _reviewed(session, one, organizer)
        past = write_past(session, installation, earlier, people, ids, lists, now)
        write_habits(session, ids, people, past.id, organizer)
        _ready(session, appeal, lists, organizer)
    return True


def _users(session: Session, installation: Installation) -> int:
    """The four logins; returns the organizer's id."""
    found = {}
    for login in LOGINS:
        user = create_user(
            session,
            installation.keyring,
            email=login.email,
            name=login.name,
            role=login.role,
            password=login.password,
            languages=login.languages,
        )
        if isinstance(user, list):
            raise ValueError(f"{login.email} can't be a login: {user[0].text()}")
        found[login.role.value] = user.id
    return found["organizer"]


def _lists(session: Session) -> dict[str, int]:
    rows = [MemberList(slug=slug, name=name, description=what, open=True) for slug, name, what in LISTS]
    session.add_all(rows)
    session.flush()
    return {row.slug: row.id for row in rows}


def _members(session: Session, installation: Installation, people: Sequence[Person]) -> list[int]:
    """Insert the members in bulk; returns their ids in the same order."""
    rows: list[dict[str, Any]] = []
    for person in people:
        identity = Identity(person.email, person.name)
        address_key, domain_key, sealed = seal_identity(installation.keyring, identity)
        rows.append(
            {
                "address_key": address_key,
                "domain_key": domain_key,
                "sealed": sealed,
                "language": person.language,
                "second_language": person.second,
                "country": person.country,
                "time_zone": person.time_zone,
                "attributes": person.attributes,
                "source": person.source,
                "share_code": person.share_code,
                "created_at": person.joined_at,
            }
        )
    session.execute(insert(Member), rows)
    found = {key: number for number, key in session.execute(select(Member.id, Member.address_key))}
    ids = [found[row["address_key"]] for row in rows]
    recruits = [
        {"id": ids[place], "recruited_by_id": ids[person.recruiter]}
        for place, person in enumerate(people)
        if person.recruiter is not None
    ]
    session.bulk_update_mappings(Member, recruits)
    return ids


def _subscriptions(
    session: Session, people: Sequence[Person], ids: Sequence[int], lists: dict[str, int], now: datetime
) -> None:
    rows = [
        {
            "list_id": lists[slug],
            "member_id": member,
            "standing": standing,
            "joined_at": person.joined_at,
            "changed_at": person.joined_at
            if standing == Standing.CONFIRMED
            else person.joined_at + (now - person.joined_at) * 0.9,
            "how": person.source,
            "wording": WORDING,
        }
        for person, member in zip(people, ids, strict=True)
        for slug, standing in person.standings.items()
    ]
    session.execute(insert(Subscription), rows)


def _suppressions(session: Session, installation: Installation, people: Sequence[Person], now: datetime) -> None:
    chance = random.Random(5)  # noqa: S311
    keys = {installation.keyring.address_key(p.email): p.suppressed for p in people if p.suppressed}
    # Some who asked to be erased: their members are gone, their wish stays.
    keys |= {installation.keyring.address_key(f"gone.{n}@example.net"): SuppressedFor.ERASED for n in range(6)}
    rows = [
        {"address_key": key, "reason": reason, "created_at": now - timedelta(days=chance.uniform(1, 22))}
        for key, reason in keys.items()
    ]
    session.execute(insert(Suppression), rows)


def _reviewed(session: Session, appeal: Appeal, reader: int) -> None:
    """Somebody has read every translation but those into UNREAD."""
    for translation in appeal.translations:
        if translation.language not in UNREAD:
            approve(session, appeal, translation, reader, content_hash(appeal, translation))


def _ready(session: Session, appeal: Appeal, lists: dict[str, int], organizer: int) -> None:
    """The blast that waits for its launch: to every list, each member once."""
    plan = lifecycle.Plan(included=tuple(lists.values()), chain=("en",), default_language="en")
    blast = lifecycle.create(session, appeal, BLAST, plan, organizer)
    record(session, organizer, "blast.create", f"blast:{blast.id}")
    lifecycle.move(session, blast.id, BlastState.READY)
