"""Blasts: to launch. Freezes exactly what was seen and checked, in the transaction that makes the one legal move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle, renditions
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.departure import Departure
from mobilizer.db import clock
from mobilizer.settings import Settings

LONGEST_UNDO = 3600.0  # seconds that a launch can be undone, at most: see settings.undo_seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """The revisions that a person had before their eyes when they said yes."""

    blast: int
    appeal: int


def seen(blast: Blast) -> Seen:
    """The revisions as they are now: for a form to carry along."""
    return Seen(blast.revision, blast.appeal.revision)


def launch(session: Session, settings: Settings, blast: Blast, when_seen: Seen, hold_seconds: float = 0.0) -> bool:
    """Launch a draft or ready blast and freeze its words; for `hold_seconds` that can be undone, and nobody is written
    down. False if it or its appeal has changed since it was seen, or if it is launched already; of any number of
    simultaneous calls one returns True.

    Raises message.compile.CompileError where a language can't be compiled; then nothing has happened.
    """
    return _is_as_seen(session, blast, when_seen) and _leave(session, settings, blast, when_seen, hold_seconds)


def schedule(session: Session, settings: Settings, blast: Blast, when_seen: Seen, at: datetime) -> bool:
    """Let a blast launch by itself at a moment; its words are frozen now, its audience then. False as `launch`."""
    return _is_as_seen(session, blast, when_seen) and _wait_for(session, settings, blast, when_seen, at)


def depart(blast: Blast, departure: Departure) -> None:
    """Say how a blast leaves, in the transaction that launches it."""
    blast.departure = departure.written


def ask(session: Session, blast: Blast, when_seen: Seen, user_id: int | None, at: datetime | None = None) -> bool:
    """Ask a second person to launch a blast, at once or at a moment; nothing is frozen yet. False as `launch`.

    `user_id` is who asks, None from the command line.
    """
    asked: dict[str, Any] = {"asked_by_id": user_id, "scheduled_at": at, "hold_reason": ""}
    return _is_as_seen(session, blast, when_seen) and lifecycle.move(
        session, blast.id, BlastState.ASKED, when_seen.blast, **asked
    )


def confirm(
    session: Session, settings: Settings, blast: Blast, when_seen: Seen, user_id: int, hold_seconds: float = 0.0
) -> bool:
    """Launch what another person has asked for, or let it wait for the moment they chose. False as `launch`, and for
    whoever asked: they are not the second person."""
    if blast.state != BlastState.ASKED or blast.asked_by_id == user_id:
        return False
    if not _is_as_seen(session, blast, when_seen):
        return False
    # A moment that went by while the second person was asked is no moment to wait for.
    if blast.scheduled_at is not None and blast.scheduled_at > session.scalars(select(clock())).one():
        return _wait_for(session, settings, blast, when_seen, blast.scheduled_at)
    return _leave(session, settings, blast, when_seen, hold_seconds)


def undo(session: Session, blast_id: int) -> bool:
    """Take a launch back before it leaves: the blast is a draft again, and nothing of it is frozen. False if it has
    left already, or was not launched."""
    if not lifecycle.undo(session, blast_id):
        return False
    renditions.thaw(session, blast_id)
    return True


def unschedule(session: Session, blast_id: int) -> bool:
    """Take the time back; the blast can be changed again. False if it has none, or has left already."""
    back: dict[str, Any] = {"scheduled_at": None, "departure": {}}
    if not lifecycle.move(session, blast_id, BlastState.READY, start=(BlastState.SCHEDULED,), **back):
        return False
    renditions.thaw(session, blast_id)
    return True


def _leave(session: Session, settings: Settings, blast: Blast, when_seen: Seen, hold_seconds: float) -> bool:
    """At once, or when nobody has undone it for so long."""
    if not hold_seconds:
        return lifecycle.launch(session, blast.id, when_seen.blast) and _freeze(session, settings, blast)
    return _moved_to_wait(session, settings, blast, when_seen, BlastState.LEAVING, clock(hold_seconds))


def _wait_for(session: Session, settings: Settings, blast: Blast, when_seen: Seen, at: datetime) -> bool:
    return _moved_to_wait(session, settings, blast, when_seen, BlastState.SCHEDULED, at)


def _moved_to_wait(
    session: Session, settings: Settings, blast: Blast, when_seen: Seen, to: BlastState, at: datetime | clock
) -> bool:
    moved = lifecycle.move(session, blast.id, to, when_seen.blast, scheduled_at=at, hold_reason="")
    return moved and _freeze(session, settings, blast)


def _freeze(session: Session, settings: Settings, blast: Blast) -> bool:
    renditions.freeze(session, settings, blast)
    return True


def _is_as_seen(session: Session, blast: Blast, when_seen: Seen) -> bool:
    """Whether the appeal is what was seen; a draft becomes ready on the way."""
    session.refresh(blast.appeal, with_for_update=True)
    if blast.appeal.revision != when_seen.appeal:
        return False
    if blast.state == BlastState.DRAFT:
        lifecycle.move(session, blast.id, BlastState.READY, when_seen.blast, start=(BlastState.DRAFT,))
    return True
