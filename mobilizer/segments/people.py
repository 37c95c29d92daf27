"""Segments: rules about who a member is. Language, place, lists, when and how they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from mobilizer.audience.lists import Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.preferences import uncounted
from mobilizer.audience.tags import MemberTag
from mobilizer.problems import N_
from mobilizer.segments.kinds import (
    COUNTRY,
    DATE,
    DAYS,
    LANGUAGE,
    LIST,
    MEMBER,
    STANDING,
    TAGS,
    TEXT,
    ZONE,
    told,
)
from mobilizer.segments.rules import Rule, rule


@rule("language")
@dataclass(frozen=True, slots=True)
class Speaks(Rule):
    """Their language is exactly this one."""

    language: str = told(LANGUAGE)
    SAYS = (N_("Speaks %(language)s"), N_("Does not speak %(language)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return Member.language == self.language


@rule("language_family")
@dataclass(frozen=True, slots=True)
class SpeaksAny(Rule):
    """Their language is this one or a form of it: pt takes in pt-BR and pt-PT."""

    language: str = told(LANGUAGE)
    SAYS = (
        N_("Speaks %(language)s, in any of its forms"),
        N_("Does not speak %(language)s, in any of its forms"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return or_(Member.language == self.language, Member.language.startswith(f"{self.language}-", autoescape=True))


@rule("second_language")
@dataclass(frozen=True, slots=True)
class SpeaksSecond(Rule):
    """Their second language is exactly this one; of whom none is known, it isn't."""

    language: str = told(LANGUAGE)
    SAYS = (N_("Has %(language)s as second language"), N_("Does not have %(language)s as second language"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return and_(Member.second_language.is_not(None), Member.second_language == self.language)


@rule("country")
@dataclass(frozen=True, slots=True)
class LivesIn(Rule):
    """They live in a country; of whom none is known, they don't."""

    country: str = told(COUNTRY)
    SAYS = (N_("Lives in this country: %(country)s"), N_("Does not live in this country: %(country)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return and_(Member.country.is_not(None), Member.country == self.country)


@rule("time_zone")
@dataclass(frozen=True, slots=True)
class InZone(Rule):
    """Their time zone is exactly this one."""

    zone: str = told(ZONE)
    SAYS = (N_("Lives in the time zone %(zone)s"), N_("Does not live in the time zone %(zone)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return and_(Member.time_zone.is_not(None), Member.time_zone == self.zone)


@rule("on_list")
@dataclass(frozen=True, slots=True)
class OnList(Rule):
    """They have a standing on a list."""

    list: int = told(LIST)
    standing: str = told(STANDING)
    SAYS = (
        N_("On the list “%(list)s” their standing is: %(standing)s"),
        N_("On the list “%(list)s” their standing is not: %(standing)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return (
            exists()
            .where(
                Subscription.list_id == self.list,
                Subscription.member_id == Member.id,
                Subscription.standing == self.standing,
            )
            .correlate(Member)
        )


@rule("tagged_any")
@dataclass(frozen=True, slots=True)
class TaggedAny(Rule):
    """They have one of these tags or more."""

    tags: tuple[int, ...] = told(TAGS)
    SAYS = (N_("Has at least one of these tags: %(tags)s"), N_("Has none of these tags: %(tags)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        mine = MemberTag.member_id == Member.id
        return exists().where(mine, MemberTag.tag_id.in_(self.tags)).correlate(Member)


@rule("tagged_all")
@dataclass(frozen=True, slots=True)
class TaggedAll(Rule):
    """They have every one of these tags."""

    tags: tuple[int, ...] = told(TAGS)
    SAYS = (N_("Has all of these tags: %(tags)s"), N_("Lacks at least one of these tags: %(tags)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        mine = select(func.count()).where(MemberTag.member_id == Member.id, MemberTag.tag_id.in_(self.tags))
        return mine.correlate(Member).scalar_subquery() == len(self.tags)


@rule("joined_before")
@dataclass(frozen=True, slots=True)
class JoinedBefore(Rule):
    """They became a member before a day began (UTC)."""

    day: date = told(DATE)
    SAYS = (N_("Became a member before %(day)s"), N_("Did not become a member before %(day)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return Member.created_at < start_of(self.day)


@rule("joined_since")
@dataclass(frozen=True, slots=True)
class JoinedSince(Rule):
    """They became a member on a day (UTC) or later."""

    day: date = told(DATE)
    SAYS = (N_("Became a member on %(day)s or later"), N_("Did not become a member on %(day)s or later"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return Member.created_at >= start_of(self.day)


@rule("joined_within")
@dataclass(frozen=True, slots=True)
class JoinedWithin(Rule):
    """They became a member within so many days."""

    days: int = told(DAYS)
    SAYS = (
        N_("Became a member at most %(days)s ago"),
        N_("Did not become a member in this time: %(days)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:
        return Member.created_at >= now - timedelta(days=self.days)


@rule("source")
@dataclass(frozen=True, slots=True)
class CameFrom(Rule):
    """Where they came from, word for word."""

    text: str = told(TEXT)
    SAYS = (N_("Came from “%(text)s”"), N_("Did not come from “%(text)s”"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return Member.source == self.text


@rule("recruited_anyone")
@dataclass(frozen=True, slots=True)
class Recruited(Rule):
    """Someone joined through their share link."""

    SAYS = (N_("Brought someone in"), N_("Brought nobody in"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return and_(~uncounted(Member.id), _brought())

    def opposite(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return and_(~uncounted(Member.id), not_(_brought()))


@rule("recruited_within")
@dataclass(frozen=True, slots=True)
class RecruitedWithin(Rule):
    """Someone joined through their share link within so many days."""

    days: int = told(DAYS)
    SAYS = (N_("Brought someone in at most %(days)s ago"), N_("Brought nobody in in this time: %(days)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:
        return and_(~uncounted(Member.id), _brought(now - timedelta(days=self.days)))

    def opposite(self, now: datetime) -> ColumnElement[bool]:
        return and_(~uncounted(Member.id), not_(_brought(now - timedelta(days=self.days))))


def _brought(since: datetime | None = None) -> ColumnElement[bool]:
    """Whether somebody joined through a member; of whom nothing is counted for, nobody is to ask."""
    recruit = aliased(Member)
    lately = () if since is None else (recruit.created_at >= since,)
    return exists().where(recruit.recruited_by_id == Member.id, *lately).correlate(Member)


@rule("recruited")
@dataclass(frozen=True, slots=True)
class WasRecruited(Rule):
    """They joined through someone's share link."""

    SAYS = (N_("Was brought in by someone"), N_("Was brought in by nobody"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return Member.recruited_by_id.is_not(None)


@rule("recruited_by")
@dataclass(frozen=True, slots=True)
class RecruitedBy(Rule):
    """They joined through the share link of one member."""

    member: int = told(MEMBER)
    SAYS = (N_("Was brought in by member %(member)s"), N_("Was not brought in by member %(member)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        merged = select(MergedMember.into_id).where(MergedMember.number == self.member).scalar_subquery()
        stays = func.coalesce(merged, self.member)
        return and_(Member.recruited_by_id.is_not(None), Member.recruited_by_id == stays)


def start_of(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time(), UTC)
