"""Notices: wishes. Which notices an organizer wants; a rule by role for whoever has not said."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.notices.notices import Kind
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role, may
from mobilizer.organizers.users import User

SEES_BLASTS = "blasts.see"
LAUNCHES = ("blast.launch", "blast.schedule", "blast.ask", "blast.confirm")


class Topic(StrEnum):
    """What an organizer chooses by: kinds that ask the same of them."""

    HELD = "held"
    DECISION = "decision"
    FINISHED = "finished"


class Scope(StrEnum):
    """Of which blasts one wants to hear."""

    EVERY = "every"
    MINE = "mine"  # those that one launched oneself
    NONE = "none"


TOPIC_OF = {
    Kind.HELD: Topic.HELD,
    Kind.FINISHED: Topic.FINISHED,
    Kind.UNCERTAIN: Topic.DECISION,
    Kind.LATE: Topic.DECISION,
    Kind.STUCK: Topic.DECISION,
}


def wishes_of(role: str, said: Mapping[str, str]) -> dict[Topic, Scope]:
    """What a user wants: what they said, else what their role is for."""
    return {topic: Scope(said[topic]) if topic in said else _usual(role, topic) for topic in Topic}


def readers(session: Session, kind: Kind, blast_id: int) -> list[int]:
    """Ids of the users who want a mail about a kind of notice on a blast."""
    launcher, topic = launcher_of(session, blast_id), TOPIC_OF[kind]
    wanted = []
    for user in session.scalars(select(User).where(User.disabled_at.is_(None)).order_by(User.id)):
        scope = wishes_of(user.role, user.notices)[topic]
        if may(user.role, SEES_BLASTS) and (scope == Scope.EVERY or (scope == Scope.MINE and user.id == launcher)):
            wanted.append(user.id)
    return wanted


def launcher_of(session: Session, blast_id: int) -> int | None:
    """Who launched a blast, as the audit log remembers; else who made it."""
    launched = (
        select(AuditEntry.user_id)
        .where(AuditEntry.subject == f"blast:{blast_id}", AuditEntry.action.in_(LAUNCHES))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return session.scalar(launched) or session.scalar(select(Blast.created_by_id).where(Blast.id == blast_id))


def _usual(role: str, topic: Topic) -> Scope:
    return Scope.EVERY if role == Role.ADMIN and topic != Topic.FINISHED else Scope.MINE
