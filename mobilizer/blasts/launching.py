"""Blasts: to launch. Freezes exactly what was seen and checked, in the transaction that makes the one legal move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle, renditions
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.settings import Settings


@dataclass(frozen=True, slots=True)
class Seen:
    """The revisions that a person had before their eyes when they said yes."""

    blast: int
    appeal: int


def seen(blast: Blast) -> Seen:
    """The revisions as they are now: for a form to carry along."""
    return Seen(blast.revision, blast.appeal.revision)


def launch(session: Session, settings: Settings, blast: Blast, when_seen: Seen) -> bool:
    """Launch a draft or ready blast and freeze its words. False if it or its appeal has changed since it was seen,
    or if it is launched already; of any number of simultaneous calls one returns True.

    Raises message.compile.CompileError where a language can't be compiled; then nothing has happened.
    """
    if not _is_as_seen(session, blast, when_seen) or not lifecycle.launch(session, blast.id, when_seen.blast):
        return False
    renditions.freeze(session, settings, blast)
    return True


def schedule(session: Session, settings: Settings, blast: Blast, when_seen: Seen, at: datetime) -> bool:
    """Let a blast launch by itself at a moment; its words are frozen now, its audience then. False as `launch`."""
    if not _is_as_seen(session, blast, when_seen):
        return False
    if not lifecycle.move(session, blast.id, BlastState.SCHEDULED, when_seen.blast, scheduled_at=at, hold_reason=""):
        return False
    renditions.freeze(session, settings, blast)
    return True


def unschedule(session: Session, blast_id: int) -> bool:
    """Take the time back; the blast can be changed again. False if it has none, or has left already."""
    return lifecycle.move(session, blast_id, BlastState.READY, start=(BlastState.SCHEDULED,), scheduled_at=None)


def _is_as_seen(session: Session, blast: Blast, when_seen: Seen) -> bool:
    """Whether the appeal is what was seen; a draft becomes ready on the way."""
    session.refresh(blast.appeal, with_for_update=True)
    if blast.appeal.revision != when_seen.appeal:
        return False
    if blast.state == BlastState.DRAFT:
        lifecycle.move(session, blast.id, BlastState.READY, when_seen.blast)
    return True
