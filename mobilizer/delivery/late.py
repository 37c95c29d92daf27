"""Delivery: late languages. One that is approved after the launch goes to exactly those who were held for it."""

from __future__ import annotations

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.media import BadMedia
from mobilizer.blasts import lifecycle, renditions
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.waiting import approved
from mobilizer.delivery import waves
from mobilizer.delivery.waves import HeldWave, Kind, Wave
from mobilizer.message.compile import CompileError
from mobilizer.settings import Settings

log = structlog.get_logger()

# Where everyone has their delivery once the audience is whole, and some are held.
FROZEN = (BlastState.SENDING, BlastState.PAUSED, BlastState.HELD)


def join(session: Session, settings: Settings, blast_id: int, language: str) -> bool:
    """Send a blast in a language that came late, to those who were held for it. False if nobody is, it is not approved,
    or the blast is not under way; of any number of simultaneous calls one returns True.

    Raises message.compile.CompileError, appeals.media.BadMedia; then nothing has happened.
    """
    blast, wave = _held(session, blast_id, language)
    if blast is None or wave is None or not approved(blast.appeal, language):
        return False
    # First the words, then the batches: whoever leases one finds what to send.
    renditions.add_late(session, settings, blast, language)
    return waves.release(session, blast_id, wave.n)


def join_approved(session: Session, settings: Settings) -> None:
    """Send the blasts that are under way in every late language that was approved. One that can't be made waits for
    a person, who is told why when they try."""
    held = (
        select(Wave.blast_id, Wave.language)
        .join(Blast, Blast.id == Wave.blast_id)
        .where(Blast.state == BlastState.SENDING, Wave.kind == Kind.LANGUAGE, Wave.opened_at.is_(None))
    )
    for blast_id, language in session.execute(held).all():
        try:
            joined = join(session, settings, blast_id, language)
        except (CompileError, BadMedia) as error:
            log.warning("late_language_unmade", blast=blast_id, language=language, error=type(error).__name__)
        else:
            if joined:
                log.info("late_language", blast=blast_id, language=language)


def give_up(session: Session, blast_id: int, language: str) -> bool:
    """Let those who were held for a language have what the fallback chain gives them. False as `join`."""
    _blast, wave = _held(session, blast_id, language)
    return wave is not None and waves.fall_back(session, blast_id, wave.n)


def let_go(session: Session, settings: Settings, blast: Blast, wave: HeldWave) -> bool:
    """Send to the people of a held wave now, whatever it waits for; of one that waits for a language once that is
    approved. One that waits for the best variant is not let go but chosen for (engagement.winners). False and raises
    as `join`."""
    if wave.kind == Kind.WINNER:
        return False
    if wave.kind == Kind.LANGUAGE:
        return join(session, settings, blast.id, wave.language)
    return blast.state in FROZEN and waves.release(session, blast.id, wave.n)


def _held(session: Session, blast_id: int, language: str) -> tuple[Blast | None, Wave | None]:
    """A blast that is under way and its wave that is held for a language: nobody else moves it until the end of the
    transaction."""
    under_way = (Blast.id == blast_id, Blast.state.in_(FROZEN), lifecycle.WHOLE)
    blast = session.scalar(select(Blast).where(*under_way).with_for_update())
    mine = (Wave.blast_id == blast_id, Wave.kind == Kind.LANGUAGE, Wave.language == language)
    wave = session.scalar(select(Wave).where(*mine, Wave.opened_at.is_(None))) if blast else None
    return blast, wave
