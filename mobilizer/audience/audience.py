"""Audience: who a blast goes to. One row a member, whatever number of lists they are on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression


def audience(included: Sequence[int], excluded: Sequence[int]) -> Select[int, str, str | None, int]:
    """(member_id, language, second_language, list_id) of everyone confirmed on a list of `included`.

    `list_id` is the lowest of those lists: the one that the mail names. Whoever is on a list of `excluded`, even
    unconfirmed, is left out. Suppressed members are in: the ledger must say why they were skipped.
    """
    chosen = (
        select(
            Subscription.member_id,
            Member.language,
            Member.second_language,
            func.min(Subscription.list_id).label("list_id"),
        )
        .join(Member, Member.id == Subscription.member_id)
        .where(Subscription.list_id.in_(included), Subscription.standing == Standing.CONFIRMED)
        .group_by(Subscription.member_id, Member.language, Member.second_language)
    )
    if not excluded:
        return chosen
    other = aliased(Subscription)
    away = exists().where(
        other.member_id == Subscription.member_id,
        other.list_id.in_(excluded),
        other.standing != Standing.UNSUBSCRIBED,
    )
    return chosen.where(~away)


def count_by_language(
    session: Session, included: Sequence[int], excluded: Sequence[int]
) -> list[tuple[str, str | None, int, int]]:
    """(language, second_language, people, suppressed) of an audience; `people` counts the suppressed too."""
    people = audience(included, excluded).subquery()
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
