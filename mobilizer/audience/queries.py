"""Audience: what the organizer asks. Lists with their languages, pages of members, one member whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from mobilizer.audience import headcounts
from mobilizer.audience.addresses import normalise
from mobilizer.audience.headcounts import ANYHOW, NO_LIST, SUPPRESSED, Headcount
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.preferences import Fewer, chose, preferences_of
from mobilizer.audience.suppressing import suppressed_among
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.audience.tagging import tags_of
from mobilizer.audience.tags import MemberTag
from mobilizer.keys import Keyring

PAGE = 50
_FEWER = tuple(Fewer)
_BESIDE = (SUPPRESSED, *_FEWER)  # what is asked like a standing, and is so of a member whatever their lists


@dataclass(frozen=True, slots=True)
class ListSummary:
    """A list and who is on it: confirmed members, in all and a language (most first), and the others."""

    id: int
    slug: str
    name: str
    description: str
    members: int
    pending: int
    unsubscribed: int
    languages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A member as one line of a table. `suppressed_for` is the reason they must not be mailed, or None."""

    id: int
    email: str
    name: str
    language: str
    second_language: str | None
    country: str | None
    created_at: datetime
    suppressed_for: SuppressedFor | None


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members, newest first; `older` is the `before` of the next page, None on the last one."""

    members: tuple[MemberLine, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class ListStanding:
    """A member's standing on one list, and how it came about."""

    list_id: int
    slug: str
    name: str
    standing: Standing
    joined_at: datetime
    changed_at: datetime
    how: str
    wording: str
    wording_language: str


@dataclass(frozen=True, slots=True)
class MemberDetail:
    """One member whole. `recruited` counts who joined through their share link; `tags` are theirs by number.

    `monthly`, `paused_until`, `uncounted` and `tracking` are what they chose (see audience.preferences).
    """

    line: MemberLine
    time_zone: str | None
    attributes: dict[str, Any]
    source: str
    share_code: str
    recruited_by_id: int | None
    recruited: int
    lists: tuple[ListStanding, ...]
    tags: dict[int, str]
    monthly: bool
    paused_until: datetime | None
    uncounted: bool
    tracking: bool


def lists(session: Session) -> list[ListSummary]:
    """Every list by name, with its members per language."""
    known = headcounts.kept(session, Headcount.list_id != NO_LIST, Headcount.standing.in_(Standing))
    counted: dict[int, Counter[tuple[str, str]]] = {}
    for list_id, standing, language, count in [*known.lines, *session.execute(headcounts.of_lists(known.up_to))]:
        counted.setdefault(list_id, Counter())[standing, language] += count
    return [_summary(row, counted.get(row.id, Counter())) for row in all_lists(session)]


def all_lists(session: Session) -> Sequence[MemberList]:
    """Every list by name, without its members."""
    return session.scalars(select(MemberList).order_by(MemberList.name, MemberList.id)).all()


def list_by_slug(session: Session, slug: str) -> MemberList | None:
    """The list of a slug."""
    return session.scalar(select(MemberList).where(MemberList.slug == slug))


def member_by_address(session: Session, keyring: Keyring, raw: str) -> int | None:
    """The id of the member with exactly this address, however it is written; also if it was that of a record merged
    into theirs. Raises addresses.BadAddress."""
    key = keyring.address_key(normalise(raw))
    own = session.scalar(select(Member.id).where(Member.address_key == key))
    return own or session.scalar(select(MergedMember.into_id).where(MergedMember.address_key == key))


def members_page(
    session: Session,
    keyring: Keyring,
    *,
    list_id: int | None = None,
    language: str = "",
    standing: str = "",
    tag_id: int | None = None,
    domain_key: bytes | None = None,
    before: int | None = None,
    size: int = PAGE,
) -> MemberPage:
    """A page of members, newest first. `standing` is a Standing (on `list_id`, else on any list), 'suppressed' or a
    preferences.Fewer."""
    asked, number = select(Member), Member.id
    if list_id is None:
        asked = asked.where(*narrowed(None, language, standing, tag_id, domain_key))
    else:
        # Read along the list: its members may be far between the others.
        asked, number = asked.join(Subscription, Subscription.member_id == Member.id), Subscription.member_id
        beside = standing if standing in _BESIDE else ""
        asked = asked.where(*_on(list_id, standing), *narrowed(None, language, beside, tag_id, domain_key))
    if before is not None:
        asked = asked.where(number < before)
    found = session.scalars(asked.order_by(number.desc()).limit(size + 1)).all()
    shown = found[:size]
    return MemberPage(lines_of(session, keyring, shown), shown[-1].id if len(found) > size else None)


