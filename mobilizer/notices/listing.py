"""Notices: listing. What has been noted lately, and what became of the mails about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from mobilizer.notices.notices import MailState, Notice, NoticeMail
from mobilizer.problems import Problem, read_problem


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice as a page shows it: `mails` counts those to organizers by state."""

    kind: str
    slug: str
    title: str
    noted_at: datetime
    reason: Problem | None
    mails: dict[str, int]


def latest(session: Session, limit: int) -> list[NoticeLine]:
    """The newest notices, newest first."""
    newest = select(Notice).options(selectinload(Notice.mails)).order_by(Notice.id.desc()).limit(limit)
    return [_line(notice) for notice in session.scalars(newest)]


def mails_by_state(session: Session) -> dict[str, int]:
    """How many mails to organizers there are in each state."""
    counted = select(NoticeMail.state, func.count()).group_by(NoticeMail.state)
    found = dict(session.execute(counted).all())
    return {state.value: found.get(state, 0) for state in MailState}


def title_of(notice: Notice) -> str:
    """What people call the notice's blast: its appeal's title in the source language."""
    appeal = notice.blast.appeal
    titles = [each.title for each in appeal.translations if each.language == appeal.source_language]
    return " ".join(titles) or notice.blast.slug


def _line(notice: Notice) -> NoticeLine:
    return NoticeLine(
        kind=notice.kind,
        slug=notice.blast.slug,
        title=title_of(notice),
        noted_at=notice.noted_at,
        reason=read_problem(notice.reason),
        mails=dict(Counter(mail.state for mail in notice.mails)),
    )
