"""Segments: follow-ups of a blast. Three audiences told by what people did with it, and nobody gets two of a
kind, however many drafts are made of it and whichever is launched first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, not_, select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle, narrowing
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.lifecycle import Plan
from mobilizer.blasts.modes import modes_of
from mobilizer.blasts.narrowing import CannotChoose, Narrowing, narrowing_of
from mobilizer.delivery.checks import SENT
from mobilizer.delivery.ledger import Delivery, numbered, of_blast
from mobilizer.problems import N_, Problem
from mobilizer.segments.deeds import DidInBlast, GotBlast
from mobilizer.segments.kinds import Act
from mobilizer.segments.tree import All, Not, not_counted
from mobilizer.slugs import free_slug
from mobilizer.slugs import slug as to_slug
from mobilizer.tracking import Tracking


class FollowUp(StrEnum):
    """Whom a follow-up is for."""

    UNOPENED = "unopened"
    UNSHARED = "unshared"
    SHARED = narrowing.SHARED


# What they did, and what they did not. An open is told by a picture: whoever clicked has surely read.
DID: dict[FollowUp, tuple[tuple[Act, ...], tuple[Act, ...]]] = {
    FollowUp.UNOPENED: ((), (Act.OPEN, Act.CLICK, Act.WATCH, Act.SHARE)),
    FollowUp.UNSHARED: ((Act.WATCH,), (Act.SHARE,)),
    FollowUp.SHARED: ((Act.SHARE,), ()),
}


def rules_of(kind: FollowUp, blast_id: int) -> All:
    """Who had the mail of a blast, and did what the kind of follow-up is about; acts of machines are nobody's."""
    did, left = DID[kind]
    return All(
        (
            GotBlast(blast_id),
            *(DidInBlast(act, blast_id) for act in did),
            *(Not(DidInBlast(act, blast_id)) for act in left),
        )
    )


def refused(blast: Blast) -> list[Problem]:
    """Why nobody can say whom a follow-up of a blast is for, if so."""
    if blast.state != BlastState.SENT:
        message = N_("“%(blast)s” can be followed up when it is sent: until then people have not had the time to act.")
        return [Problem("follow_up.not_sent", message, {"blast": blast.slug})]
    return _unknown(blast)


def draft(session: Session, blast: Blast, kind: FollowUp, appeal: Appeal, user_id: int | None = None) -> Blast:
    """A draft that sends an appeal to those of a blast's lists whom a follow-up of this kind is for."""
    written = {one.language for one in appeal.translations}
    plan = Plan(
        included=tuple(lifecycle.lists_of(session, blast.id, included=True)),
        excluded=tuple(lifecycle.lists_of(session, blast.id, included=False)),
        chain=tuple(tag for tag in blast.chain if tag in written),
        default_language=blast.default_language if blast.default_language in written else appeal.source_language,
        tracking=Tracking(blast.tracking),
        discreet=blast.discreet,
        narrowing=Narrowing(follows=blast.id, follow_up=kind),
    )
    wanted = to_slug(f"{blast.slug} {kind}", "follow-up")
    slug = free_slug(wanted, lambda candidate: lifecycle.by_slug(session, candidate) is not None)
    return lifecycle.create(session, appeal, slug, plan, user_id)


def earlier(session: Session, kind: FollowUp, blast_id: int, but: int = 0) -> list[int]:
    """The launched follow-ups of a kind of a blast, except one of them."""
    launched = select(Blast.id, Blast.narrowing).where(Blast.id > blast_id, Blast.launched_at.is_not(None))
    told = [(row.id, narrowing_of(row.narrowing)) for row in session.execute(launched.order_by(Blast.id))]
    return [number for number, kept in told if (kept.follows, kept.follow_up) == (blast_id, kind) and number != but]


def fits(session: Session, kind: FollowUp, blast_id: int, now: datetime, but: int = 0) -> ColumnElement[bool]:
    """Whom a follow-up of a kind is for, without who was sent another one than `but`, may have been, or will be.

    Raises blasts.narrowing.CannotChoose where what people did is forgotten or was never counted: they would seem to
    have done nothing.
    """
    for problem in _unknown(session.get_one(Blast, blast_id)):
        raise CannotChoose(problem)
    return and_(
        rules_of(kind, blast_id).where(now),
        # Who turned tracking off seems to have done nothing, and may have done everything.
        Member.tracking,
        *(not_(_had(one)) for one in earlier(session, kind, blast_id, but)),
    )


def _had(blast_id: int) -> ColumnElement[bool]:
    mine = (Delivery.id == numbered(blast_id, Member.id), of_blast(blast_id), Delivery.state.in_(SENT))
    return exists().where(*mine).correlate(Member)


def _unknown(blast: Blast) -> list[Problem]:
    """Why nobody knows what people did with a blast, if so."""
    if modes_of(blast).tracking is not Tracking.PSEUDONYMOUS:
        return [not_counted(blast.slug)]
    if blast.forgotten_at is None:
        return []
    message = N_("What people did with “%(blast)s” is forgotten by now: nobody can say whom a follow-up is for.")
    return [Problem("follow_up.forgotten", message, {"blast": blast.slug})]