def count_members(
    session: Session, *, list_id: int | None = None, language: str = "", standing: str = "", tag_id: int | None = None
) -> int:
    """How many members fit the same filters as `members_page`."""
    if tag_id is not None or standing in _FEWER:
        asked = select(func.count()).select_from(Member).where(*narrowed(list_id, language, standing, tag_id))
        return session.scalars(asked).one()
    which = [Headcount.list_id == (NO_LIST if list_id is None else list_id)]
    if standing or list_id is None:
        which.append(Headcount.standing == (standing or ANYHOW))
    else:
        which.append(Headcount.standing.in_(Standing))
    if language:
        which.append(Headcount.language == language)
    known = headcounts.kept(session, *which)
    others = select(func.count()).select_from(Member).where(Member.id >= known.up_to)
    newest = session.scalars(others.where(*narrowed(list_id, language, standing))).one()
    return sum(people for _, _, _, people in known.lines) + newest


def languages_of_members(session: Session) -> list[tuple[str, int]]:
    """(language, people) of everyone, most spoken first."""
    known = headcounts.kept(session, Headcount.list_id == NO_LIST, Headcount.standing == ANYHOW)
    people = Counter[str]()
    for _, _, language, count in [*known.lines, *session.execute(headcounts.of_everyone(known.up_to))]:
        people[language] += count
    return sorted(((language, count) for language, count in people.items() if count), key=lambda one: (-one[1], one[0]))


def member_detail(session: Session, keyring: Keyring, member_id: int) -> MemberDetail | None:
    """One member with every list they are or were on."""
    member = session.get(Member, member_id)
    if member is None:
        return None
    recruited = session.scalar(select(func.count()).where(Member.recruited_by_id == member_id)) or 0
    chosen = preferences_of(session, member_id)
    return MemberDetail(
        line=lines_of(session, keyring, [member])[0],
        time_zone=member.time_zone,
        attributes=dict(member.attributes),
        source=member.source,
        share_code=member.share_code,
        recruited_by_id=member.recruited_by_id,
        recruited=recruited,
        lists=_standings(session, member_id),
        tags=tags_of(session, [member_id]).get(member_id, {}),
        monthly=chosen.monthly,
        paused_until=chosen.paused_until,
        uncounted=chosen.uncounted,
        tracking=member.tracking,
    )


def _summary(row: MemberList, counted: Mapping[tuple[str, str], int]) -> ListSummary:
    def people(of: Standing) -> int:
        return sum(count for (standing, _), count in counted.items() if standing == of)

    confirmed = [(language, count) for (standing, language), count in counted.items() if standing == Standing.CONFIRMED]
    return ListSummary(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        members=people(Standing.CONFIRMED),
        pending=people(Standing.PENDING),
        unsubscribed=people(Standing.UNSUBSCRIBED),
        languages=tuple(sorted(confirmed, key=lambda pair: (-pair[1], pair[0]))),
    )


def narrowed(
    list_id: int | None = None,
    language: str = "",
    standing: str = "",
    tag_id: int | None = None,
    domain_key: bytes | None = None,
) -> list[ColumnElement[bool]]:
    """The conditions on Member of the filters of `members_page`."""
    conditions: list[ColumnElement[bool]] = []
    if language:
        conditions.append(Member.language == language)
    if tag_id is not None:
        conditions.append(exists().where(MemberTag.member_id == Member.id, MemberTag.tag_id == tag_id))
    if domain_key is not None:
        conditions.append(Member.domain_key == domain_key)
    if standing == SUPPRESSED:
        conditions.append(exists().where(Suppression.address_key == Member.address_key))
    if standing in _FEWER:
        conditions.append(chose(Fewer(standing)))
    if on := _on(list_id, standing):
        conditions.append(exists().where(Subscription.member_id == Member.id, *on))
    return conditions


def _on(list_id: int | None, standing: str) -> list[ColumnElement[bool]]:
    """Conditions on Subscription."""
    on = [Subscription.list_id == list_id] if list_id is not None else []
    if standing and standing not in _BESIDE:
        on.append(Subscription.standing == Standing(standing))
    return on


def lines_of(session: Session, keyring: Keyring, members: Sequence[Member]) -> tuple[MemberLine, ...]:
    """Members as lines of a table, in their order."""
    suppressed = suppressed_among(session, [member.address_key for member in members])
    return tuple(_line(keyring, member, suppressed.get(member.address_key)) for member in members)


def _line(keyring: Keyring, member: Member, suppressed_for: SuppressedFor | None) -> MemberLine:
    identity = member.identity(keyring)
    return MemberLine(
        id=member.id,
        email=identity.email,
        name=identity.name,
        language=member.language,
        second_language=member.second_language,
        country=member.country,
        created_at=member.created_at,
        suppressed_for=suppressed_for,
    )


def _standings(session: Session, member_id: int) -> tuple[ListStanding, ...]:
    rows = session.execute(
        select(Subscription, MemberList.slug, MemberList.name)
        .join(MemberList, MemberList.id == Subscription.list_id)
        .where(Subscription.member_id == member_id)
        .order_by(MemberList.name, MemberList.id)
    )
    return tuple(
        ListStanding(
            list_id=subscription.list_id,
            slug=slug,
            name=name,
            standing=Standing(subscription.standing),
            joined_at=subscription.joined_at,
            changed_at=subscription.changed_at,
            how=subscription.how,
            wording=subscription.wording,
            wording_language=subscription.wording_language,
        )
        for subscription, slug, name in rows
    )
