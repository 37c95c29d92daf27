"""Audience: putting tags on members and taking them off, and naming the tags themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.keeping import insert_new
from mobilizer.audience.tags import MemberTag, Tag, folded, name_problem
from mobilizer.problems import N_, Problem

ASKED_AT_ONCE = 5000  # tags in one statement: a file may name more than a database takes as parameters


@dataclass(frozen=True, slots=True)
class TagLine:
    """A tag, and how many members have it."""

    id: int
    name: str
    members: int


def put_on(session: Session, wanted: Mapping[int, Collection[str]]) -> None:
    """Put tags, by name, on members, by number; a tag that is not there yet is made. What they have they keep."""
    numbers = _made(session, [name for names in wanted.values() for name in names])
    rows = [
        {"tag_id": numbers[folded(name)], "member_id": member} for member, names in wanted.items() for name in names
    ]
    insert_new(session, MemberTag, rows, ["tag_id", "member_id"])


def take_off(session: Session, member_id: int, tag_ids: Iterable[int]) -> list[str]:
    """Take tags off a member; returns the names of those they had."""
    had = select(Tag).join(MemberTag).where(MemberTag.member_id == member_id, Tag.id.in_(list(tag_ids)))
    found = session.scalars(had.order_by(Tag.folded)).all()
    gone = delete(MemberTag).where(MemberTag.member_id == member_id, MemberTag.tag_id.in_([tag.id for tag in found]))
    session.execute(gone)
    return [tag.name for tag in found]


def take_off_named(session: Session, member_id: int, names: Iterable[str]) -> bool:
    """Take tags off a member by name; whether they had any of them."""
    keys = [folded(name) for name in names]
    return bool(take_off(session, member_id, session.scalars(select(Tag.id).where(Tag.folded.in_(keys))).all()))


def tags_of(session: Session, member_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The tags of members by number: id -> name, in the order of their names. Who has none is left out."""
    rows = session.execute(
        select(MemberTag.member_id, Tag.id, Tag.name)
        .join(Tag, Tag.id == MemberTag.tag_id)
        .where(MemberTag.member_id.in_(member_ids))
        .order_by(Tag.folded)
    )
    found: dict[int, dict[int, str]] = {}
    for member, number, name in rows:
        found.setdefault(member, {})[number] = name
    return found


def tag_named(session: Session, name: str) -> Tag | None:
    """The tag of a name, however it is written."""
    return session.scalar(select(Tag).where(Tag.folded == folded(" ".join(name.split()))))


def tag_names(session: Session) -> dict[int, str]:
    """Every tag by name: id -> name."""
    return {number: name for number, name in session.execute(select(Tag.id, Tag.name).order_by(Tag.folded))}  # noqa: C416 - rows, not pairs


def tag_lines(session: Session) -> list[TagLine]:
    """Every tag by name, with how many have it."""
    rows = session.execute(
        select(Tag.id, Tag.name, func.count(MemberTag.member_id))
        .outerjoin(MemberTag)
        .group_by(Tag.id)
        .order_by(Tag.folded)
    )
    return [TagLine(number, name, members) for number, name, members in rows]


def rename(session: Session, tag: Tag, name: str) -> list[Problem]:
    """Give a tag another name, unless it is another tag's."""
    name = " ".join(name.split())
    problem = name_problem(name)
    if problem:
        return [problem]
    other = tag_named(session, name)
    if other is not None and other.id != tag.id:
        return [Problem("tag.taken", N_("There is a tag “%(name)s” already."), {"name": other.name}, where="tags")]
    tag.name, tag.folded = name, folded(name)
    session.flush()
    return []


def _made(session: Session, names: Sequence[str]) -> dict[str, int]:
    """The number of each tag by its folded name; those that are not there are made, as they are first written."""
    first = {folded(name): name for name in reversed(names)}
    # Sorted, so that two imports at once take their locks in the same order.
    rows = [{"name": name, "folded": key} for key, name in sorted(first.items())]
    insert_new(session, Tag, rows, ["folded"])
    found: dict[str, int] = {}
    for at in range(0, len(rows), ASKED_AT_ONCE):
        some = [row["folded"] for row in rows[at : at + ASKED_AT_ONCE]]
        asked = session.execute(select(Tag.folded, Tag.id).where(Tag.folded.in_(some)))
        found |= {key: number for key, number in asked}  # noqa: C416 - rows, not pairs
    return found
