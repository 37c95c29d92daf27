"""Audience: who a blast goes to. One row a member, whatever number of lists they are on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression


def audience(
    included: Sequence[int],
    excluded: Sequence[int],
    after: int = 0,
    up_to: int | None = None,
    only: ColumnElement[bool] | None = None,
) -> Select[int, str, str | None, int]:
    """(member_id, language, second_language, list_id) of everyone confirmed on a list of `included`.

    `list_id` is the lowest of those lists: the one that the mail names. Whoever is on a list of `excluded`, even
    unconfirmed, is left out. Suppressed members are in: the ledger must say why they were skipped. With `up_to` only
    the members whose number is above `after` and no higher than `up_to`; with `only`, a condition on Member, only
    whom it fits.
    """

    def among(number: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
        # Said of each table: no planner draws the conclusion from one to the other.
        return [] if up_to is None else [number > after, number <= up_to]

    other = aliased(Subscription)
    away = exists().where(
        other.member_id == Subscription.member_id,
        other.list_id.in_(excluded),
        other.standing != Standing.UNSUBSCRIBED,
        *among(other.member_id),
    )
    # Grouped first, joined after: the rows to group are narrow, and half of the work.
    chosen = (
        select(Subscription.member_id, func.min(Subscription.list_id).label("list_id"))
        .where(
            Subscription.list_id.in_(included),
            Subscription.standing == Standing.CONFIRMED,
            *among(Subscription.member_id),
            *([~away] if excluded else []),
        )
        .group_by(Subscription.member_id)
        .subquery()
    )
    return (
        select(Member.id.label("member_id"), Member.language, Member.second_language, chosen.c.list_id)
        .join(chosen, chosen.c.member_id == Member.id)
        .where(*among(Member.id), *([] if only is None else [only]))
    )


def first_after(included: Sequence[int], member_id: int) -> Select[int]:
    """The lowest number above `member_id` of who is confirmed on a list of `included`; None if there is nobody."""
    # One look into the index for each list: of all lists at once, SQLite would sort everybody who is left.
    first = (
        select(func.min(Subscription.member_id))
        .where(
            Subscription.list_id == MemberList.id,
            Subscription.standing == Standing.CONFIRMED,
            Subscription.member_id > member_id,
        )
        .scalar_subquery()
    )
    return select(func.min(first)).where(MemberList.id.in_(included))


def count_by_language(
    session: Session, included: Sequence[int], excluded: Sequence[int], only: ColumnElement[bool] | None = None
) -> list[tuple[str, str | None, int, int]]:
    """(language, second_language, people, suppressed) of an audience; `people` counts the suppressed too."""
    people = audience(included, excluded, only=only).subquery()
    rows = session.execute(
        select(
            people.c.language,
            people.c.second_language,
            func.count(people.c.member_id),
            func.count(Suppression.address_key),
        )
        .select_from(people)
        .join(Member, Member.id == people.c.member_id)
        .outerjoin(Suppression, Suppression.address_key == Member.address_key)
        .group_by(people.c.language, people.c.second_language)
        .order_by(people.c.language, people.c.second_language)
    )
    return [(language, second, count, suppressed) for language, second, count, suppressed in rows]


def count_by_zone(
    session: Session, included: Sequence[int], excluded: Sequence[int], only: ColumnElement[bool] | None = None
) -> list[tuple[str | None, int]]:
    """(time zone, people) of an audience, most people first; the zone is None for members of whom it is not known."""
    people = audience(included, excluded, only=only).subquery()
    rows = session.execute(
        select(Member.time_zone, func.count())
        .join(people, people.c.member_id == Member.id)
        .group_by(Member.time_zone)
        .order_by(func.count().desc(), Member.time_zone)
    )
    return [(zone, count) for zone, count in rows]
